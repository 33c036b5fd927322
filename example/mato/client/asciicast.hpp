// SPDX-License-Identifier: MIT
/// @file asciicast.hpp: the output sent to a terminal, as lines of an asciicast v2 file.
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
    vt::screen_size size;
    std::time_t started = 0; ///< seconds since 1970
    std::string title, command;
    std::vector<std::pair<std::string, std::string>> environment;
};

/// Each call appends whole lines to `to`. Times are microseconds of one clock; a time before the last one counts as the last
/// one.
class asciicast_writer {
public:
    explicit asciicast_writer(std::string& to) : to_(to) {}

    /// To be called first. `at` is time 0 of the file.
    void begin(const asciicast_header& header, std::uint64_t at);
    /// Bytes may be split anywhere: an incomplete character waits for its rest. Bytes that are not UTF-8 become U+FFFD.
    void output(std::uint64_t at, std::string_view bytes);
    void resize(std::uint64_t at, vt::screen_size size);
    void marker(std::uint64_t at, std::string_view label);
    /// The rest of an incomplete character will not come: call it at the end, or before output that does not continue the last.
    void cut(std::uint64_t at);

    [[nodiscard]] std::uint64_t seconds() const noexcept { return last_ / 1'000'000; } ///< of the last event

private:
    void event(std::uint64_t at, char code, std::string_view text);

    std::string& to_;
    std::string unfinished_;
    std::uint64_t begin_ = 0, last_ = 0; // microseconds; last_ since begin_
};

} // namespace mux
