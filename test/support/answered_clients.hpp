// SPDX-License-Identifier: MIT
/// @file answered_clients.hpp: clients that connect one after the other while the daemon's workers die.
#pragma once

#include "catch.hpp"
#include "launched_daemon.hpp"

#include <cstdint>
#include <string>

namespace support {

/// What clients got that connect one after the other and ask for the next number.
struct answered_clients {
    std::uint64_t connects = 0, answers = 0, refused = 0;
    std::uint64_t back = 0; ///< numbers that were not larger than the one before
};

/// Connects until `is_over(connects)`. A client whose worker ends first gets no answer.
template <class IsOver>
[[nodiscard]] answered_clients ask_one_after_the_other(const mato::daemon_options& options, IsOver is_over) {
    answered_clients all;
    std::uint64_t last = 0;
    for (bool ends = false; !ends; ++all.connects) {
        ends = is_over(all.connects);
        mato::failure why;
        auto client = connect_to(options, why);
        if (why) {
            ++all.refused;
            UNSCOPED_INFO(why.message());
            continue;
        }
        const std::string answer = ask(client, "x");
        if (answer.empty()) continue;
        const auto count = std::stoull(answer);
        if (count <= last) ++all.back;
        last = count;
        ++all.answers;
    }
    return all;
}

} // namespace support
