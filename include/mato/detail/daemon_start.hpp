// SPDX-License-Identifier: MIT
/// @file daemon_start.hpp: how a daemon starts: lock, background, keeper; each failed step is reported and undone.
/// Layer: 4 (composition).  Test: test/toolkit/daemon_test.cpp, daemon_launch_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: as daemon.hpp.
///
/// Members of basic_daemon; daemon.hpp includes this file.
#pragma once

#include "../daemon.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

template <class P> template <class Setup> int basic_daemon<P>::run(const daemon_options& options, Setup setup) {
    failure why;
    int code = exit_code::ok;
    if (options.worker) {
        code = take_over(options, setup, why);
    } else if constexpr (P::detach::forks) {
        auto meanwhile = [] {};
        const start_outcome outcome = launch_here(options, setup, meanwhile);
        if (outcome) return exit_code::ok;
        why = outcome.why;
    } else {
        code = serve(options, std::move(setup), why);
    }
    if (!why) return code;
    std::fprintf(stderr, "%s\n", why.message().c_str());
    return exit_code_for(why.code);
}

template <class P> template <class Setup, class Meanwhile>
start_outcome basic_daemon<P>::launch(const daemon_options& options, Setup setup, Meanwhile meanwhile) {
    if (options.worker) {
        failure why;
        const int code = take_over(options, setup, why);
        std::destroy_at(&setup); // the function that owns it never returns in this process
        ::_exit(code);
    }
    return launch_here(options, setup, meanwhile);
}

template <class P> template <class Setup, class Meanwhile>
start_outcome basic_daemon<P>::launch_here(const daemon_options& options, Setup& setup, Meanwhile& meanwhile) {
    start_outcome outcome;
    readiness_pipe pipe = go_to_background(options, setup, outcome);
    if (outcome.why) return outcome;
    // Freeing memory after fork copies pages; doing it here overlaps with the daemon's start.
    meanwhile();
    pipe.wait(deadline::in(options.ready_within), outcome.why);
    if (!outcome.why) outcome.what = start_outcome::kind::ready;
    return outcome;
}

template <class P> template <class Setup>
readiness_pipe basic_daemon<P>::go_to_background(const daemon_options& options, Setup& setup, start_outcome& outcome) {
    readiness_pipe pipe;
    reserve_standard_descriptors(outcome.why);
    if (!outcome.why) detail::make_directory_for<typename P::endpoint>(options.paths.directory(), outcome.why);
    if (outcome.why) return pipe;
    auto got = lock_type::try_acquire(options.paths.lock, outcome.why);
    if (outcome.why) return pipe;
    if (!got) {
        outcome.what = start_outcome::kind::already_running;
        outcome.holder = got.holder().pid;
        outcome.why = {errc::already_running, "lock", options.paths.lock,
                       "already running, pid " + std::to_string(outcome.holder)};
        return pipe;
    }
    lock_type& lock = *got;
    pipe = readiness_pipe::open(outcome.why);
    if (outcome.why) return pipe;
    std::vector<int> keep = {lock.native_handle(), pipe.starter_fd(), pipe.daemon_fd(), options.notification_fd};
    for (const passed_socket& each : options.service.sockets) keep.push_back(each.fd);
    keep.insert(keep.end(), options.keep.begin(), options.keep.end());
    sigset_t mask;
    if (sys::signal_mask(SIG_BLOCK, nullptr, &mask) == -1)
        return outcome.why = {last_error(), "read the signal mask", {}, {}}, std::move(pipe);
    using background = std::conditional_t<P::detach::forks, typename P::detach, double_fork>;
    detach_role role{};
    if (detail::leads_session<background> && !options.survive) // one process, which must not lead its session
        role = double_fork::detach({keep}, outcome.why);
    else
        role = background::detach({keep}, outcome.why);
    if (role == detach_role::starter) {
        pipe.become_starter();
        if (!outcome.why) lock.abandon();
        return pipe;
    }
    pipe.become_daemon();
    serve_in_background(options, lock, std::move(pipe), setup, mask, outcome.why);
}

template <class P> template <class Setup>
void basic_daemon<P>::serve_in_background(const daemon_options& options, lock_type& lock, readiness_pipe pipe, Setup& setup,
                                          const sigset_t& mask, failure why) {
    // Detaching blocked all signals. From here on only the daemon's own signals are blocked, until their source is open, and
    // those that the starter had blocked.
    sigset_t until_open = mask;
    for (const int own : own_signals) sigaddset(&until_open, own);
    for (const int own : options.signals) sigaddset(&until_open, own);
    sys::signal_mask(SIG_SETMASK, &until_open, nullptr);
    auto_ready channel{std::move(pipe), {}, {}};
    int code = exit_code::unavailable;
    try {
        if (!why) open_channel(options, channel, why);
        if (channel.manager) channel.manager.main_pid(sys::getpid());
        if (!why) lock.adopt(why);
        if (!why) code = serve_held(options, lock, channel, setup, why);
        lock.release(); // before the failure is reported: the process that receives it may retry immediately
        if (why) {
            channel.fail(why);
            code = exit_code_for(why.code);
        }
    } catch (...) {
        why = current_failure("start");
        lock.release();
        channel.fail(why);
        code = exit_code_for(why.code);
    }
    std::destroy_at(&setup); // the function that owns it never returns in this process
    ::_exit(code);           // static objects and stdio buffers belong to the starter: do not destroy or flush them here
}

template <class P> template <class Setup>
int basic_daemon<P>::serve(const daemon_options& options, Setup setup, error_out out) {
    if (options.worker) return take_over(options, setup, out);
    return serve_here(
        options,
        [&](lock_type& lock, auto_ready& channel, failure& why) { return serve_held(options, lock, channel, setup, why); },
        out);
}

