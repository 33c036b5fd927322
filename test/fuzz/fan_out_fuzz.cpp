// SPDX-License-Identifier: MIT
/// @file fan_out_fuzz.cpp: the bytes are a schedule of publishing, joining, stalling, leaving and resuming, and of how much
/// each write accepts.
///
/// Input: each choice takes one byte, two if there are more than 256 options; after the end all are 0.
#include "../support/fan_out_model.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto byte = [&]() -> std::uint32_t { return size == 0 ? 0 : (--size, *data++); };
    try {
        support::fan_out_model::run([&](std::uint32_t below) {
            const std::uint32_t high = below > 256 ? byte() << 8 : 0;
            return below == 0 ? 0 : (high | byte()) % below;
        });
    } catch (const support::broken_rule& rule) {
        std::fprintf(stderr, "line %d: %s\n", rule.line, rule.rule);
        std::abort();
    }
    return 0;
}
