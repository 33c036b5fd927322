// SPDX-License-Identifier: MIT
#include "emulator.hpp"

namespace mux::vt {

/// Where the primary screen's first row begins.
emulator::text_place emulator::screen_place() const noexcept {
    const std::uint64_t after = history_.first() + history_.size();
    if (!history_.is_open()) return {after, 0};
    return {after - 1, history_.open_line().used()};
}

/// @pre the primary screen is shown
emulator::text_place emulator::cursor_place() const noexcept {
    text_place at = screen_place();
    for (int r = 0; r < cursor_.at.row; ++r) {
        const row& above = primary_.at(r);
        if (above.wraps)
            at.column += above.used();
        else
            ++at.line, at.column = 0;
    }
    at.column += cursor_.at.column + (cursor_.pending_wrap ? 1 : 0);
    return at;
}

// FinalTerm, OSC 133: A a prompt begins, B the command's text, C its output; D;code it has ended. Others are not kept. With
// k=s the prompt is one for more lines of the same command (kitty, "Shell integration").
void emulator::mark_prompt(std::string_view rest) {
    if (on_alternate()) return tell(event_kind::mark, rest);
    const text_place at = cursor_place();
    spend(cursor_.at.row);
    events_.push({event_kind::mark, std::string(rest), {}, at.line, at.column});
    const std::string_view letter = take_string_part(rest);
    if (letter.size() != 1 || letter[0] < 'A' || letter[0] > 'D') return;
    prompt_mark mark;
    mark.kind = static_cast<mark_kind>(letter[0] - 'A');
    if (mark.kind == mark_kind::end) mark.exit_code = string_number(take_string_part(rest));
    if (mark.kind == mark_kind::prompt)
        while (!rest.empty())
            if (take_string_part(rest) == "k=s") return;
    mark.line = at.line, mark.column = at.column;
    marks_.add(mark, history_.first());
}

/// The display was erased, as ED says, or reset.
void emulator::unmark_erased(int how) {
    if (marks_.empty() || on_alternate()) return;
    const text_place from = how == 0 ? cursor_place() : screen_place();
    if (how == 0) return marks_.drop_after(from.line, from.column);
    if (how != 2) return;
    if (from.column > 0)
        marks_.drop_after(from.line, from.column - 1);
    else if (from.line > 0)
        marks_.drop_after(from.line - 1, prompt_marks::most_column);
    else
        marks_ = {};
}

} // namespace mux::vt