template <class P> template <class Setup>
int basic_daemon<P>::serve_on(asio::io_context& context, const daemon_options& options, Setup setup, error_out out) {
    static_assert(!handover::outlives, "mato: a keeper forks the process that serves, and an io_context cannot be used in a "
                                       "child; use `serve`, or a policy set without a keeper");
    worker_type none;
    return serve_here(
        options,
        [&](lock_type& lock, auto_ready& channel, failure& why) {
            return serve_locked(options, lock, channel, setup, none, why, &context);
        },
        out);
}

template <class P> template <class Held>
int basic_daemon<P>::serve_here(const daemon_options& options, Held held, error_out out) {
    failure why;
    int code = exit_code::unavailable;
    reserve_standard_descriptors(why);
    auto_ready channel;
    if (!why) open_channel(options, channel, why);
    if (!why) detail::make_directory_for<typename P::endpoint>(options.paths.directory(), why);
    lock_type lock;
    if (!why) lock = lock_type::acquire(options.paths.lock, why);
    if (!why) code = held(lock, channel, why);
    if (!why) return code;
    lock.release(); // before the failure is reported: the process that receives it may retry immediately
    channel.fail(why);
    return out.set(why), exit_code::unavailable;
}

template <class P> void basic_daemon<P>::open_channel(const daemon_options& options, auto_ready& channel, error_out out) {
    channel.descriptor = notification_descriptor(unique_fd(options.notification_fd));
    channel.manager = sd_notifier::open(options.service.notify_socket, out);
}

template <class P> typename P::log basic_daemon<P>::open_log(const daemon_options& options, error_out out) {
    if constexpr (requires { P::log::open(options.paths.log, options.log, out); })
        return P::log::open(options.paths.log, options.log, out);
    else
        return typename P::log();
}

template <class P> template <class Setup> int basic_daemon<P>::serve_held(const daemon_options& options, lock_type& lock,
                                                                          auto_ready& channel, Setup& setup, error_out out) {
    if constexpr (handover::outlives) {
        if (!options.survive) {
            worker_type alone; // without a keeper
            return serve_locked(options, lock, channel, setup, alone, out);
        }
        upgrade_start how = options.upgrade;
        if (!options.service.notify_socket.empty()) how.variables.push_back("NOTIFY_SOCKET=" + options.service.notify_socket);
        if (options.service.watchdog.count() > 0)
            how.variables.push_back("WATCHDOG_USEC=" + std::to_string(options.service.watchdog.count()));
        typename P::handover::process process(options.restarts, std::move(how), lock.native_handle());
        return keep_serving(options, process, lock, channel, setup, out);
    } else {
        worker_type none;
        return serve_locked(options, lock, channel, setup, none, out);
    }
}

template <class P> template <class Process, class Setup>
int basic_daemon<P>::keep_serving(const daemon_options& options, Process& process, lock_type& lock, auto_ready& channel,
                                  Setup& setup, error_out out) {
    const auto serve = [&](worker_type& worker, error_out result) {
        return serve_locked(options, lock, channel, setup, worker, result);
    };
    struct {
        const daemon_options& options;
        lock_type& lock;
        auto_ready& channel;
        void on_serving() { // the worker has its own copies, and has reported to the starter
            channel.pipe = {};
            channel.descriptor = {};
        }
        void on_stopped() { lock.release(); }
        void on_trouble(const std::string& text) {
            std::error_code ignored;
            auto log = logger(open_log(options, ignored), options.level);
            if (!ignored) log.error("keeper: " + text);
        }
    } events{options, lock, channel};
    const int code = detail::keep_serving(
        process, make_signal_set(own_signals), serve, [&] { std::destroy_at(&setup); }, events, out);
    const auto left = process.take_listener();
    if (lock.is_held()) clean_up(options, {left.device, left.inode});
    return code;
}

/// What the last worker published, where it could not withdraw it itself. @pre the lock is held
template <class P> void basic_daemon<P>::clean_up(const daemon_options& options, published_name left) {
    std::error_code ignored;
    if (left.inode != 0) {
        auto where = make_endpoint(options, ignored);
        static_cast<void>(where.adopt({}, left, ignored));
        where.withdraw();
    }
    if (!options.paths.pid.empty() && pid_file::read(options.paths.pid, ignored) == sys::getpid())
        sys::unlink(options.paths.pid.c_str());
}

template <class P> auto basic_daemon<P>::make_endpoint(const daemon_options& options, error_out out) -> typename P::endpoint {
    using endpoint = typename P::endpoint;
    if constexpr (std::is_constructible_v<endpoint, std::string, unique_fd>) {
        const auto& passed = options.service.sockets;
        if (const std::string& name = options.socket_name; !name.empty() && !passed.empty()) {
            const int named = options.service.socket(name);
            if (named != -1) return endpoint(options.paths.socket, unique_fd(named));
            out.set({ENOENT, std::system_category()}, "take the passed socket", name,
                    "the service manager passed " + std::to_string(passed.size()) +
                        " sockets, but not exactly one with this FileDescriptorName=");
        } else if (passed.size() > 1)
            out.set({EINVAL, std::system_category()}, "take the passed socket", options.paths.socket,
                    "the service manager passed " + std::to_string(passed.size()) +
                        " sockets, but this daemon listens on one; pass only that one, or set daemon_options::socket_name");
        else
            return endpoint(options.paths.socket, unique_fd(passed.empty() ? -1 : passed.front().fd));
    }
    return endpoint(options.paths.socket);
}

} // namespace MATO_ABI
} // namespace mato
