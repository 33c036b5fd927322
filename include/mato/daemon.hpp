// SPDX-License-Identifier: MIT
/// @file daemon.hpp: a daemon that starts only once, reports how the start went, reloads, and cleans up when it stops.
/// Layer: 4 (composition).  Test: test/toolkit/daemon_test.cpp, daemon_launch_test.cpp.
/// Threads: one thread owns everything; `setup` and all callbacks run on it.
/// Fork: `launch` forks and must be called before any thread or io_context exists.
///
/// Start: private directory, lock, (detach), signals, log, `setup`, publish the socket, pid file, ready; then the event loop
/// accepts clients and handles signals. Stop is the reverse; the lock is held until the end. A failed step undoes the steps
/// before it, and its error is reported to the process that started the daemon. A service manager is notified of ready,
/// reloading, stopping and alive (sd_notify(3)).
#pragma once

#include "callback.hpp"
#include "detail/daemon_handover.hpp"
#include "policies.hpp"
#include "server.hpp"
#include "service.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// The options of one daemon: paths, limits and service manager. The defaults suit a daemon started from a shell; only `paths`
/// must be set. The object must outlive the daemon.
struct daemon_options {
    daemon_paths paths{}; ///< an empty `pid`: no pid file; an empty `log`: file_log writes to stderr
    server_limits limits{};
    publish_options publish{};
    log_level level = log_level::info;
    file_log_options log{};
    milliseconds ready_within{10'000}; ///< how long the starter waits for the daemon; enough for a start on a slow disk
    int notification_fd = -1;          ///< from a supervisor: gets one newline when the daemon is ready
    service_environment service{};     ///< from a service manager: the result of take_service_environment
    restart_limits restarts{};         ///< of workers, with a handover policy that survives (keeper.hpp)
    /// Descriptors of the program that stay open in the background daemon, with the same numbers. All others are closed there;
    /// open them in `setup` instead. See detach_options.
    std::vector<int> keep{};
};

/// The result of a start, for the process that started the daemon.
///
/// It converts to true if the daemon is ready.
///
/// @threads a value.
/// @blocks never.
struct start_outcome {
    enum class kind { ready, already_running, failed } what = kind::failed;
    pid_t holder = 0; ///< already_running: the pid that holds the lock, 0 if it is not written yet
    failure why{};    ///< failed: the daemon's own error
    [[nodiscard]] explicit operator bool() const noexcept { return what == kind::ready; }
};

/// A daemon: lock, detaching, readiness, socket, sessions, signals, log and pid file, combined from `Policies`. `run` is the
/// main function of a daemon; `setup` installs its callbacks. `daemon` has the default policies.
///
/// @threads one thread owns everything; `setup` and all callbacks run on it.
/// @fork `launch` and `run` in the background fork; call them before the first thread and io_context.
/// @blocks `run` and `serve` until the daemon stops; `launch` until it is ready, at most `ready_within`.
///
/// @code
/// mato::daemon_options options;
/// options.paths = mato::daemon_paths::in(argv[1]); // a private directory, created if missing
/// return echo_daemon::run(options, [](echo_daemon& daemon) {
///     daemon.server().on.on_frame = [](const echo_daemon::session_ptr& session, std::string_view frame) {
///         session->established(); // the handshake of this protocol is its first frame
///         session->send(frame);
///     };
/// });
/// @endcode
template <class Policies = default_policies> class basic_daemon {
    static_assert(detail::require_policies<Policies>::ok);

public:
    using policies = Policies;
    using server_type = basic_server<typename Policies::endpoint, typename Policies::peer, typename Policies::framing,
                                     typename Policies::overflow>;
    using session = typename server_type::session;
    using session_ptr = typename server_type::session_ptr;
    using logger = basic_logger<typename Policies::log>;
    using lock_type = basic_instance_lock<typename Policies::lock>;

    /// Runs the daemon: in this process until it stops, or in the background if the detach policy forks.
    ///
    /// `setup(basic_daemon&)` installs the callbacks. An exception from it ends the start and is logged. Errors, and the pid of
    /// a daemon that already runs, are printed to stderr. Objects captured by `setup` are destroyed when the daemon ends; in
    /// the background, static objects and the local variables of main are not destroyed.
    /// @returns an exit code for main (exit_code).
    template <class Setup> static int run(const daemon_options& options, Setup setup);

    /// Starts the daemon in the background and waits until it serves or has failed. In the daemon's process this never returns.
    /// `meanwhile()` is called in the starter while the daemon starts, for work that the starter has to do anyway. An exception
    /// from it passes through and does not stop the daemon's start.
    template <class Setup, class Meanwhile = void (*)()> static start_outcome launch(
        const daemon_options& options, Setup setup, Meanwhile meanwhile = [] {});

    /// Runs the daemon in this process until it stops. @errors those of the failed step; already_running names the pid.
    /// @returns exit_code::ok, or exit_code::forced after a forced stop.
    template <class Setup> static int serve(const daemon_options& options, Setup setup, error_out out);

    [[nodiscard]] asio::io_context& context() noexcept { return context_; }
    [[nodiscard]] server_type& server() noexcept { return server_; }
    [[nodiscard]] logger& log() noexcept { return log_; }
    [[nodiscard]] const daemon_options& options() const noexcept { return options_; } ///< the caller's object
    /// Which of the processes that serve one after the other this is; without a keeper there is only the first one.
    [[nodiscard]] const mato::generation& generation() const noexcept { return handover_.number(); }
    /// What a keeper holds for this process and the ones after it, see kept.hpp.
    [[nodiscard]] auto& kept() noexcept {
        static_assert(handover::outlives,
                      "mato: kept() needs a handover policy that survives, `using handover = mato::keeper;`");
        return handover_.side();
    }

    struct handlers {
        /// SIGHUP. On an error, report or throw it and change nothing; it is logged.
        callback<void(error_out)> on_reload{};
        /// A stop was requested: end the program's work, then call `stopped()`. Not set: the daemon stops immediately.
        callback<void()> on_stop{};
        /// The grace period is over, a second stop was requested, or an exception ends the daemon. End all work before
        /// returning; the event loop ends afterwards.
        callback<void()> on_force{};
        /// SIGQUIT: write the state of the program to the log, for diagnosis.
        callback<void()> on_report{};
        /// SIGCHLD: at least one child changed state. Call waitpid for each of your children by pid.
        callback<void()> on_child{};
        /// A child that an earlier generation gave to `kept()` has ended.
        callback<void(std::string_view name, child_status)> on_kept_child{};
        /// One of these callbacks threw, or another handler of the program on `context()`; it was logged. Called inside the
        /// catch block. @returns whether the daemon continues. Not set: the daemon continues after an exception of these
        /// callbacks, and ends after one of another handler, which `serve` then reports. Exceptions from callbacks of
        /// `server()` go to `server().on.on_exception`.
        callback<bool(const failure& why)> on_exception{};
    };
    handlers on{};

    /// As SIGTERM: the first call stops gracefully, the second by force.
    void request_stop();
    /// Tells the daemon that the program's work has ended: it flushes the clients and ends the loop.
    void stopped();
    [[nodiscard]] bool is_stopping() const noexcept { return stopping_; }
    /// As SIGHUP, for example on a client's request. @errors those of on_reload; they are also logged.
    void reload(error_out out);
    /// Keeps an object alive while the loop runs. These objects are destroyed before the io_context, in reverse order.
    void keep(std::shared_ptr<void> part) { kept_.push_back(std::move(part)); }
    /// Sets which clients may connect, for a policy with parameters (uid_set). Call it in `setup`; no effect later.
    void set_peer(typename Policies::peer policy) { peer_ = std::move(policy); }
    /// Sets the status line that the service manager shows. No effect without a service manager.
    void report_status(std::string_view text) { manager_.status(text); }
    /// Replaces the shutdown policy, with a new grace period for the next stop.
    void set_shutdown(typename Policies::shutdown policy) { shutdown_ = std::move(policy); }

    ~basic_daemon() {
        if (signal_wait_.is_open()) signal_wait_.release(); // signals_ closes this descriptor
        on = {};                                            // objects held by the callbacks may need the context
        while (!kept_.empty()) {
            const auto last = std::move(kept_.back());
            kept_.pop_back();
        }
    }

private:
    using handover = detail::daemon_handover<typename Policies::handover>;
    using worker_type = typename handover::worker;

    basic_daemon(const daemon_options& options, sd_notifier& manager, typename Policies::signals signals,
                 typename Policies::log sink, lock_type& lock, worker_type& worker)
        : options_(options), manager_(manager), signals_(std::move(signals)), log_(std::move(sink), options.level), context_(1),
          server_(context_, options.limits), signal_wait_(context_), deadline_(context_), watchdog_timer_(context_),
          lock_(lock), handover_(context_, worker) {}

    template <class Setup, class Meanwhile>
    static start_outcome launch_here(const daemon_options& options, Setup& setup, Meanwhile& meanwhile);
    /// Returns in the starter's process, where the lock is released and the pipe will report the daemon's result. Never returns
    /// in the daemon's process.
    template <class Setup>
    static readiness_pipe go_to_background(const daemon_options& options, Setup& setup, start_outcome& outcome);
    /// `mask`: the starter's signal mask. `why`: an error while detaching.
    template <class Setup> [[noreturn]] static void serve_in_background(const daemon_options& options, lock_type& lock,
                                                                        readiness_pipe pipe, Setup& setup, const sigset_t& mask,
                                                                        failure why);
    static constexpr std::initializer_list<int> own_signals = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGQUIT, SIGUSR1, SIGUSR2};
    static void open_channel(const daemon_options& options, auto_ready& channel, error_out out);
    /// In this process; or in workers, with a keeper, which this process becomes.
    template <class Setup>
    static int serve_held(const daemon_options& options, lock_type& lock, auto_ready& channel, Setup& setup, error_out out);
    template <class Setup> static int serve_locked(const daemon_options& options, lock_type& lock, auto_ready& channel,
                                                   Setup& setup, worker_type& worker, error_out out);
    static void clean_up(const daemon_options& options, published_name left);
    static typename Policies::log open_log(const daemon_options& options, error_out out);
    static typename Policies::endpoint make_endpoint(const daemon_options& options, error_out out);
    void publish(error_out out);
    void write_pid(error_out out);
    template <class Event> void on_keeper_event(const Event& event);
    void log_what_the_server_reports();
    void log_some(line_rate& rate, const char* what, const std::string& text);
    void log_left_out(line_rate& rate, const char* what);
    void wait_for_signals();
    void notify_watchdog();
    void on_signal(int signal, bool is_passed_on = false);
    void force();
    void stop_accepting();
    [[nodiscard]] failure run_loop();
    [[nodiscard]] bool goes_on(const failure& why, bool otherwise);
    template <class Call> void guarded(const char* step, Call call);

