// SPDX-License-Identifier: MIT
/// @file prompt.hpp: one row that asks: for a text, a yes, or one of a few keys.
/// Pure.  Test: test/mato/screens_test.cpp.
#pragma once

#include "line_editor.hpp"
#include "screen.hpp"

#include <string>
#include <utility>
#include <vector>

namespace mux {

/// Asks for a line of text, which can be edited.
class text_prompt final : public screen {
public:
    static constexpr std::size_t most_characters = 256;

    /// @param label before the text · @param text to begin with · @param then gets the text as its answer
    text_prompt(std::string label, std::string_view text, pressed_action then)
        : label_(std::move(label)), typed_(most_characters, text), then_(std::move(then)) {}

    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// Enter answers, if there is a text; Escape and C-c go back.
    screen_reply press(const key_event& key) override;

private:
    std::string label_;
    line_editor typed_;
    pressed_action then_;
};

/// Asks a question that one key answers.
class question final : public screen {
public:
    /// @param then is done with the answer "yes" if `y` or Enter is pressed
    question(std::string text, pressed_action then) : text_(std::move(text)), then_(std::move(then)) {}

    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// `y` and Enter answer; any other key goes back.
    screen_reply press(const key_event& key) override;

private:
    std::string text_;
    pressed_action then_;
};

/// Offers a few actions, each by its key.
class choice_row final : public screen {
public:
    struct choice {
        char key = 0;
        std::string text;
        pressed_action acts;
    };

    choice_row(std::string label, std::vector<choice> choices) : label_(std::move(label)), choices_(std::move(choices)) {}

    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// A key of a choice does its action; any other key goes back.
    screen_reply press(const key_event& key) override;

private:
    std::string label_;
    std::vector<choice> choices_;
};

} // namespace mux
