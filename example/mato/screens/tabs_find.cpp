// SPDX-License-Identifier: MIT
#include "tabs_find.hpp"

#include <algorithm>
#include <utility>

namespace mux {
namespace {

/// Not within a character.
void cut_line(std::string& text, std::size_t most) {
    if (text.size() <= most) return;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    text.resize(most);
}

tab_hit made_of(std::size_t tab, const text_hit& hit, const vt::row& cells) {
    tab_hit made{tab, hit.position(), {}, 0, 0};
    cells.append_text(made.text, std::max(0, hit.column - tabs_find::most_before), hit.column);
    cut_line(made.text, tabs_find::most_text / 2); // combining characters take bytes, but no columns
    made.begin = made.text.size();
    const int most_columns = static_cast<int>(tabs_find::most_text);
    cells.append_text(made.text, hit.column, std::min(hit.end, hit.column + most_columns));
    const std::size_t end = made.text.size();
    if (hit.end < cells.used()) cells.append_text(made.text, hit.end, std::min(cells.used(), hit.end + most_columns));
    cut_line(made.text, tabs_find::most_text);
    made.size = std::min(end, made.text.size()) - made.begin;
    return made;
}

} // namespace

void tabs_find::begin(std::string_view typed) {
    typed_ = typed;
    listing_ = source_.list();
    find_ = text_find(1);
    hits_.clear();
    next_ = typed.empty() ? listing_.tabs.size() : 0;
    hits_of_tab_ = tabs_with_hits_ = 0;
    is_begun_ = is_cut_ = false;
}

void tabs_find::work() {
    if (!is_searching()) return;
    const auto text = source_.text(listing_.tabs[next_].id);
    if (!text) return leave_tab();
    if (!std::exchange(is_begun_, true)) {
        find_.begin(typed_, *text);
        if (!find_.problem().empty()) return void(next_ = listing_.tabs.size());
    }
    if (find_.work(*text)) take_hits(*text);
    if (hits_.size() >= most_hits)
        is_cut_ = true, next_ = listing_.tabs.size();
    else if (!find_.is_searching() || hits_of_tab_ >= most_hits_of_tab)
        leave_tab();
}

void tabs_find::leave_tab() {
    ++next_;
    hits_of_tab_ = 0;
    is_begun_ = false;
}

void tabs_find::take_hits(const text_source& text) {
    vt::row cells;
    for (const text_hit& hit : find_.take()) {
        if (hits_of_tab_ >= most_hits_of_tab || hits_.size() >= most_hits) return void(is_cut_ = true);
        text.read_line(hit.line, cells);
        hits_.push_back(made_of(next_, hit, cells));
        if (hits_of_tab_++ == 0) ++tabs_with_hits_;
    }
}

} // namespace mux
