// SPDX-License-Identifier: MIT
/// @file signals.hpp: delivers signals through a readable descriptor; no handler does work.
/// Layer: 2 (policy).  Test: test/toolkit/signals_test.cpp.
/// Threads: one source per process, opened before the first thread, so that every thread inherits its mask.
/// Fork: open it after the last fork. Call `reset_signals` in children before exec: mask and SIG_IGN survive exec (execve(2)).
/// Blocks: never.   Source: signalfd(2), signal-safety(7), pthread_sigmask(3).
///
/// Signals coalesce: reading a signal means that it arrived at least once since the last read.
#pragma once

#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <atomic>
#include <concepts>
#include <csignal>
#include <initializer_list>
#include <optional>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// A signal that arrived, and who sent it.
///
/// @threads a value.
/// @blocks never.
struct received_signal {
    int number = 0;
    pid_t sender = 0;                    ///< 0: the kernel, for example for a key of the terminal, or not known
    uid_t user = static_cast<uid_t>(-1); ///< the sender's real uid; -1: the kernel, or not known
};

/// A source of signals: wait until `native_handle()` is readable, then call `try_next()` until it returns empty.
template <class S> concept signal_source = std::movable<S> &&
    requires(S source, const S& constant, const sigset_t& set, error_out out) {
    { S::open(set, out) } -> std::same_as<S>;
    { constant.native_handle() } -> std::same_as<int>;
    { source.try_next() } -> std::same_as<std::optional<int>>;
};

/// A source that also tells the sender. Of signals that coalesce it tells one of their senders.
template <class S> concept telling_signal_source = signal_source<S> && requires(S source) {
    { source.try_next_with_sender() } -> std::same_as<std::optional<received_signal>>;
};

[[nodiscard]] inline sigset_t make_signal_set(std::initializer_list<int> signals) noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    return set;
}

/// Blocks every signal while it exists: across a fork, so that no signal arrives before handlers are set up. The mask is per
/// thread.
///
/// @threads only the calling thread is affected.
/// @fork the child inherits the blocked mask.
/// @blocks never.
class blocked_signals {
public:
    blocked_signals() noexcept {
        sigset_t all;
        sigfillset(&all);
        sys::signal_mask(SIG_SETMASK, &all, &before_);
    }
    blocked_signals(const blocked_signals&) = delete;
    blocked_signals& operator=(const blocked_signals&) = delete;
    ~blocked_signals() { sys::signal_mask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

/// Restores default dispositions and an empty mask, as a program expects them. Async-signal-safe: call it between fork and
/// exec.
inline void reset_signals() noexcept {
    sys::default_dispositions();
    sigset_t none;
    sigemptyset(&none);
    sys::signal_mask(SIG_SETMASK, &none, nullptr);
}

namespace detail {
[[nodiscard]] inline std::optional<int> number_of(const std::optional<received_signal>& came) noexcept {
    return came ? std::optional<int>(came->number) : std::nullopt;
}
/// `code`: si_code of sigaction(2). A process sent it by kill, tgkill or sigqueue, or a child changed its state.
[[nodiscard]] inline bool has_sender(int signal, int code) noexcept { return code <= 0 || signal == SIGCHLD; }
} // namespace detail

#if MATO_HAS_SIGNALFD
/// Uses signalfd(2). Blocks its signals in the calling thread and does not change other signals. Children inherit the blocked
/// signals: see reset_signals.
///
/// @threads open it before the first thread.
/// @fork the source belongs to the parent; call `reset_signals` in the child.
/// @blocks never.
///
/// @code
/// auto signals = mato::default_signal_source::open(mato::make_signal_set({SIGTERM, SIGHUP}), why);
/// ::raise(SIGHUP);
/// pollfd ready{signals.native_handle(), POLLIN, 0};
/// mato::sys::poll(&ready, 1, 10'000);
/// int reloads = 0;
/// while (const auto signal = signals.try_next()) reloads += *signal == SIGHUP ? 1 : 0;
/// @endcode
class signalfd_source {
public:
    signalfd_source() noexcept = default;
    signalfd_source(signalfd_source&&) noexcept = default;
    signalfd_source& operator=(signalfd_source&& other) noexcept {
        close();
        fd_ = std::move(other.fd_);
        before_ = other.before_;
        return *this;
    }
    ~signalfd_source() { close(); }

    /// @errors EMFILE and others of signalfd(2); then the mask is unchanged.
    [[nodiscard]] static signalfd_source open(const sigset_t& signals, error_out out);

    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }
    [[nodiscard]] std::optional<int> try_next() noexcept { return detail::number_of(try_next_with_sender()); }
    [[nodiscard]] std::optional<received_signal> try_next_with_sender() noexcept;
    void close() noexcept; ///< restores the mask that was set before `open`

private:
    unique_fd fd_;
    sigset_t before_{};
};
static_assert(telling_signal_source<signalfd_source>);
#endif

/// For any POSIX system: a handler marks its signal and writes to a non-blocking pipe. One per process at a time.
///
/// The default where there is no signalfd(2).
///
/// @threads open it before the first thread.
/// @fork the source belongs to the parent; call `reset_signals` in the child.
/// @blocks never.
class self_pipe_source {
public:
    self_pipe_source() noexcept = default;
    self_pipe_source(self_pipe_source&& other) noexcept { *this = std::move(other); }
    self_pipe_source& operator=(self_pipe_source&& other) noexcept;
    ~self_pipe_source() { close(); }

    /// @errors EBUSY: another one is open in this process · EMFILE and others of pipe(2).
    [[nodiscard]] static self_pipe_source open(const sigset_t& signals, error_out out);

