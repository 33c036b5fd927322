// SPDX-License-Identifier: MIT
/// @file outer_terminal.hpp: a user's terminal with `mato …` in it: libvterm shows its output, and queries are
/// answered.
#pragma once

#include "pty_client.hpp"
#include "vterm_screen.hpp"

#include <memory>
#include <string>
#include <vector>

namespace support {

/// A snapshot of the tab: its cells as shown by libvterm, and its cursor. `--ansi` is the emulator's description of its screen.
class tab_screen {
public:
    tab_screen(const mato_world& world, const std::string& tab) {
        const std::string facts = world.must({"capture", tab, "--json"});
        const auto number = [&](const char* key) {
            const auto at = facts.find(std::string("\"") + key + "\": ");
            REQUIRE(at != std::string::npos);
            return std::atoi(facts.c_str() + at + std::string_view(key).size() + 4);
        };
        row = number("row"), column = number("column");
        visible = contains(facts, "\"visible\": true");
        screen = std::make_unique<vterm_screen>(number("rows"), number("cols"));
        std::string text = world.must({"capture", tab, "--ansi"});
        if (!text.empty()) text.pop_back(); // the last newline would scroll
        for (std::size_t from = 0, end; from <= text.size(); from = end + 1) {
            end = std::min(text.find('\n', from), text.size());
            screen->feed(text.substr(from, end - from));
            if (end < text.size()) screen->feed("\r\n");
        }
    }
    std::unique_ptr<vterm_screen> screen;
    int row = 0, column = 0;
    bool visible = true;
};

class outer_terminal {
public:
    outer_terminal(const mato_world& world, const std::vector<std::string>& arguments, int columns = 80, int rows = 24)
        : world_(world), screen_(rows, columns), client_(world, arguments,
                                                         {.columns = static_cast<unsigned short>(columns),
                                                          .rows = static_cast<unsigned short>(rows),
                                                          .run = {.variables = {{"COLORTERM", "truecolor"}}}}) {}

    [[nodiscard]] pty_client& client() noexcept { return client_; }
    [[nodiscard]] const vterm_screen& screen() const noexcept { return screen_; }

    /// Writes text to the screen before the client starts. @pre nothing has been read
    void begin_with(std::string_view shown) {
        before_ = shown;
        screen_.feed(shown);
    }
    [[nodiscard]] const std::string& before() const noexcept { return before_; }

    /// Shows received bytes, and waits briefly if there are none.
    void look() {
        static_cast<void>(client_.wait_for_bytes(1, 20ms));
        const std::string_view all = client_.shown();
        if (shown_ >= all.size()) return;
        screen_.feed(all.substr(shown_));
        shown_ = all.size();
        if (const std::string answers = screen_.take_answers(); !answers.empty()) client_.type(answers);
    }
    void type(std::string_view keys) { client_.type(keys); }
    void command(char key) { client_.command(key); }
    void resize(int columns, int rows) {
        look();
        screen_.resize(rows, columns);
        client_.resize(static_cast<unsigned short>(columns), static_cast<unsigned short>(rows));
    }
    /// Whether `text` appears on its screen in time.
    [[nodiscard]] bool comes_to_show(std::string_view text) {
        const bool shown = wait_until([&] { return look(), contains(screen_.text(), text); });
        if (!shown) UNSCOPED_INFO("no \"" << text << "\" on\n" << screen_.text());
        return shown;
    }
    /// Whether it shows the tab in time, cell by cell, or the part of it with the cursor; and the cursor at the tab's position.
    [[nodiscard]] bool comes_to_agree(const std::string& tab) {
        std::string why;
        const bool agrees = wait_until([&] {
            look();
            why = disagreement(tab_screen(world_, tab));
            return why.empty();
        });
        if (!agrees) UNSCOPED_INFO(why << "\nthe viewer:\n" << screen_.text() << "the tab:\n" << world_.must({"capture", tab}));
        return agrees;
    }

private:
    [[nodiscard]] std::string disagreement(const tab_screen& tab) const {
        const int most_top = std::max(0, tab.screen->rows() - screen_.rows());
        const int most_left = std::max(0, tab.screen->columns() - screen_.columns());
        const VTermPos at = screen_.cursor();
        if (screen_.cursor_visible() != tab.visible) return "the cursor's visibility";
        std::string why;
        for (int top = 0; top <= most_top; ++top) {
            for (int left = 0; left <= most_left; ++left) {
                if (tab.visible && (at.row + top != tab.row || at.col + left != tab.column)) continue;
                const std::string different = vterm_screen::difference(*tab.screen, screen_, top, left);
                if (different.empty()) return {};
                if (why.empty()) why = different;
            }
        }
        return why.empty() ? "the cursor at " + std::to_string(at.row) + "," + std::to_string(at.col) + " instead of " +
                                 std::to_string(tab.row) + "," + std::to_string(tab.column)
                           : why;
    }

    const mato_world& world_;
    vterm_screen screen_;
    pty_client client_;
    std::size_t shown_ = 0;
    std::string before_;
};

} // namespace support
