// SPDX-License-Identifier: MIT
#include "following.hpp"

#include "common.hpp"
#include "watching.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mux {
namespace {

constexpr std::chrono::milliseconds look_again{20}; // after a change: a flood is read in large parts

std::string_view before(const text_read& part, const text_mark& end) {
    return text_before(part.text, {part.line, part.column, 0}, end);
}

} // namespace

void following::look(remote& daemon) {
    phase_ = phase::looking;
    const text_origin from = done_.begin.value_or(text_origin{text_begin::place, done_.next.line, done_.next.column});
    ask<message::read_text>(daemon, read_request{which_, from.from, from.line, from.column}, soon());
}

void following::on_answer(remote& daemon, const header& answer) {
    if (phase_ == phase::ending) {
        if (const auto how = read<message::exit_status>(answer)) finish(program_ended(*how));
    } else if (phase_ == phase::watching) {
        phase_ = phase::resting;
        wake_at(mato::deadline(std::min(mato::deadline::in(look_again).at(), until_.at())));
    } else if (const auto part = read<message::text_read>(answer)) {
        if (std::exchange(done_.begin, std::nullopt)) done_.next = {part->line, part->column, 0};
        hand_on(*part);
        go_on(daemon, *part);
    }
}

void following::hand_on(const text_read& part) {
    if (part.revision == 0) { // only the last screen of a tab that was closed is known
        done_.is_removed = true;
        return;
    }
    if (part.line < done_.next.line) return; // the tab was cleared, and has no line there yet
    if (part.line > done_.next.line) done_.lost += part.line - done_.next.line;
    std::string_view text = part.text;
    if (part.running)
        text = before(part, {std::max(part.cursor_line, part.line), 0, 0});
    else if (part.has_end)
        text = before(part, {part.end_line, part.end_column, 0});
    if (part.running) text = text.substr(0, text.rfind('\n') + 1); // rfind: npos + 1 is 0
    if (text.empty()) return;
    done_.next = text_mark{part.line, part.column}.after(text);
    lines_(text);
    if (!part.running && part.next == 0 && !text.ends_with('\n')) lines_("\n");
}

void following::go_on(remote& daemon, const text_read& part) {
    if (part.next != 0 && !done_.is_removed && done_.next.line >= part.next) return look(daemon);
    if (!part.running) {
        phase_ = phase::ending;
        ask<message::wait_exit>(daemon, which_, soon());
    } else if (until_.passed()) {
        finish(timed_out(which_));
    } else {
        phase_ = phase::watching;
        ask<message::wait_output>(daemon, wait_output{which_, part.revision}, until_);
    }
}

void following::wake(remote& daemon) {
    if (phase_ == phase::resting) return look(daemon);
    if (phase_ == phase::watching) return finish(timed_out(which_));
    exchange::wake(daemon);
}

} // namespace mux
