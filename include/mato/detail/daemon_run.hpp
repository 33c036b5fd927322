// SPDX-License-Identifier: MIT
/// @file daemon_run.hpp: what a daemon does while it serves: publish, signals, the service manager, reload, stop.
/// Layer: 4 (composition).  Test: test/toolkit/daemon_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: as daemon.hpp.
///
/// Members of basic_daemon; daemon.hpp includes this file.
#pragma once

#include "../daemon.hpp"

#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

template <class P> template <class Setup>
int basic_daemon<P>::serve_locked(const daemon_options& options, lock_type& lock, auto_ready& channel, Setup& setup,
                                  worker_type& worker, error_out out, asio::io_context* of_program) {
    struct ::sigaction ignore {};
    ignore.sa_handler = SIG_IGN; // writing to a closed peer gives EPIPE instead; children get default_dispositions
    sys::signal_action(SIGPIPE, &ignore, nullptr);
    sys::signal_action(SIGXFSZ, &ignore, nullptr); // a log that reaches the file size limit gives EFBIG instead
    auto signals = P::signals::open(signals_of(options), out);
    if (out.failed()) return exit_code::unavailable;
    auto sink = open_log(options, out);
    if (out.failed()) return exit_code::unavailable;
    basic_daemon self(options, channel.manager, std::move(signals), std::move(sink), lock, worker, of_program);
    if (of_program && of_program->stopped()) of_program->restart();
    // Also logged: if the starter has stopped waiting, the log is the only place where the error can be found.
    const auto fails = [&](const failure& why) {
        self.log_.error("start: " + why.message());
        self.handover_.gives_up(why);
        return out.set(why), exit_code::unavailable;
    };
    failure why;
    self.watch_config(why); // first: a change while `setup` reads the file is seen
    try {
        if (!why) setup(self);
    } catch (const error& refused) {
        why = refused.why();
    } catch (...) {
        why = current_failure("setup");
    }
    if (why) return fails(why);
    self.handover_.await_go(why);
    if (!why) why = self.tell_taken_over();
    if (why) return fails(why);
    self.log_what_the_server_reports();
    self.publish(why);
    if (!why) self.write_pid(why);
    if (!why) self.handover_.await_listener(why);
    if (why) return fails(why);
    if (self.signals_.native_handle() >= 0) self.signal_wait_.assign(self.signals_.native_handle());
    if (self.log_.takes(log_level::info))
        self.log_.info("started, pid " + std::to_string(self.handover_.pid()) + self.handover_.describe() + ", socket " +
                       options.paths.socket);
    // Before readiness is reported: a worker that dies after it must have a successor.
    self.handover_.serving([&self](const auto& event) { self.on_keeper_event(event); });
    channel.ready();
    // The starter continues while this runs: clients wait in the backlog, signals in their descriptor.
    self.server_.start_accepting();
    self.wait_for_signals();
    if (options.reap_orphans && sys::getpid() == 1) self.reaper_.emplace(self.context_);
    self.notify_watchdog();
    if (self.handover_.must_stop()) self.request_stop();
    why = self.run_loop();

    self.log_left_out(self.refused_lines_, "refused");
    self.log_left_out(self.paused_lines_, "accepting paused");
    if (!why) self.log_.info(self.forced_ ? "stopped by force" : "stopped");
    self.pid_.reset();
    self.server_.end({errc::stopping, "stop", {}, {}});
    // Last: a client that sees end-of-file finds neither socket, pid file nor lock.
    self.handover_.stopped();
    lock.release();
    if (why) return out.set(why), exit_code::unavailable;
    return self.forced_ ? exit_code::forced : exit_code::ok;
}

template <class P> void basic_daemon<P>::publish(error_out out) {
    if (handover_.must_stop()) return; // no client is let in any more
    auto where = make_endpoint(options_, out);
    if (out.failed()) return;
    if (handover_.has_listener()) return handover_.adopt(server_, std::move(where), peer_, out);
    server_.publish(std::move(where), peer_, lock_, options_.publish, out);
    if (!out.failed()) handover_.published(server_, options_.publish.backlog, out);
}

