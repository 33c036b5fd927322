// SPDX-License-Identifier: MIT
#include "plain_output.hpp"

#include "screens/terminal_text.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t piece_bytes = 32u << 10;         // fed at a time: at most so many lines
constexpr std::size_t kept_lines = piece_bytes + 1024; // those, and the rows of a screen
constexpr int columns_of_a_cut_line = 16 * 1024;       // the history cuts a line at the next row's end

terminal_text plain_text_of(const vt::terminal& screen) {
    return terminal_text(std::shared_ptr<const vt::terminal>(std::shared_ptr<void>(), &screen));
}

vt::terminal_options options_for(vt::screen_size size) {
    vt::terminal_options options;
    options.size = size;
    options.limits.history.lines = kept_lines;
    return options;
}

} // namespace

plain_output::plain_output(vt::screen_size size, std::function<void(std::string_view)> text)
    : terminal_(options_for(size)), text_(std::move(text)) {}

void plain_output::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        terminal_.feed(bytes.substr(0, piece_bytes));
        bytes.remove_prefix(std::min(bytes.size(), piece_bytes));
        static_cast<void>(terminal_.take_events());
        static_cast<void>(terminal_.take_answers());
        if (terminal_.is_set(vt::mode::alternate_screen)) continue;
        const terminal_text all = plain_text_of(terminal_);
        const std::uint64_t cursor = all.cursor().line;
        if (all.end_line() < next_) next_ = cursor; // the screen was cleared
        hand_on(cursor, last_line::has_ended);
    }
}

void plain_output::finish() {
    if (terminal_.is_set(vt::mode::alternate_screen)) terminal_.feed("\033[?1049l");
    hand_on(plain_text_of(terminal_).end_line(), last_line::goes_on);
}

void plain_output::hand_on(std::uint64_t end, last_line how) {
    const terminal_text all = plain_text_of(terminal_);
    std::string lines;
    vt::row cells;
    const std::uint64_t first_on_screen = all.screen_begin().line;
    const int columns = terminal_.size().columns;
    for (next_ = std::max(next_, all.first_line()); next_ < end; ++next_) {
        all.read_line(next_, cells);
        cells.append_text(lines, 0, cells.used());
        const bool is_last = how == last_line::goes_on && next_ + 1 == end;
        const bool is_cut = next_ < first_on_screen && cells.used() >= columns_of_a_cut_line && cells.used() % columns == 0;
        if (!is_last && !is_cut) lines += '\n';
    }
    if (!lines.empty()) text_(lines);
}

} // namespace mux
