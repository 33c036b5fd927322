// SPDX-License-Identifier: MIT
/// @file child.hpp: a program that the daemon runs: awaited on the loop, signalled, restarted.
/// Layer: 3 (asio).  Test: test/toolkit/child_test.cpp.
/// Threads: the thread that runs the io_context.   Fork: create it after the last fork.
/// Blocks: `start` as spawn; the destructor until a killed program has ended, at most `end_patience`.
///
/// It waits for its own process alone, by a pidfd, so other parts of the program may have children too. Without pidfds (before
/// Linux 5.3) it looks every 50 ms.
#pragma once

#include "callback.hpp"
#include "clock.hpp"
#include "detail/asio_descriptor.hpp"
#include "detail/asio_loop.hpp"
#include "detail/loop_member.hpp"
#include "error.hpp"
#include "handover.hpp"
#include "spawn.hpp"
#include "sys.hpp"
#include "sys_process.hpp"
#include "unique_fd.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// When a program that ended is started again. The default never does.
///
/// The wait doubles after each run, from `first` to `longest`; a run of at least `stable` begins again at `first`.
///
/// @threads a value.
/// @blocks never.
struct child_restart {
    enum class kind {
        not_again,
        after_failure,
        always
    } when = kind::not_again; ///< failure: a signal, or an exit code that is not 0
    milliseconds first{100};
    milliseconds longest{30'000};
    milliseconds stable{10'000};
    std::size_t most = unlimited; ///< starts in a row without a stable run, then on_gave_up
};

/// A program as a child of this process; `child` is the one for asio::io_context. Set the callbacks in `on`, then call `start`.
///
/// Callbacks may call any function of it, and may destroy it. An exception from a callback leaves run(), as from any handler on
/// the loop; the child is in a consistent state then. The destructor kills the program (SIGKILL, to its process group); call
/// `stop` before for a graceful end.
///
/// @threads only the thread that runs the io_context.
/// @fork create it after the last fork; it must not be used in a child.
/// @blocks `start` until the program is executed; the destructor until it is dead.
///
/// @code
/// mato::child worker(context, {.program = "/bin/sh", .arguments = {"-c", "exit 3"}},
///                    {.when = mato::child_restart::kind::after_failure, .first = std::chrono::milliseconds(1)});
/// worker.on.on_ended = [&](const mato::child_status& how, std::optional<mato::milliseconds> again) {
///     if (again) std::printf("exit code %d; it starts again in %ld ms\n", how.exit_code, static_cast<long>(again->count()));
/// };
/// worker.start(why);
/// @endcode
template <class Loop> class basic_child {
public:
    struct handlers {
        callback<void(pid_t)> on_started{};
        /// It has ended and was waited for. `again`: when it starts again; empty: it does not.
        callback<void(const child_status& how, std::optional<milliseconds> again)> on_ended{};
        /// It is not started again: too many starts in a row (busy), or starting it failed (as spawn).
        callback<void(const failure& why)> on_gave_up{};
    };

    static constexpr milliseconds end_patience{1000}; ///< a killed process ends in less than 1 ms unless the kernel is stuck

    basic_child(Loop& context, spawn_options what, child_restart again = {});
    basic_child(const basic_child&) = delete;
    basic_child& operator=(const basic_child&) = delete;
    ~basic_child();

private:
    class core;
    std::shared_ptr<core> core_;

public:
    handlers& on; ///< set before `start`

    /// Starts the program; no effect while it runs. A wait for a restart ends.
    /// @errors as spawn; then it does not run and is not started again.
    void start(error_out out);
    /// Ends it: SIGTERM to its process group, SIGKILL after `grace` and when the leader has ended; then `done` is called, once,
    /// after on_ended. It is not started again. If it does not run, `done` is posted.
    void stop(milliseconds grace, std::function<void()> done);
    /// Sends a signal to its process group, or to the process alone with `own_group = false`.
    /// @errors ESRCH: it does not run · any of kill(2).
    void signal(int number, error_out out) const;

    [[nodiscard]] bool is_running() const noexcept;
    [[nodiscard]] pid_t pid() const noexcept; ///< 0: it does not run
    [[nodiscard]] std::uint64_t starts() const noexcept;
    /// The next start uses these options.
    void set_options(spawn_options what);
};

/// basic_child on an io_context: the contract is the same. That one is a template, so a program that does not use it compiles
/// none of it.
class child : public basic_child<asio::io_context> {
public:
    using basic_child<asio::io_context>::basic_child;
};

// ---- implementation ----

/// The state of a child. Handlers of the loop keep it alive, so a child may be destroyed inside its own callbacks.
template <class L> class basic_child<L>::core final : public std::enable_shared_from_this<core>, private detail::loop_member {
public:
    core(L& context, spawn_options options, child_restart restart)
        : loop_member(context), what(std::move(options)), again(restart), context_(context), wait_(std::in_place, context),
          timer_(std::in_place, context), look_again_(std::in_place, context) {}
    ~core() { kill_now(); }

    void start(error_out out);
    void stop(milliseconds grace, std::function<void()> done);
    void signal(int number, error_out out) const;
    void kill_now() noexcept;
    void forget() noexcept {
        is_forgotten_ = true;
        on = {};
        done_ = {};
        if (timer_) timer_->cancel(), look_again_->cancel();
    }
    [[nodiscard]] pid_t pid() const noexcept { return running_.pid; }

    handlers on{};
    spawn_options what;
    child_restart again;
    std::uint64_t starts = 0;

private:
    void loop_ends() noexcept override {
        const auto self = this->weak_from_this().lock();
        kill_now();
        forget();
        wait_.reset();
        timer_.reset();
        look_again_.reset();
    }
    void watch();
    void look();
    void ended(const child_status& how);
    [[nodiscard]] std::optional<milliseconds> next_wait(const child_status& how);
    void restart();
    void close_process() noexcept;
    void signal_group(int number) const noexcept { sys::kill(what.own_group ? -running_.pid : running_.pid, number); }
    template <class Then> void after(asio::steady_timer& timer, milliseconds span, Then then);

    static constexpr milliseconds look_again{50}; // where there are no pidfds

    L& context_;
    std::optional<asio::posix::stream_descriptor> wait_;   // empty: the loop was destroyed, as the timers
    std::optional<asio::steady_timer> timer_, look_again_; // of a restart or of the grace of a stop; without a pidfd
    spawned running_{};
    clock::time_point began_{};
    milliseconds pause_{0};
    std::size_t in_a_row_ = 0;
    std::function<void()> done_{};
    bool is_stopping_ = false, is_forgotten_ = false;
};

template <class L> basic_child<L>::basic_child(L& context, spawn_options what, child_restart again)
    : core_(std::make_shared<core>(context, std::move(what), again)), on(core_->on) {}
template <class L> basic_child<L>::~basic_child() {
    core_->forget();
    core_->kill_now();
}
template <class L> void basic_child<L>::start(error_out out) { core_->start(out); }
template <class L> void basic_child<L>::stop(milliseconds grace, std::function<void()> done) {
    core_->stop(grace, std::move(done));
}
template <class L> void basic_child<L>::signal(int number, error_out out) const { core_->signal(number, out); }
template <class L> bool basic_child<L>::is_running() const noexcept { return core_->pid() != 0; }
template <class L> pid_t basic_child<L>::pid() const noexcept { return core_->pid(); }
template <class L> std::uint64_t basic_child<L>::starts() const noexcept { return core_->starts; }
template <class L> void basic_child<L>::set_options(spawn_options what) { core_->what = std::move(what); }

template <class L> void basic_child<L>::core::start(error_out out) {
    if (running_.pid != 0 || !wait_) return;
    timer_->cancel();
    is_stopping_ = false;
    running_ = spawn(what, out);
    if (out.failed()) return;
    ++starts;
    began_ = clock::now();
    detail::asio_code not_watched;
    if (running_.process) wait_->assign(running_.process.get(), not_watched);
    if (running_.process && !not_watched) static_cast<void>(running_.process.release());
    watch();
    const auto held = this->shared_from_this();
    if (on.on_started) on.on_started(running_.pid);
}

template <class L> void basic_child<L>::core::watch() {
    if (!wait_->is_open()) return after(*look_again_, look_again, [](core& self) { self.look(); });
    wait_->async_wait(asio::posix::stream_descriptor::wait_read, [self = this->shared_from_this()](std::error_code why) {
        if (!why) self->look();
    });
}

template <class L> template <class Then>
void basic_child<L>::core::after(asio::steady_timer& timer, milliseconds span, Then then) {
    timer.expires_at(deadline::in(span).at());
    timer.async_wait([held = this->weak_from_this(), then](std::error_code cancelled) {
        const auto self = held.lock();
        if (!cancelled && self && self->timer_) then(*self);
    });
}

template <class L> void basic_child<L>::core::look() {
    if (running_.pid == 0) return;
    int status = 0;
    const pid_t got = sys::look_at_child(running_.pid, &status);
    if (got == 0) return watch();
    // Before it is reaped its pid, and so the number of its group, belongs to no other process.
    if (got > 0 && is_stopping_ && what.own_group) signal_group(SIGKILL);
    if (got > 0) sys::waitpid(running_.pid, nullptr, 0);
    close_process();
    child_status how{-1, 0}; // -1 and no signal: another part of the program has waited for it
    if (got > 0) how = WIFEXITED(status) ? child_status{WEXITSTATUS(status), 0} : child_status{-1, WTERMSIG(status)};
    ended(how);
}

template <class L> void basic_child<L>::core::close_process() noexcept {
    detail::asio_code ignored;
    if (wait_ && wait_->is_open()) wait_->close(ignored);
    running_ = {};
}

template <class L> void basic_child<L>::core::ended(const child_status& how) {
    const auto held = this->shared_from_this();
    const auto pause = is_stopping_ ? std::nullopt : next_wait(how);
    const bool gives_up = !is_stopping_ && !pause && again.most != unlimited && in_a_row_ > again.most;
    const auto done = std::exchange(done_, {});
    timer_->cancel();
    if (pause) after(*timer_, *pause, [](core& self) { self.restart(); });
    if (done) // posted: it is called after on_ended, also if that throws
        asio::post(context_, [held, done] {
            if (!held->is_forgotten_) done();
        });
    if (on.on_ended) on.on_ended(how, pause);
    if (gives_up && on.on_gave_up)
        on.on_gave_up({errc::busy, "start", what.program,
                       "it ended " + std::to_string(in_a_row_) + " times in a row; it is not started again"});
}

/// @returns the wait before the next start; nothing: there is none.
template <class L> std::optional<milliseconds> basic_child<L>::core::next_wait(const child_status& how) {
    using kind = child_restart::kind;
    if (again.when == kind::not_again || (again.when == kind::after_failure && how.exit_code == 0)) return std::nullopt;
    const bool was_stable = clock::now() >= detail::later(began_, again.stable);
    in_a_row_ = was_stable ? 1 : in_a_row_ + 1;
    pause_ = was_stable || in_a_row_ == 1 ? again.first : pause_ <= again.longest - pause_ ? 2 * pause_ : again.longest;
    if (pause_ > again.longest) pause_ = again.longest;
    if (in_a_row_ > again.most) return std::nullopt;
    return pause_;
}

template <class L> void basic_child<L>::core::restart() {
    const auto held = this->shared_from_this();
    failure why;
    start(why);
    if (why && on.on_gave_up) on.on_gave_up(why);
}

template <class L> void basic_child<L>::core::stop(milliseconds grace, std::function<void()> done) {
    if (!wait_) return;
    if (running_.pid == 0) {
        timer_->cancel();
        if (done) asio::post(context_, std::move(done));
        return;
    }
    done_ = [first = std::move(done_), then = std::move(done)] { // each call of stop has its own
        if (first) first();
        if (then) then();
    };
    if (!std::exchange(is_stopping_, true)) signal_group(SIGTERM);
    after(*timer_, grace, [](core& self) {
        if (self.running_.pid != 0) self.signal_group(SIGKILL); // its end is noticed as any other
    });
}

template <class L> void basic_child<L>::core::signal(int number, error_out out) const {
    if (running_.pid == 0) return out.set({ESRCH, std::system_category()}, "signal", what.program, "it does not run");
    if (sys::kill(what.own_group ? -running_.pid : running_.pid, number) == -1) out.set(last_error(), "signal", what.program);
}

template <class L> void basic_child<L>::core::kill_now() noexcept {
    if (running_.pid == 0) return;
    signal_group(SIGKILL);
    const auto until = deadline::in(end_patience);
    int status = 0;
    while (sys::waitpid(running_.pid, &status, WNOHANG) == 0 && !until.passed()) sys::sleep_ms(1);
    close_process();
}

} // namespace MATO_ABI
} // namespace mato
