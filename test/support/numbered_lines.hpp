// SPDX-License-Identifier: MIT
/// @file numbered_lines.hpp: a tab's program that writes numbered lines, and a check that none is missing or there twice.
#pragma once

#include "catch.hpp"
#include "mato_world.hpp"

#include <string>

namespace support {

/// Coloured lines, in bursts of so many, until the file `end` exists; then how many they were.
[[nodiscard]] inline std::string numbered_lines(const std::string& end, int burst, const std::string& pause = {}) {
    return "n=0; until [ -e " + end + " ]; do m=$((n+" + std::to_string(burst) +
           ")); while [ $n -lt $m ]; do n=$((n+1)); printf '\\033[3%dmline %d 漢字\\033[m\\n' $((n%8)) $n; done; " + pause +
           "done; echo all $n; exec cat";
}

/// The newest lines of the tab follow one another. @returns the number of the last one
inline int check_numbered_lines(const mato_world& world, const std::string& tab) {
    constexpr const char* most_lines = "5000"; // fewer than one answer of `capture` has room for
    const std::string text = world.must({"capture", "-S", most_lines, tab}, {.limit = 60s});
    int number = 0;
    for (auto at = text.find("line "); at != std::string::npos; at = text.find("line ", at + 1)) {
        const auto end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        if (end == std::string::npos || text.compare(end - std::min(end, std::string("漢字").size()), 6, "漢字") != 0) break;
        const int next = std::atoi(line.c_str() + 5);
        if (number != 0 && next != number + 1) {
            INFO("tab " << tab << ": line " << number << " is followed by \"" << line << "\"");
            CHECK(next == number + 1);
        }
        number = next;
    }
    return number;
}

/// The same once the program has ended its lines: the file `end` was written. @returns their number
inline int check_all_numbered_lines(const mato_world& world, const std::string& tab) {
    INFO("tab " << tab);
    REQUIRE(world.run({"wait", tab, "--text", "^all [0-9]+", "--timeout", "60s"}, {.limit = 70s}).exit_code == 0);
    const std::string text = world.must({"capture", "-S", "10", tab});
    const int count = std::atoi(text.c_str() + text.rfind("all ") + 4);
    CHECK(check_numbered_lines(world, tab) == count);
    return count;
}

} // namespace support
