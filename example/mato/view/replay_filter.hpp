// SPDX-License-Identifier: MIT
/// @file replay_filter.hpp: a program's earlier output without the questions it asked and the clipboards it set.
/// Pure.  Test: test/mato/replay_filter_test.cpp.
/// Source: xterm ctlseqs; ECMA-48 5.3 to 5.6; kitty's graphics, keyboard and colour protocols; iTerm2 "Proprietary Escape
/// Codes".
///
/// A terminal that is sent them again would answer into a program that has not asked, and would lose what was copied since.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mux {

class replay_filter {
public:
    /// Appends what of `bytes` is to be shown. They may be cut anywhere: what is not decided yet is held back.
    void feed(std::string_view bytes, std::string& out);
    /// The replay ends here, and what follows is new. A sequence that was begun is shown, and goes on in what follows; of a
    /// string that is left out the rest is, too: while is_inside_dropped() is true, `bytes` go through feed_new().
    void finish(std::string& out);
    [[nodiscard]] bool is_inside_dropped() const noexcept { return finished_ && at_ == state::dropped; }
    /// Appends what is behind the string that is left out.
    void feed_new(std::string_view bytes, std::string& out);

    /// Bytes held back at most. Questions are under a hundred bytes long; a longer sequence of their kind is left out as well.
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
    std::size_t body_ = 0;  // where in held_ it begins, behind the introducer
    bool escaped_ = false;  // in a string: ESC came last
    bool lead_ = false;     // in a string: 0xc2 came last
    bool too_long_ = false; // more than most_held
    bool finished_ = false;
};

} // namespace mux