    [[nodiscard]] int native_handle() const noexcept { return read_end_.get(); }
    [[nodiscard]] std::optional<int> try_next() noexcept { return detail::number_of(try_next_with_sender()); }
    [[nodiscard]] std::optional<received_signal> try_next_with_sender() noexcept;
    void close() noexcept; ///< restores the dispositions that were set before `open`

private:
    // Used by the handler. The marks are the signals; the pipe only wakes the loop, so that a full pipe loses no signal.
    static inline std::atomic<int> write_fd = -1;
    static inline std::atomic<bool> marks[NSIG]{};
    static inline std::atomic<pid_t> senders[NSIG]{};
    static inline std::atomic<uid_t> users[NSIG]{};
    static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
    static void on_signal(int signal, siginfo_t* about, void*) noexcept;

    unique_fd read_end_, write_end_;
    sigset_t signals_{};
    struct ::sigaction before_[NSIG] {};
};

/// Signals raised by a test. They coalesce, as the kernel's do.
///
/// `native_handle()` is -1, so a loop has no descriptor to wait for.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class manual_source {
public:
    [[nodiscard]] static manual_source open(const sigset_t&, error_out) { return {}; }
    [[nodiscard]] int native_handle() const noexcept { return -1; }
    [[nodiscard]] std::optional<int> try_next() noexcept;        ///< the lowest first
    void raise(int signal) noexcept { pending_[signal] = true; } ///< @pre 0 < signal < NSIG

private:
    bool pending_[NSIG]{};
};

static_assert(telling_signal_source<self_pipe_source> && signal_source<manual_source>);

#if MATO_HAS_SIGNALFD
using default_signal_source = signalfd_source;
#else
using default_signal_source = self_pipe_source;
#endif

// ---- implementation ----

#if MATO_HAS_SIGNALFD
inline signalfd_source signalfd_source::open(const sigset_t& signals, error_out out) {
    signalfd_source source;
    sys::signal_mask(SIG_BLOCK, &signals, &source.before_);
    source.fd_ = unique_fd(sys::signalfd(&signals));
    if (!source.fd_) {
        out.set(last_error(), "open signalfd");
        sys::signal_mask(SIG_SETMASK, &source.before_, nullptr);
    }
    return source;
}

inline std::optional<received_signal> signalfd_source::try_next_with_sender() noexcept {
    signalfd_siginfo info;
    if (!fd_ || sys::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    received_signal came;
    came.number = static_cast<int>(info.ssi_signo);
    if (!detail::has_sender(came.number, info.ssi_code)) return came;
    came.sender = static_cast<pid_t>(info.ssi_pid);
    came.user = info.ssi_uid;
    return came;
}

inline void signalfd_source::close() noexcept {
    if (!fd_) return;
    fd_.reset();
    sys::signal_mask(SIG_SETMASK, &before_, nullptr);
}
#endif

inline void self_pipe_source::on_signal(int signal, siginfo_t* about, void*) noexcept {
    const int saved = errno;
    const bool is_sent = about != nullptr && detail::has_sender(signal, about->si_code);
    senders[signal] = is_sent ? about->si_pid : 0;
    users[signal] = is_sent ? about->si_uid : static_cast<uid_t>(-1);
    marks[signal] = true;
    static_cast<void>(sys::write(write_fd, "", 1)); // if the pipe is full, it is readable anyway
    errno = saved;
}

inline self_pipe_source self_pipe_source::open(const sigset_t& signals, error_out out) {
    self_pipe_source source;
    if (write_fd != -1) return out.fail<self_pipe_source>({EBUSY, std::system_category()}, "open signal pipe");
    int ends[2];
    if (sys::pipe(ends, O_NONBLOCK) == -1) return out.fail<self_pipe_source>(last_error(), "open signal pipe");
    source.read_end_ = unique_fd(ends[0]);
    source.write_end_ = unique_fd(ends[1]);
    source.signals_ = signals;
    for (auto& mark : marks) mark = false;
    write_fd = ends[1];
    struct ::sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    sigfillset(&action.sa_mask);
    for (int signal = 1; signal < NSIG; ++signal)
        if (sigismember(&signals, signal) == 1) sys::signal_action(signal, &action, &source.before_[signal]);
    sys::signal_mask(SIG_UNBLOCK, &signals, nullptr);
    return source;
}

inline self_pipe_source& self_pipe_source::operator=(self_pipe_source&& other) noexcept {
    if (this == &other) return *this;
    close();
    read_end_ = std::move(other.read_end_);
    write_end_ = std::move(other.write_end_);
    signals_ = other.signals_;
    for (int signal = 0; signal < NSIG; ++signal) before_[signal] = other.before_[signal];
    return *this;
}

inline std::optional<received_signal> self_pipe_source::try_next_with_sender() noexcept {
    if (!read_end_) return std::nullopt;
    char wakes[4096]; // read before the marks: a signal in between causes one wake-up too many, never one too few
    static_cast<void>(sys::read(read_end_.get(), wakes, sizeof wakes));
    for (int signal = 1; signal < NSIG; ++signal)
        if (marks[signal].exchange(false)) return received_signal{signal, senders[signal], users[signal]};
    return std::nullopt;
}

inline void self_pipe_source::close() noexcept {
    if (!write_end_) return;
    for (int signal = 1; signal < NSIG; ++signal)
        if (sigismember(&signals_, signal) == 1) sys::signal_action(signal, &before_[signal], nullptr);
    write_fd = -1;
    write_end_.reset();
    read_end_.reset();
}

inline std::optional<int> manual_source::try_next() noexcept {
    for (int signal = 1; signal < NSIG; ++signal)
        if (std::exchange(pending_[signal], false)) return signal;
    return std::nullopt;
}

} // namespace MATO_ABI
} // namespace mato
