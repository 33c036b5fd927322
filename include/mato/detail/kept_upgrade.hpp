// SPDX-License-Identifier: MIT
/// @file kept_upgrade.hpp: how a worker gives way to a new program, and how that program takes over.
/// Layer: 3 (mechanism; no asio).  Test: test/process/upgrade_process_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: `stay_frozen`, `take_over` and `await_go` until the keeper decides, which its
/// deadline bounds.
///
/// Members of kept; kept.hpp includes this file.
#pragma once

#include "../kept.hpp"
#include "kept_memory.hpp"
#include "worker_program.hpp"

#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

inline void kept::upgrade(int program, deadline until, upgrade_purpose purpose, error_out out) {
    static constexpr milliseconds longest{3'600'000}; // an upgrade that takes an hour will not succeed
    detail::worker_program::check(program, out);
    if (out.failed()) return;
    commit_ = memory_file::create("mato:upgrade", sizeof(std::uint64_t), out);
    if (out.failed()) return;
    const auto left = milliseconds(until.poll_timeout());
    const auto wait = static_cast<std::uint64_t>((left < longest ? left : longest).count());
    const int with[] = {program, commit_.native_handle()};
    failure why;
    const std::uint64_t flags = purpose == upgrade_purpose::check ? detail::upgrade_check : 0;
    ask({detail::keeper_word::upgrade, 0, wait, flags, {}}, with, "upgrade", {}, why);
    if (!why) return;
    if (why.code == std::errc::device_or_resource_busy) why = {errc::busy, "upgrade", {}, "another upgrade is under way"};
    if (why.code == std::errc::operation_canceled) why.detail = "the daemon is stopping";
    out.set(why);
}

inline bool kept::is_committed() const noexcept {
    return commit_.size() >= sizeof(std::uint64_t) && detail::load_word(commit_.bytes().data()) != 0;
}

/// From the message in `link_`.
inline failure kept::why_rolled_back() {
    const auto said = link_.message;
    if (static_cast<detail::rollback>(said.a) == detail::rollback::checked) return {};
    char room[readiness_pipe::max_report];
    ssize_t got = 0;
    if (!link_.descriptors.empty()) {
        pollfd asked{link_.descriptors.front().get(), POLLIN, 0};
        if (sys::poll(&asked, 1, 0) == 1) got = sys::read(asked.fd, room, sizeof room);
    }
    if (auto why = readiness_pipe::decode({room, static_cast<std::size_t>(got > 0 ? got : 0)})) return *why;
    const int status = static_cast<int>(said.b);
    const auto because = [](std::error_code code, std::string text) {
        return failure{code, "upgrade", {}, "the new program " + std::move(text) + "; the old one continues"};
    };
    switch (static_cast<detail::rollback>(said.a)) {
    case detail::rollback::ended:
        if (WIFSIGNALED(status)) return because(errc::not_ready, "died of signal " + std::to_string(WTERMSIG(status)));
        return because(errc::not_ready, "exited with " + std::to_string(WEXITSTATUS(status)) + " before it had taken over");
    case detail::rollback::timed_out: return because(errc::timed_out, "did not take over in time");
    case detail::rollback::stopping: return because(errc::stopping, "was ended because the daemon stops");
    case detail::rollback::damaged: return because(errc::version_mismatch, "does not understand this keeper");
    case detail::rollback::refused:
    case detail::rollback::checked: break;
    }
    return because(errc::not_ready, "was not needed, because this process refused");
}

inline bool kept::stay_frozen(const failure& refusal, error_out out) {
    using word = detail::keeper_word;
    using received = detail::keeper_link::received;
    std::error_code why;
    const std::uint64_t answer = refusal ? ECANCELED : 0;
    link_.send({word::frozen, 0, answer, 0, {}}, -1, deadline::in(patience), why);
    for (;;) {
        const auto got = link_.receive();
        if (got == received::end) break;
        if (got == received::nothing) static_cast<void>(link_.wait(deadline::never()));
        if (got != received::message) continue;
        if (link_.message.word == word::retired) return true;
        if (link_.message.word == word::rolled_back) {
            const failure reason = refusal ? refusal : why_rolled_back();
            commit_ = {};
            if (reason) out.set(reason);
            return false;
        }
        note(link_.message);
    }
    if (is_committed()) return true;
    lose();
    return out.set(errc::not_running, "upgrade", {}, "the keeper is gone; the old program continues"), false;
}

