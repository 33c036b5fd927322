// SPDX-License-Identifier: MIT
/// @file asciicast.hpp: what a terminal was sent, as lines of an asciicast v2 file.
/// Pure.  Test: test/mato/asciicast_test.cpp.
/// Source: docs.asciinema.org/manual/asciicast/v2; RFC 8259.
#pragma once

#include "protocol/protocol.hpp"

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mux {

struct asciicast_header {
    size_of_terminal size;
    std::time_t started = 0; ///< seconds since 1970
    std::string title, command;
    std::vector<std::pair<std::string, std::string>> environment;
};

/// Each call appends whole lines to `to`. Times are microseconds of one clock; one that runs backwards stands still.
class asciicast_writer {
public:
    explicit asciicast_writer(std::string& to) : to_(to) {}

    /// First. `at` is the time 0 of the file.
    void begin(const asciicast_header& header, std::uint64_t at);
    /// Bytes cut anywhere: a character that the end cuts waits for its rest. What is no UTF-8 becomes U+FFFD.
    void output(std::uint64_t at, std::string_view bytes);
    void resize(std::uint64_t at, size_of_terminal size);
    void marker(std::uint64_t at, std::string_view label);
    /// The rest of a cut character will not come: last, or before output that does not go on from the one before.
    void cut(std::uint64_t at);

    [[nodiscard]] std::uint64_t seconds() const noexcept { return last_ / 1'000'000; } ///< of the last event

private:
    void event(std::uint64_t at, char code, std::string_view text);

    std::string& to_;
    std::string unfinished_;
    std::uint64_t begin_ = 0, last_ = 0; // microseconds; last_ since begin_
};

} // namespace mux
