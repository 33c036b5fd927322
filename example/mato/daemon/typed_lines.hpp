// SPDX-License-Identifier: MIT
/// @file typed_lines.hpp: lines that `send` has typed into a tab, and where the tab shows them again.
/// Pure.  Test: test/mato/typed_lines_test.cpp, test/mato/wait_process_test.cpp.
///
/// A program that waits for `done` after it has typed `make; echo done` waits for the output, not for the typed line. A
/// terminal or a line editor echoes a line where the cursor was when its first byte was typed.
#pragma once

#include "protocol/byte_range.hpp"
#include "protocol/protocol.hpp"
#include "protocol/text_mark.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

class typed_lines {
public:
    static constexpr std::size_t most_lines = 8;    ///< the newest ones are remembered
    static constexpr std::size_t most_bytes = 4096; ///< of a line; a longer one is not remembered

    /// The next byte is the first one of a line, and its place will be needed.
    [[nodiscard]] bool begins_line() const noexcept { return is_known_ && current_.text.empty(); }
    /// Bytes as the program gets them. A line is remembered when its Enter is typed. Another control byte, such as one of a
    /// cursor key, edits the line: then it is not remembered, because its echo is not known.
    /// @param cursor used if begins_line()
    void type(std::string_view bytes, const text_mark& cursor);
    /// What was typed since the last Enter is not echoed where the cursor is.
    void forget_line() noexcept;
    /// The lines' echoes in a text, as bytes of it, in order.
    [[nodiscard]] std::vector<byte_range> echoes_in(const text_read& part) const;

private:
    struct line {
        text_mark at;
        std::string text;
    };
    void submit();

    std::vector<line> lines_;
    line current_;
    bool is_known_ = true; // current_ is the whole line so far
};

} // namespace mux
