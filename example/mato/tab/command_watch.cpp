// SPDX-License-Identifier: MIT
#include "command_watch.hpp"

#include "protocol/short_text.hpp"
#include "screens/terminal_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace mux {
namespace {

/// The code in "D;0;…"; nothing: there is none.
std::optional<int> code_in(std::string_view mark) {
    const std::size_t begin = mark.find(';');
    if (begin == std::string_view::npos) return std::nullopt;
    mark = mark.substr(begin + 1);
    mark = mark.substr(0, mark.find(';'));
    int code = 0;
    const auto [end, why] = std::from_chars(mark.data(), mark.data() + mark.size(), code);
    if (why != std::errc() || end != mark.data() + mark.size() || code < 0) return std::nullopt;
    return code;
}

/// The mark on the screen that this event has made.
auto mark_of(std::span<const vt::prompt_mark> marks, const vt::event& event, vt::mark_kind kind) {
    return std::find_if(marks.rbegin(), marks.rend(), [&](const vt::prompt_mark& m) {
        return m.kind == kind && m.line == event.row && m.column == event.column;
    });
}

/// The mark before the one of a command's end is the one of its output.
bool ends_output(const vt::terminal& screen, const vt::event& event) {
    const auto marks = screen.prompt_marks();
    const auto end = mark_of(marks, event, vt::mark_kind::end);
    return end != marks.rend() && end + 1 != marks.rend() && (end + 1)->kind == vt::mark_kind::output;
}

/// The first line of what lies between the mark of a command's begin and that of its output.
std::string typed_command(const vt::terminal& screen, const vt::event& output_begins) {
    const auto marks = screen.prompt_marks();
    const auto output = mark_of(marks, output_begins, vt::mark_kind::output);
    if (output == marks.rend() || output + 1 == marks.rend()) return {};
    const vt::prompt_mark& input = *(output + 1);
    if (input.kind != vt::mark_kind::input) return {};
    const terminal_text all(std::shared_ptr<const vt::terminal>(std::shared_ptr<void>(), &screen));
    if (input.line >= all.end_line()) return {};
    vt::row line;
    all.read_line(input.line, line);
    std::string text;
    const int end = input.line == output->line ? output->column : line.used();
    if (input.column < end) line.append_text(text, input.column, std::min(end, line.used()));
    text.erase(text.find_last_not_of(' ') + 1);
    return short_text(text, command_watch::most_command);
}

} // namespace

bool command_watch::may_report(time_point now) noexcept {
    if (now - second_ >= std::chrono::seconds(1)) {
        second_ = now;
        reported_ = 0;
    }
    return ++reported_ <= most_reported;
}

std::optional<command_watch::change> command_watch::take(const vt::event& event, const vt::terminal& screen, time_point now) {
    const std::string_view mark = event.text;
    if (mark.empty() || (mark.size() > 1 && mark[1] != ';')) return std::nullopt;
    change made;
    const bool is_first = !std::exchange(has_taken_, true);
    switch (mark[0]) {
    case 'A':
        if (phase_ == phase::prompt) return std::nullopt; // it is drawn again
        phase_ = phase::prompt;
        break;
    case 'C':
        phase_ = phase::running;
        started_ = now;
        command_.clear();
        made.what = change::kind::started;
        made.is_news = may_report(now);
        if (made.is_news) command_ = typed_command(screen, event);
        return made;
    case 'D':
        if (is_first && phase_ == phase::unknown && ends_output(screen, event))
            started_ = now; // the process before saw its begin
        else if (phase_ != phase::running)
            return std::nullopt; // a shell's first prompt, or an empty line
        phase_ = phase::unknown;
        made = {change::kind::finished, code_in(mark), std::chrono::duration_cast<mato::milliseconds>(now - started_)};
        break;
    default: return std::nullopt;
    }
    made.is_news = may_report(now);
    return made;
}

void command_watch::restore(const vt::terminal& screen, time_point now) {
    const auto marks = screen.prompt_marks();
    if (phase_ != phase::unknown || marks.empty()) return;
    const vt::mark_kind last = marks.back().kind;
    if (last == vt::mark_kind::prompt || last == vt::mark_kind::input) phase_ = phase::prompt;
    if (last != vt::mark_kind::output) return;
    phase_ = phase::running;
    started_ = now;
    vt::event begin;
    begin.row = marks.back().line, begin.column = marks.back().column;
    command_ = typed_command(screen, begin);
}

} // namespace mux