template <class P> void basic_daemon<P>::write_pid(error_out out) {
    if (options_.paths.pid.empty()) return;
    if constexpr (requires { P::pid::create(options_.paths.pid, pid_t(), out); })
        pid_ = P::pid::create(options_.paths.pid, handover_.pid(), out);
    else
        pid_ = P::pid::create(options_.paths.pid, out);
}

template <class P> void basic_daemon<P>::watch_config(error_out out) {
    if constexpr (reload_policy::watches) {
        const std::string& path = options_.config;
        if (path.empty()) return;
        if (!path.starts_with('/'))
            return out.set({EINVAL, std::system_category()}, "watch the configuration", path,
                           "the path is relative, and a daemon in the background has another working directory; use an "
                           "absolute path, for example of daemon_paths::file");
        config_watch_.emplace(context_, path, [this] {
            if (stopping_) return;
            log_.info(options_.config + " has changed");
            std::error_code logged;
            reload(logged);
        });
    }
}

template <class P> template <class Event> void basic_daemon<P>::on_keeper_event(const Event& event) {
    using kind = typename Event::kind;
    if (event.what == kind::signal) return on_signal({event.signal, 0, static_cast<uid_t>(-1)}, true);
    if (event.what == kind::child) {
        if (on.on_kept_child) guarded("on_kept_child", [&] { on.on_kept_child(event.name, event.status); });
        return;
    }
    if (event.what == kind::freeze) return freeze();
    if (event.what == kind::rolled_back) return end_upgrade(event.why);
    // This process has a copy of all that the keeper held, so nothing ends. Lock and pid file name it from here on.
    log_.error("the keeper died: this daemon goes on, but does not survive its own death; restart it");
    failure why;
    lock_.adopt(why);
    if (!why) write_pid(why);
    if (why) log_.error("take over from the keeper: " + why.message());
    end_upgrade({errc::not_running, "upgrade", {}, "the keeper is gone; this process continues"}); // if one was under way
}

template <class P> void basic_daemon<P>::wait_for_signals() {
    if (!signal_wait_.is_open()) return;
    signal_wait_.async_wait(asio::posix::stream_descriptor::wait_read,
                            [this, alive = std::weak_ptr<bool>(alive_)](std::error_code why) {
                                if (why || alive.expired()) return;
                                const scope_exit again([this] { wait_for_signals(); });
                                take_signals();
                            });
}

template <class P> void basic_daemon<P>::take_signals() {
    if constexpr (telling_signal_source<typename P::signals>)
        while (const auto came = signals_.try_next_with_sender()) on_signal(*came);
    else
        while (const auto number = signals_.try_next()) on_signal({*number, 0, static_cast<uid_t>(-1)});
}

template <class P> sigset_t basic_daemon<P>::signals_of(const daemon_options& options) {
    sigset_t set = make_signal_set(own_signals);
    for (const int each : options.signals) sigaddset(&set, each);
    return set;
}

// A timer of the event loop, so that the watchdog notices when the loop hangs.
template <class P> void basic_daemon<P>::notify_watchdog() {
    if (!manager_ || options_.service.watchdog.count() <= 0) return;
    watchdog_timer_.expires_at(deadline::in(options_.service.watchdog / 2).at()); // sd_watchdog_enabled(3): "half of the time"
    watchdog_timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](std::error_code cancelled) {
        if (cancelled || alive.expired()) return;
        manager_.watchdog();
        notify_watchdog();
    });
}

