// SPDX-License-Identifier: MIT
/// @file daemon_upgrade.hpp: how a daemon gives way to a new program, and how that program becomes its next worker.
/// Layer: 4 (composition).  Test: test/process/upgrade_process_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: `freeze` until the keeper has decided.
///
/// Members of basic_daemon; daemon.hpp includes this file.
#pragma once

#include "../daemon.hpp"
#include "asio_loop.hpp"

#include <utility>

namespace mato {
inline namespace MATO_ABI {

template <class P> template <class Handler>
void basic_daemon<P>::start_upgrade(unique_fd program, deadline until, upgrade_purpose purpose, Handler handler) {
    static_assert(handover::outlives,
                  "mato: upgrade() needs a handover policy that survives, `using handover = mato::keeper;`");
    failure why;
    if (stopping_)
        why = {errc::stopping, "upgrade", {}, "the daemon is stopping"};
    else if (on_upgraded_)
        why = {errc::busy, "upgrade", {}, "another upgrade is under way"};
    else
        handover_.side().upgrade(program.get(), until, purpose, why);
    if (!why) {
        log_.info(purpose == upgrade_purpose::check ? "upgrade: the new program is checked"
                                                    : "upgrade: the new program starts");
        on_upgraded_ = std::move(handler);
        return;
    }
    log_.error(why.step == "upgrade" ? why.message() : "upgrade: " + why.message());
    asio::post(context_, [this, why, handler = std::move(handler)]() mutable {
        guarded("upgrade", [&] { handler(upgrade_outcome{why}); });
    });
}

/// Between two turns of the loop. While it waits, nothing is read and no timer runs, so nothing changes under the new program.
template <class P> void basic_daemon<P>::freeze() {
    failure refusal, why;
    try {
        if (on.on_freeze) on.on_freeze(refusal);
    } catch (...) {
        refusal = current_failure("on_freeze");
    }
    if (handover_.side().stay_frozen(refusal, why)) {
        log_.info("upgraded: the new program takes over");
        end_upgrade({});
        ::_exit(exit_code::ok); // as after a crash: what is kept is another process's now
    }
    if (on.on_thaw) guarded("on_thaw", [&] { on.on_thaw(); });
    end_upgrade(why);
}

template <class P> void basic_daemon<P>::end_upgrade(const failure& why) {
    const auto handler = std::exchange(on_upgraded_, {});
    if (!handler) return; // none is under way
    if (why) log_.error(why.step == "upgrade" ? why.message() : "upgrade: " + why.message());
    guarded("upgrade", [&] { handler(upgrade_outcome{why}); });
}

template <class P> failure basic_daemon<P>::tell_taken_over() {
    if (generation().reason != mato::generation::why::upgraded || !on.on_taken_over) return {};
    try {
        on.on_taken_over();
    } catch (const error& refused) {
        return refused.why();
    } catch (...) {
        return current_failure("on_taken_over");
    }
    return {};
}

template <class P> template <class Setup>
int basic_daemon<P>::take_over(const daemon_options& options, Setup& setup, error_out out) {
    if constexpr (handover::outlives) {
        failure why;
        reserve_standard_descriptors(why);
        auto_ready channel;
        if (options.worker.state >= 0) { // in the keeper's place
            typename P::handover::process process(options.restarts);
            const int held = why ? -1 : process.resume(options.worker, why);
            if (why) return out.set(why), exit_code::unavailable;
            auto keeps = lock_type::inherit(unique_fd(held), options.paths.lock, sys::getpid());
            return keep_serving(options, process, keeps, channel, setup, out);
        }
        if (!why) channel.manager = sd_notifier::open(options.service.notify_socket, why);
        auto lock = lock_type::inherit(unique_fd(options.worker.lock), options.paths.lock, options.worker.keeper);
        auto side = worker_type::take_over(options.worker, why);
        int code = exit_code::unavailable;
        if (!why) code = serve_locked(options, lock, channel, setup, side, why);
        if (why) side.report(why);
        return out.set(why), code;
    } else {
        static_cast<void>(setup);
        out.set(errc::not_ready, "take over", {}, "a keeper started this program, but its daemon has no keeper");
        return exit_code::unavailable;
    }
}

} // namespace MATO_ABI
} // namespace mato
