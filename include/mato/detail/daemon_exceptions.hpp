// SPDX-License-Identifier: MIT
/// @file daemon_exceptions.hpp: what callbacks throw is logged; on_exception decides whether the daemon goes on.
/// Layer: 4 (composition).  Test: test/toolkit/daemon_exception_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: as daemon.hpp.
///
/// Members of basic_daemon; daemon.hpp includes this file.
#pragma once

#include "../daemon.hpp"

#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// @returns the exception that ended the loop, if one did.
template <class P> failure basic_daemon<P>::run_loop() {
    for (bool again = true; again;) {
        again = false;
        try {
            context_.run();
        } catch (...) {
            const failure why = current_failure("run");
            again = goes_on(why, false);
            if (!again) ended_by_ = why;
        }
    }
    if (!ended_by_) return {};
    if (!std::exchange(stopping_, true)) manager_.stopping();
    if (on.on_force && !std::exchange(forced_, true)) guarded("on_force", [&] { on.on_force(); });
    return ended_by_;
}

template <class P> bool basic_daemon<P>::goes_on(const failure& why, bool otherwise) {
    log_.error("exception: " + why.message());
    try {
        if (on.on_exception) return on.on_exception(why);
    } catch (...) {
        log_.error("exception: " + current_failure("on_exception").message());
        otherwise = false;
    }
    if (!otherwise) log_.error("the daemon ends");
    return otherwise;
}

template <class P> template <class Call> void basic_daemon<P>::guarded(const char* step, Call call) {
    try {
        call();
    } catch (...) {
        const failure why = current_failure(step);
        if (goes_on(why, true)) return;
        ended_by_ = why;
        context_.stop();
    }
}

} // namespace MATO_ABI
} // namespace mato
