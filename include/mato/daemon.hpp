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
#include "detail/asio_descriptor.hpp"
#include "detail/asio_loop.hpp"
#include "detail/daemon_handover.hpp"
#include "orphan_reaper.hpp"
#include "policies.hpp"
#include "server.hpp"
#include "service.hpp"
#include "upgrade.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
    /// The configuration file, with its absolute path, for a reload policy that watches it (reload_on_change). Empty: none.
    std::string config{};
    log_level level = log_level::info;
    file_log_options log{};
    milliseconds ready_within{10'000}; ///< how long the starter waits for the daemon; enough for a start on a slow disk
    int notification_fd = -1;          ///< from a supervisor: gets one newline when the daemon is ready
    service_environment service{};     ///< from a service manager: the result of take_service_environment
    std::string socket_name{};         ///< of several passed sockets, the name of the one for `server()`; empty: the only one
    bool survive = true;               ///< false: a handover policy that survives is not used; the daemon is one process
    restart_limits restarts{};         ///< of workers, with a handover policy that survives (keeper.hpp)
    worker_environment worker{};       ///< from a keeper: the result of take_worker_environment; without it no upgrade succeeds
    upgrade_start upgrade{};           ///< how `basic_daemon::upgrade` starts the new program
    bool reap_orphans = true;          ///< as pid 1 of a container: wait for adopted processes, see orphan_reaper.hpp
    /// Signals that go to on.on_signal, in addition to the daemon's own (SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGQUIT, SIGUSR1,
    /// SIGUSR2). With a keeper they must be sent to the worker.
    std::vector<int> signals{};
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

    /// As `serve`, on the program's own loop: runs `context` until the daemon stops, so its other handlers run meanwhile. Then
    /// the loop is stopped, and the program may call restart() and go on with it. Not with a keeper, which forks.
    /// @errors as `serve`.
    template <class Setup>
    static int serve_on(asio::io_context& context, const daemon_options& options, Setup setup, error_out out);

    [[nodiscard]] asio::io_context& context() noexcept { return context_; }
    [[nodiscard]] server_type& server() noexcept { return server_; }
    [[nodiscard]] logger& log() noexcept { return log_; }
    /// The held lock: a second server on `context()` publishes with it, see example/13_two_sockets.cpp.
    [[nodiscard]] const lock_type& lock() const noexcept { return lock_; }
    [[nodiscard]] const daemon_options& options() const noexcept { return options_; } ///< the caller's object
    /// Which of the processes that serve one after the other this is; without a keeper there is only the first one.
    [[nodiscard]] const mato::generation& generation() const noexcept { return handover_.number(); }
    /// What a keeper holds for this process and the ones after it, see kept.hpp.
    [[nodiscard]] auto& kept() noexcept {
        static_assert(handover::outlives,
                      "mato: kept() needs a handover policy that survives, `using handover = mato::keeper;`");
        return handover_.side();
    }

    /// Replaces this process by `program`, which must be a daemon with a keeper: the keeper starts it while this process serves
    /// on; when it is ready to restore, on_freeze is called here; its `setup` restores from `kept()`; then it serves, and this
    /// process ends. No client is refused. Whatever fails before that, or takes longer than `until`, ends the new program
    /// instead: this process continues with all its sessions, and on_thaw is called. See docs/handover.md.
    /// `handler(const upgrade_outcome&)` is called once in this process, after a success as its last callback; what is queued
    /// there is not sent any more.
    /// @errors in `handler`: those of the new program's setup · busy · EACCES · not_ready · timed_out · not_running.
    template <class Handler> void upgrade(unique_fd program, deadline until, Handler handler) {
        start_upgrade(std::move(program), until, upgrade_purpose::replace, std::move(handler));
    }
    /// The same up to the point where the new program would take over: there it is ended, and this process continues. So
    /// on_freeze and on_thaw are called, and nothing else changes. @errors as `upgrade`.
    template <class Handler> void check_upgrade(unique_fd program, deadline until, Handler handler) {
        start_upgrade(std::move(program), until, upgrade_purpose::check, std::move(handler));
    }

    struct handlers {
        /// SIGHUP, or the configuration file has changed and the reload policy watches it: after the log was opened again, for
        /// logrotate. On an error, report or throw it and change nothing; it is
        /// logged.
        callback<void(error_out)> on_reload{};
        /// A stop was requested: end the program's work, then call `stopped()`. Not set: the daemon stops immediately.
        callback<void()> on_stop{};
        /// The grace period is over, a second stop was requested, or an exception ends the daemon. End all work before
        /// returning; the event loop ends afterwards.
        callback<void()> on_force{};
        /// SIGQUIT: write the state of the program to the log, for diagnosis.
        callback<void()> on_report{};
        /// SIGCHLD: at least one child changed state. Call waitpid for each of your children by pid; as pid 1 within
        /// orphan_reaper::usual_patience.
        callback<void()> on_child{};
        /// A signal of `daemon_options::signals`, or SIGUSR2, which is only logged without this.
        callback<void(const received_signal&)> on_signal{};
        /// A child that an earlier generation gave to `kept()` has ended.
        callback<void(std::string_view name, child_status)> on_kept_child{};
        /// An upgrade: bring everything into what is kept, because the new program restores from it. On an error, report or
        /// throw it; then nothing changes. Until on_thaw this process runs no other callback.
        callback<void(error_out)> on_freeze{};
        /// An upgrade was rolled back after on_freeze; this process continues.
        callback<void()> on_thaw{};
        /// In the new program of an upgrade, after `setup`: the old process is dead, and no client is accepted yet. From here
        /// on kept memory may be written. If it throws, this process ends and is started again, as after a crash.
        callback<void()> on_taken_over{};
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
    /// The service manager, for example to store descriptors there, or to ask for more time to stop.
    [[nodiscard]] sd_notifier& manager() noexcept { return manager_; }
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
    using reload_policy = typename detail::reload_of<Policies>::type;
    using worker_type = typename handover::worker;

    basic_daemon(const daemon_options& options, sd_notifier& manager, typename Policies::signals signals,
                 typename Policies::log sink, lock_type& lock, worker_type& worker, asio::io_context* of_program)
        : options_(options), manager_(manager), signals_(std::move(signals)), log_(std::move(sink), options.level),
          context_(of_program ? *of_program : own_context_.emplace(1)), server_(context_, options.limits),
          signal_wait_(context_), deadline_(context_), watchdog_timer_(context_), lock_(lock), handover_(context_, worker) {}

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
    /// As the keeper, with `process`.
    template <class Process, class Setup> static int keep_serving(const daemon_options& options, Process& process,
                                                                  lock_type& lock, auto_ready& channel, Setup& setup,
                                                                  error_out out);
    template <class Setup> static int serve_locked(const daemon_options& options, lock_type& lock, auto_ready& channel,
                                                   Setup& setup, worker_type& worker, error_out out,
                                                   asio::io_context* of_program = nullptr);
    /// `held(lock, channel, why)` serves with the lock.
    template <class Held> static int serve_here(const daemon_options& options, Held held, error_out out);
    /// Serves as the next worker of the keeper that started this process.
    template <class Setup> static int take_over(const daemon_options& options, Setup& setup, error_out out);
    template <class Handler> void start_upgrade(unique_fd program, deadline until, upgrade_purpose purpose, Handler handler);
    void freeze();
    [[nodiscard]] failure tell_taken_over();
    void end_upgrade(const failure& why);
    static void clean_up(const daemon_options& options, published_name left);
    static typename Policies::log open_log(const daemon_options& options, error_out out);
    static typename Policies::endpoint make_endpoint(const daemon_options& options, error_out out);
    void publish(error_out out);
    void write_pid(error_out out);
    void watch_config(error_out out);
    template <class Event> void on_keeper_event(const Event& event);
    void log_what_the_server_reports();
    void log_some(line_rate& rate, const char* what, const std::string& text);
    void log_left_out(line_rate& rate, const char* what);
    void wait_for_signals();
    void notify_watchdog();
    void on_signal(const received_signal& came, bool is_passed_on = false);
    void take_signals();
    [[nodiscard]] static sigset_t signals_of(const daemon_options& options);
    void force();
    void stop_accepting();
    [[nodiscard]] failure run_loop();
    [[nodiscard]] bool goes_on(const failure& why, bool otherwise);
    template <class Call> void guarded(const char* step, Call call);

    const daemon_options& options_; // of the caller of serve or launch, which return after this object is destroyed
    sd_notifier& manager_;          // it outlives the loop, because it also reports a failed start
    typename Policies::signals signals_;
    logger log_;
    std::optional<asio::io_context> own_context_;
    asio::io_context& context_;
    server_type server_;
    asio::posix::stream_descriptor signal_wait_; // the descriptor belongs to signals_
    asio::steady_timer deadline_;
    asio::steady_timer watchdog_timer_;
    typename Policies::peer peer_{};
    typename Policies::shutdown shutdown_{};
    lock_type& lock_;
    handover handover_;
    std::optional<typename Policies::pid> pid_;
    std::optional<orphan_reaper> reaper_; // as pid 1
    std::optional<typename reload_policy::watch> config_watch_;
    bool stopping_ = false, forced_ = false, draining_ = false;
    failure ended_by_;                       // the exception that ended the loop
    line_rate refused_lines_, paused_lines_; // limit the log lines; the server counts every case
    std::vector<std::shared_ptr<void>> kept_;
    std::function<void(const upgrade_outcome&)> on_upgraded_;    // set while an upgrade is under way
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // handlers that are still queued on the program's loop ask it
};

using daemon = basic_daemon<>;

} // namespace MATO_ABI
} // namespace mato

#include "detail/daemon_exceptions.hpp"
#include "detail/daemon_log.hpp"
#include "detail/daemon_run.hpp"
#include "detail/daemon_start.hpp"
#include "detail/daemon_upgrade.hpp"
