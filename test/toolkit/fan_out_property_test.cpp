// SPDX-License-Identifier: MIT
/// @file fan_out_property_test.cpp: 100 000 random schedules of publishing, joining, stalling, leaving and resuming.
///
/// A failed schedule is reported with its number: `fan_out_property_test NUMBER` runs only that one.
#include "support/fan_out_model.hpp"

#include <cstdio>
#include <random>

int main(int argc, char** argv) {
    static constexpr unsigned schedules = 100'000;
    const unsigned first = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 0, end = argc > 1 ? first + 1 : schedules;
    unsigned broken = 0;
    for (unsigned number = first; number < end && broken < 10; ++number) {
        std::minstd_rand random(number + 1);
        try {
            support::fan_out_model::run(
                [&](std::uint32_t below) { return below == 0 ? 0u : static_cast<std::uint32_t>(random() >> 4) % below; });
        } catch (const support::broken_rule& rule) {
            std::printf("schedule %u breaks line %d: %s\n", number, rule.line, rule.rule);
            ++broken;
        }
    }
    std::printf("%u of %u schedules broke a rule\n", broken, end - first);
    return broken == 0 ? 0 : 1;
}
