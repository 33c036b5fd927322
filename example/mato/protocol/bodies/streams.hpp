// SPDX-License-Identifier: MIT
/// @file streams.hpp: the output of a tab as a stream that a client records.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "target.hpp"
#include "vt/geometry.hpp"

#include <cstdint>
#include <string>

namespace mux {

/// Answered by `recording`; then `stream_screen`, the stream, and finally `stream_end`.
struct record_request {
    target which;
    bool exact = false;       ///< end at the first gap
    bool goes_on = false;     ///< a recording that the daemon's process before has begun
    std::uint64_t offset = 0; ///< of that: the first byte that was not received
    void fields(auto& f) { f(which, exact, goes_on, offset); }
};
struct recording_info {
    std::uint64_t tab = 0;
    std::string name, title, command;
    vt::screen_size size;
    bool can_go_on = false; ///< the daemon's next process knows offsets of this stream
    void fields(auto& f) { f(tab, name, title, command, size, can_go_on); }
};
/// Output of a program, from byte number `offset` of all its output on. `at`, here and below: microseconds of the daemon's
/// clock.
struct stream_output {
    std::uint64_t at = 0, offset = 0;
    std::string bytes;
    void fields(auto& f) { f(at, offset, bytes); }
};
/// Bytes that draw the tab's screen on any terminal of that size. They replace all output before `offset`.
struct stream_screen {
    std::uint64_t at = 0, offset = 0;
    vt::screen_size size;
    std::string bytes;
    void fields(auto& f) { f(at, offset, size, bytes); }
};
struct stream_size {
    std::uint64_t at = 0;
    vt::screen_size size;
    void fields(auto& f) { f(at, size); }
};
/// The program has ended after `offset` bytes of output; or, with a reason, the stream has ended.
struct stream_end {
    std::uint64_t at = 0, offset = 0;
    std::int32_t exit_code = 0;
    std::string reason;
    void fields(auto& f) { f(at, offset, exit_code, reason); }
};

} // namespace mux