    const daemon_options& options_; // of the caller of serve or launch, which return after this object is destroyed
    sd_notifier& manager_;          // it outlives the loop, because it also reports a failed start
    typename Policies::signals signals_;
    logger log_;
    asio::io_context context_;
    server_type server_;
    asio::posix::stream_descriptor signal_wait_; // the descriptor belongs to signals_
    asio::steady_timer deadline_;
    asio::steady_timer watchdog_timer_;
    typename Policies::peer peer_{};
    typename Policies::shutdown shutdown_{};
    lock_type& lock_;
    handover handover_;
    std::optional<typename Policies::pid> pid_;
    bool stopping_ = false, forced_ = false, draining_ = false;
    failure ended_by_;                       // the exception that ended the loop
    line_rate refused_lines_, paused_lines_; // limit the log lines; the server counts every case
    std::vector<std::shared_ptr<void>> kept_;
};

using daemon = basic_daemon<>;

// ---- implementation ----

template <class P> template <class Setup> int basic_daemon<P>::run(const daemon_options& options, Setup setup) {
    failure why;
    int code = exit_code::ok;
    if constexpr (P::detach::forks) {
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
    if (!outcome.why) make_private_directory(options.paths.directory(), outcome.why);
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
    if (background::detach({keep}, outcome.why) == detach_role::starter) {
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
    failure why;
    int code = exit_code::unavailable;
    reserve_standard_descriptors(why);
    auto_ready channel;
    if (!why) open_channel(options, channel, why);
    if (!why) make_private_directory(options.paths.directory(), why);
    lock_type lock;
    if (!why) lock = lock_type::acquire(options.paths.lock, why);
    if (!why) code = serve_held(options, lock, channel, setup, why);
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
    const auto serve = [&](worker_type& worker, error_out result) {
        return serve_locked(options, lock, channel, setup, worker, result);
    };
    if constexpr (handover::outlives) {
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
        typename P::handover::process process(options.restarts);
        const int code = detail::keep_serving(
            process, make_signal_set(own_signals), serve, [&] { std::destroy_at(&setup); }, events, out);
        const auto left = process.take_listener();
        if (lock.is_held()) clean_up(options, {left.device, left.inode});
        return code;
    } else {
        worker_type none;
        return serve(none, out);
    }
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

template <class P> template <class Setup> int basic_daemon<P>::serve_locked(const daemon_options& options, lock_type& lock,
                                                                            auto_ready& channel, Setup& setup,
                                                                            worker_type& worker, error_out out) {
    struct ::sigaction ignore {};
    ignore.sa_handler = SIG_IGN; // writing to a closed peer gives EPIPE instead; children get default_dispositions
    sys::signal_action(SIGPIPE, &ignore, nullptr);
    sys::signal_action(SIGXFSZ, &ignore, nullptr); // a log that reaches the file size limit gives EFBIG instead
    auto signals = P::signals::open(make_signal_set(own_signals), out);
    if (out.failed()) return exit_code::unavailable;
    auto sink = open_log(options, out);
    if (out.failed()) return exit_code::unavailable;
    basic_daemon self(options, channel.manager, std::move(signals), std::move(sink), lock, worker);
    // Also logged: if the starter has stopped waiting, the log is the only place where the error can be found.
    const auto fails = [&](const failure& why) {
        self.log_.error("start: " + why.message());
        return out.set(why), exit_code::unavailable;
    };
    failure why;
    try {
        setup(self);
    } catch (const error& refused) {
        why = refused.why();
    } catch (...) {
        why = current_failure("setup");
    }
    if (why) return fails(why);
    self.log_what_the_server_reports();
    self.publish(why);
    if (!why) self.write_pid(why);
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

template <class P> template <class Event> void basic_daemon<P>::on_keeper_event(const Event& event) {
    using kind = typename Event::kind;
    if (event.what == kind::signal) return on_signal(event.signal, true);
    if (event.what == kind::child) {
        if (on.on_kept_child) guarded("on_kept_child", [&] { on.on_kept_child(event.name, event.status); });
        return;
    }
    // This process has a copy of all that the keeper held, so nothing ends. Lock and pid file name it from here on.
    log_.error("the keeper died: this daemon goes on, but does not survive its own death; restart it");
    failure why;
    lock_.adopt(why);
    if (!why) write_pid(why);
    if (why) log_.error("take over from the keeper: " + why.message());
}

template <class P> auto basic_daemon<P>::make_endpoint(const daemon_options& options, error_out out) -> typename P::endpoint {
    using endpoint = typename P::endpoint;
    if constexpr (std::is_constructible_v<endpoint, std::string, unique_fd>) {
        const auto& passed = options.service.sockets;
        if (passed.size() > 1)
            out.set({EINVAL, std::system_category()}, "take the passed socket", options.paths.socket,
                    "the service manager passed " + std::to_string(passed.size()) +
                        " sockets, but this daemon listens on one; pass only that one");
        else
            return endpoint(options.paths.socket, unique_fd(passed.empty() ? -1 : passed.front().fd));
    }
    return endpoint(options.paths.socket);
}

template <class P> void basic_daemon<P>::log_what_the_server_reports() {
    const auto who = [](std::uint64_t id, const peer_credentials& peer) {
        return "client " + std::to_string(id) + " (uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid) + ")";
    };
    auto& callbacks = server_.on;
    callbacks.on_refused = [this, who, next = std::move(callbacks.on_refused)](const peer_credentials& peer,
                                                                               const failure& why) {
        log_some(refused_lines_, "refused", "refused " + who(0, peer) + ": " + why.message());
        return next ? next(peer, why) : std::optional<std::string>();
    };
    callbacks.on_closed = [this, who, next = std::move(callbacks.on_closed)](const session_ptr& gone, const failure& why) {
        // A peer that closes with unread data shows as a reset, which is as normal as a close.
        const bool usual = why.code == errc::closed || why.code == errc::stopping || !why.code ||
                           why.code == std::errc::connection_reset || why.code == std::errc::broken_pipe;
        if (const auto level = usual ? log_level::debug : log_level::warning; log_.takes(level))
            log_.write(level, "closed " + who(gone->id(), gone->peer()) + ": " + why.message());
        if (next) next(gone, why);
    };
    callbacks.on_exception = [this, who, next = std::move(callbacks.on_exception)](const session_ptr& whose,
                                                                                   const failure& why) {
        log_.error((whose ? who(whose->id(), whose->peer()) + ": " : std::string()) + why.message());
        if (next) return next(whose, why);
        if (whose) whose->close(why);
    };
    callbacks.on_accept_paused = [this, next = std::move(callbacks.on_accept_paused)](const failure& why) {
        log_some(paused_lines_, "accepting paused", why.message() + "; accepting clients is paused");
        if (next) next(why);
    };
}

// Clients can cause these lines at any rate, so their number is limited.
template <class P> void basic_daemon<P>::log_some(line_rate& rate, const char* what, const std::string& text) {
    if (!rate.takes(clock::now())) return;
    log_left_out(rate, what);
    log_.warning(text);
}

template <class P> void basic_daemon<P>::log_left_out(line_rate& rate, const char* what) {
    if (const auto more = rate.take_left_out()) log_.warning(std::string(what) + " " + std::to_string(more) + " times more");
}

template <class P> void basic_daemon<P>::wait_for_signals() {
    if (!signal_wait_.is_open()) return;
    signal_wait_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code why) {
        if (why) return;
        const scope_exit again([this] { wait_for_signals(); });
        while (const auto signal = signals_.try_next()) on_signal(*signal);
    });
}

// A timer of the event loop, so that the watchdog notices when the loop hangs.
template <class P> void basic_daemon<P>::notify_watchdog() {
    if (!manager_ || options_.service.watchdog.count() <= 0) return;
    watchdog_timer_.expires_at(deadline::in(options_.service.watchdog / 2).at()); // sd_watchdog_enabled(3): "half of the time"
    watchdog_timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled) return;
        manager_.watchdog();
        notify_watchdog();
    });
}

