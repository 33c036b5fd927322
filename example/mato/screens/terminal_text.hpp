// SPDX-License-Identifier: MIT
/// @file terminal_text.hpp: history and screen of a terminal as one text.
/// Pure.  Test: test/mato/look_back_test.cpp.
#pragma once

#include "text_source.hpp"
#include "vt/terminal.hpp"

#include <memory>
#include <span>
#include <utility>

namespace mux {

/// On the alternate screen its rows follow the history of the primary one. Blank rows at the screen's end are not counted.
class terminal_text final : public text_source {
public:
    explicit terminal_text(std::shared_ptr<const vt::terminal> shown) : terminal_(std::move(shown)) {}

    [[nodiscard]] std::uint64_t first_line() const override;
    [[nodiscard]] std::uint64_t end_line() const override;
    [[nodiscard]] text_position screen_begin() const override;
    [[nodiscard]] text_position cursor() const override;
    void read_line(std::uint64_t line, vt::row& out) const override;
    [[nodiscard]] std::span<const vt::prompt_mark> marks() const override;

private:
    /// The newest line of history goes on in the screen's first row.
    [[nodiscard]] bool joins() const;
    [[nodiscard]] std::uint64_t screen_line() const;

    std::shared_ptr<const vt::terminal> terminal_;
};

} // namespace mux
