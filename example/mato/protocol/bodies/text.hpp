// SPDX-License-Identifier: MIT
/// @file text.hpp: what is typed into a tab, and its screen as text.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

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
/// Answered by `output_came` when the tab's revision differs from this one, or its program has ended.
struct wait_output {
    target which;
    std::uint64_t revision = 0;
    void fields(auto& f) { f(which, revision); }
};

} // namespace mux
