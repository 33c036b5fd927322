// SPDX-License-Identifier: MIT
#include "tab_attention.hpp"

#include "protocol/short_text.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mux {

std::string span_text(mato::clock::duration span) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
    if (seconds < 60) return std::to_string(seconds) + " s";
    if (seconds < 3600) return std::to_string(seconds / 60) + " min";
    return std::to_string(seconds / 3600) + " h";
}

void tab_attention::ask(time_point now) noexcept {
    if (!std::exchange(is_unseen_, true)) asked_at_ = now;
}

void tab_attention::say(said_state state, std::string note, time_point now) {
    if (state == said_state::blocked && state_ != said_state::blocked) blocked_at_ = now;
    state_ = state;
    note_ = short_text(note, most_note);
    done_at_ = state == said_state::done ? now : time_point();
}

void tab_attention::end_command(command_end how, time_point now) noexcept {
    (how == command_end::failed ? failed_at_ : done_at_) = now;
}

void tab_attention::forget_state() noexcept {
    state_ = said_state::none;
    note_.clear();
}

void tab_attention::restore(bool asked, said_state state, std::string note, time_point now) {
    if (asked) ask(now);
    say(state, std::move(note), now);
}

tab_attention::time_point tab_attention::asks_since() const noexcept {
    if (state_ != said_state::blocked) return asked_at_;
    return is_unseen_ ? std::min(asked_at_, blocked_at_) : blocked_at_;
}

bar_mark tab_attention::mark(time_point looked) const noexcept {
    if (asks()) return bar_mark::asks;
    if (failed_at_ > looked) return bar_mark::failed;
    return done_at_ > looked ? bar_mark::done : bar_mark::none;
}

std::optional<told_notice> tab_attention::notice(program_notice what, time_point now) {
    newest_ = std::move(what);
    ++waiting_;
    if (told_at_ && now < *told_at_ + notice_interval) return std::nullopt;
    return take(now);
}

std::optional<tab_attention::time_point> tab_attention::due() const noexcept {
    if (waiting_ == 0) return std::nullopt;
    return *told_at_ + notice_interval;
}

told_notice tab_attention::take(time_point now) {
    told_at_ = now;
    return {newest_, std::exchange(waiting_, 0)};
}

} // namespace mux
