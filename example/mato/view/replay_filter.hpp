// SPDX-License-Identifier: MIT
/// @file replay_filter.hpp: removes queries and clipboard writes from a program's earlier output.
/// Pure.  Test: test/mato/replay_filter_test.cpp.
/// Source: xterm ctlseqs; ECMA-48 5.3 to 5.6; kitty's graphics, keyboard and colour protocols; iTerm2 "Proprietary Escape
/// Codes".
///
/// If they were replayed, the terminal would answer a program that has not asked, and the clipboard would be overwritten.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mux {

class replay_filter {
public:
    /// Appends the part of `bytes` that is to be shown. They may be split anywhere: undecided bytes are held back.
    void feed(std::string_view bytes, std::string& out);
    /// Ends the replay; new output follows. An incomplete sequence is shown and continues in the new output. If an incomplete
    /// string was removed, its rest must be too: while is_inside_dropped() is true, pass new bytes through feed_new().
    void finish(std::string& out);
    [[nodiscard]] bool is_inside_dropped() const noexcept { return finished_ && at_ == state::dropped; }
    /// Appends what follows the removed string.
    void feed_new(std::string_view bytes, std::string& out);

    /// Bytes held back at most. Queries are shorter than a hundred bytes; a longer sequence of their kind is removed too.
    static constexpr std::size_t most_held = 4096;

private:
    enum class state : unsigned char { text, lead, escape, control_sequence, string, passed, dropped };

    void take(char c, std::string& out);
    void take_escape(char c, std::string& out);
    void begin_string(char kind);
    void take_string(char c, std::string& out);
    void end_string(std::string& out);
    void decide(std::string& out);
    void show(std::string& out);
    void drop() noexcept;

    state at_ = state::text;
    std::string held_;      // a sequence from its first byte on
    char kind_ = 0;         // of a string: ] P _ ^ X
    std::size_t body_ = 0;  // where it begins in held_, after the introducer
    bool escaped_ = false;  // in a string: the last byte was ESC
    bool lead_ = false;     // in a string: the last byte was 0xc2
    bool too_long_ = false; // more than most_held
    bool finished_ = false;
};

} // namespace mux