inline kept kept::take_over(const worker_environment& from, error_out out) {
    kept side;
    side.link_ = detail::keeper_link(unique_fd(from.link));
    side.report_ = unique_fd(from.report);
    side.keeper_ = from.keeper;
    side.is_program_ = true;
    if (from.commit >= 0) side.commit_ = memory_file::adopt(unique_fd(from.commit), out);
    if (!out.failed()) side.link_.send({detail::keeper_word::hello, 0, 0, 0, {}}, -1, deadline::in(patience), out);
    for (bool is_complete = false; !is_complete && !out.failed();) side.take_given(is_complete, out);
    return side;
}

/// One message.
inline void kept::take_given(bool& is_complete, error_out out) {
    using word = detail::keeper_word;
    using received = detail::keeper_link::received;
    const auto got = link_.receive();
    if (got == received::nothing) static_cast<void>(link_.wait(deadline::never()));
    if (got == received::end) return out.set(errc::not_running, "take over", {}, "the keeper is gone");
    if (got == received::damaged)
        return out.set(errc::version_mismatch, "take over", {}, "the keeper's messages are not those of this version");
    if (got != received::message) return;
    const auto said = link_.message;
    auto& came = link_.descriptors;
    const auto has_one = [&] {
        if (came.size() == 1) return true;
        return out.set({EMFILE, std::system_category()}, "take over", said.name, "raise the limit (ulimit -n)"), false;
    };
    switch (said.word) {
    case word::listen:
        if (has_one()) listener_ = {std::move(came.front()), static_cast<dev_t>(said.a), static_cast<ino_t>(said.b)};
        return;
    case word::given: {
        const bool is_bare = (said.b & detail::keep_no_descriptor) != 0;
        if (!is_bare && !has_one()) return;
        auto plain = said;
        plain.word = word::keep;
        plain.b = is_bare ? detail::keep_no_descriptor : said.b & detail::keep_memory;
        if (const int why = table_.apply(plain, came); why != 0)
            return out.set({why, std::system_category()}, "take over", said.name);
        auto& record = table_.records()[said.slot];
        record.has_ended = (said.b & detail::given_ended) != 0;
        record.status = static_cast<int>((said.b >> detail::given_status_shift) & 0xffff);
        return;
    }
    case word::given_all:
        generation_.number = said.slot;
        since_ = clock::time_point(std::chrono::duration_cast<clock::duration>(
            std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(said.a))));
        must_stop_ = (said.b & detail::fact_must_stop) != 0;
        if ((said.b & detail::fact_upgraded) != 0) {
            generation_.reason = generation::why::upgraded;
            old_worker_ = static_cast<pid_t>(said.b >> detail::fact_old_worker_shift);
        } else {
            generation_.reason = generation::why::crashed;
            generation_.last_signal = static_cast<int>((said.b >> detail::fact_signal_shift) & 0xff);
        }
        serve_now();
        is_complete = true;
        return;
    default: note(said);
    }
}

inline void kept::await_go(error_out out) {
    using word = detail::keeper_word;
    using received = detail::keeper_link::received;
    if (!is_program_) return;
    std::error_code why;
    link_.send({word::ready, 0, 0, 0, {}}, -1, deadline::in(patience), why);
    for (;;) {
        const auto got = link_.receive();
        if (got == received::end) break;
        if (got == received::nothing) static_cast<void>(link_.wait(deadline::never()));
        if (got != received::message) continue;
        if (link_.message.word == word::go) {
            commit_ = {};
            return;
        }
        note(link_.message);
    }
    // The keeper died. Its last store decides which of the two workers continues.
    const bool replaces = generation_.reason == generation::why::upgraded;
    if (replaces && !is_committed())
        return out.set(errc::not_ready, "upgrade", {}, "the keeper died before it had decided; the old program continues");
    if (const unique_fd old(replaces ? sys::pidfd_open(old_worker_) : -1); old) {
        pollfd asked{old.get(), POLLIN, 0};
        while (sys::poll(&asked, 1, -1) == -1 && errno == EINTR) {
        }
    }
    lose();
}

} // namespace MATO_ABI
} // namespace mato
