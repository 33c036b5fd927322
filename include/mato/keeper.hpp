// SPDX-License-Identifier: MIT
/// @file keeper.hpp: a process that holds what a daemon must not lose, and starts the next worker when one dies.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_test.cpp, test/process/survive_process_test.cpp.
/// Threads: the process has one; with more, fork copies locks that no thread can release.
/// Fork: that is its purpose: every worker is a fork of this process, which runs no code of the program's.
/// Blocks: `run`, until the last worker has ended.
/// Source: prctl(2) PR_SET_CHILD_SUBREAPER, unix(7), waitpid(2).
///
/// The keeper waits for messages of its worker, signals, and the deaths of children. It reaps every child, as an init does.
#pragma once

#include "detach.hpp"
#include "detail/keeper_state.hpp"
#include "detail/restart_schedule.hpp"
#include "detail/worker_program.hpp"
#include "handover.hpp"
#include "kept.hpp"
#include "readiness.hpp"
#include "signals.hpp"
#include "sys_process.hpp"

#include <optional>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// What a keeper tells the program while it runs; each may be called many times.
template <class E> concept keeper_events = requires(E events, const std::string& text) {
    {events.on_serving()};     ///< a worker serves
    {events.on_stopped()};     ///< the worker has removed what it published: release the lock
    {events.on_trouble(text)}; ///< one line for the log
};

/// The keeper's side of `keeper`: it starts workers, holds their items, and restarts them after a crash. `basic_daemon` runs
/// it.
///
/// @threads one object, one thread; the process must have no other.
/// @fork it forks each worker.
/// @blocks until the daemon has stopped.
class keeper_process {
public:
    /// `start`: of the program of an upgrade. `lock`: a descriptor that each such program gets.
    explicit keeper_process(restart_limits limits, upgrade_start start = {}, int lock = -1)
        : schedule_(limits), start_(std::move(start)), lock_(lock) {}
    keeper_process(const keeper_process&) = delete;
    keeper_process& operator=(const keeper_process&) = delete;
    ~keeper_process() {
        if (is_open_) sys::set_subreaper(sys::orphans::to_init);
    }

    /// In a program that is executed in the place of a keeper, before `open`: goes on from its state. After a check it does not
    /// return. @returns the lock's descriptor. @errors malformed, version_mismatch · EBADF: a descriptor was not passed.
    [[nodiscard]] int resume(const worker_environment& from, error_out out);

    /// From here on `signals` and SIGCHLD are received by this process, and orphans of its workers become its children.
    /// @errors not_single_threaded · any of signalfd(2), prctl(2).
    void open(sigset_t signals, error_out out);

    /// Starts workers. @returns a worker's side, in each of them; nothing, in the keeper, once it is over.
    template <keeper_events Events> std::optional<kept> run(Events& events);

    /// After `run`, in the keeper: what the worker exited with, and the reason it reported, if any.
    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] const failure& why() const noexcept { return why_; }
    /// The socket that the last worker published and perhaps did not withdraw.
    [[nodiscard]] kept_listener take_listener() noexcept { return std::move(listener_); }

