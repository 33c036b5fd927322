// SPDX-License-Identifier: MIT
/// @file keeper_upgrade.hpp: how a keeper lets a new program take over from its worker, or rolls that back.
/// Layer: 3 (mechanism; no asio).  Test: test/process/upgrade_process_test.cpp.
/// Threads: one.   Blocks: never.
///
/// Members of keeper_process; keeper.hpp includes this file. The old worker serves until it is told to freeze. From the commit
/// on, which is one store in memory that all three processes share, there is no rollback: the old worker ends, the new one
/// serves. Before it, whatever goes wrong ends the new program, and the old worker continues.
#pragma once

#include "../keeper.hpp"
#include "kept_memory.hpp"

#include <utility>

namespace mato {
inline namespace MATO_ABI {

inline int keeper_process::begin_upgrade(const detail::keeper_message& said) {
    auto& came = link_.descriptors;
    if (came.size() != 2) return came.size() < 2 ? EMFILE : EBADMSG;
    if (candidate_.at != step::none) return EBUSY;
    if (is_stopping_) return ECANCELED;
    std::error_code why;
    auto program = std::move(came[0]);
    auto commit = memory_file::adopt(std::move(came[1]), why);
    if (why || commit.size() < sizeof(std::uint64_t)) return EBADMSG;
    if (start_.arguments.empty()) start_.arguments = detail::worker_program::own_arguments(why);
    if (why) return why.value();
    auto process = detail::worker_program::start(program.get(), start_, commit.native_handle(), lock_, why);
    if (why) return why.value();
    give_up_renewal(); // another program is to be the keeper
    candidate_ = {step::starting,
                  std::move(process),
                  std::move(program),
                  std::move(commit),
                  deadline::in(milliseconds(static_cast<milliseconds::rep>(said.a))),
                  0,
                  said.b == detail::upgrade_check ? upgrade_purpose::check : upgrade_purpose::replace};
    return 0;
}

/// After a death of a worker that was a program: the same program again.
inline void keeper_process::start_program() {
    auto process = detail::worker_program::start(program_.get(), start_, -1, lock_, why_);
    if (why_) return;
    ++number_;
    started_at_ = clock::now();
    worker_ = process.pid;
    link_ = std::move(process.link);
    report_ = std::move(process.report);
    is_serving_ = false;
    is_last_ = is_stopping_;
}

inline void keeper_process::take_candidate_messages() {
    using received = detail::keeper_link::received;
    auto& link = candidate_.process.link;
    while (link.native_handle() >= 0) {
        switch (link.receive()) {
        case received::nothing: return;
        case received::end: return link.close(); // its death is noticed as a child's
        case received::damaged: return roll_back(detail::rollback::damaged);
        case received::message: take_candidate_message();
        }
    }
}

inline void keeper_process::take_candidate_message() {
    using word = detail::keeper_word;
    auto& link = candidate_.process.link;
    const auto said = link.message;
    std::error_code why;
    switch (said.word) {
    case word::hello:
        if (candidate_.at != step::starting) return;
        candidate_.at = step::freezing;
        frozen_at_ = clock::now();
        if (!link_.try_send({word::freeze, 0, 0, 0, {}}, -1, why)) roll_back(detail::rollback::refused);
        return;
    case word::ready:
        if (candidate_.at != step::restoring) return;
        candidate_.purpose == upgrade_purpose::check ? roll_back(detail::rollback::checked) : commit();
        return;
    case word::keep: {
        const bool may = candidate_.at == step::restoring;
        const int result = may ? table_.apply_provisionally(said, link.descriptors) : EBUSY;
        static_cast<void>(link.try_send({word::answer, said.slot, static_cast<std::uint64_t>(result), 0, {}}, -1, why));
        return;
    }
    case word::drop:
        if (candidate_.at == step::restoring) static_cast<void>(table_.apply_provisionally(said, link.descriptors));
        return;
    default: return; // no word of a program that has not taken over
    }
}

/// Sends what fits: the listener, the table, and last the facts.
inline void keeper_process::give(detail::keeper_link& to, giving& at, bool is_upgrade) {
    using word = detail::keeper_word;
    std::error_code why;
    if (!at.has_listener && listener_.socket) {
        if (!to.try_send({word::listen, 0, listener_.device, listener_.inode, {}}, listener_.socket.get(), why)) return;
    }
    at.has_listener = true;
    auto& records = table_.records();
    for (; at.next < records.size(); ++at.next) {
        auto& each = records[at.next];
        if (each.name.empty()) continue;
        std::uint64_t flags = each.is_memory ? detail::keep_memory : 0;
        if (!each.descriptor) flags |= detail::keep_no_descriptor;
        if (each.has_ended)
            flags |= detail::given_ended | (static_cast<std::uint64_t>(each.status & 0xffff) << detail::given_status_shift);
        const auto child = static_cast<std::uint64_t>(each.child);
        if (!to.try_send({word::given, static_cast<std::uint32_t>(at.next), child, flags, each.name}, each.descriptor.get(),
                         why))
            return;
        each.is_given_ended = each.has_ended;
        if (!is_upgrade) each.is_told = true; // or it has not ended yet
    }
    if (!to.try_send(facts(is_upgrade), -1, why)) return;
    at = {};
    if (is_upgrade) candidate_.at = step::restoring;
}

inline detail::keeper_message keeper_process::facts(bool is_upgrade) const {
    const auto since = (is_upgrade ? frozen_at_ : died_at_).time_since_epoch();
    std::uint64_t all = is_stopping_ ? detail::fact_must_stop : 0;
    if (is_upgrade)
        all |= detail::fact_upgraded | (static_cast<std::uint64_t>(worker_) << detail::fact_old_worker_shift);
    else
        all |= static_cast<std::uint64_t>(last_signal_ & 0xff) << detail::fact_signal_shift;
    return {detail::keeper_word::given_all,
            number_ + (is_upgrade ? 1 : 0),
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()),
            all,
            {}};
}

inline void keeper_process::commit() {
    static constexpr milliseconds last_words{1000}; // for the old worker to end by itself
    candidate_.at = step::committed;
    detail::store_word(candidate_.commit.bytes().data(), 1);
    candidate_.until = deadline::in(last_words);
    std::error_code why;
    if (!link_.try_send({detail::keeper_word::retired, 0, 0, 0, {}}, -1, why)) sys::kill(worker_, SIGKILL);
}

/// The old worker is dead, and the new one takes its place.
template <class Events> void keeper_process::promote(int old_status, Events& events) {
    if (WIFSIGNALED(old_status))
        events.on_trouble("the worker died of signal " + std::to_string(WTERMSIG(old_status)) +
                          " once it was replaced; the new program takes over");
    worker_ = candidate_.process.pid;
    link_ = std::move(candidate_.process.link);
    report_ = std::move(candidate_.process.report);
    program_ = std::move(candidate_.program);
    const int status = candidate_.status;
    candidate_ = {};
    table_.resolve(true);
    ++number_;
    started_at_ = clock::now();
    died_at_ = frozen_at_;
    is_serving_ = false;
    is_last_ = is_stopping_;
    has_pending_ = true;
    renewal_.is_due = true;
    if (worker_ == 0) return worker_died(status, events);
    std::error_code ignored; // it waits for this message, so there is room
    static_cast<void>(link_.try_send({detail::keeper_word::go, 0, 0, 0, {}}, -1, ignored));
}

inline void keeper_process::check_deadline(clock::time_point now) {
    if (candidate_.at == step::none || !candidate_.until.passed(now)) return;
    if (candidate_.at != step::committed) return roll_back(detail::rollback::timed_out);
    sys::kill(worker_, SIGKILL);
    candidate_.until = deadline::never();
}

/// Ends the new program and tells the worker. No effect without an upgrade, and after the commit.
inline void keeper_process::roll_back(detail::rollback why, int status) {
    if (candidate_.at == step::none || candidate_.at == step::committed) return;
    std::error_code not_sent; // a worker whose socket is full gets no report
    const bool is_told = link_.try_send(
        {detail::keeper_word::rolled_back, 0, static_cast<std::uint64_t>(why), static_cast<std::uint64_t>(status & 0xffff), {}},
        candidate_.process.report.get(), not_sent);
    std::string what = "an upgrade is rolled back while the new program " + std::string(name_of(candidate_.at)) + ", reason " +
                       std::to_string(static_cast<int>(why)) + ", wait status " + std::to_string(status);
    if (is_told && why != detail::rollback::checked) heard_ = std::move(what), heard_at_ = clock::now();
    if (!is_told) unheard_ = what + "; the worker could not be told";
    end_candidate();
}

/// For the log, after "the new program".
inline const char* keeper_process::name_of(step at) noexcept {
    switch (at) {
    case step::starting: return "was starting";
    case step::freezing: return "waited for the state";
    case step::giving:
    case step::restoring: return "was restoring";
    case step::none:
    case step::committed: break;
    }
    return "was taking over";
}

inline void keeper_process::end_candidate() noexcept {
    if (candidate_.at == step::none) return;
    if (candidate_.process.pid > 1) sys::kill(candidate_.process.pid, SIGKILL); // reaped as any other child
    candidate_ = {};
    offered_ = {};
    table_.resolve(false);
    has_pending_ = worker_ != 0;
}

} // namespace MATO_ABI
} // namespace mato