template <class P> void basic_daemon<P>::on_signal(const received_signal& came, bool is_passed_on) {
    const auto sent_by = [&came] {
        if (came.sender == 0) return std::string();
        return "; sent by pid " + std::to_string(came.sender) + ", uid " + std::to_string(came.user);
    };
    switch (came.number) {
    case SIGTERM:
    case SIGINT:
        if (!handover_.counts_stop(is_passed_on)) return;
        log_.info((came.number == SIGTERM ? "SIGTERM: stopping" : "SIGINT: stopping") + sent_by());
        return request_stop();
    case SIGHUP: {
        std::error_code logged;
        return reload(logged);
    }
    case SIGCHLD:
        if (on.on_child) guarded("on_child", [&] { on.on_child(); });
        if (reaper_) reaper_->child_changed();
        return;
    case SIGQUIT: // may be typed at a terminal by mistake, so it must not stop the daemon
        log_.info("SIGQUIT: " + std::to_string(server_.size()) + " clients are connected" + (stopping_ ? "; stopping" : ""));
        if (on.on_report) guarded("on_report", [&] { on.on_report(); });
        return;
    case SIGUSR2:
        if (!on.on_signal) return log_.info("SIGUSR2 received and ignored");
        break;
    case SIGUSR1: {
        if (stopping_) return;
        failure why;
        if (lock_.verify()) {
            server_.republish(lock_, options_.publish, why);
            if (!why) handover_.published(server_, options_.publish.backlog, why);
            if (!why) handover_.await_listener(why);
        } else // the socket's name may belong to another daemon now
            why = {errc::lock_not_held, "publish socket", options_.paths.socket,
                   lock_.path() + " was removed or replaced, so another daemon may have started; this one accepts no new " +
                       "clients and serves the connected ones until SIGTERM"};
        if (why)
            log_.error("SIGUSR1: " + why.message());
        else
            log_.info("SIGUSR1: socket published again");
        return;
    }
    default: break;
    }
    if (on.on_signal) guarded("on_signal", [&] { on.on_signal(came); });
}

template <class P> void basic_daemon<P>::request_stop() {
    switch (shutdown_.requested()) {
    case stop_action::none: return;
    case stop_action::force: return force();
    case stop_action::begin: break;
    }
    stopping_ = true;
    manager_.stopping();
    stop_accepting();
    deadline_.expires_at(deadline::in(shutdown_.grace()).at());
    deadline_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](std::error_code cancelled) {
        if (!cancelled && !alive.expired()) force();
    });
    if (on.on_stop) // if it throws, the end of the grace period stops the daemon
        guarded("on_stop", [&] { on.on_stop(); });
    else
        stopped();
}

template <class P> void basic_daemon<P>::stop_accepting() {
    server_.stop_accepting();
    handover_.stopping(); // the keeper's copy of the listener is closed too
}

template <class P> void basic_daemon<P>::stopped() {
    if (std::exchange(draining_, true)) return;
    stopping_ = true;
    stop_accepting();
    server_.drain(session::default_linger, [this] { context_.stop(); });
}

template <class P> void basic_daemon<P>::force() {
    if (std::exchange(forced_, true)) return;
    log_.warning("stopping by force");
    if (!std::exchange(stopping_, true)) manager_.stopping();
    if (on.on_force) guarded("on_force", [&] { on.on_force(); });
    static constexpr milliseconds last_words{
        200}; // for the reply to the client that forced the stop, and notices to the others
    stop_accepting();
    server_.drain(last_words, [this] { context_.stop(); });
}

template <class P> void basic_daemon<P>::reload(error_out out) {
    failure why;
    manager_.reloading();
    if constexpr (requires { log_.sink().reopen(); }) log_.sink().reopen();
    try {
        if (on.on_reload) on.on_reload(why);
    } catch (...) {
        why = current_failure("on_reload");
    }
    manager_.ready(); // the reload has ended; after an error the old configuration is still in use
    if (why) {
        log_.error("reload: " + why.message() + "; nothing was changed");
        return out.set(why);
    }
    log_.info("reloaded");
}

} // namespace MATO_ABI
} // namespace mato