template <class P> void basic_daemon<P>::on_signal(int signal, bool is_passed_on) {
    switch (signal) {
    case SIGTERM:
    case SIGINT:
        if (!handover_.counts_stop(is_passed_on)) return;
        log_.info(signal == SIGTERM ? "SIGTERM: stopping" : "SIGINT: stopping");
        return request_stop();
    case SIGHUP: {
        std::error_code logged;
        return reload(logged);
    }
    case SIGCHLD:
        if (on.on_child) guarded("on_child", [&] { on.on_child(); });
        return;
    case SIGQUIT: // may be typed at a terminal by mistake, so it must not stop the daemon
        log_.info("SIGQUIT: " + std::to_string(server_.size()) + " clients are connected" + (stopping_ ? "; stopping" : ""));
        if (on.on_report) guarded("on_report", [&] { on.on_report(); });
        return;
    case SIGUSR2: return log_.info("SIGUSR2 received and ignored");
    case SIGUSR1: {
        if (stopping_) return;
        failure why;
        if (lock_.verify()) {
            server_.republish(lock_, options_.publish, why);
            if (!why) handover_.published(server_, options_.publish.backlog, why);
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
    default: return;
    }
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
    deadline_.async_wait([this](std::error_code cancelled) {
        if (!cancelled) force();
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