private:
    static constexpr int stops_until_kill = 3; ///< a polite one, a forced one, and the worker still runs
    static constexpr milliseconds rest{1000};  ///< between two starts while too many workers die
    static constexpr rlim_t for_a_worker = 16; ///< descriptors that a worker opens before it serves

    /// The state of an upgrade, in the order of its steps.
    enum class step { none, starting, freezing, giving, restoring, committed };
    struct candidate { // the new program, until it has taken over
        step at = step::none;
        detail::worker_program process; // pid 0: it has died
        unique_fd program;
        memory_file commit;
        deadline until = deadline::never();
        int status = 0; // of its death
        upgrade_purpose purpose = upgrade_purpose::replace;
    };
    struct giving { // the table goes to a program
        bool is_on = false, has_listener = false;
        std::size_t next = 0;
    };

    enum class renewal_use : std::uint8_t { check, take_place };
    struct renewal { // the program that serves is executed in this process's place
        bool is_due = false, is_checked = false;
        pid_t checker = 0;
        memory_file file{}; // what the checker reads
        deadline until = deadline::never();
    };

    [[nodiscard]] bool is_calm() const noexcept;
    [[nodiscard]] detail::keeper_state state() const;
    void execute(const detail::keeper_state& all, const memory_file& file, renewal_use use);
    template <class Events> void work_on_renewal(Events& events);
    template <class Events> void checker_ended(int status, Events& events);
    template <class Events> void end_renewal(const std::string& why, Events& events);
    void give_up_renewal() noexcept;
    [[nodiscard]] std::optional<kept> start_worker();
    void start_program();
    [[nodiscard]] int begin_upgrade(const detail::keeper_message& message);
    void take_candidate_messages();
    void take_candidate_message();
    void give(detail::keeper_link& to, giving& at, bool is_upgrade);
    [[nodiscard]] detail::keeper_message facts(bool is_upgrade) const;
    void commit();
    void check_deadline(clock::time_point now);
    void roll_back(detail::rollback why, int status = 0);
    [[nodiscard]] static const char* name_of(step at) noexcept;
    void end_candidate() noexcept;
    template <class Events> void promote(int old_status, Events& events);
    [[nodiscard]] bool holds_messages() const noexcept { return giving_.is_on || candidate_.at >= step::freezing; }
    [[nodiscard]] bool may_start(clock::time_point now) const noexcept;
    template <class Events> void turn(Events& events);
    template <class Events> void take_messages(Events& events);
    template <class Events> void take_message(Events& events);
    void take_listener_of(const detail::keeper_message& message, int& result);
    [[nodiscard]] bool has_room_for_worker() const noexcept;
    void send_pending();
    template <class Events> void take_signals(Events& events);
    void stop_requested();
    template <class Events> void reap(Events& events);
    template <class Events> void worker_died(int status, Events& events);
    template <class Events> void plan_restart(const std::string& what, Events& events);
    void end(int code) noexcept { code_ = code, is_over_ = true; }
    void end_children() noexcept;
    [[nodiscard]] failure read_report();

    detail::restart_schedule schedule_;
    default_signal_source signals_;
    bool is_open_ = false, is_over_ = false;
    int code_ = 0;
    failure why_;

    // the worker that runs, or died last
    pid_t worker_ = 0;
    detail::keeper_link link_;
    unique_fd report_;
    std::uint32_t number_ = 0;
    bool is_serving_ = false, has_served_ = false;
    int last_signal_ = 0;
    clock::time_point died_at_{}, started_at_{};

    // when the next one starts; nothing: when a client connects
    std::optional<clock::time_point> next_start_ = clock::time_point{};

    int stops_ = 0; ///< requests that were passed on
    bool is_stopping_ = false;
    bool is_last_ = false; ///< the worker was started only to stop
    bool has_pending_ = false;
    std::uint64_t pending_signals_ = 0;
    detail::kept_table table_;
    kept_listener listener_;

    // upgrades
    upgrade_start start_;
    int lock_ = -1;
    unique_fd program_; ///< of the worker that took over; empty: workers are forks of this process
    candidate candidate_;
    giving giving_;  ///< to the worker, when it is a program
    giving offered_; ///< to the candidate
    renewal renewal_;
    static constexpr milliseconds renewal_patience{10'000}; ///< for the checker; as long as an upgrade may take
    static constexpr milliseconds to_log{10'000}; ///< a worker that dies within this time may not have logged a rollback
    std::string unheard_;                         ///< why an upgrade was rolled back, if the worker could not be told
    std::string heard_;                           ///< the same, if it was told
    clock::time_point heard_at_{};
    clock::time_point frozen_at_{};
};

/// The handover policy whose daemon survives the death of its process: `using handover = mato::keeper;`.
struct keeper {
    static constexpr bool outlives = true;
    using worker = kept;
    using process = keeper_process;
};
static_assert(handover_policy<keeper>);

// ---- implementation ----

inline void keeper_process::open(sigset_t signals, error_out out) {
    if (const unsigned threads = detail::thread_count(); threads > 1)
        return out.set(errc::not_single_threaded, "start the keeper", {},
                       "the process has " + std::to_string(threads) + " threads");
    sigaddset(&signals, SIGCHLD);
    signals_ = default_signal_source::open(signals, out);
    if (out.failed()) return;
    if (sys::set_subreaper(sys::orphans::to_this_process) == -1) return out.set(last_error(), "start the keeper");
    is_open_ = true;
}

template <keeper_events Events> std::optional<kept> keeper_process::run(Events& events) {
    while (!is_over_) {
        if (worker_ == 0 && may_start(clock::now())) {
            auto worker = start_worker();
            if (worker) return worker;
            if (worker_ == 0) plan_restart("a worker could not be started: " + why_.message(), events);
        }
        if (!is_over_) turn(events);
    }
    return std::nullopt;
}

inline bool keeper_process::may_start(clock::time_point now) const noexcept { return next_start_ && *next_start_ <= now; }

/// @returns the worker's side in the worker. In the keeper `worker_` says whether there is one, and `why_` why not.
inline std::optional<kept> keeper_process::start_worker() {
    if (program_) return start_program(), std::nullopt;
    auto [ours, theirs] = detail::keeper_link::pair(why_);
    auto report = why_ ? readiness_pipe() : readiness_pipe::open(why_);
    if (why_) return std::nullopt;
    const pid_t self = sys::getpid();
    const pid_t pid = sys::fork();
    if (pid == -1) return why_ = {last_error(), "fork", {}, {}}, std::nullopt;
    ++number_;
    started_at_ = clock::now();
    if (pid == 0) {
        kept side;
        side.link_ = std::move(theirs);
        ours.close();
        is_open_ = false; // it is the keeper's; the signals stay blocked until the worker opens its own source
        side.table_ = std::move(table_);
        for (auto& each : side.table_.records()) each.is_taken = false;
        side.listener_ = std::move(listener_);
        side.report_ = unique_fd(sys::fcntl(report.daemon_fd(), F_DUPFD_CLOEXEC, 3));
        side.keeper_ = self;
        side.must_stop_ = is_stopping_;
        side.since_ = died_at_;
        side.generation_.number = number_;
        side.generation_.reason = number_ == 1 ? generation::why::first : generation::why::crashed;
        side.generation_.last_signal = last_signal_;
        side.serve_now();
        return side;
    }
    for (auto& each : table_.records()) each.is_told = true; // the worker has the status with its copy of the table
    worker_ = pid;
    link_ = std::move(ours);
    report_ = unique_fd(sys::fcntl(report.starter_fd(), F_DUPFD_CLOEXEC, 3));
    is_serving_ = false;
    is_last_ = is_stopping_;
    return std::nullopt;
}

template <class Events> void keeper_process::turn(Events& events) {
    const bool rests = worker_ == 0 && !next_start_;
    const auto now = clock::now();
    const bool has_rested = detail::later(started_at_, rest) <= now;
    const bool says_more = giving_.is_on || (has_pending_ && !holds_messages());
    const auto wanted = [](bool also_out) { return static_cast<short>(POLLIN | (also_out ? POLLOUT : 0)); };
    pollfd asked[4] = {{signals_.native_handle(), POLLIN, 0},
                       {link_.native_handle(), wanted(says_more), 0},
                       {rests && has_rested ? listener_.socket.get() : -1, POLLIN, 0},
                       {candidate_.process.link.native_handle(), wanted(offered_.is_on), 0}};
    int patience = -1;
    if (worker_ == 0 && next_start_) patience = deadline(*next_start_).poll_timeout(now);
    if (rests && !has_rested) patience = deadline(detail::later(started_at_, rest)).poll_timeout(now);
    if (candidate_.at != step::none) {
        const int left = candidate_.until.poll_timeout(now);
        if (patience < 0 || left < patience) patience = left;
    }
    if (renewal_.checker != 0) {
        const int left = renewal_.until.poll_timeout(now);
        if (left >= 0 && (patience < 0 || left < patience)) patience = left;
    }
    if (sys::poll(asked, 4, patience) == -1) return;
    take_messages(events);
    take_candidate_messages();
    if (asked[0].revents != 0) take_signals(events);
    if (!unheard_.empty()) events.on_trouble(std::exchange(unheard_, {}));
    if (rests && asked[2].revents != 0) next_start_ = now;
    if (giving_.is_on) give(link_, giving_, false);
    if (offered_.is_on) give(candidate_.process.link, offered_, true);
    if (has_pending_ && !holds_messages()) send_pending();
    check_deadline(clock::now());
    if (renewal_.checker != 0 && renewal_.until.passed()) end_renewal("it did not answer in time", events);
    work_on_renewal(events);
}

template <class Events> void keeper_process::take_messages(Events& events) {
    using received = detail::keeper_link::received;
    while (link_.native_handle() >= 0) {
        switch (link_.receive()) {
        case received::nothing: return;
        case received::end: return link_.close(); // the worker is dead, or about to die
        case received::damaged: break;            // refused: nothing has changed
        case received::message: take_message(events);
        }
    }
}

template <class Events> void keeper_process::take_message(Events& events) {
    using word = detail::keeper_word;
    const auto said = link_.message;
    int result = 0;
    switch (said.word) {
    case word::keep: result = has_room_for_worker() ? table_.apply(said, link_.descriptors) : EMFILE; break;
    case word::drop: static_cast<void>(table_.apply(said, link_.descriptors)); return;
    case word::listen: take_listener_of(said, result); break;
    case word::serving: is_serving_ = has_served_ = true; return events.on_serving();
    case word::stopping:
        is_stopping_ = true;
        roll_back(detail::rollback::stopping);
        listener_.socket.reset(); // clients in the backlog see end-of-file
        return;
    case word::stopped: events.on_stopped(); break;
    case word::upgrade: result = begin_upgrade(said); break;
    case word::frozen:
        if (candidate_.at != step::freezing) return; // it was rolled back in the meantime
        if (said.a != 0) return roll_back(detail::rollback::refused);
        candidate_.at = step::giving;
        offered_ = {true};
        return;
    case word::hello: // of a program that is started after a death
        if (program_ && !is_serving_) giving_ = {true};
        return;
    case word::ready: {
        std::error_code ignored; // it waits for this message, so there is room
        if (program_) static_cast<void>(link_.try_send({word::go, 0, 0, 0, {}}, -1, ignored));
        return;
    }
    default: return; // no word of a worker's
    }
    std::error_code ignored; // the worker waits for this one answer, so there is room
    static_cast<void>(link_.try_send({word::answer, said.slot, static_cast<std::uint64_t>(result), 0, {}}, -1, ignored));
}

/// Whether this process can keep what came with a message and still fork a worker that can start: it inherits all descriptors.
inline bool keeper_process::has_room_for_worker() const noexcept {
    struct ::rlimit limit {};
    if (link_.descriptors.empty() || sys::getrlimit(RLIMIT_NOFILE, &limit) == -1) return true;
    return static_cast<rlim_t>(link_.descriptors.back().get()) + for_a_worker < limit.rlim_cur; // the lowest free number
}

inline void keeper_process::take_listener_of(const detail::keeper_message& said, int& result) {
    if (link_.descriptors.size() != 1) {
        result = link_.descriptors.empty() ? EMFILE : EBADMSG;
        return;
    }
    listener_ = {std::move(link_.descriptors.front()), static_cast<dev_t>(said.a), static_cast<ino_t>(said.b)};
    // The peer credentials of a client's connection name the process that called listen(2) last: the one in the lock file.
    if (sys::listen(listener_.socket.get(), static_cast<int>(said.slot)) == -1) result = errno;
}

/// What the worker was not told yet: its socket may be full.
inline void keeper_process::send_pending() {
    using word = detail::keeper_word;
    has_pending_ = false;
    if (link_.native_handle() < 0) return;
    std::error_code why;
    for (int signal = 1; signal < 64 && !has_pending_; ++signal) {
        const std::uint64_t bit = std::uint64_t{1} << signal;
        if ((pending_signals_ & bit) == 0) continue;
        if (link_.try_send({word::signal, 0, static_cast<std::uint64_t>(signal), 0, {}}, -1, why))
            pending_signals_ &= ~bit;
        else
            has_pending_ = !why;
    }
    auto& records = table_.records();
    for (std::size_t slot = 0; slot < records.size() && !has_pending_; ++slot) {
        if (records[slot].is_told) continue;
        const auto status = static_cast<std::uint64_t>(records[slot].status);
        if (link_.try_send({word::child, static_cast<std::uint32_t>(slot), status, 0, {}}, -1, why))
            records[slot].is_told = true;
        else
            has_pending_ = !why;
    }
}

template <class Events> void keeper_process::take_signals(Events& events) {
    while (const auto signal = signals_.try_next()) {
        if (*signal == SIGCHLD) {
            reap(events);
            continue;
        }
        if (*signal == SIGTERM || *signal == SIGINT) stop_requested();
        if (worker_ == 0) continue; // a worker that starts later reads its configuration anyway
        if (*signal == SIGUSR2) {   // for a worker that hangs; the next one has all that is kept
            events.on_trouble("SIGUSR2: the worker is killed");
            sys::kill(worker_, SIGKILL);
            continue;
        }
        pending_signals_ |= std::uint64_t{1} << *signal;
        has_pending_ = true;
    }
}

inline void keeper_process::stop_requested() {
    is_stopping_ = true;
    roll_back(detail::rollback::stopping);
    if (worker_ == 0) {
        if (table_.empty()) return end(1);
        next_start_ = clock::now(); // to end what is kept, as the program does
    } else if (++stops_ >= stops_until_kill) {
        is_last_ = true;
        sys::kill(worker_, SIGKILL);
    }
}

template <class Events> void keeper_process::reap(Events& events) {
    int status = 0;
    for (pid_t pid = 0; (pid = sys::waitpid(-1, &status, WNOHANG)) > 0;) {
        take_messages(events); // what a dead worker said before is still in the socket
        take_candidate_messages();
        if (pid == worker_ && candidate_.at == step::committed)
            promote(status, events);
        else if (pid == worker_)
            worker_died(status, events);
        else if (pid == renewal_.checker)
            checker_ended(status, events);
        else if (pid == candidate_.process.pid) {
            candidate_.process.pid = 0;
            candidate_.status = status;
            roll_back(detail::rollback::ended, status);
        } else if (table_.ended(pid, status))
            has_pending_ = worker_ != 0;
    }
}

template <class Events> void keeper_process::worker_died(int status, Events& events) {
    worker_ = 0;
    giving_ = {};
    link_.close();
    const step upgrading = candidate_.at;
    end_candidate();
    has_pending_ = false;
    pending_signals_ = 0;
    died_at_ = clock::now();
    last_signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    why_ = read_report();
    const std::string what = last_signal_ != 0 ? "the worker died of signal " + std::to_string(last_signal_)
                                               : "the worker exited with " + std::to_string(WEXITSTATUS(status));
    if (!heard_.empty() && died_at_ < detail::later(heard_at_, to_log)) events.on_trouble(heard_ + "; then " + what);
    heard_.clear();
    if (upgrading != step::none)
        events.on_trouble("an upgrade is rolled back: " + what + " while the new program " + name_of(upgrading) +
                          "; the new program is ended");
    if (last_signal_ == 0 && (is_serving_ || !has_served_)) return end(WEXITSTATUS(status));
    if (!has_served_) {
        why_ = {errc::not_ready, "start the worker", {}, what + " before it served"};
        return end(1);
    }
    if (is_last_) {
        end_children();
        events.on_trouble(what + " while it stopped; what was kept is ended");
        return end(1);
    }
    if (is_stopping_) {
        next_start_ = died_at_;
        return events.on_trouble(what + " while it stopped");
    }
    plan_restart(why_ ? what + ": " + why_.message() : what, events);
}

template <class Events> void keeper_process::plan_restart(const std::string& what, Events& events) {
    if (number_ == 0) return end(1);
    why_.clear();
    next_start_ = schedule_.died(clock::now());
    if (!next_start_) events.on_trouble(what + "; too many deaths: the next worker starts when a client connects");
}

/// Of programs that a worker would have ended: those that still are children of this process.
inline void keeper_process::end_children() noexcept {
    for (auto& each : table_.records()) {
        if (each.name.empty() || each.child <= 1 || each.has_ended) continue;
        int status = 0;
        if (sys::waitpid(each.child, &status, WNOHANG) != 0) continue;
        sys::kill(each.child, SIGHUP);
        sys::kill(each.child, SIGKILL);
    }
}

inline failure keeper_process::read_report() {
    char room[readiness_pipe::max_report];
    pollfd asked{report_.get(), POLLIN, 0};
    const bool is_there = report_ && sys::poll(&asked, 1, 0) == 1;
    const ssize_t got = is_there ? sys::read(report_.get(), room, sizeof room) : 0;
    report_.reset();
    const auto said = got > 0 ? readiness_pipe::decode({room, static_cast<std::size_t>(got)}) : std::nullopt;
    return said ? *said : failure();
}

} // namespace MATO_ABI
} // namespace mato

#include "detail/keeper_renewal.hpp"
#include "detail/keeper_upgrade.hpp"
