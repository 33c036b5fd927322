// SPDX-License-Identifier: MIT
#include "exchanges.hpp"

#include "client/event_text.hpp"
#include "client/listings.hpp"
#include "common.hpp"
#include "watching.hpp"

#include <algorithm>

namespace mux {
namespace {

constexpr std::chrono::seconds send_patience{5}; // without one byte read by the program
constexpr std::size_t most_under_way = 4;        // chunks; enough to keep a fast reader busy, few enough to queue

} // namespace

// ---- send ----

void sending::begin(remote& daemon) {
    if (marking_ == mark_before::yes)
        ask<message::read_text>(daemon, read_request{which_, text_begin::cursor, 0, 0}, soon());
    else
        send_more(daemon);
}

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
    if (marking_ == mark_before::yes && !mark_) {
        if (const auto at = read<message::text_read>(answer)) {
            mark_ = text_mark{at->cursor_line, at->cursor_column, at->tab};
            send_more(daemon);
        }
        return;
    }
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
    if (!is_cut_ && !has_more()) {
        auto told = json::object().add("bytes", taken_);
        if (mark_) told.add("mark", mark_->text());
        return finish({0, {}, told.done()});
    }
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

// ---- wait --exit ----

void awaiting_exit::wake(remote&) { finish(timed_out(which_)); }

void awaiting_exit::on_answer(remote&, const header& answer) {
    if (const auto how = read<message::exit_status>(answer)) finish(program_ended(*how));
}

json::verbatim marked_code(std::int32_t code) { return {code >= 0 ? std::to_string(code) : std::string("null")}; }

exchange::result program_ended(const exit_status& how) {
    return {how.code, {}, json::object().add("tab", how.tab).add("exit_code", how.code).done()};
}

} // namespace mux
