// SPDX-License-Identifier: MIT
/// @file plain_output.hpp: a program's output as the lines that a terminal would show, without a limit on their number.
/// Pure.  Test: test/mato/plain_output_test.cpp.
///
/// A line is handed on when the cursor is below it; what the program changes in it later is not handed on again. What it shows
/// on the alternate screen is not part of its text. Blanks that were written are kept. The history cuts a line after 16384
/// columns; the parts are joined again, which is wrong for a line that ends by itself exactly at that cut.
#pragma once

#include "vt/terminal.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace mux {

class plain_output {
public:
    /// `text`: is called with whole lines, each with its newline, and at the end with a last one without.
    plain_output(vt::screen_size size, std::function<void(std::string_view)> text);
    void feed(std::string_view bytes);
    void resize(vt::screen_size size) { terminal_.resize(size); }
    /// Hands on the last line.
    void finish();

private:
    enum class last_line : std::uint8_t { has_ended, goes_on };
    void hand_on(std::uint64_t end, last_line how);

    vt::terminal terminal_;
    std::function<void(std::string_view)> text_;
    std::uint64_t next_ = 0; // line
};

} // namespace mux
