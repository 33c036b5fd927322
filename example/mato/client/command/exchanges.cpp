// SPDX-License-Identifier: MIT
#include "exchanges.hpp"

#include "client/event_text.hpp"
#include "client/listings.hpp"
#include "common.hpp"

#include <algorithm>

namespace mux {
namespace {

constexpr std::chrono::seconds send_patience{5}; // without one byte read by the program
constexpr std::size_t most_under_way = 4;        // chunks; enough to keep a fast reader busy, few enough to queue

/// Looks again after each change of the tab, but not more often than this: a flood is not searched at every read.
constexpr std::chrono::milliseconds look_again{20};

exchange::result timed_out(const target& which) {
    return {not_in_time, "tab " + which.name + ": timed out before the condition was met", {}};
}

} // namespace

// ---- send ----

void sending::send_more(remote& daemon) {
    do { // an empty text is sent too: it checks that the tab exists
        under_way_.insert(ask<message::send>(daemon, next_part(), mato::deadline::in(send_patience)));
    } while (under_way_.size() < most_under_way && has_more());
}

send_request sending::next_part() {
    send_request part{which_, {}, {}};
    std::size_t end = std::min(offset_ + input_chunk_bytes, what_.bytes.size());
    while (next_key_ < what_.keys.size()) {
        const key_in_text& key = what_.keys[next_key_];
        if (key.before > end || (key.before == end && end < what_.bytes.size())) break; // it is the first key of the next part
        if (part.keys.size() == most_keys_of_send) {
            end = key.before;
            break;
        }
        part.keys.push_back({key.before - offset_, key.name});
        ++next_key_;
    }
    part.bytes = what_.bytes.substr(offset_, end - offset_);
    offset_ = end;
    return part;
}

void sending::on_answer(remote& daemon, const header& answer) {
    const auto how = read_as<message::sent>(answer).value_or(sent{});
    taken_ += how.bytes;
    is_cut_ = is_cut_ || how.cancelled;
    under_way_.erase(answer.id);
    wake_at(mato::deadline::in(send_patience));
    if (!cancelled_ && has_more()) return send_more(daemon);
    finish_if_done();
}

void sending::finish_if_done() {
    if (!under_way_.empty()) return;
    if (!is_cut_ && !has_more()) return finish({0, {}, json::object().add("bytes", taken_).done()});
    const std::string of = what_.keys.empty() ? " of " + std::to_string(what_.bytes.size()) : std::string();
    finish({1, "only " + std::to_string(taken_) + of + " bytes were typed: the program in tab " + which_.name +
                   " does not read its input"});
}

void sending::on_refused(const refusal& why) {
    std::string text = why.text;
    if (taken_ > 0 || what_.bytes.size() > input_chunk_bytes)
        text.append(" (")
            .append(std::to_string(taken_))
            .append(" of ")
            .append(std::to_string(what_.bytes.size()))
            .append(" bytes had been typed)");
    finish({why.exit_code, std::move(text)});
}

/// What a program has read twice cannot be taken back, so nothing is sent again.
std::string sending::interrupted() const {
    return "the daemon restarted after " + std::to_string(taken_) +
           " bytes were confirmed; the rest may or may not have been " + "typed, and is not sent again";
}

void sending::wake(remote& daemon) {
    if (cancelled_) return exchange::wake(daemon);
    cancelled_ = true;
    wake_at(mato::deadline::in(send_patience));
    for (const std::uint32_t id : under_way_) daemon.post_as<message::cancel_send>(id, nothing{});
}

// ---- capture ----

void capturing::begin(remote& daemon) { ask<message::capture>(daemon, wanted_, soon()); }

void capturing::on_answer(remote& daemon, const header& answer) {
    auto part = read<message::captured>(answer);
    if (!part) return;
    text_ += std::exchange(part->text, {});
    last_ = std::move(*part);
    if ((wanted_.from = last_.next) != 0) return begin(daemon);
    finish({0, {}, {on_one_line(format_capture(last_, text_))}});
}

// ---- wait --text, wait --idle ----

watching_screen::watching_screen(target which, const std::optional<std::string>& pattern, std::chrono::milliseconds idle,
                                 mato::deadline until)
    : which_(std::move(which)), idle_(idle), until_(until) {
    if (!pattern) return;
    std::string problem;
    pattern_ = text_pattern::compile(*pattern, problem);
    if (!pattern_)
        throw command_failure{mato::exit_code::usage, "--text '" + *pattern + "' is not a valid pattern: " + problem};
}

void watching_screen::look(remote& daemon) {
    phase_ = phase::looking;
    seen_ = {};
    ask<message::capture>(daemon, capture_request{which_, 0, 0, false, true, true}, soon());
}

void watching_screen::on_answer(remote& daemon, const header& answer) {
    if (phase_ == phase::watching) return rest(look_again);
    auto part = read<message::captured>(answer);
    if (!part) return;
    const std::uint64_t next = pattern_ ? part->next : 0; // the first part says whether the tab is idle
    if (seen_.tab == 0)
        seen_ = std::move(*part);
    else
        seen_.text += part->text;
    if (next != 0) return void(ask<message::capture>(daemon, capture_request{which_, 0, next, false, true, true}, soon()));
    judge(daemon);
}

void watching_screen::judge(remote& daemon) {
    if (pattern_) {
        search_.emplace(*pattern_, std::move(seen_.text));
        return search(daemon);
    }
    if (seen_.idle_ms >= static_cast<std::uint64_t>(idle_.count())) return finish({});
    wait_for_change(daemon);
}

void watching_screen::search(remote& daemon) {
    phase_ = phase::searching;
    const auto state = search_->step();
    if (state == text_search::state::found) return finish({});
    if (state == text_search::state::absent) return wait_for_change(daemon);
    if (until_.passed()) return time_out();
    wake_at(mato::deadline::in(std::chrono::milliseconds(0)));
}

void watching_screen::wait_for_change(remote& daemon) {
    if (!seen_.running) return finish({1, "the program of tab " + which_.name + " has ended"});
    if (until_.passed()) return time_out();
    if (!pattern_) return rest(idle_ - std::chrono::milliseconds(static_cast<long>(seen_.idle_ms)));
    phase_ = phase::watching;
    ask<message::wait_output>(daemon, wait_output{which_, seen_.revision}, until_);
}

void watching_screen::rest(std::chrono::milliseconds span) {
    phase_ = phase::resting;
    wake_at(mato::deadline(std::min(mato::deadline::in(span).at(), until_.at())));
}

void watching_screen::wake(remote& daemon) {
    if (phase_ == phase::resting) return look(daemon);
    if (phase_ == phase::searching) return search(daemon);
    if (phase_ == phase::watching) return time_out();
    exchange::wake(daemon);
}

void watching_screen::time_out() { finish(timed_out(which_)); }

// ---- wait --exit ----

void awaiting_exit::wake(remote&) { finish(timed_out(which_)); }

void awaiting_exit::on_answer(remote&, const header& answer) {
    if (const auto how = read<message::exit_status>(answer)) finish(program_ended(*how));
}

exchange::result program_ended(const exit_status& how) {
    return {how.code, {}, json::object().add("tab", how.tab).add("exit_code", how.code).done()};
}

std::unique_ptr<exchange> wait_exchange(const invocation& what, target which) {
    const auto until = what.timeout.count() > 0 ? mato::deadline::in(what.timeout) : remote::patient();
    if (what.exit) return std::make_unique<awaiting_exit>(std::move(which), until);
    return std::make_unique<watching_screen>(std::move(which), what.pattern, what.idle, until);
}

} // namespace mux
