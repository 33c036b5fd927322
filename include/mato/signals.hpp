// SPDX-License-Identifier: MIT
/// @file signals.hpp: a signal is a readable descriptor; no handler does work.
/// Layer: 2 (policy).  Test: test/toolkit/signals_test.cpp.
/// Threads: one source a process, made before the first thread, so that every thread inherits its mask.
/// Fork: make it after the last fork. Children get `reset_signals` before exec: mask and SIG_IGN survive exec (execve(2)).
/// Blocks: never.   Source: signalfd(2), signal-safety(7), pthread_sigmask(3).
///
/// Signals coalesce: one readable number means "at least one since last asked".
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

/// Signals as data: wait until `native_handle()` is readable, then call `try_next()` until it is empty.
template <class S> concept signal_source = std::movable<S> &&
    requires(S source, const S& constant, const sigset_t& set, error_out out) {
    { S::open(set, out) } -> std::same_as<S>;
    { constant.native_handle() } -> std::same_as<int>;
    { source.try_next() } -> std::same_as<std::optional<int>>;
};

[[nodiscard]] inline sigset_t make_signal_set(std::initializer_list<int> signals) noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    return set;
}

/// Blocks every signal until destroyed: across a fork, so that none meets half-made handlers. The mask is per thread.
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

/// Default dispositions and an empty mask, as a program expects them. Async-signal-safe: call it between fork and exec.
inline void reset_signals() noexcept {
    sys::default_dispositions();
    sigset_t none;
    sigemptyset(&none);
    sys::signal_mask(SIG_SETMASK, &none, nullptr);
}

#if MATO_HAS_SIGNALFD
/// signalfd(2). Blocks its signals in the calling thread; every other signal stays blocked or not, as the program had it. A
/// child that something else spawns inherits that: see reset_signals.
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

    /// @errors EMFILE and the like of signalfd(2); then the mask is as before.
    [[nodiscard]] static signalfd_source open(const sigset_t& signals, error_out out);

    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }
    [[nodiscard]] std::optional<int> try_next() noexcept;
    void close() noexcept; ///< restores the mask of the time before `open`

private:
    unique_fd fd_;
    sigset_t before_{};
};
static_assert(signal_source<signalfd_source>);
#endif

/// A handler that marks its signal and wakes a non-blocking pipe, and nothing else: any POSIX system. One a process at a time.
class self_pipe_source {
public:
    self_pipe_source() noexcept = default;
    self_pipe_source(self_pipe_source&& other) noexcept { *this = std::move(other); }
    self_pipe_source& operator=(self_pipe_source&& other) noexcept;
    ~self_pipe_source() { close(); }

    /// @errors EBUSY: another one is open in this process · EMFILE and the like.
    [[nodiscard]] static self_pipe_source open(const sigset_t& signals, error_out out);

    [[nodiscard]] int native_handle() const noexcept { return read_end_.get(); }
    [[nodiscard]] std::optional<int> try_next() noexcept;
    void close() noexcept; ///< restores the dispositions of the time before `open`

private:
    // What the handler may touch. The marks are the signals, the pipe only wakes: full of one, it must not lose another.
    static inline std::atomic<int> write_fd = -1;
    static inline std::atomic<bool> marks[NSIG]{};
    static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
    static void on_signal(int signal) noexcept;

    unique_fd read_end_, write_end_;
    sigset_t signals_{};
    struct ::sigaction before_[NSIG] {};
};

/// Signals that a test says have come. They coalesce, as the kernel's do.
class manual_source {
public:
    [[nodiscard]] static manual_source open(const sigset_t&, error_out) { return {}; }
    [[nodiscard]] int native_handle() const noexcept { return -1; }
    [[nodiscard]] std::optional<int> try_next() noexcept;        ///< the lowest first
    void raise(int signal) noexcept { pending_[signal] = true; } ///< @pre 0 < signal < NSIG

private:
    bool pending_[NSIG]{};
};

static_assert(signal_source<self_pipe_source> && signal_source<manual_source>);

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

inline std::optional<int> signalfd_source::try_next() noexcept {
    signalfd_siginfo info;
    if (!fd_ || sys::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

inline void signalfd_source::close() noexcept {
    if (!fd_) return;
    fd_.reset();
    sys::signal_mask(SIG_SETMASK, &before_, nullptr);
}
#endif

inline void self_pipe_source::on_signal(int signal) noexcept {
    const int saved = errno;
    marks[signal] = true;
    static_cast<void>(sys::write(write_fd, "", 1)); // a full pipe is readable, which is all that is needed
    errno = saved;
}

inline self_pipe_source self_pipe_source::open(const sigset_t& signals, error_out out) {
    self_pipe_source source;
    if (write_fd != -1) return out.set({EBUSY, std::system_category()}, "open signal pipe"), std::move(source);
    int ends[2];
    if (sys::pipe(ends, O_NONBLOCK) == -1) return out.set(last_error(), "open signal pipe"), std::move(source);
    source.read_end_ = unique_fd(ends[0]);
    source.write_end_ = unique_fd(ends[1]);
    source.signals_ = signals;
    for (auto& mark : marks) mark = false;
    write_fd = ends[1];
    struct ::sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
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

inline std::optional<int> self_pipe_source::try_next() noexcept {
    if (!read_end_) return std::nullopt;
    char wakes[4096]; // taken before the marks are looked at: a signal in between leaves one wake too many, never one too few
    static_cast<void>(sys::read(read_end_.get(), wakes, sizeof wakes));
    for (int signal = 1; signal < NSIG; ++signal)
        if (marks[signal].exchange(false)) return signal;
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
