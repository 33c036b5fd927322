// SPDX-License-Identifier: MIT
/// @file text.hpp: what is typed into a tab, and its screen as text.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "protocol/byte_range.hpp"
#include "target.hpp"
#include "vt/geometry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// A key by name. The daemon encodes it, because it knows the program's modes.
struct key_in_text {
    std::uint64_t before = 0; ///< its place: before this byte of the text; the text's size: at the end
    std::string name;
    void fields(auto& f) { f(before, name); }
};
struct send_request {
    target which;
    std::string bytes;
    std::vector<key_in_text> keys; ///< in order
    void fields(auto& f) { f(which, bytes, keys); }
};
/// Bytes of one `send` that the program's terminal accepted: all of them, unless it was cancelled.
struct sent {
    std::uint64_t bytes = 0;
    bool cancelled = false;
    void fields(auto& f) { f(bytes, cancelled); }
};
/// A tab's screen as text, and rows of history above it. A long text needs several requests: `from` is the last answer's
/// `next`.
struct capture_request {
    target which;
    std::uint32_t history_rows = 0;
    std::uint64_t from = 0;
    bool ansi = false, join = false; ///< with SGR; no newline between rows of one wrapped line
    bool blanks_to_cursor = false;   ///< keeps blanks that were written before the cursor
    void fields(auto& f) { f(which, history_rows, from, ansi, join, blanks_to_cursor); }
};
struct captured {
    std::uint64_t tab = 0, revision = 0, idle_ms = 0, next = 0; ///< next 0: this is the last part
    vt::screen_size size;
    std::uint16_t cursor_row = 0, cursor_column = 0; ///< from 0
    bool cursor_visible = true, alternate_screen = false, running = true;
    std::uint32_t history_rows = 0; ///< of the requested rows, those that exist
    std::string title, text;
    void fields(auto& f) {
        f(tab, revision, idle_ms, next, size, cursor_row, cursor_column, cursor_visible, alternate_screen, running,
          history_rows, title, text);
    }
};
/// Where a text that is read begins: with the line kept for the longest time, the screen's first one, the cursor, `line` and
/// `column`, or `line` lines before the end. A `mark` is a place too, but one that is gone or does not exist yet is refused.
enum class text_begin : std::uint8_t { oldest, screen, cursor, place, mark, last };
[[nodiscard]] constexpr text_begin last_of(text_begin) noexcept { return text_begin::last; }
/// A tab's lines as the program wrote them, not wrapped: those of its history, then those of its screen. They are counted from
/// 0, the tab's first line ever. Columns are bytes of the line's text. A long text needs several requests: `line` is the last
/// answer's `next`.
struct read_request {
    target which;
    text_begin from = text_begin::screen;
    std::uint64_t line = 0, column = 0;
    void fields(auto& f) { f(which, from, line, column); }
};
struct text_read {
    std::uint64_t tab = 0, revision = 0, idle_ms = 0;
    bool running = true;
    std::uint64_t line = 0, column = 0; ///< where `text` begins
    std::uint64_t next = 0;             ///< the line after `text`, if that is not its last part; else 0
    std::uint64_t screen_line = 0;      ///< the screen's first line; earlier ones do not change any more
    std::uint64_t cursor_line = 0, cursor_column = 0;
    std::string text;     ///< with a newline between lines, and at the end if there is a next part
    bool has_end = false; ///< the program has ended and the tab remains: what it wrote ends at `end_line` and `end_column`
    std::uint64_t end_line = 0, end_column = 0;
    std::vector<byte_range> echoes; ///< of lines that `send` has typed, in `text`
    void fields(auto& f) {
        f(tab, revision, idle_ms, running, line, column, next, screen_line, cursor_line, cursor_column, text, has_end, end_line,
          end_column, echoes);
    }
};
/// The output of a command that a shell has run, by OSC 133. `back`: 1 for the last one that has ended, 2 for the one before.
/// Answered by `output_found`: the places are as in `text_read`.
struct output_request {
    target which;
    std::uint32_t back = 1;
    void fields(auto& f) { f(which, back); }
};
struct output_found {
    std::uint64_t tab = 0;
    std::uint64_t line = 0, column = 0, end_line = 0, end_column = 0;
    std::int32_t exit_code = 0; ///< -1: the shell did not say
    void fields(auto& f) { f(tab, line, column, end_line, end_column, exit_code); }
};
/// Answered by `output_came` when the tab's revision differs from this one, or its program has ended.
struct wait_output {
    target which;
    std::uint64_t revision = 0;
    void fields(auto& f) { f(which, revision); }
};

} // namespace mux
