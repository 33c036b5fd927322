// SPDX-License-Identifier: MIT
/// @file text_parts.hpp: a tab's text, collected from the answers that carry its parts.
/// Pure.  Test: test/mato/text_parts_test.cpp.
#pragma once

#include "protocol/byte_range.hpp"
#include "protocol/protocol.hpp"
#include "protocol/text_mark.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

class text_parts {
public:
    /// @returns whether a further part is to be requested: `last().next` is its first line.
    bool add(text_read part);
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// The last part; its text is empty.
    [[nodiscard]] const text_read& last() const noexcept { return last_; }
    /// Whether the byte before `end` belongs to the echo of a line that `send` has typed.
    [[nodiscard]] bool ends_in_echo(std::size_t end) const noexcept;
    /// Lines that were evicted between two parts.
    [[nodiscard]] std::uint64_t lost_lines() const noexcept { return lost_; }

    [[nodiscard]] text_mark begin() const { return mark_at(0); }
    [[nodiscard]] text_mark end() const { return mark_at(text_.size()); }
    /// The place of a byte of the text. @pre byte <= text().size()
    [[nodiscard]] text_mark mark_at(std::size_t byte) const;
    /// The line that holds this byte.
    [[nodiscard]] std::string line_at(std::size_t byte) const;

private:
    struct anchor {
        std::size_t byte;
        text_mark at;
    };
    std::string text_;
    text_read last_;
    std::vector<anchor> anchors_;    // where each part begins
    std::vector<byte_range> echoes_; // in order
    std::uint64_t lost_ = 0;
};

/// The part of a text before a place in the tab; `begin`: of the text. @pre the place is not before it
[[nodiscard]] std::string_view text_before(std::string_view text, const text_mark& begin, const text_mark& end);

} // namespace mux
