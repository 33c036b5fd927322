// SPDX-License-Identifier: MIT
// The parts of the mato toolkit that need no asio, in one header. toml++ where MATO_WITH_TOML is defined before the include.
// Written by single_include/amalgamate.cmake from include/mato: change that, not this.
#pragma once

#ifdef MATO_VERSION_MAJOR
#error "mato: another header of the toolkit was included before; a single header must be the only one, and mato.hpp has all of mato_core.hpp"
#endif
#if __cplusplus < 202002L
#error "mato: needs C++20, compile with -std=c++20"
#endif
#if !defined(__unix__) && !defined(__APPLE__)
#error "mato: needs a Unix system"
#endif

#include <sys/types.h>
#include <utility>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <version> // defines which library it is
#include <cerrno>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/mman.h>
#include <grp.h>
#include <sys/resource.h>
#include <cstdint>
#include <cstring>
#include <vector>
#include <bit>
#include <concepts>
#include <span>
#include <array>
#include <limits>
#include <optional>
#include <charconv>
#include <sys/uio.h>
#include <atomic>
#include <initializer_list>
#include <memory>
#include <unordered_map>
#include <cstdlib>

// ---- mato/mato.hpp ----
/// @file mato.hpp: the whole toolkit; a table of contents.
/// Layer: 4 (composition).
/// To compile faster, include single headers: layers 0 to 2 (except config.hpp) need neither asio nor toml++.
/// Define `MATO_WITH_TOML` before the include to add config.hpp, which needs toml++.

// ---- mato/version.hpp ----
/// @file version.hpp: the toolkit's version.
/// Layer: 0 (platform).  CMakeLists.txt parses these lines.

#define MATO_VERSION_MAJOR 0
#define MATO_VERSION_MINOR 1
#define MATO_VERSION_PATCH 0
#define MATO_VERSION_STRING "0.1.0"

// 1: vocabulary

// ---- mato/callback.hpp ----
/// @file callback.hpp: a function set by the program, which may be replaced while it runs; an exception from it is reported
/// once. Layer: 1 (vocabulary).  Test: test/toolkit/callback_test.cpp. Threads: one object and its copies, one thread. Blocks:
/// never.

// ---- mato/detail/abi.hpp ----
/// @file abi.hpp: the inline namespace, whose name depends on the version and on the feature switches.
/// Layer: 0 (platform).  Test: test/odr/.
///
/// Translation units that differ in either have different types instead of two definitions of one type. They can be part of one
/// program; passing an object from one to the other fails to link. `mato::v0_1_0_1111111111111111110` is the version, then the
/// switches of platform.hpp in the order below.

// ---- mato/detail/platform.hpp ----
/// @file platform.hpp: the features of this operating system; the only `#if`s on it.
/// Layer: 0 (platform).
///
/// Each feature can be switched off before the first include (`-DMATO_HAS_PIDFD=0`), so that one machine can run every
/// fallback; the test toolkit/fallbacks_test switches all of them off. All translation units of a program must use the same
/// switches.

#if defined(__linux__)
#include <sys/syscall.h>
#ifndef MATO_HAS_SIGNALFD
#define MATO_HAS_SIGNALFD 1 // signalfd(2), Linux 2.6.22
#endif
#ifndef MATO_HAS_ACCEPT4
#define MATO_HAS_ACCEPT4 1 // accept4(2), SOCK_CLOEXEC, SOCK_NONBLOCK: sets close-on-exec atomically
#endif
#ifndef MATO_HAS_PIPE2
#define MATO_HAS_PIPE2 1 // pipe2(2), Linux 2.6.27
#endif
#ifndef MATO_HAS_SENDMMSG
#define MATO_HAS_SENDMMSG 1 // sendmmsg(2) that stops after a partially sent message, Linux 4.9
#endif
#ifndef MATO_HAS_FCHMOD_SOCKET
#define MATO_HAS_FCHMOD_SOCKET 1 // fchmod(2) before bind(2) decides the mode of the name
#endif
#ifndef MATO_HAS_PEERCRED
#define MATO_HAS_PEERCRED 1 // SO_PEERCRED, unix(7)
#endif
#ifndef MATO_HAS_PEERPIDFD
#define MATO_HAS_PEERPIDFD 1 // SO_PEERPIDFD, Linux 6.5; an older kernel answers ENOPROTOOPT
#endif
#ifndef MATO_HAS_PEERGROUPS
#define MATO_HAS_PEERGROUPS 1 // SO_PEERGROUPS, Linux 4.13
#endif
#ifndef MATO_HAS_ABSTRACT_NAMES
#define MATO_HAS_ABSTRACT_NAMES 1 // unix(7) "abstract": a name in the kernel, without a file
#endif
#ifndef MATO_HAS_PROC
#define MATO_HAS_PROC 1 // proc(5)
#endif
#if !defined(MATO_HAS_PIDFD) && defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)
#define MATO_HAS_PIDFD 1 // pidfd_open(2), Linux 5.3
#endif
#if !defined(MATO_HAS_CLOSE_RANGE) && defined(SYS_close_range)
#define MATO_HAS_CLOSE_RANGE 1 // close_range(2), Linux 5.9
#endif
#ifndef MATO_HAS_OFD_LOCKS
#define MATO_HAS_OFD_LOCKS 1 // F_OFD_SETLK, fcntl(2), Linux 3.15
#endif
#ifndef MATO_HAS_MEMFD
#define MATO_HAS_MEMFD 1 // memfd_create(2) and seals, Linux 3.17, glibc 2.27
#endif
#ifndef MATO_HAS_SUBREAPER
#define MATO_HAS_SUBREAPER 1 // prctl(2) PR_SET_CHILD_SUBREAPER, Linux 3.4
#endif
#ifndef MATO_HAS_INOTIFY
#define MATO_HAS_INOTIFY 1 // inotify(7), Linux 2.6.27
#endif
#if !defined(MATO_HAS_SINGLE_THREADED) && __has_include(<sys/single_threaded.h>)
#define MATO_HAS_SINGLE_THREADED 1 // __libc_single_threaded, glibc 2.32
#endif
#endif

#if !defined(MATO_HAS_EXCEPTIONS) && defined(__cpp_exceptions)
#define MATO_HAS_EXCEPTIONS 1 // of the compiler; 0 with -fno-exceptions
#endif
#ifndef MATO_HAS_EXCEPTIONS
#define MATO_HAS_EXCEPTIONS 0
#endif
#ifndef MATO_HAS_BOOST_ASIO
#define MATO_HAS_BOOST_ASIO 0 // set it to 1 to use Boost.Asio instead of standalone asio
#endif

#ifndef MATO_HAS_SIGNALFD
#define MATO_HAS_SIGNALFD 0
#endif
#ifndef MATO_HAS_ACCEPT4
#define MATO_HAS_ACCEPT4 0
#endif
#ifndef MATO_HAS_PIPE2
#define MATO_HAS_PIPE2 0
#endif
#ifndef MATO_HAS_SENDMMSG
#define MATO_HAS_SENDMMSG 0
#endif
#ifndef MATO_HAS_FCHMOD_SOCKET
#define MATO_HAS_FCHMOD_SOCKET 0
#endif
#ifndef MATO_HAS_PEERCRED
#define MATO_HAS_PEERCRED 0
#endif
#ifndef MATO_HAS_PEERPIDFD
#define MATO_HAS_PEERPIDFD 0
#endif
#ifndef MATO_HAS_PEERGROUPS
#define MATO_HAS_PEERGROUPS 0
#endif
#ifndef MATO_HAS_ABSTRACT_NAMES
#define MATO_HAS_ABSTRACT_NAMES 0
#endif
#ifndef MATO_HAS_PROC
#define MATO_HAS_PROC 0
#endif
#ifndef MATO_HAS_PIDFD
#define MATO_HAS_PIDFD 0
#endif
#ifndef MATO_HAS_CLOSE_RANGE
#define MATO_HAS_CLOSE_RANGE 0
#endif
#ifndef MATO_HAS_OFD_LOCKS
#define MATO_HAS_OFD_LOCKS 0
#endif
#ifndef MATO_HAS_MEMFD
#define MATO_HAS_MEMFD 0
#endif
#ifndef MATO_HAS_INOTIFY
#define MATO_HAS_INOTIFY 0
#endif
#ifndef MATO_HAS_SINGLE_THREADED
#define MATO_HAS_SINGLE_THREADED 0
#endif
#ifndef MATO_HAS_SUBREAPER
#define MATO_HAS_SUBREAPER 0
#endif

#define MATO_ABI_JOIN_TOKENS(major, minor, patch, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s)                     \
    v##major##_##minor##_##patch##_##a##b##c##d##e##f##g##h##i##j##k##l##m##n##o##p##q##r##s
#define MATO_ABI_JOIN(...) MATO_ABI_JOIN_TOKENS(__VA_ARGS__)
#define MATO_ABI                                                                                                               \
    MATO_ABI_JOIN(MATO_VERSION_MAJOR, MATO_VERSION_MINOR, MATO_VERSION_PATCH, MATO_HAS_PIDFD, MATO_HAS_SIGNALFD,               \
                  MATO_HAS_ACCEPT4, MATO_HAS_PIPE2, MATO_HAS_FCHMOD_SOCKET, MATO_HAS_PEERCRED, MATO_HAS_PEERPIDFD,             \
                  MATO_HAS_ABSTRACT_NAMES, MATO_HAS_PROC, MATO_HAS_CLOSE_RANGE, MATO_HAS_OFD_LOCKS, MATO_HAS_SENDMMSG,         \
                  MATO_HAS_SINGLE_THREADED, MATO_HAS_MEMFD, MATO_HAS_SUBREAPER, MATO_HAS_PEERGROUPS, MATO_HAS_INOTIFY,         \
                  MATO_HAS_EXCEPTIONS, MATO_HAS_BOOST_ASIO)

// ---- mato/detail/exceptions.hpp ----
/// @file exceptions.hpp: throws and catches, and compiles without exceptions (-fno-exceptions) too.
/// Layer: 0 (platform).  Test: test/matrix.sh.
/// Threads: safe.   Blocks: never.
///
/// Without exceptions what would be thrown ends the program with its text on stderr. Every function of the toolkit that may
/// throw has a form that reports its error instead.

#if !MATO_HAS_EXCEPTIONS
#include <cstdio>
#include <cstdlib>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace detail {

template <class Exception> [[noreturn]] void raise(Exception what) {
#if MATO_HAS_EXCEPTIONS
    throw what;
#else
    std::fprintf(stderr, "mato: %s; this program was compiled without exceptions\n", what.what());
    std::abort();
#endif
}

/// Passes on the exception that is being handled. @pre there is one
[[noreturn]] inline void raise_again() {
#if MATO_HAS_EXCEPTIONS
    throw;
#else
    std::abort();
#endif
}

/// Returns `call()`. If that throws, returns `caught()`, which is called inside the catch block.
template <class Call, class Caught> auto attempt(Call call, Caught caught) -> decltype(call()) {
#if MATO_HAS_EXCEPTIONS
    try {
        return call();
    } catch (...) {
        return caught();
    }
#else
    static_cast<void>(caught);
    return call();
#endif
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/scope_exit.hpp ----
/// @file scope_exit.hpp: runs a function when a scope is left.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unique_fd_test.cpp.

namespace mato {
inline namespace MATO_ABI {

/// Runs `F` in its destructor, unless dismissed. `F` must not throw.
///
/// @threads one object, one thread.
/// @blocks as `F`.
///
/// @code
/// std::FILE* const file = std::fopen(name.c_str(), "w");
/// mato::scope_exit undo([&] { std::remove(name.c_str()); });
/// const bool is_complete = file && std::fputs("first half", file) > 0 && std::fputs("second half", file) > 0;
/// if (file) std::fclose(file);
/// if (is_complete) undo.dismiss(); // otherwise the incomplete file is removed
/// @endcode
template <class F> class scope_exit {
public:
    explicit scope_exit(F undo) : undo_(std::move(undo)) {}
    scope_exit(const scope_exit&) = delete;
    scope_exit& operator=(const scope_exit&) = delete;
    ~scope_exit() {
        if (armed_) undo_();
    }
    void dismiss() noexcept { armed_ = false; }

private:
    F undo_;
    bool armed_ = true;
};

} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {

template <class Signature> class callback;

/// Like std::function, but a call keeps its target alive: assigning to the callback, or destroying its owner, is safe inside
/// the call. Copies share one function, which need not be copyable.
///
/// @threads one object and its copies, one thread.
/// @blocks as the function.
///
/// @code
/// int lines = 0;
/// mato::callback<void(std::string_view)> on_line = [&](std::string_view text) {
///     std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
///     if (++lines == 2) on_line = {}; // safe inside the call
/// };
/// for (const char* text : {"one", "two", "three"})
///     if (on_line) on_line(text); // "three" is not printed
/// @endcode
template <class R, class... A> class callback<R(A...)> {
public:
    callback() noexcept = default;
    callback(std::nullptr_t) noexcept {} // NOLINT(google-explicit-constructor)
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, callback> && std::is_invocable_r_v<R, F&, A...>)
        callback(F function) { // NOLINT(google-explicit-constructor)
        if (!is_null(function)) shared_ = new holding<F>(std::move(function));
    }
    callback(const callback& other) noexcept : shared_(other.shared_) {
        if (shared_) ++shared_->owners;
    }
    callback(callback&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
    callback& operator=(const callback& other) noexcept {
        callback taken(other);
        std::swap(shared_, taken.shared_);
        return *this;
    }
    /// Not by value: clang 14 does not destroy the parameter of `= {}` in a generic lambda.
    callback& operator=(callback&& other) noexcept {
        callback taken(std::move(other));
        std::swap(shared_, taken.shared_);
        return *this;
    }
    ~callback() {
        if (shared_ && --shared_->owners == 0) shared_->destroy(shared_);
    }

    /// Adds a function for the same event: it is called after those that are set, with the same arguments. If one throws, the
    /// later ones are not called. Assigning replaces them all.
    void add(callback next) requires std::is_void_v<R> &&(!std::is_rvalue_reference_v<A> && ...) {
        if (!shared_ || !next) return static_cast<void>(shared_ ? *this : *this = std::move(next));
        *this = callback([first = *this, next = std::move(next)](A... arguments) {
            first(arguments...);
            next(std::forward<A>(arguments)...);
        });
    }

    [[nodiscard]] explicit operator bool() const noexcept { return shared_ != nullptr; }
    /// @throws std::bad_function_call when there is no function · whatever the function throws.
    R operator()(A... arguments) const {
        const callback kept(*this);
        if (!kept) detail::raise(std::bad_function_call());
        return kept.shared_->call(*kept.shared_, std::forward<A>(arguments)...);
    }

private:
    struct shared {
        R (*call)(shared& self, A... arguments);
        void (*destroy)(shared* self) noexcept;
        std::size_t owners = 1;
    };
    template <class F> struct holding final : shared {
        explicit holding(F&& what) : shared{&call_as, &destroy_as}, function(std::move(what)) {}
        static R call_as(shared& self, A... arguments) {
            F& target = static_cast<holding&>(self).function;
            if constexpr (std::is_void_v<R>)
                static_cast<void>(std::invoke(target, std::forward<A>(arguments)...));
            else
                return std::invoke(target, std::forward<A>(arguments)...);
        }
        static void destroy_as(shared* self) noexcept { delete static_cast<holding*>(self); }
        F function;
    };
    /// A null pointer, or a function wrapper without a function.
    template <class F> static bool is_null(const F& function) noexcept {
        if constexpr (std::is_pointer_v<F> || std::is_member_pointer_v<F>)
            return function == nullptr;
        else if constexpr (std::is_constructible_v<F, std::nullptr_t> && requires { function.operator bool(); })
            return !static_cast<bool>(function);
        else
            return false;
    }
    shared* shared_ = nullptr;
};

namespace detail {

/// Calls a function that may throw and reports the exception. Calls may be nested: an exception from `tell` itself passes
/// through all of them without being reported again.
class exception_guard {
public:
    /// `tell()` runs inside the catch block.
    template <class Call, class Tell> void operator()(Call call, Tell tell) {
        ++depth_;
        const scope_exit leave([this] {
            if (--depth_ == 0) handed_on_ = false;
        });
        attempt([&] { call(); },
                [&] {
                    if (handed_on_) raise_again();
                    handed_on_ = true;
                    tell();
                    handed_on_ = false;
                });
    }

private:
    int depth_ = 0;
    bool handed_on_ = false;
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/clock.hpp ----
/// @file clock.hpp: time as a parameter.
/// Layer: 1 (vocabulary).  Test: test/toolkit/clock_test.cpp.
/// Threads: safe.   Blocks: never.
///
/// Durations and limits have the same meaning everywhere in the toolkit. 0 means immediately, or none. `never` is a wait
/// without end, `unlimited` a limit that is never reached. A value too large for the clock or the counter means the same: no
/// value of an option overflows.

// ---- mato/detail/chrono.hpp ----
/// @file chrono.hpp: durations and clocks, without calendars, time zones and their streams.
/// Layer: 0 (platform).
///
/// Including all of C++20's `chrono` costs four times as much as the part that is needed. libstdc++ has durations, time points
/// and clocks in a separate header, which its `mutex` and `thread` include. This header uses it for releases known to have it
/// complete, and `chrono` for all others.

#if defined(_GLIBCXX_RELEASE) && _GLIBCXX_RELEASE >= 12 && _GLIBCXX_RELEASE <= 14 && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif

static_assert(std::chrono::steady_clock::is_steady &&
              std::chrono::ceil<std::chrono::seconds>(std::chrono::milliseconds(1)).count() == 1);

namespace mato {
inline namespace MATO_ABI {

/// The clock of every limit and deadline. It is monotonic: setting the wall clock does not end a wait early.
using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::milliseconds;

inline constexpr milliseconds never = milliseconds::max();
inline constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

namespace detail {
/// `at + span`, clamped to the range of the clock.
template <class Rep, class Period>
[[nodiscard]] constexpr clock::time_point later(clock::time_point at, std::chrono::duration<Rep, Period> span) noexcept {
    using seconds = std::chrono::duration<double>; // cannot overflow; the year of margin covers its rounding
    constexpr seconds year(366 * 24 * 3600.0);
    if (seconds(span) >= seconds(clock::time_point::max() - at) - year) return clock::time_point::max();
    if (seconds(span) <= seconds(clock::duration::min()) + year) return clock::time_point::min();
    return at + std::chrono::duration_cast<clock::duration>(span);
}
} // namespace detail

/// The time at which a wait ends. Pass the same deadline to several steps to give them one common time limit.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// pollfd first{-1, POLLIN, 0}, second{-1, POLLIN, 0};
/// const auto until = mato::deadline::in(std::chrono::milliseconds(2)); // for both waits together
/// mato::sys::poll(&first, 1, until.poll_timeout());
/// mato::sys::poll(&second, 1, until.poll_timeout());
/// if (until.passed()) std::printf("no input in time\n");
/// @endcode
class deadline {
public:
    explicit deadline(clock::time_point at) noexcept : at_(at) {}
    template <class Rep, class Period> [[nodiscard]] static deadline in(std::chrono::duration<Rep, Period> span) noexcept {
        return deadline(detail::later(clock::now(), span));
    }
    [[nodiscard]] static deadline never() noexcept { return deadline(clock::time_point::max()); }

    [[nodiscard]] clock::time_point at() const noexcept { return at_; }
    [[nodiscard]] bool passed(clock::time_point now = clock::now()) const noexcept { return now >= at_; }

    /// Milliseconds left, rounded up: rounded down, poll(2) would return early and the caller would spin. 0 when passed.
    [[nodiscard]] int poll_timeout(clock::time_point now = clock::now()) const noexcept {
        if (passed(now)) return 0;
        const auto left = std::chrono::ceil<milliseconds>(at_ - now).count();
        return static_cast<int>(left < longest_poll ? left : longest_poll);
    }

private:
    static constexpr milliseconds::rep longest_poll = 1'000'000'000; // poll(2) takes an int; 11 days, callers loop
    clock::time_point at_;
};

} // namespace MATO_ABI
} // namespace mato

// ---- mato/error.hpp ----
/// @file error.hpp: errors as a code, the failed step, the path, and details.
/// Layer: 1 (vocabulary).  Test: test/toolkit/error_test.cpp.
/// Threads: distinct objects are independent. The categories are constant.   Blocks: never.
///
/// Functions that can fail have two forms: `f(args)` throws `mato::error`; `f(args, error_out)` does not throw and reports into
/// the caller's `std::error_code` (only the code) or `mato::failure` (code, step, path, detail).
/// Errors of the operating system keep their number in `std::system_category()`; the toolkit's own errors are `errc`.
/// Codes compare equal and exceptions can be caught across shared objects, also with hidden visibility.

#pragma GCC visibility push(default) // with -fvisibility=hidden each shared object would have its own types

namespace mato {
inline namespace MATO_ABI {

/// Errors that have no errno.
///
/// Values of a `std::error_code`, with the category `mato_category()`.
enum class errc {
    already_running = 1, ///< another process holds the lock; `failure::detail` has its pid
    not_running,         ///< no process holds the lock, or none listens
    unsafe_directory,    ///< a symlink, owned by another user, or open to group or others
    peer_rejected,       ///< the peer policy refused the client
    server_not_trusted,  ///< the listening process belongs to another user
    slow_consumer,       ///< the peer did not read in time; its queue reached the bound
    not_ready,           ///< the daemon ended, or did not report, before it was ready
    version_mismatch,    ///< the two sides share no protocol version
    busy,                ///< it runs, but cannot accept more now
    frame_too_large,     ///< longer than the framing allows
    malformed,           ///< invalid bytes: pid file, frame, message
    not_single_threaded, ///< a fork was requested while other threads run
    lock_not_held,       ///< the lock is not held, or its file was replaced
    invalid_config,      ///< `failure::detail` has line, column and reason
    too_many_clients,    ///< the limit of clients is reached
    handshake_timeout,   ///< the client connected but did not complete the handshake in time
    timed_out,           ///< the deadline passed
    closed,              ///< the peer closed the stream
    stopping,            ///< the daemon is stopping
    holder_not_proved,   ///< the lock is held, but it is not certain by which process; `failure::detail` has the reason
    callback_threw,      ///< a function of the program threw an exception; `failure::detail` has its text
};

/// Groups of errors from different layers: compare an `error_code` with these.
///
/// Values of a `std::error_condition`. One condition covers codes of the toolkit and of the system.
enum class cond {
    already_running = 1, ///< errc::already_running
    not_running,         ///< errc::not_running, ENOENT, ECONNREFUSED
    not_permitted,       ///< EACCES, EPERM, errc::unsafe_directory, peer_rejected, server_not_trusted
    busy,                ///< errc::busy, EAGAIN, ENOBUFS
    transient,           ///< may succeed later: busy, EINTR, ENFILE, EMFILE, ECONNABORTED, ECONNRESET, ETIMEDOUT
    bad_input,           ///< errc::malformed, frame_too_large, invalid_config
};

} // namespace MATO_ABI
} // namespace mato

template <> struct std::is_error_code_enum<mato::errc> : std::true_type {};
template <> struct std::is_error_condition_enum<mato::cond> : std::true_type {};

namespace mato {
inline namespace MATO_ABI {

[[nodiscard]] const std::error_category& mato_category() noexcept;
[[nodiscard]] const std::error_category& cond_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), mato_category()}; }
[[nodiscard]] inline std::error_condition make_error_condition(cond c) noexcept {
    return {static_cast<int>(c), cond_category()};
}
/// Compares the category by name: each shared object may have its own instance, and std compares by address.
[[nodiscard]] inline bool operator==(const std::error_code& code, errc e) noexcept {
    return code.value() == static_cast<int>(e) && std::string_view(code.category().name()) == mato_category().name();
}

/// The calling thread's errno as a code.
[[nodiscard]] inline std::error_code last_error() noexcept { return {errno, std::system_category()}; }

/// A code with its context. `step` is the attempted operation ("lock", "bind"), `path` its object.
///
/// It converts to true if there is an error.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// mato::failure why;
/// const int port = port_of("http", why);
/// if (why) std::fprintf(stderr, "%s\n", why.message().c_str()); // read port: 'http' is not a port
/// @endcode
struct failure {
    std::error_code code{};
    std::string step{};
    std::string path{};
    std::string detail{}; ///< replaces the text of the code if set

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(code); }
    /// "step path: why", one line without a newline.
    [[nodiscard]] std::string message() const;
    void clear() noexcept {
        code.clear();
        step.clear();
        path.clear();
        detail.clear();
    }
};

/// Thrown by the throwing forms; `what()` is `why().message()`.
///
/// A `std::system_error` with the code of `why()`, so it can be caught without this header.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// try {
///     mato::or_throw([](mato::failure& failed) { return port_of("http", failed); });
///     FAIL("no error");
/// } catch (const mato::error& failed) {
///     std::fprintf(stderr, "%s\n", failed.what()); // read port: 'http' is not a port
/// @endcode
class error : public std::system_error {
public:
    explicit error(failure why);
    [[nodiscard]] const failure& why() const noexcept { return why_; }
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

private:
    failure why_;
    std::string text_;
};

/// Converts the exception being handled to a failure: the contents of a `mato::error`, the code of a std::system_error, ENOMEM
/// for std::bad_alloc, errc::callback_threw for any other. `step` names the code that threw; it is put before the exception's
/// step.
/// @pre called inside a catch block.
[[nodiscard]] inline failure current_failure(std::string_view step) noexcept;

/// Keeps the first failure of several calls whose result is checked once. A plain `failure` or `std::error_code` tells only
/// about the latest call, because each call clears it, as in std::filesystem and asio.
///
/// It converts to true if one of the calls failed. Each call is still made; `clear` begins again.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// mato::first_failure any;
/// const int http = port_of("http", any);
/// const int smtp = port_of("25", any);                          // succeeds, and keeps the failure of the first call
/// if (any) std::fprintf(stderr, "%s\n", any.message().c_str()); // read port: 'http' is not a port
/// @endcode
class first_failure {
public:
    [[nodiscard]] explicit operator bool() const noexcept { return first_ || latest_; }
    [[nodiscard]] const failure& why() const noexcept { return first_ ? first_ : latest_; }
    [[nodiscard]] std::string message() const { return why().message(); }
    void clear() noexcept {
        first_.clear();
        latest_.clear();
    }

private:
    friend class error_out;
    /// For the next call.
    failure& next() noexcept {
        if (!first_) std::swap(first_, latest_);
        latest_.clear();
        return latest_;
    }

    failure first_, latest_;
};

/// The error parameter of a function: converts implicitly from the caller's `std::error_code` or `failure`, and clears it; or
/// from a `first_failure`, whose earlier failure stays. `failed` tells about this call alone, whatever the caller passed.
/// Use it only as a parameter; it must not outlive the call.
///
/// @threads one call.
/// @blocks never.
///
/// @code
/// int port_of(const std::string& text, mato::error_out out) {
///     const int port = std::atoi(text.c_str());
///     if (port <= 0) out.set(mato::errc::malformed, "read port", {}, "'" + text + "' is not a port");
///     return port;
/// @endcode
class error_out {
public:
    error_out(std::error_code& code) noexcept : code_(&code) { code.clear(); } // NOLINT(google-explicit-constructor)
    error_out(failure& why) noexcept : why_(&why) { why.clear(); }             // NOLINT(google-explicit-constructor)
    error_out(first_failure& kept) noexcept : why_(&kept.next()) {}            // NOLINT(google-explicit-constructor)

    void set(std::error_code code, std::string_view step, std::string_view path = {}, std::string detail = {}) const;
    void set(const failure& why) const { set(why.code, why.step, why.path, why.detail); }
    /// As `set`, and returns the value that a function returns when it failed: `return out.fail<unique_fd>(code, "open",
    /// path);`. The type is named, because a result that converts to anything would fill a std::optional<int> with 0.
    template <class Result> [[nodiscard]] Result fail(std::error_code code, std::string_view step, std::string_view path = {},
                                                      std::string detail = {}) const;
    template <class Result> [[nodiscard]] Result fail(const failure& why) const;
    [[nodiscard]] bool failed() const noexcept { return code_ ? static_cast<bool>(*code_) : static_cast<bool>(*why_); }

private:
    std::error_code* code_ = nullptr;
    failure* why_ = nullptr;
};

/// Makes a throwing form from a reporting form: calls `f(failure&)` and throws `mato::error` if it reports an error.
template <class F> decltype(auto) or_throw(F&& f);

// ---- implementation ----

namespace detail {

class mato_category_type final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "mato"; }
    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::already_running: return "already running";
        case errc::not_running: return "not running";
        case errc::unsafe_directory: return "unsafe directory";
        case errc::peer_rejected: return "peer refused";
        case errc::server_not_trusted: return "server not trusted";
        case errc::slow_consumer: return "slow consumer";
        case errc::not_ready: return "not ready";
        case errc::version_mismatch: return "no protocol version in common; update the older program";
        case errc::busy: return "busy";
        case errc::frame_too_large: return "frame too large";
        case errc::malformed: return "malformed";
        case errc::not_single_threaded: return "the process has several threads";
        case errc::lock_not_held: return "the lock is not held";
        case errc::invalid_config: return "invalid configuration";
        case errc::too_many_clients: return "too many clients";
        case errc::handshake_timeout: return "no handshake in time";
        case errc::timed_out: return "timed out";
        case errc::closed: return "closed by the peer";
        case errc::stopping: return "stopping";
        case errc::holder_not_proved: return "not certain which process holds the lock";
        case errc::callback_threw: return "a callback threw an exception";
        }
        return "unknown error " + std::to_string(value);
    }
    // Each shared object with hidden visibility has its own instance; comparing names treats them as one category.
    [[nodiscard]] bool equivalent(const std::error_code& code, int value) const noexcept override {
        return code.value() == value && std::string_view(code.category().name()) == name();
    }
};

class cond_category_type final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "mato.cond"; }
    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<cond>(value)) {
        case cond::already_running: return "already running";
        case cond::not_running: return "not running";
        case cond::not_permitted: return "not permitted";
        case cond::busy: return "busy";
        case cond::transient: return "transient";
        case cond::bad_input: return "bad input";
        }
        return "unknown condition " + std::to_string(value);
    }
    [[nodiscard]] bool equivalent(const std::error_code& code, int value) const noexcept override {
        const bool ours = std::string_view(code.category().name()) == "mato";
        const auto is = [&](errc e) { return ours && code.value() == static_cast<int>(e); };
        const auto os = [&](int number) { return code.category() == std::system_category() && code.value() == number; };
        const auto is_busy = [&] { return is(errc::busy) || os(EAGAIN) || os(EWOULDBLOCK) || os(ENOBUFS); };
        switch (static_cast<cond>(value)) {
        case cond::already_running: return is(errc::already_running);
        case cond::not_running: return is(errc::not_running) || os(ENOENT) || os(ECONNREFUSED);
        case cond::not_permitted:
            return os(EACCES) || os(EPERM) || is(errc::unsafe_directory) || is(errc::peer_rejected) ||
                   is(errc::server_not_trusted);
        case cond::busy: return is_busy();
        case cond::transient:
            return is_busy() || os(EINTR) || os(ENFILE) || os(EMFILE) || os(ECONNABORTED) || os(ECONNRESET) || os(ETIMEDOUT);
        case cond::bad_input: return is(errc::malformed) || is(errc::frame_too_large) || is(errc::invalid_config);
        }
        return false;
    }
};

} // namespace detail

inline const std::error_category& mato_category() noexcept {
    static const detail::mato_category_type category;
    return category;
}

inline const std::error_category& cond_category() noexcept {
    static const detail::cond_category_type category;
    return category;
}

inline std::string failure::message() const {
    std::string text = step;
    if (!path.empty()) text += (text.empty() ? "" : " ") + path;
    if (!text.empty()) text += ": ";
    return text + (detail.empty() ? code.message() : detail);
}

inline error::error(failure why) : std::system_error(why.code), why_(std::move(why)), text_(why_.message()) {}

inline failure current_failure(std::string_view step) noexcept {
    const auto told = [&](std::error_code code, std::string text) {
        return failure{code ? code : make_error_code(errc::callback_threw), std::string(step), {}, std::move(text)};
    };
#if MATO_HAS_EXCEPTIONS
    try {
        try {
            throw;
        } catch (const error& thrown) {
            failure why = thrown.why();
            if (!why) return told({}, thrown.what());
            why.step = why.step.empty() ? std::string(step) : std::string(step).append(": ").append(why.step);
            return why;
        } catch (const std::system_error& thrown) {
            return told(thrown.code(), thrown.what());
        } catch (const std::bad_alloc&) {
            return told({ENOMEM, std::system_category()}, {});
        } catch (const std::exception& thrown) {
            return told({}, thrown.what());
        } catch (...) {
            return told({}, "an exception that is not derived from std::exception");
        }
    } catch (...) { // no memory for the text
        failure bare;
        bare.code = {ENOMEM, std::system_category()};
        return bare;
    }
#else
    return told({}, {}); // not called
#endif
}

inline void error_out::set(std::error_code code, std::string_view step, std::string_view path, std::string detail) const {
    if (code_) *code_ = code;
    if (why_) *why_ = {code, std::string(step), std::string(path), std::move(detail)};
}

template <class Result>
Result error_out::fail(std::error_code code, std::string_view step, std::string_view path, std::string detail) const {
    set(code, step, path, std::move(detail));
    return Result();
}

template <class Result> Result error_out::fail(const failure& why) const {
    set(why);
    return Result();
}

template <class F> decltype(auto) or_throw(F&& f) {
    failure why;
    if constexpr (std::is_void_v<decltype(f(why))>) {
        f(why);
        if (why) detail::raise(error(std::move(why)));
    } else {
        auto result = f(why);
        if (why) detail::raise(error(std::move(why)));
        return result;
    }
}

} // namespace MATO_ABI
} // namespace mato

#pragma GCC visibility pop

// ---- mato/printable.hpp ----
/// @file printable.hpp: escapes text of unknown origin, so that it cannot control a terminal.
/// Layer: 1 (vocabulary).  Test: test/toolkit/printable_test.cpp.
/// Threads: safe.   Pure.
/// Source: ECMA-48 (C0, C1), Unicode 15 table 3-7 (well-formed UTF-8) and UAX #9 section 2 (directional formatting).

namespace mato {
inline namespace MATO_ABI {

/// The first character of a text. Returned by `first_character`.
struct text_character {
    std::size_t size = 0;  ///< bytes; 0: the text is empty
    char32_t code = 0;     ///< the code point; of an invalid byte, the byte
    bool is_valid = false; ///< false: truncated, overlong, a surrogate, above U+10FFFF, or a lone byte; `size` is then 1
};
[[nodiscard]] constexpr text_character first_character(std::string_view text) noexcept;

/// Characters that control the terminal or change how a line is read, instead of being shown: C0, DEL, C1, the line and
/// paragraph separators, and the embeddings, overrides and isolates of bidirectional text.
[[nodiscard]] constexpr bool is_control(char32_t code) noexcept {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/// Whether the character must be escaped. Invalid bytes must be: a terminal that is not in UTF-8 mode reads 0x9b as CSI.
[[nodiscard]] constexpr bool needs_escape(const text_character& character) noexcept {
    return !character.is_valid || is_control(character.code);
}

/// Appends `text` with each byte of a character that needs it written as `\xNN`. Characters in `kept` are not escaped.
inline void append_printable(std::string& to, std::string_view text, std::string_view kept = {});
[[nodiscard]] inline std::string printable(std::string_view text, std::string_view kept = {}) {
    std::string result;
    append_printable(result, text, kept);
    return result;
}

// ---- implementation ----

constexpr text_character first_character(std::string_view text) noexcept {
    if (text.empty()) return {};
    const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned first = byte(0);
    if (first < 0x80) return {1, first, true};
    const text_character lone{1, first, false};
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    char32_t code = first & (0x7fu >> size);
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0) != 0x80) return lone;
        code = code << 6 | (byte(at) & 0x3f);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    if (first < 0xc2 || code < smallest[size] || code > 0x10ffff || is_surrogate) return lone;
    return {size, code, true};
}

inline void append_printable(std::string& to, std::string_view text, std::string_view kept) {
    constexpr char digits[] = "0123456789abcdef";
    while (!text.empty()) {
        const text_character next = first_character(text);
        const std::string_view bytes = text.substr(0, next.size);
        if (!needs_escape(next) || kept.find(bytes) != std::string_view::npos)
            to.append(bytes);
        else
            for (const char each : bytes) {
                const auto value = static_cast<unsigned char>(each);
                const char shown[] = {'\\', 'x', digits[value >> 4], digits[value & 0xf]};
                to.append(shown, sizeof shown);
            }
        text.remove_prefix(next.size);
    }
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/sys.hpp ----
/// @file sys.hpp: the system calls that most parts need, with one seam for injecting faults.
/// Layer: 1 (vocabulary).  Test: test/toolkit/sys_test.cpp; the faults: test/fault/.
/// Threads: as the system call.   Fork: as the system call.
///
/// Each function has the arguments and the result of its system call, with errno on -1. In addition:
///   EINTR   the call is repeated if that is correct (open, read, write, send, recv, accept, flock, fcntl, waitpid, fsync);
///           never close (the descriptor is closed already) and poll (the caller's deadline decides).
///   CLOEXEC every descriptor is created close-on-exec; without a flag for that it is set immediately afterwards.
///   SIGPIPE sends carry MSG_NOSIGNAL.
/// sys_memory.hpp and sys_process.hpp have the calls that only a few parts need. `MATO_SYSTEM(name)` must have the same
/// definition in every translation unit of a program.

#if MATO_HAS_SIGNALFD
#include <sys/signalfd.h>
#endif

#ifndef MATO_SYSTEM
#define MATO_SYSTEM(name) ::name // tests define it as a callable that can fail
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

/// Whether calls on a descriptor wait until they can be done. With `nonblocking` they fail with EAGAIN instead.
enum class waiting : unsigned char { blocking, nonblocking };

namespace detail {
template <class F> auto retry(F call) noexcept {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

inline int set_flags(int fd, bool is_nonblocking) noexcept {
    if (fd < 0) return fd;
    const bool ok = MATO_SYSTEM(fcntl)(fd, F_SETFD, FD_CLOEXEC) != -1 &&
                    (!is_nonblocking || MATO_SYSTEM(fcntl)(fd, F_SETFL, MATO_SYSTEM(fcntl)(fd, F_GETFL) | O_NONBLOCK) != -1);
    if (ok) return fd;
    const int why = errno;
    MATO_SYSTEM(close)(fd);
    errno = why;
    return -1;
}
} // namespace detail

// ---- files ----
inline int open(const char* path, int flags, mode_t mode = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(open)(path, flags | O_CLOEXEC, mode); });
}
inline int close(int fd) noexcept { return MATO_SYSTEM(close)(fd); }
inline ssize_t read(int fd, void* data, std::size_t size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(read)(fd, data, size); });
}
inline ssize_t write(int fd, const void* data, std::size_t size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(write)(fd, data, size); });
}
inline ssize_t pread(int fd, void* data, std::size_t size, off_t at) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(pread)(fd, data, size, at); });
}
inline ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(pwrite)(fd, data, size, at); });
}
inline int ftruncate(int fd, off_t size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(ftruncate)(fd, size); });
}
inline int fsync(int fd) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(fsync)(fd); });
}
inline int fstat(int fd, struct ::stat* out) noexcept { return MATO_SYSTEM(fstat)(fd, out); }
inline int lstat(const char* path, struct ::stat* out) noexcept { return MATO_SYSTEM(lstat)(path, out); }
inline int stat(const char* path, struct ::stat* out) noexcept { return MATO_SYSTEM(stat)(path, out); }
inline ssize_t readlink(const char* path, char* into, std::size_t size) noexcept {
    return MATO_SYSTEM(readlink)(path, into, size);
}
inline int unlink(const char* path) noexcept { return MATO_SYSTEM(unlink)(path); }
inline int rename(const char* from, const char* to) noexcept { return MATO_SYSTEM(rename)(from, to); }
inline int mkdir(const char* path, mode_t mode) noexcept { return MATO_SYSTEM(mkdir)(path, mode); }
inline int chmod(const char* path, mode_t mode) noexcept { return MATO_SYSTEM(chmod)(path, mode); }
inline int fchmod(int fd, mode_t mode) noexcept { return MATO_SYSTEM(fchmod)(fd, mode); }
/// Of the name itself, also if it is a symbolic link. -1 as a user or group: unchanged.
inline int lchown(const char* path, uid_t user, gid_t group) noexcept { return MATO_SYSTEM(lchown)(path, user, group); }
inline int chdir(const char* path) noexcept { return MATO_SYSTEM(chdir)(path); }
inline mode_t umask(mode_t mask) noexcept { return MATO_SYSTEM(umask)(mask); }
inline int flock(int fd, int operation) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(flock)(fd, operation); });
}
/// As open with O_CREAT. A new file gets mode 0600 exactly: with a umask such as 0277 its owner could not open it again.
inline int open_private(const char* path, int flags) noexcept {
    const int fd = open(path, flags | O_CREAT, 0600);
    struct ::stat found {};
    if (fd == -1 || sys::fstat(fd, &found) == -1 || !S_ISREG(found.st_mode) || (found.st_mode & 0600) == 0600) return fd;
    if (found.st_uid != ::geteuid() || sys::fchmod(fd, (found.st_mode & 0777) | 0600) == 0) return fd;
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}
template <class Arg> int fcntl(int fd, int command, Arg arg) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(fcntl)(fd, command, arg); });
}
template <class Arg> int ioctl(int fd, unsigned long request, Arg arg) noexcept { return MATO_SYSTEM(ioctl)(fd, request, arg); }
inline int dup2(int from, int to) noexcept { return MATO_SYSTEM(dup2)(from, to); }
inline int poll(struct pollfd* fds, nfds_t count, int timeout_ms) noexcept { return MATO_SYSTEM(poll)(fds, count, timeout_ms); }

/// Both ends close-on-exec; `flags` may hold O_NONBLOCK.
inline int pipe(int (&ends)[2], int flags = 0) noexcept {
#if MATO_HAS_PIPE2
    return MATO_SYSTEM(pipe2)(ends, flags | O_CLOEXEC);
#else
    if (MATO_SYSTEM(pipe)(ends) == -1) return -1;
    if (detail::set_flags(ends[0], flags & O_NONBLOCK) == -1) {
        MATO_SYSTEM(close)(ends[1]);
        return -1;
    }
    if (detail::set_flags(ends[1], flags & O_NONBLOCK) == -1) {
        MATO_SYSTEM(close)(ends[0]);
        return -1;
    }
    return 0;
#endif
}

/// Closes every descriptor from `first` up. Async-signal-safe: may be called between fork and exec.
inline void close_from(int first) noexcept {
#if MATO_HAS_CLOSE_RANGE
    if (MATO_SYSTEM(syscall)(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
#endif
    const long limit = MATO_SYSTEM(sysconf)(_SC_OPEN_MAX);
    const int last = limit > 0 && limit < 1'048'576 ? static_cast<int>(limit) : 65'536; // no limit: assume the usual one
    for (int fd = first; fd < last; ++fd) MATO_SYSTEM(close)(fd);
}

// ---- sockets ----
/// A close-on-exec Unix stream socket.
inline int unix_socket(waiting mode) noexcept {
    const bool is_nonblocking = mode == waiting::nonblocking;
#if MATO_HAS_ACCEPT4
    return MATO_SYSTEM(socket)(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (is_nonblocking ? SOCK_NONBLOCK : 0), 0);
#else
    return detail::set_flags(MATO_SYSTEM(socket)(AF_UNIX, SOCK_STREAM, 0), is_nonblocking);
#endif
}
/// A close-on-exec, blocking Unix datagram socket.
inline int unix_datagram_socket() noexcept {
#if MATO_HAS_ACCEPT4
    return MATO_SYSTEM(socket)(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
#else
    return detail::set_flags(MATO_SYSTEM(socket)(AF_UNIX, SOCK_DGRAM, 0), false);
#endif
}
#if MATO_HAS_ACCEPT4
/// Two connected close-on-exec sockets whose messages come whole.
inline int packet_socket_pair(int (&ends)[2]) noexcept {
    return MATO_SYSTEM(socketpair)(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}
#else
inline int packet_socket_pair(int (&)[2]) noexcept { return errno = ENOSYS, -1; }
#endif
inline int bind(int fd, const struct sockaddr* address, socklen_t size) noexcept {
    return MATO_SYSTEM(bind)(fd, address, size);
}
inline int listen(int fd, int backlog) noexcept { return MATO_SYSTEM(listen)(fd, backlog); }
/// Not repeated: after EINTR the connection attempt continues (connect(2)).
inline int connect(int fd, const struct sockaddr* address, socklen_t size) noexcept {
    return MATO_SYSTEM(connect)(fd, address, size);
}
/// The accepted socket is close-on-exec and non-blocking.
inline int accept(int fd) noexcept {
#if MATO_HAS_ACCEPT4
    return detail::retry([&] { return MATO_SYSTEM(accept4)(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); });
#else
    return detail::set_flags(detail::retry([&] { return MATO_SYSTEM(accept)(fd, nullptr, nullptr); }), true);
#endif
}
inline ssize_t send(int fd, const void* data, std::size_t size, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(send)(fd, data, size, flags | MSG_NOSIGNAL); });
}
inline ssize_t recv(int fd, void* data, std::size_t size, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(recv)(fd, data, size, flags); });
}
inline ssize_t sendmsg(int fd, const struct msghdr* message, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(sendmsg)(fd, message, flags | MSG_NOSIGNAL); });
}
/// Received descriptors are close-on-exec.
inline ssize_t recvmsg(int fd, struct msghdr* message, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(recvmsg)(fd, message, flags | MSG_CMSG_CLOEXEC); });
}
#if MATO_HAS_SENDMMSG
/// On a stream socket the messages are joined. It stops at the first message that the kernel does not accept completely.
inline int sendmmsg(int fd, struct mmsghdr* messages, unsigned count, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(sendmmsg)(fd, messages, count, flags | MSG_NOSIGNAL); });
}
#endif
inline ssize_t sendto(int fd, const void* data, std::size_t size, int flags, const struct sockaddr* to,
                      socklen_t to_size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(sendto)(fd, data, size, flags | MSG_NOSIGNAL, to, to_size); });
}
inline int getsockopt(int fd, int level, int option, void* value, socklen_t* size) noexcept {
    return MATO_SYSTEM(getsockopt)(fd, level, option, value, size);
}
inline int setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept {
    return MATO_SYSTEM(setsockopt)(fd, level, option, value, size);
}
inline int getsockname(int fd, struct sockaddr* address, socklen_t* size) noexcept {
    return MATO_SYSTEM(getsockname)(fd, address, size);
}

// ---- processes and signals ----
inline pid_t fork() noexcept { return MATO_SYSTEM(fork)(); }
/// vfork(2): does not copy this process, and waits until the child has called exec or _exit. `child` must call one of them, may
/// call only async-signal-safe functions, and must change no memory except its own variables. It is a separate noinline
/// function so that no value in a register of the caller is live across the call.
template <class Child> [[gnu::noinline]] pid_t vfork(Child child) noexcept {
    const pid_t pid = MATO_SYSTEM(vfork)();
    if (pid == 0) child();
    return pid;
}
inline char* getcwd(char* into, std::size_t size) noexcept { return MATO_SYSTEM(getcwd)(into, size); }
inline pid_t setsid() noexcept { return MATO_SYSTEM(setsid)(); }
inline pid_t getpid() noexcept { return ::getpid(); }
inline uid_t geteuid() noexcept { return ::geteuid(); }
inline int kill(pid_t pid, int signal) noexcept { return MATO_SYSTEM(kill)(pid, signal); }
inline pid_t waitpid(pid_t pid, int* status, int options) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(waitpid)(pid, status, options); });
}
/// pthread_sigmask(3), with the error in errno: sigprocmask is unspecified in programs with threads.
inline int signal_mask(int how, const sigset_t* set, sigset_t* old) noexcept {
    const int why = MATO_SYSTEM(pthread_sigmask)(how, set, old);
    if (why == 0) return 0;
    errno = why;
    return -1;
}
inline int signal_action(int signal, const struct ::sigaction* now, struct ::sigaction* old) noexcept {
    return MATO_SYSTEM(sigaction)(signal, now, old);
}
/// Resets all dispositions: handlers survive fork, and SIG_IGN survives exec too. Async-signal-safe.
inline void default_dispositions() noexcept {
    struct ::sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal)
        signal_action(signal, &plain, nullptr); // fails for SIGKILL and SIGSTOP; ignored
}
#if MATO_HAS_SIGNALFD
inline int signalfd(const sigset_t* set) noexcept { return MATO_SYSTEM(signalfd)(-1, set, SFD_CLOEXEC | SFD_NONBLOCK); }
#endif

/// A descriptor of the process itself, so that a reused pid cannot be signalled by mistake. -1 with ENOSYS without support.
inline int pidfd_open(pid_t pid) noexcept {
#if MATO_HAS_PIDFD
    return static_cast<int>(MATO_SYSTEM(syscall)(SYS_pidfd_open, pid, 0U));
#else
    static_cast<void>(pid);
    errno = ENOSYS;
    return -1;
#endif
}
inline int pidfd_send_signal(int pidfd, int signal) noexcept {
#if MATO_HAS_PIDFD
    return static_cast<int>(MATO_SYSTEM(syscall)(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0U));
#else
    static_cast<void>(pidfd), static_cast<void>(signal);
    errno = ENOSYS;
    return -1;
#endif
}

/// Sleeps for the whole span in milliseconds, also when signals arrive. Returns immediately if negative.
inline void sleep_ms(long span) noexcept {
    if (span <= 0) return;
    struct timespec left {
        span / 1000, span % 1000 * 1'000'000
    };
    while (MATO_SYSTEM(nanosleep)(&left, &left) == -1 && errno == EINTR) {
    }
}

} // namespace sys
} // namespace MATO_ABI
} // namespace mato

// ---- mato/sys_memory.hpp ----
/// @file sys_memory.hpp: system calls about mapped memory and files in memory; the shape of sys.hpp.
/// Layer: 1 (vocabulary).  Test: test/toolkit/sys_test.cpp, memory_file_test.cpp; the faults: test/fault/.
/// Threads: as the system call.   Fork: as the system call.

#if MATO_HAS_MEMFD
#include <sys/vfs.h>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

/// Returns MAP_FAILED on error.
inline void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t from) noexcept {
    return MATO_SYSTEM(mmap)(at, size, protection, flags, fd, from);
}
inline int munmap(void* at, std::size_t size) noexcept { return MATO_SYSTEM(munmap)(at, size); }
inline int madvise(void* at, std::size_t size, int advice) noexcept { return MATO_SYSTEM(madvise)(at, size, advice); }
#if MATO_HAS_MEMFD
/// A file without a name in a directory: close-on-exec, sealable, and never executable if the kernel supports that (Linux 6.3);
/// hardened systems refuse executable ones. `name` is only shown in proc(5).
inline int memfd_create(const char* name) noexcept {
    constexpr unsigned never_executable = 8; // MFD_NOEXEC_SEAL; older headers lack it
    const int fd = MATO_SYSTEM(memfd_create)(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | never_executable);
    if (fd != -1 || errno != EINVAL) return fd;
    return MATO_SYSTEM(memfd_create)(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}
inline int fstatfs(int fd, struct ::statfs* out) noexcept { return MATO_SYSTEM(fstatfs)(fd, out); }
#endif

} // namespace sys
} // namespace MATO_ABI
} // namespace mato

// ---- mato/sys_process.hpp ----
/// @file sys_process.hpp: system calls about programs, children, users, groups and limits; the shape of sys.hpp.
/// Layer: 1 (vocabulary).  Test: test/toolkit/sys_test.cpp, spawn_program_test.cpp; the faults: test/fault/.
/// Threads: as the system call.   Fork: as the system call.

#if MATO_HAS_SUBREAPER
#include <sys/prctl.h>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

/// Whether orphans below this process become its children. See PR_SET_CHILD_SUBREAPER in prctl(2).
enum class orphans : unsigned char { to_init, to_this_process };

// ---- programs ----
/// Returns only after an error.
inline int execve(const char* path, char* const* arguments, char* const* variables) noexcept {
    return MATO_SYSTEM(execve)(path, arguments, variables);
}
inline int setpgid(pid_t pid, pid_t group) noexcept { return MATO_SYSTEM(setpgid)(pid, group); }
inline pid_t getppid() noexcept { return ::getppid(); }
/// execve(2) of an open file. Returns only after an error.
inline int fexecve(int program, char* const* arguments, char* const* variables) noexcept {
    return MATO_SYSTEM(fexecve)(program, arguments, variables);
}

// ---- limits ----
template <class Resource> int getrlimit(Resource resource, struct ::rlimit* out) noexcept {
    return MATO_SYSTEM(getrlimit)(resource, out);
}
template <class Resource> int setrlimit(Resource resource, const struct ::rlimit* limit) noexcept {
    return MATO_SYSTEM(setrlimit)(resource, limit);
}

// ---- users and groups ----
/// Returns the error itself.
template <class Group> int getgrnam_r(const char* name, Group* found, char* room, std::size_t size, Group** result) noexcept {
    return MATO_SYSTEM(getgrnam_r)(name, found, room, size, result);
}
inline uid_t getuid() noexcept { return ::getuid(); }
inline gid_t getgid() noexcept { return ::getgid(); }
inline gid_t getegid() noexcept { return ::getegid(); }
inline int getgroups(int size, gid_t* into) noexcept { return MATO_SYSTEM(getgroups)(size, into); }
inline int setgroups(std::size_t count, const gid_t* groups) noexcept { return MATO_SYSTEM(setgroups)(count, groups); }
inline int setgid(gid_t group) noexcept { return MATO_SYSTEM(setgid)(group); }
inline int setuid(uid_t user) noexcept { return MATO_SYSTEM(setuid)(user); }

// ---- children ----
/// The pid of a child that has ended, without reaping it; 0: none has ended; -1 with ECHILD: there are no children.
inline pid_t ended_child() noexcept {
    siginfo_t found{}; // si_pid stays 0 when no child has ended
    const int got = detail::retry([&] { return MATO_SYSTEM(waitid)(P_ALL, id_t{0}, &found, WEXITED | WNOHANG | WNOWAIT); });
    return got == -1 ? -1 : found.si_pid;
}
/// As waitpid(2) with WNOHANG, but a child that has ended is not reaped: its status can be asked for again.
inline pid_t look_at_child(pid_t child, int* status) noexcept {
    siginfo_t found{};
    const int got = detail::retry(
        [&] { return MATO_SYSTEM(waitid)(P_PID, static_cast<id_t>(child), &found, WEXITED | WNOHANG | WNOWAIT); });
    if (got == -1 || found.si_pid == 0) return got;
    *status = found.si_code == CLD_EXITED ? (found.si_status & 0xff) << 8 : found.si_status & 0x7f;
    return found.si_pid;
}
#if MATO_HAS_SUBREAPER
inline int set_subreaper(orphans where) noexcept {
    const unsigned long is_on = where == orphans::to_this_process ? 1 : 0;
    return MATO_SYSTEM(prctl)(PR_SET_CHILD_SUBREAPER, is_on, 0UL, 0UL, 0UL);
}
/// The signal that this process gets when the thread that forked it ends.
inline int set_death_signal(int signal) noexcept {
    return MATO_SYSTEM(prctl)(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal), 0UL, 0UL, 0UL);
}
#else
inline int set_subreaper(orphans) noexcept { return errno = ENOSYS, -1; }
inline int set_death_signal(int) noexcept { return errno = ENOSYS, -1; }
#endif

} // namespace sys
} // namespace MATO_ABI
} // namespace mato

// ---- mato/sys_watch.hpp ----
/// @file sys_watch.hpp: system calls that watch directories; the shape of sys.hpp.
/// Layer: 1 (vocabulary).  Test: test/toolkit/file_watch_test.cpp.
/// Threads: as the system call.   Fork: as the system call.

#if MATO_HAS_INOTIFY
#include <sys/inotify.h>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

#if MATO_HAS_INOTIFY
/// A close-on-exec, non-blocking queue of events.
inline int inotify() noexcept { return MATO_SYSTEM(inotify_init1)(IN_CLOEXEC | IN_NONBLOCK); }
inline int inotify_add_watch(int queue, const char* path, std::uint32_t events) noexcept {
    return MATO_SYSTEM(inotify_add_watch)(queue, path, events);
}
inline int inotify_rm_watch(int queue, int watch) noexcept { return MATO_SYSTEM(inotify_rm_watch)(queue, watch); }
#endif

} // namespace sys
} // namespace MATO_ABI
} // namespace mato

// ---- mato/unique_fd.hpp ----
/// @file unique_fd.hpp: owns a file descriptor and closes it.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unique_fd_test.cpp.
/// Threads: distinct objects are independent.   Blocks: only where close(2) does.
/// Fork: each process has its own copy of the descriptor and closes it.

namespace mato {
inline namespace MATO_ABI {

/// Owns one file descriptor and closes it in the destructor. Move-only; an empty object has -1.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork each process has its own copy of the descriptor and closes it.
/// @blocks only where close(2) does.
///
/// @code
/// mato::unique_fd input(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
/// char byte = 1;
/// if (!input || ::read(input.get(), &byte, 1) != 1) return;
/// mato::unique_fd kept = std::move(input); // `input` is empty now
/// std::printf("descriptor %d is closed at the end of the scope\n", kept.get());
/// @endcode
class unique_fd {
public:
    unique_fd() noexcept = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~unique_fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; } ///< -1 when empty
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    /// Closes the descriptor and takes `fd`. close(2) is not repeated after EINTR: Linux has closed the descriptor, and another
    /// thread may already use its number.
    void reset(int fd = -1) noexcept {
        const int old = std::exchange(fd_, fd);
        if (old >= 0 && old != fd) sys::close(old);
    }

private:
    int fd_ = -1;
};

} // namespace MATO_ABI
} // namespace mato

// ---- mato/unix_address.hpp ----
/// @file unix_address.hpp: the address of a Unix socket, from a path or an abstract name.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unix_address_test.cpp.
/// Threads: a value.   Blocks: never.   Source: unix(7) "Address format".

namespace mato {
inline namespace MATO_ABI {

/// An address for bind(2), connect(2) and sendto(2).
///
/// Empty until made by one of the functions below.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// const auto address = mato::unix_address::of_path(endpoint.path(), why);
/// if (!why) CHECK(address.size() > 0);
/// @endcode
class unix_address {
public:
    /// Longest name in bytes: 107 on Linux, 103 on BSD and macOS. One byte is needed for the final NUL of a path, or the
    /// leading NUL of an abstract name.
    static constexpr std::size_t max_name_bytes = sizeof(sockaddr_un::sun_path) - 1;

    unix_address() noexcept = default;
    /// @errors filename_too_long, with length and limit; also for the empty path · EINVAL: it contains a NUL.
    [[nodiscard]] static unix_address of_path(std::string_view path, error_out out);
    /// `name`: without the leading '@'. @errors filename_too_long · EAFNOSUPPORT: not on this system.
    [[nodiscard]] static unix_address of_abstract_name(std::string_view name, error_out out);

    [[nodiscard]] const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&value_); }
    [[nodiscard]] socklen_t size() const noexcept { return size_; } ///< 0 when empty

private:
    [[nodiscard]] static bool fits(std::string_view name, std::string_view shown, error_out out);

    sockaddr_un value_{};
    socklen_t size_ = 0;
};

// ---- implementation ----

inline bool unix_address::fits(std::string_view name, std::string_view shown, error_out out) {
    if (!name.empty() && name.size() <= max_name_bytes) return true;
    out.set({ENAMETOOLONG, std::system_category()}, "socket path", shown,
            "it is " + std::to_string(name.size()) + " bytes long; use 1 to " + std::to_string(max_name_bytes) + " bytes");
    return false;
}

inline unix_address unix_address::of_path(std::string_view path, error_out out) {
    unix_address result;
    if (!fits(path, path, out)) return result;
    if (path.find('\0') != std::string_view::npos) {
        return out.fail<unix_address>({EINVAL, std::system_category()}, "socket path", path.substr(0, path.find('\0')),
                                      "it contains a NUL");
    }
    result.value_.sun_family = AF_UNIX;
    std::memcpy(result.value_.sun_path, path.data(), path.size());
    result.size_ = sizeof result.value_;
    return result;
}

inline unix_address unix_address::of_abstract_name(std::string_view name, error_out out) {
    unix_address result;
    const std::string shown = std::string("@").append(name);
#if MATO_HAS_ABSTRACT_NAMES
    if (!fits(name, shown, out)) return result;
    result.value_.sun_family = AF_UNIX;
    std::memcpy(result.value_.sun_path + 1, name.data(), name.size()); // after the leading NUL of an abstract name
    result.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size()); // the length is part of the name
#else
    out.set({EAFNOSUPPORT, std::system_category()}, "socket path", shown, "this system has no abstract names");
#endif
    return result;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/upgrade.hpp ----
/// @file upgrade.hpp: how the next worker is started from another program, and whether it took over.
/// Layer: 1 (vocabulary).  Test: test/process/upgrade_process_test.cpp.
/// Threads: values.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {

/// The result of an upgrade or a check, for the process that requested it. It converts to true if the new program has taken
/// over or, after a check, could have.
struct upgrade_outcome {
    failure why{}; ///< why not; this process continues to serve
    [[nodiscard]] explicit operator bool() const noexcept { return !why; }
};

/// What an upgrade is for. A check goes through the same steps, up to the last one.
enum class upgrade_purpose {
    replace, ///< the new program takes over
    check,   ///< the new program is ended where it would take over, and this process continues
};

/// How a keeper starts the program of an upgrade. By default as this process was started.
struct upgrade_start {
    std::vector<std::string> arguments{}; ///< the first is the name; empty: those of this process, from proc(5)
    std::vector<std::string> variables{}; ///< "NAME=value", added to the environment of this process
};

/// What a keeper passes to a program that it starts: the result of take_worker_environment (keeper.hpp). It converts to true in
/// a process that was started by a keeper.
struct worker_environment {
    int link = -1, report = -1, commit = -1, lock = -1; ///< descriptors
    pid_t keeper = 0;
    int state = -1;        ///< a descriptor, in a program that is executed in the keeper's place
    bool is_check = false; ///< it only says whether it could go on, and exits
    [[nodiscard]] explicit operator bool() const noexcept { return keeper != 0; }
};

} // namespace MATO_ABI
} // namespace mato

// 2: policies

// ---- mato/correlation.hpp ----
/// @file correlation.hpp: which request a frame from the server answers.
/// Layer: 2 (policy).  Test: test/toolkit/correlation_test.cpp.
/// Pure: no descriptor.   Threads: safe.   Blocks: never.
///
/// A client that has several requests in flight must match answers with requests. Both sides use the same policy; the server
/// calls `answer` to make its frames.

namespace mato {
inline namespace MATO_ABI {

/// Whether more frames of the same answer follow. An answer of several frames is a stream.
enum class answer_part : unsigned char {
    last,        ///< the answer is complete
    more_follow, ///< this request gets further frames
};

/// A frame of the server, taken apart by a correlation policy. `body` is a view into the frame.
///
/// @threads a value.
/// @blocks never.
struct correlated_frame {
    std::uint64_t number = 0; ///< of the request that it answers; 0: it answers none
    answer_part part = answer_part::last;
    std::string_view body{};
};

/// `request` returns the payload of a request; it may build it in `room`, which it clears. Numbers are from 1 to
/// 2^63 - 1, and no number is used again soon. `read` takes a frame of the server apart. With `keeps_order`, answers come in
/// the order of the requests, and `read` need not know numbers.
template <class C>
concept correlation_policy = requires(std::string& room, std::uint64_t number, std::string_view bytes, error_out why) {
    { C::keeps_order } -> std::convertible_to<bool>;
    { C::request(room, number, bytes) } -> std::same_as<std::string_view>;
    { C::read(bytes, why) } -> std::same_as<correlated_frame>;
};

/// The server answers each request with one frame, in the order of the requests. The frames are the program's payloads.
///
/// The default correlation policy. It suits line protocols. The client keeps the place of a request that it gave up, until the
/// answer comes; so a server that never answers one request blocks the later ones. A frame that comes while no request is in
/// flight answers none.
///
/// @threads safe.
/// @blocks never.
struct in_order {
    static constexpr bool keeps_order = true;
    [[nodiscard]] static std::string_view request(std::string&, std::uint64_t, std::string_view payload) { return payload; }
    [[nodiscard]] static correlated_frame read(std::string_view frame, error_out) { return {0, answer_part::last, frame}; }
};

/// Each frame begins with the number of its request: eight bytes, little-endian. So answers come in any order, may consist of
/// several frames, and the server may send frames that answer no request.
///
/// The highest bit is set in a frame of an answer that is not its last one. 0 answers no request. The server returns the number
/// as it came: see `answer`.
///
/// @threads safe.
/// @blocks never.
///
/// @code
/// server.on.on_frame = [](const mato::server::session_ptr& session, std::string_view frame) {
///     session->established();
///     std::error_code malformed;
///     const auto asked = mato::numbered::read(frame, malformed);
///     session->send(mato::numbered::answer(asked.number, "the first part", mato::answer_part::more_follow));
///     session->send(mato::numbered::answer(asked.number, asked.body));
///     session->send(mato::numbered::answer(0, "an event for every client"));
/// };
/// @endcode
struct numbered {
    static constexpr bool keeps_order = false;
    static constexpr std::size_t head_bytes = 8;

    [[nodiscard]] static std::string_view request(std::string& room, std::uint64_t number, std::string_view payload) {
        put(room, number, payload);
        return room;
    }
    /// What precedes the payload in a request; in an answer with a number that `read` returned, too.
    struct head_of_frame {
        char bytes[head_bytes];
        operator std::string_view() const noexcept { return {bytes, head_bytes}; } // NOLINT(google-explicit-constructor)
    };
    [[nodiscard]] static head_of_frame head(std::uint64_t number) noexcept {
        number = little_endian(number);
        head_of_frame made;
        std::memcpy(made.bytes, &number, head_bytes);
        return made;
    }
    /// @errors malformed: the frame is shorter than a number.
    [[nodiscard]] static correlated_frame read(std::string_view frame, error_out out) {
        if (frame.size() < head_bytes) [[unlikely]] {
            out.set(errc::malformed, "read answer", {}, "the frame is shorter than its number");
            return {};
        }
        std::uint64_t head = 0;
        std::memcpy(&head, frame.data(), head_bytes);
        head = little_endian(head);
        return {head & ~more_bit, head & more_bit ? answer_part::more_follow : answer_part::last, frame.substr(head_bytes)};
    }
    /// For the server: the payload of a frame that answers request `number`; 0: of a frame that answers none.
    [[nodiscard]] static std::string answer(std::uint64_t number, std::string_view body, answer_part part = answer_part::last) {
        std::string frame;
        put(frame, part == answer_part::more_follow ? number | more_bit : number, body);
        return frame;
    }

private:
    static constexpr std::uint64_t more_bit = std::uint64_t{1} << 63;

    static constexpr std::uint64_t little_endian(std::uint64_t native) noexcept {
        if constexpr (std::endian::native == std::endian::little)
            return native;
        else
            return __builtin_bswap64(native);
    }
    static void put(std::string& to, std::uint64_t head, std::string_view body) {
        head = little_endian(head);
        to.clear();
        to.append(reinterpret_cast<const char*>(&head), head_bytes).append(body);
    }
};

static_assert(correlation_policy<in_order> && correlation_policy<numbered>);

} // namespace MATO_ABI
} // namespace mato

// ---- mato/detach.hpp ----
/// @file detach.hpp: separates the daemon from the terminal, the session and the process that started it.
/// Layer: 2 (policy).  Test: test/toolkit/detach_test.cpp.
/// Threads: call it while the process has one thread; with more, the child gets copies of locked mutexes that stay locked.
/// Fork: it forks. No asio object, log or signal source may exist before it.
/// Blocks: double_fork, until its short-lived intermediate process has ended.
/// Source: daemon(7) "SysV Daemons", setsid(2), fork(2), credentials(7).

#if MATO_HAS_SINGLE_THREADED
#include <sys/single_threaded.h>
#endif

namespace mato {
inline namespace MATO_ABI {

/// The result of `detach`. It tells in which process the call returned.
enum class detach_role {
    starter, ///< the process that called; it continues
    daemon,  ///< the new process, which serves
};

/// The options of `detach`. `basic_daemon` sets them from `daemon_options`.
struct detach_options {
    /// Descriptors that the daemon keeps in addition to 0-2 (lock, readiness); all others are closed. A number below
    /// `most_retired_descriptors` that was open is then occupied by a descriptor that cannot be read or written: if an object
    /// copied from the starter still writes to its old number, it gets EBADF, and nothing is written into a file of the daemon.
    std::span<const int> keep{};
};

/// The kernel assigns the lowest free number, so no number of a starter with fewer descriptors than this is reused. It is a
/// quarter of the usual limit of a process (1024).
inline constexpr int most_retired_descriptors = 256;

/// `forks` tells whether the starter continues as a process of its own. After an error in the starter there is no daemon. An
/// error in the daemon is to be reported through its readiness channel.
template <class D> concept detach_policy = requires(const detach_options& options, error_out out) {
    { D::forks } -> std::convertible_to<bool>;
    { D::detach(options, out) } -> std::same_as<detach_role>;
};

/// Opens /dev/null on each of 0, 1, 2 that is closed, so that a socket never gets the number of stdin, stdout or stderr.
/// Call it first in main. @errors any of open(2).
inline void reserve_standard_descriptors(error_out out);

/// Does not detach. For a supervisor, a container or a debugger.
///
/// `detach` returns immediately in the same process.
///
/// @threads safe.
/// @blocks never.
struct foreground {
    static constexpr bool forks = false;
    static detach_role detach(const detach_options&, error_out) { return detach_role::daemon; }
};

/// Forks twice, with setsid(2) between: the daemon has no controlling terminal and cannot get one by opening a terminal.
///
/// In the daemon: the working directory is "/", the umask 077, 0-2 are /dev/null (read-write, because with read-only every
/// write to 1 and 2 would fail), all other descriptors except `keep` are closed, signal dispositions are the defaults, and all
/// signals are BLOCKED, so that none is lost before the signal source is open. Open the source, then restore the mask, as
/// basic_daemon does. Resolve relative paths before the call.
/// @errors not_single_threaded (a thread created directly with clone(2) may not be noticed) · EAGAIN, ENOMEM of fork(2).
///
/// @threads refused while other threads run.
/// @fork it forks twice; no asio object, log or signal source may exist.
/// @blocks until the intermediate process has ended.
///
/// @code
/// auto pipe = mato::readiness_pipe::open(why);
/// const int keep[] = {pipe.starter_fd(), pipe.daemon_fd()};
/// if (mato::double_fork::detach({keep}, why) == mato::detach_role::starter) {
///     pipe.become_starter();
///     if (!why) pipe.wait(mato::deadline::in(std::chrono::seconds(10)), why);
///     return why ? 1 : 0; // the daemon's result
/// }
/// pipe.become_daemon();
/// @endcode
struct double_fork {
    static constexpr bool forks = true;
    static detach_role detach(const detach_options& options, error_out out);
};

/// Forks once: as double_fork, but the daemon is a child of the starter and leads its session. With a keeper this saves a fork:
/// the keeper leads the session and opens no terminal, and its workers do not lead it. Without a keeper it does not compile,
/// and a daemon that is started with `daemon_options::survive = false` forks twice.
///
/// A starter that continues for long gets the daemon as its child: it sees SIGCHLD when the daemon ends, and has a zombie until
/// it waits. Suits starters that end, such as the commands of a client.
/// @errors as double_fork.
///
/// @threads refused while other threads run.
/// @fork it forks once; no asio object, log or signal source may exist.
/// @blocks never.
struct single_fork {
    static constexpr bool forks = true;
    static constexpr bool leads_session = true; ///< the process that returns as the daemon
    static detach_role detach(const detach_options& options, error_out out);
};

static_assert(detach_policy<foreground> && detach_policy<double_fork> && detach_policy<single_fork>);

// ---- implementation ----

namespace detail {

/// 0: not known.
inline unsigned thread_count() {
#if MATO_HAS_SINGLE_THREADED
    if (__libc_single_threaded) return 1; // false is not certain: the C library may not notice that a thread has ended
#endif
#if MATO_HAS_PROC
    struct ::stat tasks {};
    if (sys::lstat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2) return static_cast<unsigned>(tasks.st_nlink) - 2;
#endif
    return 0;
}

inline bool point_standard_descriptors_at_null() noexcept {
    const int null = sys::open("/dev/null", O_RDWR);
    if (null == -1) return false;
    for (int fd = 0; fd < 3; ++fd)
        if (sys::dup2(null, fd) == -1) return false; // dup2 clears close-on-exec on the copy
    if (null > 2)
        sys::close(null);
    else
        sys::fcntl(null, F_SETFD, 0); // 0-2 was free and `null` has its number: dup2 onto itself keeps close-on-exec
    return true;
}

/// Async-signal-safe. `keep` need not be sorted.
inline void close_all_but(std::span<const int> keep) noexcept {
    int first = 3;
    for (;;) {
        int next = -1; // the lowest kept descriptor not yet passed
        for (const int fd : keep)
            if (fd >= first && (next == -1 || fd < next)) next = fd;
        if (next == -1) break;
        for (int fd = first; fd < next; ++fd) sys::close(fd);
        first = next + 1;
    }
    sys::close_from(first);
}

/// As above, and occupies the numbers that were open. Async-signal-safe.
inline void retire_all_but(std::span<const int> keep) noexcept {
    pollfd asked[most_retired_descriptors]; // one call for all of them: POLLNVAL means not open
    int count = most_retired_descriptors;
    for (int fd = 0; fd < count; ++fd) asked[fd] = {fd, 0, 0};
    while (count > 0 && sys::poll(asked, static_cast<nfds_t>(count), 0) == -1 && errno == EINVAL) count /= 2; // RLIMIT_NOFILE
    close_all_but(keep);
    const int nothing = sys::open("/", O_RDONLY | O_DIRECTORY);
    bool is_retired = false;
    for (int fd = 3; nothing >= 0 && fd < count; ++fd) {
        if (asked[fd].revents & POLLNVAL) continue;
        if (fd == nothing) is_retired = true;
        bool is_kept = fd == nothing;
        for (const int each : keep) is_kept = is_kept || each == fd;
        if (!is_kept) sys::fcntl(nothing, F_DUPFD_CLOEXEC, fd); // `fd` is free, so the copy gets this number
    }
    if (nothing >= 0 && !is_retired) sys::close(nothing);
}

} // namespace detail

inline void reserve_standard_descriptors(error_out out) {
    for (int fd = 0; fd < 3; ++fd) {
        if (sys::fcntl(fd, F_GETFD, 0) != -1) continue;  // EBADF is its only error; ten times cheaper than open(2)
        const int null = sys::open("/dev/null", O_RDWR); // takes the lowest free number
        if (null == -1) return out.set(last_error(), "open", "/dev/null");
        if (null > 2)
            sys::close(null);
        else
            sys::fcntl(null, F_SETFD, 0); // 0-2 are inherited by convention
    }
}

namespace detail {
/// What the daemon does after its last fork.
inline void settle_in_background(const detach_options& options, error_out out) {
    if (sys::chdir("/") == -1 || !point_standard_descriptors_at_null()) out.set(last_error(), "detach", "/");
    sys::umask(077);
    sys::default_dispositions();
    retire_all_but(options.keep);
}

/// Before the first fork: one thread, all signals blocked. @returns false with an error.
inline bool prepare_to_detach(sigset_t& before, error_out out) {
    if (const unsigned threads = detail::thread_count(); threads > 1) {
        out.set(errc::not_single_threaded, "detach", {},
                "the process has " + std::to_string(threads) + " threads; detach before the first thread is started");
        return false;
    }
    sigset_t all;
    sigfillset(&all);
    if (sys::signal_mask(SIG_SETMASK, &all, &before) == -1) out.set(last_error(), "block signals");
    return !out.failed();
}
} // namespace detail

inline detach_role single_fork::detach(const detach_options& options, error_out out) {
    sigset_t before;
    if (!detail::prepare_to_detach(before, out)) return detach_role::starter;
    const pid_t daemon = sys::fork();
    if (daemon != 0) {
        if (daemon == -1) out.set(last_error(), "fork");
        sys::signal_mask(SIG_SETMASK, &before, nullptr);
        return detach_role::starter;
    }
    if (sys::setsid() == -1) out.set(last_error(), "detach");
    detail::settle_in_background(options, out);
    return detach_role::daemon;
}

inline detach_role double_fork::detach(const detach_options& options, error_out out) {
    sigset_t before;
    if (!detail::prepare_to_detach(before, out)) return detach_role::starter;
    const pid_t middle = sys::fork();
    if (middle != 0) {
        const auto fork_error = last_error();
        int status = 0;
        const pid_t ended = middle > 0 ? sys::waitpid(middle, &status, 0) : -1;
        sys::signal_mask(SIG_SETMASK, &before, nullptr);
        if (middle == -1) out.set(fork_error, "fork");
        // ECHILD: the program ignores SIGCHLD, so there is no status; the readiness channel reports the result.
        else if (ended == middle && status != 0)
            out.set({WEXITSTATUS(status) ? WEXITSTATUS(status) : ECHILD, std::system_category()}, "fork the daemon");
        return detach_role::starter;
    }
    // From here on only the daemon may return to the caller, and no destructor of the starter's objects may run.
    if (sys::setsid() == -1) ::_exit(errno);
    const pid_t daemon = sys::fork();
    if (daemon != 0) ::_exit(daemon == -1 ? errno : 0);
    detail::settle_in_background(options, out);
    return detach_role::daemon;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/endpoint.hpp ----
/// @file endpoint.hpp: publishes a Unix socket that is private and complete when its name appears, and removes only its own.
/// Layer: 2 (policy).  Test: test/toolkit/endpoint_test.cpp.
/// Threads: distinct paths are independent.   Blocks: never (connect is non-blocking; a full backlog is `cond::busy`).
/// Fork: publish in the final process, so that clients see that process's pid in the peer credentials.
/// Source: unix(7), bind(2), rename(2), lstat(2).
///
/// Publishing needs the held lock as a parameter, so that the socket of a running daemon is never removed. A refused connection
/// does not prove that the daemon is dead (between bind and listen it refuses too); a held lock does.

namespace mato {
inline namespace MATO_ABI {

/// A type that tells whether a lock is held: `basic_instance_lock`, or a type of the caller.
template <class L> concept lock_proof = requires(const L& lock) {
    { lock.is_held() } -> std::same_as<bool>;
};

/// Creates or checks a private directory: not a symlink, owned by the effective uid, closed to group and others.
/// Missing components are created below a directory owned by the same user or root, never below another user's: with that
/// user's HOME in the environment (`sudo -E`), the user could not use the new directory.
/// @effects creates missing components with mode 0700 exactly; in an existing directory it only restores the owner's bits.
/// @errors  unsafe_directory with the reason · any of mkdir(2), stat(2), chmod(2).
inline void make_private_directory(const std::string& directory, error_out out);

/// Checks without creating. @errors as above, and ENOENT.
inline void check_private_directory(const std::string& directory, error_out out);

/// The options of a published socket. The default mode allows only the daemon's user.
struct publish_options {
    int backlog = 128;  ///< connections that may wait; the kernel limits it to net.core.somaxconn
    mode_t mode = 0700; ///< of the socket's name, exactly, independent of the umask; write permission allows connecting
    gid_t group = static_cast<gid_t>(-1); ///< of the socket's name; -1: the group of this process
};

/// Where clients find the daemon.
template <class E> concept endpoint_policy = std::movable<E> &&
    requires(E endpoint, const E& constant, const publish_options& options, error_out out) {
    { E::named } -> std::convertible_to<bool>; ///< false for names without permissions, which need a peer check
    { constant.connect(out) } -> std::same_as<unique_fd>;
    { constant.describe() } -> std::same_as<std::string>;
    { endpoint.withdraw() } -> std::same_as<void>;
};

/// The socket to which a path referred when it was published. Used to withdraw only that one.
struct published_name {
    dev_t device = 0;
    ino_t inode = 0; ///< 0: the socket has no name that is to be removed
};

/// An endpoint whose socket outlives the process that published it. `adopt` goes on with such a socket, and withdraws its name
/// later, as if this object had published it; it returns the descriptor to accept from.
template <class E> concept adoptable_endpoint = endpoint_policy<E> &&
    requires(E endpoint, const E& constant, unique_fd socket, const published_name& name, error_out out) {
    { endpoint.adopt(std::move(socket), name, out) } -> std::same_as<unique_fd>;
    { constant.published() } -> std::same_as<published_name>;
};

/// A path in a private directory.
///
/// The default endpoint.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork only the process that published the name withdraws it.
/// @blocks never.
///
/// @code
/// mato::owned_path endpoint((directory / "app.sock").native());
/// const mato::unique_fd listening = endpoint.publish(lock, mato::publish_options{}, why);
/// if (why) std::fprintf(stderr, "%s\n", why.message().c_str()); // the step, the path and the reason
/// const mato::unique_fd client = endpoint.connect(why);
/// @endcode
class owned_path {
public:
    static constexpr bool named = true;

    owned_path() = default;
    /// Does not fail; `publish` and `connect` check the length.
    explicit owned_path(std::string path) : path_(std::move(path)) {}
    owned_path(owned_path&& other) noexcept { swap(other); }
    owned_path& operator=(owned_path&& other) noexcept {
        owned_path taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~owned_path() { withdraw(); }

    /// Binds and listens under a hidden name, then renames it: a client that sees the name can connect. Replaces a dead socket,
    /// or the socket that this object published earlier.
    /// @returns a non-blocking, close-on-exec listening socket.
    /// @errors  lock_not_held · unsafe_directory · filename_too_long, with length and limit · any of bind, listen, rename;
    ///          after an error the name is unchanged.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);

    /// Removes the name if it still is the socket that this object published in this process. Call it while the lock is held.
    void withdraw() noexcept;
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name& name, error_out) noexcept {
        device_ = name.device;
        inode_ = name.inode;
        owner_ = sys::getpid();
        return socket;
    }
    [[nodiscard]] published_name published() const noexcept { return {device_, inode_}; }

    /// A non-blocking, close-on-exec connected socket.
    /// @errors cond::not_running: ENOENT, ECONNREFUSED · cond::busy: EAGAIN, the backlog is full · filename_too_long.
    [[nodiscard]] unique_fd connect(error_out out) const;

    [[nodiscard]] std::string describe() const { return path_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Longest path in bytes, without the final NUL: 107 on Linux, 103 on BSD and macOS.
    static constexpr std::size_t max_path_bytes = unix_address::max_name_bytes;

private:
    friend class shared_path; // which checks the directory by another rule
    [[nodiscard]] unique_fd publish_in_checked_directory(const publish_options& options, error_out out);
    [[nodiscard]] unique_fd fail_group(const publish_options& options, error_out out) const;
    void swap(owned_path& other) noexcept {
        path_.swap(other.path_);
        std::swap(device_, other.device_);
        std::swap(inode_, other.inode_);
        std::swap(owner_, other.owner_);
    }
    [[nodiscard]] std::string hidden_name() const;

    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    pid_t owner_ = 0; // 0: nothing published
};

#if MATO_HAS_ABSTRACT_NAMES
/// An abstract socket name: no file, so no permissions. Every process of the network namespace can connect, and another user
/// can take the name first (EADDRINUSE). The name disappears with its last descriptor. The peer policy must check clients;
/// clients check the daemon's user, as for every endpoint.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork the name lives while any process has a descriptor of it.
/// @blocks never.
class abstract_name {
public:
    static constexpr bool named = false;

    abstract_name() = default;
    /// `name`: without a leading '@'. A path makes a good name, because other programs are unlikely to use it.
    /// Does not fail; `publish` and `connect` check the length.
    explicit abstract_name(std::string name) : name_(std::move(name)) {}

    /// Binds and listens; between the two, clients are refused as if no daemon ran. A second call returns the same socket.
    /// @errors lock_not_held · EADDRINUSE: another process has the name · filename_too_long · any of bind, listen.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);
    void withdraw() noexcept { kept_.reset(); }
    /// @errors any of dup(2).
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name&, error_out out);
    [[nodiscard]] published_name published() const noexcept { return {}; }
    /// @errors cond::not_running: ECONNREFUSED · cond::busy: EAGAIN · filename_too_long.
    [[nodiscard]] unique_fd connect(error_out out) const;
    [[nodiscard]] std::string describe() const { return '@' + name_; }

private:
    std::string name_;
    unique_fd kept_; // the listener has its own descriptor
};
static_assert(adoptable_endpoint<abstract_name>);
#endif

/// The listening socket that a service manager created and passed (sd_listen_fds(3)). It belongs to the manager: its name is
/// never removed, and clients that connect after the daemon has ended wait in it for the next daemon. The manager sets its
/// mode, which by default allows all users (systemd.socket(5) SocketMode=), so the peer policy must check.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork the descriptor is shared; the name belongs to the manager.
/// @blocks never.
class activated {
public:
    static constexpr bool named = false;

    activated() = default;
    /// `path` is where clients connect; `passed` comes from service_environment.
    explicit activated(std::string path, unique_fd passed = unique_fd())
        : where_(std::move(path)), passed_(std::move(passed)) {}

    /// @returns a non-blocking, close-on-exec descriptor of the passed socket. A second call returns the same socket.
    /// @errors lock_not_held · ENOENT: none was passed · ENOTSOCK: it is not a socket · EAFNOSUPPORT: not a Unix socket ·
    ///         EPROTOTYPE: not a stream socket · EINVAL: it does not listen.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);
    void withdraw() noexcept { passed_.reset(); }
    /// @errors any of dup(2).
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name&, error_out out);
    [[nodiscard]] published_name published() const noexcept { return {}; }
    [[nodiscard]] unique_fd connect(error_out out) const { return where_.connect(out); } ///< @errors as owned_path::connect
    [[nodiscard]] std::string describe() const { return where_.describe(); }
    [[nodiscard]] bool was_passed() const noexcept { return static_cast<bool>(passed_); }

private:
    static void check(int fd, const std::string& name, error_out out);

    owned_path where_; // never published
    unique_fd passed_;
};

/// The service manager's socket if one was passed, else the daemon's own path: one program can be started in both ways.
///
/// `daemon_options::service` passes the socket to it.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork as the endpoint that it uses.
/// @blocks never.
class activated_or_owned {
public:
    static constexpr bool named = false; // the manager's socket may be open to all users

    activated_or_owned() = default;
    activated_or_owned(owned_path own) : own_(std::move(own)) {} // NOLINT(google-explicit-constructor): a client's view
    explicit activated_or_owned(std::string path, unique_fd passed = unique_fd())
        : own_(path), passed_(std::move(path), std::move(passed)) {}

    /// @errors as activated::publish, or owned_path::publish.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out) {
        return passed_.was_passed() ? passed_.publish(held, options, out) : own_.publish(held, options, out);
    }
    void withdraw() noexcept {
        passed_.withdraw();
        own_.withdraw();
    }
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name& name, error_out out) {
        return name.inode != 0 ? own_.adopt(std::move(socket), name, out) : passed_.adopt(std::move(socket), name, out);
    }
    [[nodiscard]] published_name published() const noexcept { return own_.published(); }
    [[nodiscard]] unique_fd connect(error_out out) const { return own_.connect(out); }
    [[nodiscard]] std::string describe() const { return own_.describe(); }

private:
    owned_path own_;
    activated passed_;
};

static_assert(adoptable_endpoint<owned_path> && adoptable_endpoint<activated> && adoptable_endpoint<activated_or_owned>);

// ---- implementation ----

namespace detail {
/// The part before the last '/': "/" of "/x", "." of "x". Several slashes in a row count as one.
[[nodiscard]] inline std::string directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    const auto end = path.find_last_not_of('/', slash);
    return std::string(end == std::string_view::npos ? "/" : path.substr(0, end + 1));
}
/// An absolute form of `path`; `path` itself if the working directory is not known.
[[nodiscard]] inline std::string absolute(const std::string& path) {
    char here[4096]; // Linux PATH_MAX; a longer path cannot be used
    if (path.starts_with('/') || sys::getcwd(here, sizeof here) == nullptr) return path;
    return std::string(here).append("/").append(path);
}
/// "link/" would be resolved to the link's target.
[[nodiscard]] inline bool ends_with_slash(std::string_view path) noexcept {
    return path.ends_with('/') && path.find_first_not_of('/') != std::string_view::npos;
}
inline void judge_directory(const struct ::stat& found, const std::string& directory, error_out out);
inline void make_below_own(const std::string& directory, error_out out);
template <class Make> void make_parent(const std::string& directory, Make make, error_out out);
[[nodiscard]] inline unique_fd connect_to(const unix_address& address, const std::string& name, error_out out);
[[nodiscard]] inline unique_fd second_descriptor(const unique_fd& fd, const std::string& name, error_out out);

/// The directory of an endpoint and of its lock: by the endpoint's own rule if it has one, else a private one.
template <class Endpoint> void make_directory_for(const std::string& directory, error_out out) {
    if constexpr (requires { Endpoint::make_directory(directory, out); })
        Endpoint::make_directory(directory, out);
    else
        make_private_directory(directory, out);
}
} // namespace detail

inline void check_private_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return check_private_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) return out.set(last_error(), "check directory", directory);
    detail::judge_directory(found, directory, out);
}

inline void detail::judge_directory(const struct ::stat& found, const std::string& directory, error_out out) {
    const auto refuse = [&](const char* why) { out.set(errc::unsafe_directory, "check directory", directory, why); };
    if (S_ISLNK(found.st_mode)) return refuse("it is a symbolic link; use a real directory that you own");
    if (!S_ISDIR(found.st_mode)) return refuse("it is not a directory; choose another path");
    if (found.st_uid != sys::geteuid()) return refuse("it belongs to another user; choose a directory that you own");
    if (found.st_mode & 077) return refuse("it is open to group or others; close it with chmod 700");
}

inline void make_private_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return make_private_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) {
        if (errno != ENOENT) return out.set(last_error(), "check directory", directory);
        detail::make_below_own(directory, out);
        if (out.failed()) return;
        if (sys::lstat(directory.c_str(), &found) == -1) return out.set(last_error(), "check directory", directory);
    }
    detail::judge_directory(found, directory, out);
    // A umask such as 0277 removes bits of the owner in mkdir(2).
    if (!out.failed() && (found.st_mode & 0700) != 0700 && sys::chmod(directory.c_str(), 0700) == -1)
        out.set(last_error(), "set mode 0700 of directory", directory);
}

/// Makes the parent of `directory` if it is missing; it must belong to this user or to root.
template <class Make> void detail::make_parent(const std::string& directory, Make make, error_out out) {
    const auto parent = directory_of(directory);
    struct ::stat found {};
    if (sys::stat(parent.c_str(), &found) == -1) return make(parent, out);
    if (found.st_uid == sys::geteuid() || found.st_uid == 0) return;
    const auto uid = [](uid_t id) { return "uid " + std::to_string(id); };
    out.set(errc::unsafe_directory, "create directory", directory,
            parent + " belongs to " + uid(found.st_uid) + ", this process runs as " + uid(sys::geteuid()) +
                "; choose a directory that this user owns");
}

inline void detail::make_below_own(const std::string& directory, error_out out) {
    make_parent(directory, make_private_directory, out);
    if (out.failed()) return;
    if (sys::mkdir(directory.c_str(), 0700) == -1 && errno != EEXIST) // EEXIST: another process was first
        out.set(last_error(), "create directory", directory);
}

// A hidden name for each name, so that two daemons in one directory do not use the same one. It is one byte longer than the
// name. If the limit leaves no room for that byte, the last byte is replaced: two daemons whose names have this length and
// differ only in the last byte must share one lock.
inline std::string owned_path::hidden_name() const {
    std::string name = path_;
    if (name.size() < max_path_bytes) return name + '~';
    name.back() = name.back() == '~' ? '#' : '~';
    return name;
}

template <class Lock> unique_fd owned_path::publish(const Lock& held, const publish_options& options, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", path_);
    check_private_directory(detail::directory_of(path_), out);
    return out.failed() ? unique_fd() : publish_in_checked_directory(options, out);
}

inline unique_fd owned_path::publish_in_checked_directory(const publish_options& options, error_out out) {
    static_cast<void>(unix_address::of_path(path_, out));
    if (out.failed()) return {};
    const std::string hidden = hidden_name();
    const auto address = unix_address::of_path(hidden, out);
    if (out.failed()) return {};
    const auto fail = [&](const char* step) { return out.fail<unique_fd>(last_error(), step, path_); };

    unique_fd fd(sys::unix_socket(sys::waiting::nonblocking));
    if (!fd) return fail("create socket");
    sys::unlink(hidden.c_str()); // left by a killed daemon; we hold the lock, so no other process uses it
    const bool has_group = options.group != static_cast<gid_t>(-1);
#if MATO_HAS_FCHMOD_SOCKET
    const mode_t first = has_group ? options.mode & 0700 : options.mode; // never the wider mode for the wrong group
    if (sys::fchmod(fd.get(), first) == -1) return fail("set socket mode");
#endif
    if (sys::bind(fd.get(), address.data(), address.size()) == -1) return fail("bind");
    scope_exit undo([&] { sys::unlink(hidden.c_str()); });
    if (has_group && sys::lchown(hidden.c_str(), static_cast<uid_t>(-1), options.group) == -1) return fail_group(options, out);
    // It does not listen yet: restores bits that the umask removed, or sets all of them where there is no fchmod.
    if (sys::chmod(hidden.c_str(), options.mode) == -1) return fail("set socket mode");
    if (sys::listen(fd.get(), options.backlog) == -1) return fail("listen");
    struct ::stat made {};
    if (sys::lstat(hidden.c_str(), &made) == -1) return fail("stat socket");
    if (sys::rename(hidden.c_str(), path_.c_str()) == -1) return fail("rename socket");
    undo.dismiss();
    device_ = made.st_dev;
    inode_ = made.st_ino;
    owner_ = sys::getpid();
    return fd;
}

inline unique_fd owned_path::fail_group(const publish_options& options, error_out out) const {
    const auto why = last_error();
    std::string text = why.message();
    if (why.value() == EPERM)
        text = "this process is no member of group " + std::to_string(options.group) +
               ", so it may not give the socket to it; add its user to the group, or start it as root";
    return out.fail<unique_fd>(why, "set socket group", path_, std::move(text));
}

inline void owned_path::withdraw() noexcept {
    if (owner_ == 0 || owner_ != sys::getpid()) return;
    struct ::stat found {};
    if (sys::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_) sys::unlink(path_.c_str());
    owner_ = 0;
}

inline unique_fd owned_path::connect(error_out out) const {
    const auto address = unix_address::of_path(path_, out);
    return out.failed() ? unique_fd() : detail::connect_to(address, path_, out);
}

inline unique_fd detail::connect_to(const unix_address& address, const std::string& name, error_out out) {
    unique_fd fd(sys::unix_socket(sys::waiting::nonblocking));
    if (!fd) return out.fail<unique_fd>(last_error(), "create socket", name);
    if (sys::connect(fd.get(), address.data(), address.size()) == -1) return out.fail<unique_fd>(last_error(), "connect", name);
    return fd;
}

inline unique_fd detail::second_descriptor(const unique_fd& fd, const std::string& name, error_out out) {
    unique_fd copy(sys::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) out.set(last_error(), "duplicate socket", name);
    return copy;
}

#if MATO_HAS_ABSTRACT_NAMES
template <class Lock> unique_fd abstract_name::publish(const Lock& held, const publish_options& options, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", describe());
    if (!kept_) {
        const auto address = unix_address::of_abstract_name(name_, out);
        if (out.failed()) return {};
        unique_fd fd(sys::unix_socket(sys::waiting::nonblocking));
        if (!fd) return out.fail<unique_fd>(last_error(), "create socket", describe());
        if (sys::bind(fd.get(), address.data(), address.size()) == -1)
            return out.fail<unique_fd>(last_error(), "bind", describe());
        if (sys::listen(fd.get(), options.backlog) == -1) return out.fail<unique_fd>(last_error(), "listen", describe());
        kept_ = std::move(fd);
    }
    return detail::second_descriptor(kept_, describe(), out);
}

inline unique_fd abstract_name::adopt(unique_fd socket, const published_name&, error_out out) {
    kept_ = std::move(socket);
    return detail::second_descriptor(kept_, describe(), out);
}

inline unique_fd abstract_name::connect(error_out out) const {
    const auto address = unix_address::of_abstract_name(name_, out);
    return out.failed() ? unique_fd() : detail::connect_to(address, describe(), out);
}
#endif

inline void activated::check(int fd, const std::string& name, error_out out) {
    const auto refuse = [&](int why, const char* detail) {
        out.set({why, std::system_category()}, "take the passed socket", name, detail);
    };
    int type = 0, listening = 0;
    sockaddr_un address{};
    socklen_t size = sizeof type, listening_size = sizeof listening, address_size = sizeof address;
    if (sys::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1 ||
        sys::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &address_size) == -1 ||
        sys::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) == -1)
        return out.set(last_error(), "take the passed socket", name);
    if (address.sun_family != AF_UNIX) return refuse(EAFNOSUPPORT, "it is not a Unix socket; set ListenStream= to a path");
    if (type != SOCK_STREAM) return refuse(EPROTOTYPE, "it is not a stream socket; use ListenStream= in the socket unit");
    if (listening == 0) return refuse(EINVAL, "it is not listening; use Accept=no in the socket unit");
}

inline unique_fd activated::adopt(unique_fd socket, const published_name&, error_out out) {
    passed_ = std::move(socket);
    return detail::second_descriptor(passed_, describe(), out);
}

template <class Lock> unique_fd activated::publish(const Lock& held, const publish_options&, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", describe());
    if (!passed_)
        return out.fail<unique_fd>({ENOENT, std::system_category()}, "take the passed socket", describe(),
                                   "the service manager passed none; start the daemon through its socket unit");
    check(passed_.get(), describe(), out);
    if (out.failed()) return {};
    const int flags = sys::fcntl(passed_.get(), F_GETFL, 0);
    if (flags == -1 || sys::fcntl(passed_.get(), F_SETFL, flags | O_NONBLOCK) == -1)
        return out.fail<unique_fd>(last_error(), "take the passed socket", describe());
    return detail::second_descriptor(passed_, describe(), out);
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/framing.hpp ----
/// @file framing.hpp: splits a byte stream into messages.
/// Layer: 2 (policy).  Test: test/toolkit/framing_test.cpp, test/fuzz/framing_fuzz.cpp.
/// Threads: distinct objects are independent.   Blocks: never. Pure: no descriptor.
///
/// The same bytes give the same frames, no matter how reads split them. Memory grows with received bytes, not with the
/// announced length.

// ---- mato/detail/number_cast.hpp ----
/// @file number_cast.hpp: casts between number types that are the same type on some systems, without a compiler's warning
/// there. Layer: 0 (platform).  Test: test/matrix.sh. Pure.   Threads: safe.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {
namespace detail {

template <class One, class Other> inline constexpr bool is_same_number = false;
template <class One> inline constexpr bool is_same_number<One, One> = true;

template <class To, class From> [[nodiscard]] constexpr To number_cast(From value) noexcept {
    if constexpr (is_same_number<To, From>)
        return value;
    else
        return static_cast<To>(value);
}

/// For numbers of bytes that fit into memory: 64 bits in a protocol or a stream's position, as an index.
template <class From> [[nodiscard]] constexpr decltype(sizeof 0) size_cast(From value) noexcept {
    return number_cast<decltype(sizeof 0)>(value);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {

inline namespace literals {
[[nodiscard]] constexpr std::size_t operator""_KiB(unsigned long long n) { return static_cast<std::size_t>(n) << 10; }
[[nodiscard]] constexpr std::size_t operator""_MiB(unsigned long long n) { return static_cast<std::size_t>(n) << 20; }
} // namespace literals

/// Buffers received bytes and returns complete frames.
///
/// Use: `prepare` room, read into it, `commit` the number of bytes read, take frames with `next`. A view from `next` is valid
/// until the following `prepare` or `next`. `Split` finds one frame: see `length_prefixed::split`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
///
/// @code
/// std::string stream;
/// mato::failure why;
/// mato::line<>::append(stream, "first", why);
/// mato::line<>::append(stream, "second", why);
/// mato::frame_decoder<mato::line<>> decoder;
/// const auto room = decoder.prepare(stream.size());
/// stream.copy(room.data(), stream.size()); // usually read(2)
/// decoder.commit(stream.size());
/// int frames = 0;
/// while (const auto frame = decoder.next(why)) std::printf("%d: %s\n", ++frames, std::string(*frame).c_str());
/// @endcode
template <class Split> class frame_decoder {
public:
    /// Room for at least `size` bytes.
    [[nodiscard]] std::span<char> prepare(std::size_t size = 4096) {
        if (begin_ > 0) { // bytes are moved only when room is needed, so a large frame is not copied once per read
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (buffer_.size() < end_ + size) buffer_.resize(end_ + size);
        return {buffer_.data() + end_, buffer_.size() - end_};
    }
    void commit(std::size_t size) noexcept { end_ += size; }

    /// The payload of the next complete frame.
    /// @errors frame_too_large, malformed: the stream cannot be continued, close it. Later calls report the same.
    [[nodiscard]] std::optional<std::string_view> next(error_out out) {
        const auto found = Split::split({buffer_.data() + begin_, end_ - begin_}, out);
        if (!found) {
            if (begin_ == end_) shrink();
            return std::nullopt;
        }
        begin_ += found->consumed;
        // Not copied as a whole: g++ would load in one piece what was just stored in two, which stalls for 3 ns.
        return std::optional<std::string_view>(std::in_place, found->payload.data(), found->payload.size());
    }

    [[nodiscard]] std::size_t buffered() const noexcept { return end_ - begin_; } ///< bytes not yet returned as frames

private:
    void shrink() { // an idle connection keeps only a small buffer
        begin_ = end_ = 0;
        if (buffer_.capacity() > keep_bytes) std::string().swap(buffer_);
    }
    static constexpr std::size_t keep_bytes = 64_KiB;

    std::string buffer_;
    std::size_t begin_ = 0, end_ = 0;
};

/// One frame found at the start of the buffered bytes.
///
/// The payload is a view into the buffer.
///
/// @threads a value.
/// @blocks never.
struct frame_match {
    std::string_view payload;
    std::size_t consumed; ///< bytes of the buffer that belong to the frame, at least 1
};

/// The parts of a frame around its payload: up to eight bytes before it, and text after it.
///
/// Returned by the `ends` function of a framing.
///
/// @threads a value.
/// @blocks never.
struct frame_ends {
    std::array<char, 8> head{};
    std::size_t head_size = 0;
    std::string_view tail{};

    [[nodiscard]] std::string_view before() const noexcept { return {head.data(), head_size}; }
};

/// A framing may also have `frame_ends ends(payload, error_out)`; a broadcast then copies the payload only once.
///
/// `max_frame_bytes` is the largest payload; `keeps_boundaries` is false if a frame may be split anywhere.
template <class F> concept framing_policy = requires(std::string_view bytes, std::string& out, error_out why) {
    { F::max_frame_bytes } -> std::convertible_to<std::size_t>;
    { F::keeps_boundaries } -> std::convertible_to<bool>;
    { F::split(bytes, why) } -> std::same_as<std::optional<frame_match>>;
    { F::append(out, bytes, why) } -> std::same_as<void>;
};

/// The payload's length in bytes, little-endian, then the payload. An empty payload is a frame.
/// The default framing. `Length` is the type of the prefix, `Max` the largest payload in bytes.
///
/// @threads safe.
/// @blocks never.
///
/// @code
/// struct short_frames : mato::default_policies {
///     using framing = mato::length_prefixed<std::uint16_t, 4096>; // two bytes of length, at most 4 KiB
/// };
/// @endcode
template <std::unsigned_integral Length = std::uint32_t, std::size_t Max = 1_MiB> struct length_prefixed {
    static_assert(Max <= std::numeric_limits<Length>::max(), "mato: this length type cannot express the largest frame");
    static constexpr std::size_t max_frame_bytes = Max;
    static constexpr bool keeps_boundaries = true;

    /// @errors frame_too_large, as soon as the length prefix is complete.
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out out) {
        if (bytes.size() < sizeof(Length)) return std::nullopt;
        std::uint64_t size = 0;
        for (std::size_t i = 0; i < sizeof(Length); ++i)
            size |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        if (size > Max) [[unlikely]] { // not out.fail: its result would lie in memory, also without a failure
            out.set(errc::frame_too_large, "read frame", {}, too_large(size));
            return std::nullopt;
        }
        if (bytes.size() - sizeof(Length) < size) return std::nullopt;
        return frame_match{bytes.substr(sizeof(Length), detail::size_cast(size)), sizeof(Length) + detail::size_cast(size)};
    }
    /// @errors frame_too_large.
    [[nodiscard]] static frame_ends ends(std::string_view payload, error_out out) {
        if (payload.size() > Max) [[unlikely]]
            return refused(payload.size(), out);
        return head_of(payload.size());
    }
    /// @errors frame_too_large; then nothing is appended.
    static void append(std::string& to, std::string_view payload, error_out out) {
        const frame_ends its = ends(payload, out);
        if (!out.failed()) to.append(its.before()).append(payload);
    }
    /// As `append`, for a payload in two parts.
    static void append(std::string& to, std::string_view head, std::string_view rest, error_out out) {
        if (rest.size() > Max || head.size() > Max - rest.size()) [[unlikely]]
            return static_cast<void>(refused(std::uint64_t{head.size()} + rest.size(), out));
        const frame_ends its = head_of(head.size() + rest.size());
        char both[sizeof its.head + most_joined]; // NOLINT: valid up to the size that is appended
        if (head.size() > most_joined) return static_cast<void>(to.append(its.before()).append(head).append(rest));
        std::memcpy(both, its.head.data(), sizeof its.head);
        head.copy(both + sizeof(Length), head.size());
        to.append(both, sizeof(Length) + head.size()).append(rest);
    }

private:
    static constexpr std::size_t most_joined = 16; // bytes of a head that are appended together with the length

    static frame_ends head_of(std::uint64_t size) {
        frame_ends its;
        its.head_size = sizeof(Length);
        if constexpr (std::endian::native ==
                      std::endian::little) // one store of the size that is loaded later: avoids a store-forwarding stall
            std::memcpy(its.head.data(), &size, sizeof size);
        else
            for (std::size_t i = 0; i < sizeof(Length); ++i) its.head[i] = static_cast<char>(size >> (8 * i) & 0xff);
        return its;
    }
    static frame_ends refused(std::uint64_t size, error_out out) {
        out.set(errc::frame_too_large, "write frame", {}, too_large(size));
        return {};
    }
    static std::string too_large(std::uint64_t size) {
        return "a frame has " + std::to_string(size) + " bytes, the limit is " + std::to_string(Max);
    }
};

/// Text up to a newline, which is not part of the payload.
///
/// For clients such as socat. `Max` is the longest line in bytes.
///
/// @threads safe.
/// @blocks never.
template <std::size_t Max = 64_KiB> struct line {
    static constexpr std::size_t max_frame_bytes = Max;
    static constexpr bool keeps_boundaries = true;

    /// @errors frame_too_large: `Max` bytes and no newline.
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out out) {
        const auto end = bytes.substr(0, Max + 1).find('\n');
        if (end != std::string_view::npos) return frame_match{bytes.substr(0, end), end + 1};
        if (bytes.size() > Max)
            out.set(errc::frame_too_large, "read line", {}, "a line is longer than " + std::to_string(Max) + " bytes");
        return std::nullopt;
    }
    /// @errors frame_too_large · malformed: a newline inside.
    [[nodiscard]] static frame_ends ends(std::string_view payload, error_out out) {
        if (payload.size() > Max)
            out.set(errc::frame_too_large, "write line", {}, "it is longer than " + std::to_string(Max) + " bytes");
        else if (payload.find('\n') != std::string_view::npos)
            out.set(errc::malformed, "write line", {}, "the text contains a newline; send each line by itself");
        return {{}, 0, "\n"};
    }
    /// @errors as `ends`; then nothing is appended.
    static void append(std::string& to, std::string_view payload, error_out out) {
        const frame_ends its = ends(payload, out);
        if (!out.failed()) to.append(payload).append(its.tail);
    }
};

/// No framing: a frame is the bytes of one read.
///
/// Frames may be split and joined in transit, so a broadcast that drops frames refuses it.
///
/// @threads safe.
/// @blocks never.
struct raw {
    static constexpr std::size_t max_frame_bytes = 64_KiB;
    static constexpr bool keeps_boundaries = false;
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out) {
        if (bytes.empty()) return std::nullopt;
        bytes = bytes.substr(0, max_frame_bytes);
        return frame_match{bytes, bytes.size()};
    }
    [[nodiscard]] static frame_ends ends(std::string_view, error_out) { return {}; }
    static void append(std::string& to, std::string_view payload, error_out) { to += payload; }
};

static_assert(framing_policy<length_prefixed<>> && framing_policy<line<>> && framing_policy<raw>);

} // namespace MATO_ABI
} // namespace mato

// ---- mato/handover.hpp ----
/// @file handover.hpp: whether a daemon survives a crash of its process.
/// Layer: 2 (policy).  Test: test/toolkit/handover_policy_test.cpp.
/// Threads: values.   Blocks: never.
///
/// `keeper` (keeper.hpp) is the other model: a second process holds what must not be lost and starts the next worker.

namespace mato {
inline namespace MATO_ABI {

/// The number of this process among those that serve one after the other. A daemon returns it from `generation()`.
struct generation {
    enum class why : std::uint8_t { first, crashed, upgraded };
    std::uint32_t number = 1; ///< from 1
    why reason = why::first;
    int last_signal = 0; ///< that ended the generation before; 0: none did
    milliseconds gap{0}; ///< without a process that serves; in `setup`, until now
};

/// How a child ended. One of the two members is set.
struct child_status {
    int exit_code = -1; ///< -1: a signal ended it
    int signal = 0;     ///< 0: it exited

    bool operator==(const child_status&) const = default;
};

/// When the next worker starts. The first two start at once; then after 100 ms, 1 s, and `longest`. Only deaths of the last
/// `within` count.
struct restart_limits {
    std::size_t deaths = 8;      ///< within `within`: then it rests until a client connects; at most 64, or `unlimited`
    milliseconds within{60'000}; ///< a fault that comes back within a minute is the program's, not an accident
    milliseconds longest{5'000}; ///< between a death and the next start; 0: at once
};

/// `outlives`: the listener, the lock and what `kept()` got survive the process. Such a model has two more types: `worker`,
/// the serving process's side, and `process`, the keeper's.
template <class H> concept handover_policy = requires {
    { H::outlives } -> std::convertible_to<bool>;
};

/// The default: the daemon is one process. When it dies, everything that it has open is closed.
struct no_handover {
    static constexpr bool outlives = false;
};

static_assert(handover_policy<no_handover>);

namespace detail {
template <class H> concept survives = requires { requires bool(H::outlives); };
struct no_worker {};
template <class H> struct worker_of { using type = no_worker; };
template <survives H> struct worker_of<H> { using type = typename H::worker; };
} // namespace detail

} // namespace MATO_ABI
} // namespace mato

// ---- mato/lock.hpp ----
/// @file lock.hpp: a lock file with at most one holder per path, and the pid of the holder.
/// Layer: 2 (policy).  Test: test/toolkit/lock_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never, unless a function says so.
/// Fork: parent and child share the lock. Only the process that acquired or `adopt`ed it releases it; in other processes the
///       destructor only closes the descriptor. exec closes it (close-on-exec).
/// Source: flock(2), fcntl(2) "Open file description locks", open(2).
///
/// After locking, path and descriptor must refer to the same inode. Otherwise two processes could hold the lock: A locks, B
/// opens, A unlinks and exits, B locks the unlinked file, C creates and locks a new one. With this check the file can be
/// removed at release, while the lock is held.

// ---- mato/detail/lock_holder.hpp ----
/// @file lock_holder.hpp: what a lock file says about its holder, and which process that is.
/// Layer: 1 (vocabulary).  Test: test/toolkit/lock_test.cpp.
/// Threads: safe.   Blocks: never.
/// Source: proc(5).

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// Bytes of a lock file: a pid, two numbers of 20 digits, a boot id of 36 characters.
inline constexpr std::size_t most_lock_text = 128;
/// Bytes of its first line: the 10 digits of the largest pid_t, and the newline.
inline constexpr std::size_t most_pid_line = 11;

/// What a lock file says about its holder.
struct holder_text {
    pid_t pid = 0;
    std::string place, start; ///< "NAMESPACE BOOT", ticks; empty: the file has only the pid
    bool operator==(const holder_text&) const = default;
};

inline std::string read_lock_text(int fd) {
    char text[most_lock_text + 1]; // a longer file is not one of our lock files
    const ssize_t got = sys::pread(fd, text, sizeof text, 0);
    return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// "PID\n" or "PID\nNAMESPACE BOOT START\n"; no pid for anything else.
inline holder_text parse_holder(const std::string& text) {
    holder_text said;
    const char* const end = text.data() + text.size();
    pid_t pid = 0;
    const auto [rest, why] = std::from_chars(text.data(), end, pid);
    if (why != std::errc() || pid <= 0 || rest == end || *rest != '\n') return said;
    const auto first = static_cast<std::size_t>(rest + 1 - text.data());
    if (first > most_pid_line || text.size() > most_lock_text) return said;
    if (first < text.size()) {
        const auto space = text.find(' ', first), last = text.rfind(' ');
        if (space == std::string::npos || last <= space + 1 || last + 2 >= text.size() ||
            text.find('\n', first) != text.size() - 1)
            return said;
        said.place = text.substr(first, last - first);
        said.start = text.substr(last + 1, text.size() - last - 2);
    }
    said.pid = pid;
    return said;
}

#if MATO_HAS_PROC
/// "NAMESPACE BOOT"; empty if proc(5) does not have them. Not cached: a child may be in another namespace. `process`: a pid, or
/// "self".
inline std::string place_of(const std::string& process) {
    const unique_fd space(sys::open(("/proc/" + process + "/ns/pid").c_str(), O_RDONLY));
    struct ::stat number {};
    const unique_fd boot(sys::open("/proc/sys/kernel/random/boot_id", O_RDONLY));
    char text[40];
    const ssize_t got = boot && space && sys::fstat(space.get(), &number) == 0 ? sys::read(boot.get(), text, sizeof text) : -1;
    if (got < 2) return {};
    return std::to_string(number.st_ino) + " " +
           std::string(text, static_cast<std::size_t>(got) - (text[got - 1] == '\n' ? 1 : 0));
}

/// proc(5) stat, field 22: the start time in ticks since boot. `process`: a pid, or "self".
inline std::string start_of(const std::string& process) {
    const unique_fd file(sys::open(("/proc/" + process + "/stat").c_str(), O_RDONLY));
    char text[1024]; // 52 numbers and a name
    const ssize_t got = file ? sys::read(file.get(), text, sizeof text) : -1;
    const std::string fields(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    std::size_t at = fields.rfind(')'); // a name may contain any character except a newline
    for (int field = 2; field < 22 && at != std::string::npos; ++field) at = fields.find(' ', at + 1);
    if (at == std::string::npos) return {};
    return fields.substr(at + 1, fields.find(' ', at + 1) - at - 1);
}
/// proc(5) status, the last number of NSpid: its pid in its own namespace.
inline std::string inner_pid_of(const std::string& process) {
    const unique_fd file(sys::open(("/proc/" + process + "/status").c_str(), O_RDONLY));
    char text[4096];
    const ssize_t got = file ? sys::read(file.get(), text, sizeof text) : -1;
    const std::string lines(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::size_t line = lines.find("\nNSpid:");
    const std::size_t end = line == std::string::npos ? line : lines.find('\n', line + 1);
    if (end == std::string::npos) return {};
    return lines.substr(lines.rfind('\t', end) + 1, end - lines.rfind('\t', end) - 1);
}
#else
inline std::string place_of(const std::string&) { return {}; }
inline std::string inner_pid_of(const std::string&) { return {}; }
inline std::string start_of(const std::string&) { return {}; }
#endif

/// Whether the contents of the file prove which process its pid means; else the reason.
inline bool is_proved(const holder_text& said, std::string& why_not) {
#if MATO_HAS_PROC
    const std::string number = "process " + std::to_string(said.pid);
    if (said.place.empty())
        why_not = "the lock file has only the pid of " + number +
                  ", not its pid namespace, boot and start time; the pid may have been reused";
    else if (const auto here = place_of("self"); here.empty())
        why_not = "/proc does not show the pid namespace of this process, so it is not certain which process " + number + " is";
    else if (said.place != here)
        why_not = "the holder is " + number + " of another pid namespace, boot or machine; send the signal from there";
    else if (said.start != start_of(std::to_string(said.pid)))
        why_not = number + " is not the holder: it started at another time than the lock file says";
#else
    static_cast<void>(said);
#endif
    return why_not.empty();
}

/// Whether a process found by other means is the one in the file: same pid namespace, same pid there, and same start time. The
/// start time alone is not enough, because several processes can start in one tick.
inline bool is_meant(const holder_text& said, pid_t number) {
    if (said.place.empty()) return number == said.pid;
    const auto process = std::to_string(number);
    return said.place == place_of(process) && said.start == start_of(process) &&
           std::to_string(said.pid) == inner_pid_of(process);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {

/// How a descriptor is locked. `try_lock` returns 0 or an errno: only EWOULDBLOCK means held by another process (ENOLCK and
/// EOPNOTSUPP mean that this file system has no locks, and must not be taken for "free"). `probe` returns the same without
/// keeping the lock. Two probes must not see each other, or two processes probing at the same time would see a stale file as
/// held.
template <class M> concept lock_mechanism = requires(int fd) {
    { M::try_lock(fd) } -> std::same_as<int>;
    { M::probe(fd) } -> std::same_as<int>;
    { M::unlock(fd) } -> std::same_as<void>;
};

/// A lock that lasts as long as one copy of its descriptor is open, in whichever process; `shared_by_copies` says so. Locks of
/// fcntl(2) F_SETLK belong to one process and do not.
template <class M> concept shared_lock_mechanism = lock_mechanism<M> && requires { requires M::shared_by_copies; };

/// flock(2): Linux, BSD, macOS. It survives fork, and closing another descriptor of the file does not release it.
///
/// The default mechanism.
///
/// @threads safe.
/// @fork parent and child share the lock.
/// @blocks never.
struct flock_lock {
    static int try_lock(int fd) noexcept { return sys::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }
    static int probe(int fd) noexcept { // flock(2) has no query: take a shared lock briefly
        if (sys::flock(fd, LOCK_SH | LOCK_NB) == -1) return errno;
        unlock(fd);
        return 0;
    }
    static void unlock(int fd) noexcept { sys::flock(fd, LOCK_UN); }
    static constexpr bool shared_by_copies = true;
};

#if MATO_HAS_OFD_LOCKS
/// Open file description lock: like flock, and works over NFS. OFD locks and flock do not see each other.
///
/// @threads safe.
/// @fork parent and child share the lock.
/// @blocks never.
///
/// @code
/// using ofd_instance_lock = mato::basic_instance_lock<mato::ofd_lock>; // over NFS, for example
/// const auto other = ofd_instance_lock::acquire(path + ".ofd", why);
/// @endcode
struct ofd_lock {
    static int try_lock(int fd) noexcept {
        const int why = set(fd, F_WRLCK);
        return why == EACCES ? EWOULDBLOCK : why;
    }
    static int probe(int fd) noexcept {
        struct flock whole = whole_file(F_WRLCK);
        if (sys::fcntl(fd, F_OFD_GETLK, &whole) == -1) return errno;
        return whole.l_type == F_UNLCK ? 0 : EWOULDBLOCK;
    }
    static void unlock(int fd) noexcept { set(fd, F_UNLCK); }
    static constexpr bool shared_by_copies = true;

private:
    static struct flock whole_file(short type) noexcept {
        struct flock whole {};
        whole.l_type = type;
        whole.l_whence = SEEK_SET;
        return whole;
    }
    static int set(int fd, short type) noexcept {
        struct flock whole = whole_file(type);
        return sys::fcntl(fd, F_OFD_SETLK, &whole) == -1 ? errno : 0;
    }
};
static_assert(lock_mechanism<ofd_lock>);
#endif

/// No lock: for a daemon whose supervisor already starts only one.
///
/// Every attempt succeeds.
///
/// @threads safe.
/// @blocks never.
struct null_lock {
    static int try_lock(int) noexcept { return 0; }
    static int probe(int) noexcept { return 0; }
    static void unlock(int) noexcept {}
    static constexpr bool shared_by_copies = true;
};

static_assert(lock_mechanism<flock_lock> && lock_mechanism<null_lock>);

/// The holder of a lock according to the lock file. For messages only: to signal it use `signal_holder`, never kill(2).
///
/// @threads a value.
/// @blocks never.
struct lock_holder {
    pid_t pid = 0; ///< in the holder's pid namespace, which may be a different one; 0: not written yet
};

/// A process found by other means than the lock file, see basic_client::signal_daemon.
///
/// The pidfd pins the process, so that its pid cannot be reused while it is checked.
///
/// @threads a value.
/// @blocks never.
struct found_process {
    unique_fd process{}; ///< a pidfd, if the system has them
    pid_t number = 0;    ///< its pid in this process's pid namespace; 0: none here
};

/// A lock file that at most one process holds. `instance_lock` uses flock(2).
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork parent and child share the lock; only the process that acquired or `adopt`ed it releases it.
/// @blocks never, except `acquire` and `acquire_directory` until their deadline and `try_acquire` for at most 100 ms while a
/// holder writes its pid.
///
/// @code
/// auto attempt = mato::instance_lock::try_acquire(std::string(argv[1]) + "/app.lock", why);
/// if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), 69;
/// if (!attempt) return std::fprintf(stderr, "already running, pid %d\n", static_cast<int>(attempt.holder().pid)), 75;
/// const mato::instance_lock lock = *std::move(attempt); // held until main returns or the process dies
/// @endcode
template <class Mechanism = flock_lock> class basic_instance_lock {
    static_assert(lock_mechanism<Mechanism>,
                  "mato: a lock mechanism needs static noexcept `int try_lock(int fd)` and `int probe(int fd)` (0 or errno), "
                  "and `void unlock(int fd)`");

public:
    class attempt;

    /// Holds nothing.
    basic_instance_lock() noexcept = default;
    basic_instance_lock(basic_instance_lock&&) noexcept = default;
    basic_instance_lock& operator=(basic_instance_lock&& other) noexcept;
    ~basic_instance_lock() { release(); }

    /// Acquires the lock, or returns its holder. Changes nothing if another process holds it.
    ///
    /// @pre     the directory exists and is private (see endpoint.hpp).
    /// @effects creates `path` with mode 0600 if it does not exist. Writes the pid after the lock is held and, with proc(5), a
    ///          second line: pid namespace, boot id, start time in ticks. Files with only the pid can be read too.
    /// @errors  ELOOP: the last component is a symlink · ENOLCK, EOPNOTSUPP: no locks here · any of open(2).
    [[nodiscard]] static attempt try_acquire(const std::string& path);
    [[nodiscard]] static attempt try_acquire(const std::string& path, error_out out);

    /// As `try_acquire`, but a held lock is the error `errc::already_running`, whose detail has the pid.
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path);
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path, error_out out);

    /// As `acquire`, but waits for a held lock, for example of a daemon that is stopping.
    /// @blocks until the lock is free or `until` has passed; polls, because flock(2) has no time-out.
    /// @errors as `acquire`; already_running after the deadline.
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path, deadline until, error_out out);

    /// Locks the directory itself, so no file remains. Clients take this lock while one of them starts the daemon.
    /// @blocks until the lock is free or `until` has passed (`errc::timed_out`); polls, because flock(2) has no time-out.
    /// @errors timed_out · any of open(2) · EBADF: ofd_lock needs a writable descriptor, which directories do not have.
    [[nodiscard]] static basic_instance_lock acquire_directory(const std::string& directory, deadline until, error_out out);

    /// Sends `signal` to the holder, and to no other process. The lock must be held. The file must name a process of this boot
    /// and pid namespace with the recorded start time. All of this is checked again after the process was opened as a pidfd.
    /// @returns the pid signalled, else 0. `signal` 0 only checks.
    /// @errors  not_running: no process holds it · malformed: no valid pid in the file · holder_not_proved: it is held, but it
    /// is
    ///          not certain by which process; nothing was signalled · EPERM: it runs as another user.
    static pid_t signal_holder(const std::string& path, int signal, error_out out) {
        return signal_holder(
            path, signal, [](error_out) { return found_process(); }, out);
    }
    /// As above. If the file is not proof enough, `find(error_out)` names a process. It is accepted if its namespace, pid
    /// there, boot and start time match the file, or only the pid for a file with the pid alone.
    template <class Find> static pid_t signal_holder(const std::string& path, int signal, Find find, error_out out);

    [[nodiscard]] bool is_held() const noexcept { return static_cast<bool>(fd_); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Whether the name still refers to the locked inode: false after the file was removed or replaced.
    [[nodiscard]] bool verify() const noexcept;

    /// The descriptor, to be kept open while detaching (detach.hpp); -1 when the lock is not held.
    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }

    /// After a fork: makes the calling process the owner and writes its pid.
    void adopt(error_out out);

    /// A copy of a lock that process `owner` holds, in a program that `owner` started. `release` only closes it, until `adopt`.
    [[nodiscard]] static basic_instance_lock inherit(unique_fd fd, std::string path, pid_t owner) {
        basic_instance_lock copy(std::move(fd), std::move(path));
        copy.owner_ = owner;
        return copy;
    }

    /// Closes this process's descriptor without releasing the lock or removing the file: for the parent of a child that
    /// `adopt`s.
    void abandon() noexcept { fd_.reset(); }

    /// Removes the file if it still is the locked one, then unlocks, also for descriptors that a child still has.
    void release() noexcept;

private:
    basic_instance_lock(unique_fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)), owner_(sys::getpid()) {}

    static bool is_alive(pid_t pid) noexcept;
    static detail::holder_text read_holder(const std::string& path, error_out out);
    static bool is_named(int fd, const std::string& path, struct ::stat& opened) noexcept;
    void write_pid(off_t size_before, error_out out);

    unique_fd fd_;
    std::string path_;
    pid_t owner_ = 0;
    bool leaves_file_ = true; // false for a directory lock, which has no file to remove
};

using instance_lock = basic_instance_lock<>;

/// The result of `try_acquire`: the lock, or its holder.
///
/// It converts to true if the lock was acquired. `*attempt` is the lock, `holder()` the holder otherwise.
///
/// @threads a value.
/// @blocks never.
template <class Mechanism> class basic_instance_lock<Mechanism>::attempt {
public:
    [[nodiscard]] explicit operator bool() const noexcept { return lock_.is_held(); }
    [[nodiscard]] basic_instance_lock& operator*() & noexcept { return lock_; }
    [[nodiscard]] basic_instance_lock&& operator*() && noexcept { return std::move(lock_); }
    [[nodiscard]] lock_holder holder() const noexcept { return holder_; }

private:
    friend basic_instance_lock;
    basic_instance_lock lock_;
    lock_holder holder_;
};

// ---- implementation ----

template <class M> basic_instance_lock<M>& basic_instance_lock<M>::operator=(basic_instance_lock&& other) noexcept {
    if (this != &other) {
        release();
        fd_ = std::move(other.fd_);
        path_ = std::move(other.path_);
        owner_ = other.owner_;
        leaves_file_ = other.leaves_file_;
    }
    return *this;
}

template <class M> auto basic_instance_lock<M>::try_acquire(const std::string& path) -> attempt {
    return or_throw([&](failure& why) { return try_acquire(path, why); });
}

template <class M> auto basic_instance_lock<M>::try_acquire(const std::string& path, error_out out) -> attempt {
    constexpr int most_races = 100; // each lost race is the complete life of another process; so many in a row is an error
    constexpr int most_pauses = 20; // 100 ms in total for a holder to write its pid
    constexpr long pause_ms = 5;
    attempt result;
    for (int race = 0; race < most_races; ++race) {
        unique_fd fd(sys::open_private(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK));
        if (!fd) return out.fail<attempt>(last_error(), "open lock file", path);
        if (const int why = M::try_lock(fd.get()); why == EWOULDBLOCK) {
            const pid_t pid = detail::parse_holder(detail::read_lock_text(fd.get())).pid;
            const bool only_probed = M::probe(fd.get()) == 0;
            if (!only_probed && (race >= most_pauses || is_alive(pid))) {
                result.holder_.pid = pid;
                return result;
            }
            sys::sleep_ms(pause_ms); // the pid is not written yet, or `signal_holder` probes the lock: takes microseconds
            continue;
        } else if (why != 0) {
            return out.fail<attempt>({why, std::system_category()}, "lock", path);
        }
        struct ::stat opened {};
        if (!is_named(fd.get(), path, opened)) continue;
        basic_instance_lock lock(std::move(fd), path);
        lock.write_pid(opened.st_size, out);
        if (out.failed()) return result;
        result.lock_ = std::move(lock);
        return result;
    }
    out.set(errc::busy, "lock", path,
            "other processes kept replacing or probing the file while this one tried to lock it; try again");
    return result;
}

template <class M> auto basic_instance_lock<M>::acquire(const std::string& path) -> basic_instance_lock {
    return or_throw([&](failure& why) { return acquire(path, why); });
}

template <class M> auto basic_instance_lock<M>::acquire(const std::string& path, error_out out) -> basic_instance_lock {
    auto got = try_acquire(path, out);
    if (!got && !out.failed()) {
        const pid_t pid = got.holder().pid;
        out.set(errc::already_running, "lock", path,
                pid > 0 ? "already running, pid " + std::to_string(pid) : "already running, pid not yet known");
    }
    return *std::move(got);
}

template <class M> auto basic_instance_lock<M>::acquire(const std::string& path, deadline until, error_out out)
    -> basic_instance_lock {
    constexpr long longest_ms = 20; // a stop takes a few ms
    for (long pause = 1;; pause = pause < longest_ms ? 2 * pause : longest_ms) {
        failure why;
        auto lock = acquire(path, why);
        const bool is_held = why.code == errc::already_running || why.code == errc::busy;
        if (!is_held || until.passed()) {
            if (why) out.set(why);
            return lock;
        }
        const long left = until.poll_timeout();
        sys::sleep_ms(pause < left ? pause : left);
    }
}

template <class M> auto basic_instance_lock<M>::acquire_directory(const std::string& directory, deadline until, error_out out)
    -> basic_instance_lock {
    constexpr long first_ms = 1, longest_ms = 20; // a start takes a few ms; with 20 ms a hundred waiters use below 1% of a core
    unique_fd fd(sys::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (!fd) return out.fail<basic_instance_lock>(last_error(), "open directory", directory);
    for (long pause = first_ms;; pause = pause * 2 < longest_ms ? pause * 2 : longest_ms) {
        const int why = M::try_lock(fd.get());
        if (why == 0) break;
        if (why != EWOULDBLOCK) return out.fail<basic_instance_lock>({why, std::system_category()}, "lock", directory);
        if (until.passed()) return out.fail<basic_instance_lock>(errc::timed_out, "lock", directory);
        const long left = until.poll_timeout();
        sys::sleep_ms(pause < left ? pause : left);
    }
    basic_instance_lock lock(std::move(fd), directory);
    lock.leaves_file_ = false;
    return lock;
}

template <class M> auto basic_instance_lock<M>::read_holder(const std::string& path, error_out out) -> detail::holder_text {
    unique_fd fd(sys::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) {
        const bool absent = errno == ENOENT;
        return out.fail<detail::holder_text>(absent ? make_error_code(errc::not_running) : last_error(), "open lock file",
                                             path);
    }
    if (const int why = M::probe(fd.get()); why == 0) {
        return out.fail<detail::holder_text>(errc::not_running, "find holder", path);
    } else if (why != EWOULDBLOCK) {
        return out.fail<detail::holder_text>({why, std::system_category()}, "lock", path);
    }
    auto said = detail::parse_holder(detail::read_lock_text(fd.get()));
    if (said.pid <= 0)
        out.set(errc::malformed, "find holder", path, "the lock is held, but its file contains no valid process id");
    return said;
}

template <class M> template <class Find>
pid_t basic_instance_lock<M>::signal_holder(const std::string& path, int signal, Find find, error_out out) {
    const detail::holder_text said = read_holder(path, out);
    if (out.failed()) return 0;
    found_process holder{unique_fd(sys::pidfd_open(said.pid)), said.pid};
    std::error_code open_error;
    if (!holder.process && (errno != ENOSYS || (sys::kill(said.pid, 0) == -1 && errno == ESRCH))) open_error = last_error();
    std::string why_not;
    if (!open_error) holder.number = detail::is_proved(said, why_not) ? said.pid : 0;
    if (open_error || holder.number == 0) {
        failure unknown;
        found_process found = find(error_out(unknown));
        if (found.number > 0 && !found.process) {
            found.process = unique_fd(sys::pidfd_open(found.number));
            if (!found.process && errno != ENOSYS) found.number = 0;
        }
        if (found.number == 0 || !detail::is_meant(said, found.number)) {
            if (open_error) return out.fail<pid_t>(open_error, "find process " + std::to_string(said.pid), path);
            return out.fail<pid_t>(errc::holder_not_proved, "find holder", path, std::move(why_not));
        }
        holder = std::move(found);
    }
    if (const auto again = read_holder(path, out); out.failed() || !(again == said)) {
        if (!out.failed())
            out.set(errc::not_running, "find holder", path, "another process acquired the lock in the meantime; try again");
        return 0;
    }
    const int sent = holder.process ? sys::pidfd_send_signal(holder.process.get(), signal) : sys::kill(holder.number, signal);
    if (sent == -1) return out.fail<pid_t>(last_error(), "signal process " + std::to_string(holder.number), path);
    return holder.number;
}

template <class M> bool basic_instance_lock<M>::verify() const noexcept {
    struct ::stat opened {};
    return fd_ && is_named(fd_.get(), path_, opened);
}

template <class M> void basic_instance_lock<M>::adopt(error_out out) {
    if (!fd_) return out.set(errc::lock_not_held, "adopt lock", path_);
    owner_ = sys::getpid();
    struct ::stat now {};
    if (sys::fstat(fd_.get(), &now) == -1) return out.set(last_error(), "stat lock file", path_);
    write_pid(now.st_size, out);
}

template <class M> void basic_instance_lock<M>::write_pid(off_t size_before, error_out out) {
    std::string text = std::to_string(owner_) + "\n";
#if MATO_HAS_PROC
    const auto place = detail::place_of("self"), start = detail::start_of("self");
    if (!place.empty() && !start.empty()) text += place + " " + start + "\n";
#endif
    const auto size = static_cast<off_t>(text.size());
    // Not truncated first: ext4 writes a truncated file to disk when it is closed (auto_da_alloc), and the start would wait.
    const ssize_t written = sys::pwrite(fd_.get(), text.data(), text.size(), 0);
    if (written != size)
        return out.set(written < 0 ? last_error() : std::error_code(ENOSPC, std::system_category()), "write lock file", path_);
    if (size_before > size && sys::ftruncate(fd_.get(), size) == -1) out.set(last_error(), "truncate lock file", path_);
}

template <class M> void basic_instance_lock<M>::release() noexcept {
    if (!fd_) return;
    if (owner_ == sys::getpid()) {
        if (leaves_file_ && verify()) sys::unlink(path_.c_str());
        M::unlock(fd_.get());
    }
    fd_.reset();
}

template <class M> bool basic_instance_lock<M>::is_alive(pid_t pid) noexcept {
    return pid > 0 && (sys::kill(pid, 0) == 0 || errno == EPERM);
}

template <class M> bool basic_instance_lock<M>::is_named(int fd, const std::string& path, struct ::stat& opened) noexcept {
    struct ::stat named {};
    return sys::fstat(fd, &opened) == 0 && sys::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/log.hpp ----
/// @file log.hpp: a log with one line per event, in a file of limited size.
/// Layer: 2 (policy).  Test: test/toolkit/log_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: like write(2) to a file.
/// Fork: open it after the last fork.   Errors while logging are counted, never thrown: a full disk must not stop a daemon.

namespace mato {
inline namespace MATO_ABI {

enum class log_level { error, warning, info, debug };

[[nodiscard]] constexpr std::string_view to_string(log_level level) noexcept;
/// "error", "warning", "info", "debug"; empty for other words.
[[nodiscard]] constexpr std::optional<log_level> parse_log_level(std::string_view word) noexcept;

/// Gets the level and the text without a time and a newline, for a log that adds its own. See system_log.hpp.
template <class L> concept leveled_log_sink = std::movable<L> && requires(L sink, log_level level, std::string_view text) {
    { sink.write(level, text) } -> std::same_as<void>;
};
/// Writes complete lines, including the newline; or is a `leveled_log_sink`.
template <class L> concept log_sink = leveled_log_sink<L> ||(std::movable<L>&& requires(L sink, std::string_view text) {
    { sink.write(text) } -> std::same_as<void>;
});

/// The options of a `file_log`. A daemon takes them from `daemon_options::log`.
struct file_log_options {
    std::uint64_t max_bytes = 10u << 20; ///< the file is rotated before it would exceed this; 10 MiB, about 100 000 lines
    unsigned keep = 3;                   ///< rotated files to keep: path.1 (newest) to path.N; 0: none; at most 999
};

/// Appends to a file, mode 0600, and rotates it by size. If the disk is full, a partially written line is removed again.
///
/// The default log. Errors while logging are counted and never thrown.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork open it after the last fork.
/// @blocks like write(2) to a file.
///
/// @code
/// auto file = mato::file_log::open((directory / "app.log").native(), {.max_bytes = 1 << 20, .keep = 2}, why);
/// mato::basic_logger log(std::move(file), mato::log_level::info);
/// log.info("started");
/// log.debug("dropped: below the level");
/// @endcode
class file_log {
public:
    file_log() noexcept = default;
    /// An empty path means stderr, which is never rotated: for a service manager that collects stderr.
    /// @errors any of open(2); ELOOP: a symlink.
    [[nodiscard]] static file_log open(std::string path, file_log_options options, error_out out);

    void write(std::string_view line) noexcept;
    void reopen() noexcept; ///< for external rotation: opens the path again; keeps the old file if that fails
    void set_options(file_log_options options) noexcept { options_ = options; }
    [[nodiscard]] std::uint64_t lost_lines() const noexcept { return lost_; }

private:
    static constexpr unsigned most_kept = 999; // each is renamed at a rotation
    void rotate() noexcept;
    bool open_again() noexcept;
    void take_back(std::uint64_t bytes) noexcept;

    std::string path_;
    file_log_options options_;
    unique_fd fd_;
    std::uint64_t size_ = 0, lost_ = 0;
};

/// Writes to stderr, for a supervisor that collects it.
///
/// It never rotates.
///
/// @threads safe.
/// @blocks like write(2).
struct stderr_log {
    void write(std::string_view line) noexcept { static_cast<void>(sys::write(2, line.data(), line.size())); }
};

/// Writes nothing. For tests and daemons without a log.
struct null_log {
    void write(std::string_view) noexcept {}
};

static_assert(log_sink<file_log> && log_sink<stderr_log> && log_sink<null_log>);

/// Adds time and level, and drops lines below `level`. Control characters are shown as `\xNN` (printable.hpp), so that text
/// from a peer can neither forge a line nor control the terminal of the reader.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork create it after the last fork.
/// @blocks as the sink.
///
/// @code
/// mato::basic_logger log(std::move(file), mato::log_level::info);
/// log.info("started");
/// log.debug("dropped: below the level");
/// log.warning("a control character is escaped: \033");
/// @endcode
template <class Sink = file_log> class basic_logger {
    static_assert(log_sink<Sink>, "mato: a log sink needs `void write(std::string_view)`");

public:
    explicit basic_logger(Sink sink = {}, log_level level = log_level::info) : sink_(std::move(sink)), level_(level) {}

    void write(log_level level, std::string_view text) noexcept;
    void error(std::string_view text) noexcept { write(log_level::error, text); }
    void warning(std::string_view text) noexcept { write(log_level::warning, text); }
    void info(std::string_view text) noexcept { write(log_level::info, text); }
    void debug(std::string_view text) noexcept { write(log_level::debug, text); }

    void set_level(log_level level) noexcept { level_ = level; }
    [[nodiscard]] bool takes(log_level level) const noexcept { return level <= level_; } ///< false: `write` drops the line
    [[nodiscard]] Sink& sink() noexcept { return sink_; }

    static constexpr std::size_t max_line_bytes = 4096; ///< longer texts are cut between characters and end with "…"

private:
    static void append_stamp(std::string& line);

    Sink sink_;
    log_level level_;
};

// ---- implementation ----

constexpr std::string_view to_string(log_level level) noexcept {
    switch (level) {
    case log_level::error: return "error";
    case log_level::warning: return "warning";
    case log_level::info: return "info";
    case log_level::debug: return "debug";
    }
    return "?";
}

constexpr std::optional<log_level> parse_log_level(std::string_view word) noexcept {
    for (const auto level : {log_level::error, log_level::warning, log_level::info, log_level::debug})
        if (word == to_string(level)) return level;
    return std::nullopt;
}

inline file_log file_log::open(std::string path, file_log_options options, error_out out) {
    file_log log;
    log.path_ = std::move(path);
    log.options_ = options;
    if (log.path_.empty()) {
        log.fd_ = unique_fd(sys::fcntl(2, F_DUPFD_CLOEXEC, 3));
        if (!log.fd_) out.set(last_error(), "open log", "stderr");
        return log;
    }
    log.fd_ = unique_fd(sys::open_private(log.path_.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK));
    if (!log.fd_) return out.set(last_error(), "open log", log.path_), std::move(log);
    struct ::stat now {};
    if (sys::fstat(log.fd_.get(), &now) == 0) log.size_ = static_cast<std::uint64_t>(now.st_size);
    return log;
}

inline void file_log::write(std::string_view line) noexcept {
    if (size_ > 0 && size_ + line.size() > options_.max_bytes && !path_.empty()) rotate();
    const ssize_t written = fd_ ? sys::write(fd_.get(), line.data(), line.size()) : -1;
    if (written > 0) size_ += static_cast<std::uint64_t>(written);
    if (written == static_cast<ssize_t>(line.size())) return;
    ++lost_;
    if (written > 0 && !path_.empty()) take_back(static_cast<std::uint64_t>(written));
}

// Uses the file's current size: another process may have truncated it.
inline void file_log::take_back(std::uint64_t bytes) noexcept {
    struct ::stat now {};
    if (sys::fstat(fd_.get(), &now) == -1 || !S_ISREG(now.st_mode) || static_cast<std::uint64_t>(now.st_size) < bytes) return;
    const std::uint64_t whole = static_cast<std::uint64_t>(now.st_size) - bytes;
    if (sys::ftruncate(fd_.get(), static_cast<off_t>(whole)) == 0) size_ = whole;
}

inline void file_log::reopen() noexcept {
    if (!path_.empty()) static_cast<void>(open_again());
}

inline bool file_log::open_again() noexcept {
    const auto open_it = [&] {
        std::error_code why;
        file_log fresh = open(path_, options_, why);
        if (why) return false;
        fd_ = std::move(fresh.fd_);
        size_ = fresh.size_;
        return true;
    };
    return detail::attempt(open_it, [] { return false; }); // no memory for a path: continue with the open file
}

inline void file_log::rotate() noexcept {
    const auto move_away = [&] {
        const std::string base = path_;
        struct ::stat named {};
        bool moved = false;
        // The name is gone: an earlier rotation moved the file but could not open a new one. Do not shift the older files
        // again.
        const bool gone = sys::lstat(base.c_str(), &named) == -1 && errno == ENOENT;
        if (!gone) {
            for (unsigned n = options_.keep < most_kept ? options_.keep : most_kept; n > 1; --n)
                sys::rename((base + "." + std::to_string(n - 1)).c_str(), (base + "." + std::to_string(n)).c_str());
            moved = (options_.keep > 0 ? sys::rename(base.c_str(), (base + ".1").c_str()) : sys::unlink(base.c_str())) == 0;
        }
        if ((gone || moved) && open_again()) return;
        // Continue with the open file: if it was moved, up to the limit once more; else truncated.
        if (moved || sys::ftruncate(fd_.get(), 0) == 0) size_ = 0;
    };
    detail::attempt(move_away, [] {}); // no memory for a path: as above
}

/// Limits lines that others can cause at any rate to `most` per `span`, and counts the rest. Pure.
///
/// A daemon uses it for refused clients.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class line_rate {
public:
    using time = std::chrono::steady_clock::time_point;
    explicit line_rate(unsigned most = 10, std::chrono::milliseconds span = std::chrono::minutes(1)) noexcept
        : most_(most), span_(span) {}
    /// @returns whether to write a line for this event.
    [[nodiscard]] bool takes(time now) noexcept {
        if (lines_ == 0 || now - begin_ >= span_) begin_ = now, lines_ = 0;
        if (lines_ < most_) return ++lines_, true;
        return ++left_out_, false;
    }
    /// The number of events left out since the last call.
    [[nodiscard]] std::uint64_t take_left_out() noexcept { return std::exchange(left_out_, 0); }

private:
    unsigned most_, lines_ = 0;
    std::chrono::milliseconds span_;
    time begin_{};
    std::uint64_t left_out_ = 0;
};

namespace detail {

/// The first `limit` bytes at most, without splitting a UTF-8 character.
[[nodiscard]] inline std::string_view cut(std::string_view text, std::size_t limit) noexcept {
    if (text.size() <= limit) return text;
    const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
    std::size_t end = limit;
    while (end > 0 && limit - end < 3 && continues(end)) --end; // a character has at most three continuation bytes
    return text.substr(0, continues(end) ? limit : end);
}

} // namespace detail

template <class Sink> void basic_logger<Sink>::write(log_level level, std::string_view text) noexcept {
    if (!takes(level)) return;
    const auto write_it = [&] {
        const std::string_view kept = detail::cut(text, max_line_bytes);
        const std::string_view end = kept.size() < text.size() ? "…" : "";
        std::string line;
        if constexpr (leveled_log_sink<Sink>) {
            append_printable(line, kept);
            return sink_.write(level, line.append(end));
        } else {
            append_stamp(line);
            line.append(to_string(level)) += ": ";
            append_printable(line, kept);
            sink_.write(line.append(end) += '\n');
        }
    };
    detail::attempt(write_it, [] {}); // no memory for a line: drop it, the daemon must continue
}

template <class Sink> void basic_logger<Sink>::append_stamp(std::string& line) {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char stamp[64];
    const std::size_t at = std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local);
    std::snprintf(stamp + at, sizeof stamp - at, ".%03d ", static_cast<int>(ms));
    line += stamp;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/overflow.hpp ----
/// @file overflow.hpp: what happens to a client that does not read.
/// Layer: 2 (policy).  Test: test/toolkit/overflow_test.cpp.
/// Pure: the verdict depends only on bytes and time.   Blocks: never.
///
/// For every policy: the queue of a client is bounded, its replies count towards the same limit, and every loss is reported.

namespace mato {
inline namespace MATO_ABI {

/// What to do after a frame was queued. Returned by `on_queued` of a policy.
enum class overflow_verdict : unsigned char {
    keep,       ///< keep it queued
    disconnect, ///< close the client with errc::slow_consumer
    make_room,  ///< the queue is full: act according to `overflow_kind`
};

/// How a broadcast makes room for a subscriber that lags. Each value has a policy of the same name.
enum class overflow_kind : unsigned char {
    disconnect,     ///< it does not: the subscriber gets every frame or is disconnected
    resync,         ///< replaces the queued frames by a snapshot of the current state
    drop_oldest,    ///< drops the oldest queued frames; the gap is reported with its exact count
    drop_newest,    ///< drops new frames until all queued frames are sent; the gap is reported with its exact count
    conflate,       ///< keeps only the newest queued frame of each key
    block_producer, ///< the producer waits while all subscribers are full; a subscriber that lags by a whole ring is
                    ///< disconnected
};

/// `on_queued` is called after each push with the queued bytes, `on_drained` after each drain.
template <class O> concept overflow_policy = std::copyable<O> && requires(O policy, std::size_t queued, clock::time_point now) {
    { policy.on_queued(queued, now) } -> std::same_as<overflow_verdict>;
    { policy.on_drained(queued) } -> std::same_as<void>;
};

/// In addition for a broadcast: `kind` tells how to make room, `loses_frames` whether that may lose frames. Up to `limit` bytes
/// `on_queued` always returns `keep`, so it is not called.
template <class O> concept broadcast_policy = overflow_policy<O> && requires(const O policy) {
    { policy.kind() } -> std::same_as<overflow_kind>;
    { policy.limit() } -> std::same_as<std::size_t>;
    { O::loses_frames } -> std::convertible_to<bool>;
};

/// Closes a client immediately above `hard` bytes, and after `grace` if it stays above `soft`. The timer is reset when the
/// queue falls to `soft`: two bursts with a drain between them do not add up. It is checked when a frame is queued: a client to
/// which nothing is sent is not closed, because its queue is within the limit.
/// The default overflow policy.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// mato::disconnect policy;
/// policy.hard = 1 << 20, policy.soft = 1 << 16, policy.grace = std::chrono::seconds(5);
/// const auto now = mato::clock::now();
/// const auto first = policy.on_queued(1 << 17, now);                           // above soft: keep, the time starts
/// const auto later = policy.on_queued(1 << 17, now + std::chrono::seconds(6)); // still above it: disconnect
/// policy.on_drained(0);                                                        // the client has read: the time is reset
/// @endcode
struct disconnect {
    std::size_t hard = std::size_t{1} << 20; ///< bytes; 1 MiB: several seconds of output of a fast terminal
    std::size_t soft = std::size_t{1} << 18; ///< bytes; a client that reads stays below it
    milliseconds grace{10'000};

    static constexpr bool loses_frames = false;
    [[nodiscard]] static constexpr overflow_kind kind() noexcept { return overflow_kind::disconnect; }
    [[nodiscard]] std::size_t limit() const noexcept { return over_since_ ? 0 : hard < soft ? hard : soft; }

    overflow_verdict on_queued(std::size_t queued, clock::time_point now) noexcept {
        if (queued > hard) return overflow_verdict::disconnect;
        if (queued <= soft)
            over_since_.reset();
        else if (!over_since_)
            over_since_ = now;
        else if (std::chrono::floor<milliseconds>(now - *over_since_) >= grace) // `never` would overflow in nanoseconds
            return overflow_verdict::disconnect;
        return overflow_verdict::keep;
    }
    void on_drained(std::size_t queued) noexcept {
        if (queued <= soft) over_since_.reset();
    }

private:
    std::optional<clock::time_point> over_since_{};
};

namespace detail {
/// A queue limited to `bytes`; `Kind` tells what happens when it is full.
template <overflow_kind Kind, bool Loses> struct bounded_queue {
    std::size_t bytes = std::size_t{1} << 18; ///< 256 KiB; the kernel queues about 208 KiB more for a Unix socket

    static constexpr bool loses_frames = Loses;
    [[nodiscard]] static constexpr overflow_kind kind() noexcept { return Kind; }
    [[nodiscard]] std::size_t limit() const noexcept { return bytes; }
    [[nodiscard]] overflow_verdict on_queued(std::size_t queued, clock::time_point) const noexcept {
        return queued > bytes ? overflow_verdict::make_room : overflow_verdict::keep;
    }
    static void on_drained(std::size_t) noexcept {}
};
} // namespace detail

/// Above `bytes`, all queued frames are replaced by a snapshot, which is taken when it can be sent. For displays.
using resync = detail::bounded_queue<overflow_kind::resync, true>;
/// Keeps the newest `bytes`. For numbered logs and events.
using drop_oldest = detail::bounded_queue<overflow_kind::drop_oldest, true>;
/// Keeps the oldest `bytes`, as long as the ring has them.
using drop_newest = detail::bounded_queue<overflow_kind::drop_newest, true>;
/// Keeps the newest frame of each key (`publish_keyed`), as long as the ring has it. `bytes` limits the replies. For values
/// that change: titles, sizes, presence.
using conflate = detail::bounded_queue<overflow_kind::conflate, true>;
/// Full at `bytes`. For complete copies, from a producer that can wait.
using block_producer = detail::bounded_queue<overflow_kind::block_producer, false>;

/// Any of these policies, chosen for each subscriber at run time.
///
/// Its broadcast needs `on.gap` and `on.snapshot` only for subscribers whose policy uses them.
///
/// @threads a value.
/// @blocks never.
class any_overflow {
public:
    any_overflow() noexcept = default;
    any_overflow(disconnect policy) noexcept : patience_(policy) {} // NOLINT(google-explicit-constructor)
    template <overflow_kind Kind, bool Loses>
    any_overflow(detail::bounded_queue<Kind, Loses> policy) noexcept // NOLINT(google-explicit-constructor)
        : kind_(Kind), bytes_(policy.bytes) {}

    static constexpr bool loses_frames = true;
    [[nodiscard]] overflow_kind kind() const noexcept { return kind_; }
    [[nodiscard]] std::size_t limit() const noexcept { return is_patient() ? patience_.limit() : bytes_; }
    overflow_verdict on_queued(std::size_t queued, clock::time_point now) noexcept {
        if (is_patient()) return patience_.on_queued(queued, now);
        return queued > bytes_ ? overflow_verdict::make_room : overflow_verdict::keep;
    }
    void on_drained(std::size_t queued) noexcept {
        if (is_patient()) patience_.on_drained(queued);
    }

private:
    [[nodiscard]] bool is_patient() const noexcept { return kind_ == overflow_kind::disconnect; }

    overflow_kind kind_ = overflow_kind::disconnect;
    std::size_t bytes_ = 0;
    disconnect patience_{}; // used only for kind `disconnect`
};

static_assert(broadcast_policy<disconnect> && broadcast_policy<resync> && broadcast_policy<drop_oldest>);
static_assert(broadcast_policy<drop_newest> && broadcast_policy<conflate> && broadcast_policy<block_producer>);
static_assert(broadcast_policy<any_overflow>);

} // namespace MATO_ABI
} // namespace mato

// ---- mato/peer.hpp ----
/// @file peer.hpp: the credentials of the process at the other end of a socket, and whether it is allowed.
/// Layer: 2 (policy).  Test: test/toolkit/peer_test.cpp.
/// Threads: safe.   Blocks: never.
/// Source: unix(7) SO_PEERCRED: set by the kernel, for the server's view at connect(2), for the client's view at listen(2).
///
/// If the credentials cannot be determined, the result is an error, never "allowed". In a user namespace that does not map all
/// users, all unmapped users share one uid (user_namespaces(7)), which is refused. Authorise by uid; use the pid only for logs,
/// because pids are reused.

namespace mato {
inline namespace MATO_ABI {

/// The user, group and process at the other end of a socket. The kernel sets them when the connection is made; they do not
/// change later.
struct peer_credentials {
    uid_t uid = static_cast<uid_t>(-1);
    gid_t gid = static_cast<gid_t>(-1);
    pid_t pid = 0;
};

/// @errors ENOTSUP: this system has no peer credentials · any of getsockopt(2).
[[nodiscard]] inline peer_credentials credentials_of(int socket, error_out out);

/// A pidfd of the peer's process, free of races (SO_PEERPIDFD, Linux 6.5). It becomes readable when the process ends.
/// @errors ENOTSUP, ENOPROTOOPT: not on this system. A pidfd is not opened by pid instead, because the pid may have been
/// reused.
[[nodiscard]] inline unique_fd process_of(int socket, error_out out);

/// The groups of the process at the other end of a socket when the connection was made: the effective and the supplementary
/// ones. It may change them later without an effect here.
///
/// Passed to policies that check groups.
///
/// @threads a value.
/// @blocks never.
struct peer_groups {
    std::vector<gid_t> gids{};
    [[nodiscard]] bool has(gid_t group) const noexcept {
        for (const gid_t each : gids)
            if (each == group) return true;
        return false;
    }
};

/// @errors ENOTSUP, ENOPROTOOPT: this system does not tell the groups of a peer (Linux 4.13 does) · any of getsockopt(2).
[[nodiscard]] inline peer_groups groups_of(int socket, error_out out);

/// A policy that looks at groups too. They cost a system call for each client.
template <class P> concept group_policy = requires(const P& policy, const peer_credentials& peer, const peer_groups& groups) {
    { policy.allows(peer, groups) } -> std::same_as<bool>;
};

/// Called before the first byte is read. `checks` is false only for a policy that allows every client.
template <class P> concept peer_policy = std::copyable<P> && requires(const P& policy, const peer_credentials& peer) {
    { P::checks } -> std::convertible_to<bool>;
    requires group_policy<P> || requires {
        { policy.allows(peer) } -> std::same_as<bool>;
    };
};

/// Allows the daemon's own user, and not root.
///
/// The default peer policy.
///
/// @threads safe.
/// @blocks never.
///
/// @code
/// const auto peer = mato::require_peer(session.get(), mato::same_user{}, mato::errc::peer_rejected, why);
/// if (!why) std::printf("uid %d, pid %d\n", static_cast<int>(peer.uid), static_cast<int>(peer.pid));
/// @endcode
struct same_user {
    static constexpr bool checks = true;
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept { return peer.uid == sys::geteuid(); }
};

/// Allows the daemon's own user and root. Refusing root protects little: root can read the process's memory.
///
/// A client uses it to check the daemon.
///
/// @threads safe.
/// @blocks never.
struct same_user_or_root {
    static constexpr bool checks = true;
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept {
        return peer.uid == sys::geteuid() || peer.uid == 0;
    }
};

/// Allows the listed users. They also need access to the endpoint's directory.
///
/// An empty list allows no user.
///
/// @threads a value.
/// @blocks never.
struct uid_set {
    static constexpr bool checks = true;
    std::vector<uid_t> uids{};
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept {
        for (const uid_t uid : uids)
            if (uid == peer.uid) return true;
        return false;
    }
};

/// Allows processes whose effective group is listed. They also need access to the endpoint: see shared_path.hpp.
///
/// An empty list allows no process.
///
/// @threads a value.
/// @blocks never.
struct gid_set {
    static constexpr bool checks = true;
    std::vector<gid_t> gids{};
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept { return peer_groups{gids}.has(peer.gid); }
};

/// Allows processes that are members of a group, by their effective or a supplementary group. A user who is added to the group
/// needs a new login for that, because a running process keeps its groups.
///
/// The default allows no process.
///
/// @threads a value.
/// @blocks never.
struct group_member {
    static constexpr bool checks = true;
    gid_t group = static_cast<gid_t>(-1);
    [[nodiscard]] bool allows(const peer_credentials&, const peer_groups& groups) const noexcept {
        return group != static_cast<gid_t>(-1) && groups.has(group);
    }
};

/// Allows what one of two policies allows, for example root and the members of a group. Policies may be nested.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// const mato::either<mato::same_user_or_root, mato::group_member> policy{{}, {clients_group}};
/// const auto peer = mato::require_peer(session.get(), policy, mato::errc::peer_rejected, why);
/// @endcode
template <class First, class Second> struct either {
    static constexpr bool checks = First::checks && Second::checks;
    First first{};
    Second second{};
    [[nodiscard]] bool allows(const peer_credentials& peer) const requires(!group_policy<First> && !group_policy<Second>) {
        return first.allows(peer) || second.allows(peer);
    }
    [[nodiscard]] bool allows(const peer_credentials& peer, const peer_groups& groups) const
        requires(group_policy<First> || group_policy<Second>) {
        return asks(first, peer, groups) || asks(second, peer, groups);
    }

private:
    template <class P> static bool asks(const P& policy, const peer_credentials& peer, const peer_groups& groups) {
        if constexpr (group_policy<P>)
            return policy.allows(peer, groups);
        else
            return policy.allows(peer);
    }
};

/// Allows every client that can reach the socket. Never a default: it must be named.
///
/// It does not compile with an endpoint that has no file permissions.
///
/// @threads safe.
/// @blocks never.
struct any_peer {
    static constexpr bool checks = false;
    [[nodiscard]] bool allows(const peer_credentials&) const noexcept { return true; }
};

static_assert(peer_policy<same_user> && peer_policy<same_user_or_root> && peer_policy<uid_set> && peer_policy<any_peer>);
static_assert(peer_policy<gid_set> && peer_policy<group_member> && group_policy<either<same_user, group_member>>);

/// Checks a peer: a server passes `errc::peer_rejected` as `refusal`, a client `errc::server_not_trusted`.
/// @returns the credentials, also of a refused peer.
template <class P> peer_credentials require_peer(int socket, const P& policy, errc refusal, error_out out);

// ---- implementation ----

namespace detail {
#if MATO_HAS_PROC
/// Reads the numbers at the start of a short file of proc(5).
class numbers_of_file {
public:
    static constexpr unsigned long long none = ~0ull;

    explicit numbers_of_file(const char* path) noexcept {
        const unique_fd file(sys::open(path, O_RDONLY));
        const ssize_t got = file ? sys::read(file.get(), room_, sizeof room_) : -1;
        size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    /// The next number, of at most eleven digits; else `none`.
    [[nodiscard]] unsigned long long next() noexcept {
        while (at_ < size_ && (room_[at_] == ' ' || room_[at_] == '\n')) ++at_;
        const std::size_t begin = at_;
        unsigned long long value = 0;
        for (; at_ < size_ && room_[at_] >= '0' && room_[at_] <= '9'; ++at_)
            value = value * 10 + static_cast<unsigned long long>(room_[at_] - '0');
        return at_ > begin && at_ - begin < 12 ? value : none;
    }

private:
    char room_[64];
    std::size_t at_ = 0, size_ = 0;
};

/// The id that stands for all that a user namespace does not map.
inline id_t overflow_id(const char* path) noexcept {
    constexpr id_t usual = 65534; // the kernel's default
    const auto read = numbers_of_file(path).next();
    return read <= 0xffff'ffff ? static_cast<id_t>(read) : usual;
}
inline bool maps_all(const char* path) noexcept {
    numbers_of_file map(path); // "0 0 4294967295": every id is mapped
    const auto inside = map.next(), outside = map.next(), count = map.next();
    return inside == 0 && outside == 0 && count == 0xffff'ffff;
}
/// Whether this uid may stand for users that this namespace does not map.
inline bool is_unknown_user(uid_t uid) noexcept {
    static const id_t stand_in = overflow_id("/proc/sys/kernel/overflowuid");
    return uid == stand_in && !maps_all("/proc/self/uid_map");
}
inline bool is_unknown_group(gid_t gid) noexcept {
    static const id_t stand_in = overflow_id("/proc/sys/kernel/overflowgid");
    return gid == stand_in && !maps_all("/proc/self/gid_map");
}
#else
inline bool is_unknown_user(uid_t) noexcept { return false; }
inline bool is_unknown_group(gid_t) noexcept { return false; }
#endif
} // namespace detail

inline peer_credentials credentials_of(int socket, error_out out) {
    peer_credentials peer;
#if MATO_HAS_PEERCRED
    ucred kernel{};
    socklen_t size = sizeof kernel;
    if (sys::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &kernel, &size) == -1)
        return out.set(last_error(), "read peer credentials"), peer;
    peer = {kernel.uid, kernel.gid, kernel.pid};
#else
    static_cast<void>(socket);
    out.set({ENOTSUP, std::system_category()}, "read peer credentials");
#endif
    return peer;
}

inline peer_groups groups_of(int socket, error_out out) {
    peer_groups groups;
#if MATO_HAS_PEERGROUPS
    const auto effective = credentials_of(socket, out);
    if (out.failed()) return groups;
#ifdef SO_PEERGROUPS
    constexpr int option = SO_PEERGROUPS;
#else
    constexpr int option = 59; // asm-generic/socket.h
#endif
    groups.gids.resize(32); // more than most users have
    for (;;) {
        auto size = static_cast<socklen_t>(groups.gids.size() * sizeof(gid_t));
        const int got = sys::getsockopt(socket, SOL_SOCKET, option, groups.gids.data(), &size);
        if (got == -1 && (errno != ERANGE || size / sizeof(gid_t) <= groups.gids.size()))
            return out.fail<peer_groups>(last_error(), "read peer groups");
        groups.gids.resize(size / sizeof(gid_t)); // after ERANGE: the size that is needed, at most 65 536 groups
        if (got == 0) break;
    }
    if (!groups.has(effective.gid)) groups.gids.push_back(effective.gid);
    std::erase_if(groups.gids, detail::is_unknown_group);
#else
    static_cast<void>(socket);
    out.set({ENOTSUP, std::system_category()}, "read peer groups");
#endif
    return groups;
}

inline unique_fd process_of(int socket, error_out out) {
#if MATO_HAS_PEERPIDFD
#ifdef SO_PEERPIDFD
    constexpr int option = SO_PEERPIDFD;
#else
    constexpr int option = 77; // asm-generic/socket.h; the C library's headers may be older than the kernel
#endif
    int fd = -1;
    socklen_t size = sizeof fd;
    if (sys::getsockopt(socket, SOL_SOCKET, option, &fd, &size) == 0) return unique_fd(fd); // the kernel sets close-on-exec
    out.set(last_error(), "open peer process");
#else
    static_cast<void>(socket);
    out.set({ENOTSUP, std::system_category()}, "open peer process");
#endif
    return {};
}

template <class P> peer_credentials require_peer(int socket, const P& policy, errc refusal, error_out out) {
    static_assert(peer_policy<P>, "mato: the peer policy needs `checks` and `bool allows(const peer_credentials&) const`");
    const auto peer = credentials_of(socket, out);
    if (out.failed()) return peer;
    if (P::checks && detail::is_unknown_user(peer.uid))
        return out.set(refusal, "check peer", {},
                       make_error_code(refusal).message() + ": uid " + std::to_string(peer.uid) +
                           " stands for all users that this user namespace does not map"),
               peer;
    bool is_allowed = false;
    if constexpr (group_policy<P>) {
        const auto groups = groups_of(socket, out);
        if (out.failed()) return peer;
        is_allowed = policy.allows(peer, groups);
    } else {
        auto known = peer;
        if (P::checks && detail::is_unknown_group(peer.gid)) known.gid = static_cast<gid_t>(-1);
        is_allowed = policy.allows(known);
    }
    if (is_allowed) return peer;
    out.set(refusal, "check peer", {},
            make_error_code(refusal).message() + ": uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid));
    return peer;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/pid_file.hpp ----
/// @file pid_file.hpp: writes the daemon's pid to a file for people and scripts.
/// Layer: 2 (policy).  Test: test/toolkit/pid_file_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never (one small file).
/// Fork: write it in the final process; in a forked child the destructor does not remove the file.
///
/// The file is only for information. Use the lock to find whether a daemon runs (lock.hpp), and the socket's credentials to
/// find which process answers.

namespace mato {
inline namespace MATO_ABI {

/// Keeps the daemon's pid in a place where others can find it while the daemon runs.
template <class P> concept pid_registry = std::movable<P> && requires(const std::string& path, error_out out) {
    { P::create(path, out) } -> std::same_as<P>;
};

/// Writes "<pid>\n", mode 0600, to a temporary name and renames it: a reader sees the old file or the complete new one.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork in a child the destructor does not remove the file.
/// @blocks never.
///
/// @code
/// const auto file = mato::pid_file::create(path); // removed at the end of the scope
/// mato::failure why;
/// const pid_t pid = mato::pid_file::read(path, why);
/// if (!why) std::printf("running, pid %d\n", static_cast<int>(pid));
/// @endcode
class pid_file {
public:
    pid_file() noexcept = default;
    pid_file(pid_file&& other) noexcept { swap(other); }
    pid_file& operator=(pid_file&& other) noexcept {
        pid_file taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~pid_file() { remove(); }

    /// @errors any of open(2), write(2), rename(2); the temporary file is then removed.
    [[nodiscard]] static pid_file create(const std::string& path, error_out out) { return create(path, sys::getpid(), out); }
    /// With the number of another process, for which this one writes and removes the file.
    [[nodiscard]] static pid_file create(const std::string& path, pid_t number, error_out out);
    [[nodiscard]] static pid_file create(const std::string& path) {
        return or_throw([&](failure& why) { return create(path, why); });
    }

    /// Reads the pid: a positive decimal number, at most one newline, and nothing else.
    /// @errors ENOENT and others of open(2) · malformed: not a pid; 0 and -1 never reach kill(2).
    [[nodiscard]] static pid_t read(const std::string& path, error_out out);

    /// Parses the text of a pid file; 0 if it is not valid. Pure.
    [[nodiscard]] static pid_t parse(std::string_view text) noexcept;

    /// Removes the file if it still is the one that this object wrote in this process.
    void remove() noexcept;

private:
    void swap(pid_file& other) noexcept {
        path_.swap(other.path_);
        std::swap(device_, other.device_);
        std::swap(inode_, other.inode_);
        std::swap(owner_, other.owner_);
    }

    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    pid_t owner_ = 0;
};

/// Writes no file, because the lock file already contains the pid.
///
/// For daemons that need only one file.
///
/// @threads safe.
/// @blocks never.
struct locked_pid_file {
    [[nodiscard]] static locked_pid_file create(const std::string&, error_out) { return {}; }
};

/// Writes no file: for a daemon whose supervisor knows its pid.
///
/// The service manager or container already tracks the process.
///
/// @threads safe.
/// @blocks never.
struct no_pid_file {
    [[nodiscard]] static no_pid_file create(const std::string&, error_out) { return {}; }
};

static_assert(pid_registry<pid_file> && pid_registry<locked_pid_file> && pid_registry<no_pid_file>);

// ---- implementation ----

inline pid_file pid_file::create(const std::string& path, pid_t number, error_out out) {
    const std::string text = std::to_string(number) + "\n";
    const std::string fresh = path + ".new"; // fixed: only the lock's holder writes here
    sys::unlink(fresh.c_str());
    const auto fail = [&](const char* step) { return out.fail<pid_file>(last_error(), step, path); };
    const unique_fd fd(sys::open_private(fresh.c_str(), O_WRONLY | O_EXCL | O_NOFOLLOW));
    if (!fd) return fail("create pid file");
    scope_exit undo([&] { sys::unlink(fresh.c_str()); });
    const ssize_t written = sys::write(fd.get(), text.data(), text.size());
    if (written >= 0 && written != static_cast<ssize_t>(text.size())) errno = ENOSPC;
    if (written != static_cast<ssize_t>(text.size())) return fail("write pid file");
    struct ::stat made {};
    if (sys::fstat(fd.get(), &made) == -1) return fail("stat pid file");
    if (sys::rename(fresh.c_str(), path.c_str()) == -1) return fail("rename pid file");
    undo.dismiss();
    pid_file result;
    result.path_ = path;
    result.device_ = made.st_dev;
    result.inode_ = made.st_ino;
    result.owner_ = sys::getpid();
    return result;
}

inline pid_t pid_file::parse(std::string_view text) noexcept {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.size() > std::numeric_limits<pid_t>::digits10 + 1)
        return 0; // leading zeros: a number, but this toolkit did not write it
    pid_t pid = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), pid);
    return why == std::errc() && rest == text.data() + text.size() && pid > 0 ? pid : 0;
}

inline pid_t pid_file::read(const std::string& path, error_out out) {
    const unique_fd fd(sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) return out.fail<pid_t>(last_error(), "open pid file", path);
    char text[32]; // a pid has at most 10 digits; a longer file is not a pid file
    const ssize_t got = sys::read(fd.get(), text, sizeof text);
    if (got < 0) return out.fail<pid_t>(last_error(), "read pid file", path);
    const pid_t pid = parse({text, static_cast<std::size_t>(got)});
    if (pid == 0) out.set(errc::malformed, "read pid file", path, "the file does not contain a process id");
    return pid;
}

inline void pid_file::remove() noexcept {
    if (owner_ == 0 || owner_ != sys::getpid()) return;
    struct ::stat named {};
    if (sys::lstat(path_.c_str(), &named) == 0 && named.st_dev == device_ && named.st_ino == inode_) sys::unlink(path_.c_str());
    owner_ = 0;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/readiness.hpp ----
/// @file readiness.hpp: reports to the starter that the daemon is ready, or the daemon's own error.
/// Layer: 2 (policy).  Test: test/toolkit/readiness_test.cpp, test/toolkit/sd_notifier_test.cpp.
/// Threads: one object, one thread.   Blocks: `wait`, until its deadline; sd_notifier, see there; nothing else.
/// Fork: open the pipe before it. After it, call `become_starter` in the starter and `become_daemon` in the daemon immediately:
/// a
///       write end left open in the starter would hide the daemon's death.
/// Source: pipe(7); s6 "notification-fd" (one newline, then close); sd_notify(3).
///
/// The pipe carries one report, "ready" or a `failure`. End-of-file without a report means that the daemon died.

namespace mato {
inline namespace MATO_ABI {

/// Reports to the waiting process, once. Later calls are ignored.
/// @pre SIGPIPE is ignored or blocked, because the waiting process may have exited.
template <class R> concept readiness_channel = std::movable<R> && requires(R channel, const failure& why) {
    { channel.ready() } -> std::same_as<void>;
    { channel.fail(why) } -> std::same_as<void>;
};

/// A pipe between the starter and the daemon that it forks.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork open it before; call `become_starter` and `become_daemon` after it.
/// @blocks only `wait`, until its deadline.
///
/// @code
/// auto pipe = mato::readiness_pipe::open(why);
/// const int keep[] = {pipe.starter_fd(), pipe.daemon_fd()};
/// if (mato::double_fork::detach({keep}, why) == mato::detach_role::starter) {
///     pipe.become_starter();
///     if (!why) pipe.wait(mato::deadline::in(std::chrono::seconds(10)), why);
///     return why ? 1 : 0; // the daemon's result
/// @endcode
class readiness_pipe {
public:
    readiness_pipe() noexcept = default;
    [[nodiscard]] static readiness_pipe open(error_out out);

    void become_starter() noexcept { write_end_.reset(); }
    void become_daemon() noexcept { read_end_.reset(); }
    /// Keep both open while detaching; each process then closes the other's end. -1: closed.
    [[nodiscard]] int starter_fd() const noexcept { return read_end_.get(); }
    [[nodiscard]] int daemon_fd() const noexcept { return write_end_.get(); }

    void ready() noexcept;
    void fail(const failure& why);

    /// For the starter: returns when the daemon is ready.
    /// @errors the daemon's own failure · not_ready: it ended without a report · timed_out: no report in time.
    void wait(deadline until, error_out out);

    [[nodiscard]] static std::string encode(const failure& why);                 ///< at most `max_report` bytes
    [[nodiscard]] static std::optional<failure> decode(std::string_view report); ///< empty: not a report; pure

    static constexpr std::size_t max_report = 4096; // PIPE_BUF on Linux: writes up to this size are atomic

private:
    unique_fd read_end_, write_end_;
};

/// A descriptor from a supervisor, for example `--notify-fd 3`: gets one newline when ready, and is closed in any case.
///
/// End-of-file without a newline tells the supervisor that the start failed.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork each process has its own copy.
/// @blocks never.
class notification_descriptor {
public:
    notification_descriptor() noexcept = default;
    explicit notification_descriptor(unique_fd fd) noexcept : fd_(std::move(fd)) {}
    void ready() noexcept {
        if (fd_) static_cast<void>(sys::write(fd_.get(), "\n", 1));
        fd_.reset();
    }
    void fail(const failure&) { fd_.reset(); }

private:
    unique_fd fd_;
};

/// Reports to a service manager with the datagrams of sd_notify(3), without libsystemd. An empty notifier does nothing.
///
/// Unlike the other channels it can be used after `ready`. A datagram that cannot be delivered is dropped; the manager's own
/// time-outs then apply. @blocks ready, reloading, stopping, main_pid and fail: at most `patience` if the manager does not
/// read; the others never.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork both processes may notify, if the unit has NotifyAccess=all.
///
/// @code
/// auto manager = mato::sd_notifier::open("", why); // NOTIFY_SOCKET, from take_service_environment
/// manager.status("loading");
/// manager.ready(); // no effect without a manager
/// @endcode
class sd_notifier {
public:
    sd_notifier() noexcept = default;
    /// `address` is the value of NOTIFY_SOCKET: a path, or "@name" for an abstract name. Empty gives an empty notifier.
    /// @errors EAFNOSUPPORT: another kind of address · filename_too_long · EMFILE and others of socket(2).
    [[nodiscard]] static sd_notifier open(std::string_view address, error_out out);

    void ready() noexcept { tell("READY=1"); } ///< also after each `reloading`, successful or not
    void reloading() noexcept;                 ///< "RELOADING=1" and the time, for Type=notify-reload
    void stopping() noexcept { tell("STOPPING=1"); }
    void watchdog() noexcept { tell("WATCHDOG=1", MSG_DONTWAIT); }
    void status(std::string_view text); ///< one line for people; newlines become spaces
    void main_pid(pid_t pid);           ///< after a fork, before `ready`; the unit needs NotifyAccess=all
    void fail(const failure& why);      ///< sends the reason as STATUS, and as ERRNO if it has one

    /// While the daemon starts, reloads or stops: it needs this much more time, from now on. The manager ends a daemon that
    /// exceeds its time-out and has not asked for more.
    void extend_timeout(std::chrono::microseconds by);
    /// Waits until the manager has processed everything sent before. @errors timed_out · any of pipe(2), sendmsg(2). No effect
    /// without a manager.
    void barrier(deadline until, error_out out) const;
    /// Gives the manager a copy of a descriptor, which the next process of the unit gets with this name in
    /// service_environment::sockets; the unit needs FileDescriptorStoreMax=.
    /// @errors EINVAL: not a name of 1 to 255 printable characters without ':' · any of sendmsg(2). No effect without a
    /// manager.
    void store(int fd, std::string_view name, error_out out) const;
    void remove_stored(std::string_view name); ///< closes the manager's copies with this name

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(socket_); }

    static constexpr std::chrono::seconds patience{1};

private:
    static std::string status_line(std::string_view text);
    void tell(std::string_view message, int flags = 0) const noexcept;
    void pass(std::string_view message, int fd, error_out out) const;

    unix_address address_;
    unique_fd socket_; // not connected: a restarted manager has a new socket with the same name
};

/// Reports to all of the three that exist; possibly none.
///
/// The readiness channel of `basic_daemon`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks as its parts.
struct auto_ready {
    readiness_pipe pipe{};
    notification_descriptor descriptor{};
    sd_notifier manager{};
    void ready() noexcept {
        manager.ready();
        descriptor.ready();
        pipe.ready();
    }
    void fail(const failure& why) {
        manager.fail(why);
        descriptor.fail(why);
        pipe.fail(why);
    }
};

static_assert(readiness_channel<readiness_pipe> && readiness_channel<notification_descriptor> &&
              readiness_channel<sd_notifier> && readiness_channel<auto_ready>);

// ---- implementation ----

inline readiness_pipe readiness_pipe::open(error_out out) {
    readiness_pipe channel;
    int ends[2];
    if (sys::pipe(ends) == -1) return out.fail<readiness_pipe>(last_error(), "open readiness pipe");
    channel.read_end_ = unique_fd(ends[0]);
    channel.write_end_ = unique_fd(ends[1]);
    return channel;
}

inline void readiness_pipe::ready() noexcept {
    if (write_end_) static_cast<void>(sys::write(write_end_.get(), "R", 1));
    write_end_.reset();
}

inline void readiness_pipe::fail(const failure& why) {
    if (!write_end_) return;
    const std::string report = encode(why);
    static_cast<void>(sys::write(write_end_.get(), report.data(), report.size()));
    write_end_.reset();
}

// 'F', category ('S' system, 'M' mato, 'O' other), the value in decimal, step, path, detail; a NUL after each text.
inline std::string readiness_pipe::encode(const failure& why) {
    const bool system = why.code.category() == std::system_category();
    const bool ours = std::string_view(why.code.category().name()) == mato_category().name();
    std::string report = {'F', system ? 'S' : ours ? 'M' : 'O'};
    const std::string detail = system || ours ? why.detail : why.detail.empty() ? why.code.message() : why.detail;
    const int value = system || ours ? why.code.value() : 1; // the starter cannot name another category's number
    for (const std::string& text : {std::to_string(value), why.step, why.path, detail}) {
        // Each field is cut so that all four fit. It is also cut at a NUL, because NUL separates the fields.
        report += std::string_view(text.c_str()).substr(0, max_report / 4 - 4);
        report += '\0';
    }
    return report;
}

inline std::optional<failure> readiness_pipe::decode(std::string_view report) {
    if (report.size() < 2 || report.size() > max_report || report[0] != 'F') return std::nullopt;
    const char kind = report[1];
    report.remove_prefix(2);
    std::string fields[4];
    for (std::string& field : fields) {
        const auto end = report.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        field = report.substr(0, end);
        report.remove_prefix(end + 1);
    }
    int value = 0;
    for (const char digit : fields[0]) {
        if (digit < '0' || digit > '9' || value > 1'000'000) return std::nullopt; // no errno is that large
        value = value * 10 + (digit - '0');
    }
    if (value == 0 || !report.empty()) return std::nullopt;
    failure why{{}, std::move(fields[1]), std::move(fields[2]), std::move(fields[3])};
    switch (kind) {
    case 'S': why.code = {value, std::system_category()}; break;
    case 'M': why.code = {value, mato_category()}; break;
    case 'O': why.code = errc::not_ready; break; // a category that only the daemon has: its text is kept in the detail
    default: return std::nullopt;
    }
    return why;
}

inline void readiness_pipe::wait(deadline until, error_out out) {
    std::string report;
    const unique_fd fd = std::move(read_end_);
    if (!fd) return out.set(errc::not_ready, "wait for the daemon", {}, "the readiness pipe is not open");
    for (;;) {
        pollfd readable{fd.get(), POLLIN, 0};
        const int polled = sys::poll(&readable, 1, until.poll_timeout());
        if (polled == -1 && errno != EINTR) return out.set(last_error(), "wait for the daemon");
        if (polled <= 0) {
            if (until.passed())
                return out.set(errc::timed_out, "wait for the daemon", {},
                               "the daemon started but was not ready in time; see its log");
            continue;
        }
        char buffer[512];
        const ssize_t got = sys::read(fd.get(), buffer, sizeof buffer);
        if (got < 0) return out.set(last_error(), "wait for the daemon");
        if (got > 0) report.append(buffer, static_cast<std::size_t>(got));
        if (report == "R") return;
        if (got > 0 && report.size() <= max_report) continue;
        if (auto why = decode(report)) return out.set(*why);
        return out.set(errc::not_ready, "wait for the daemon", {}, "the daemon ended before it was ready; see its log");
    }
}

inline sd_notifier sd_notifier::open(std::string_view address, error_out out) {
    sd_notifier notifier;
    if (address.empty()) return notifier;
    if (address[0] != '/' && address[0] != '@') {
        return out.fail<sd_notifier>({EAFNOSUPPORT, std::system_category()}, "open notify socket", address);
    }
    notifier.address_ =
        address[0] == '@' ? unix_address::of_abstract_name(address.substr(1), out) : unix_address::of_path(address, out);
    if (out.failed()) return notifier;
    unique_fd socket(sys::unix_datagram_socket());
    const struct timeval limit { detail::number_cast<decltype(timeval::tv_sec)>(patience.count()), 0 };
    if (!socket || sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == -1)
        out.set(last_error(), "open notify socket", address);
    else
        notifier.socket_ = std::move(socket);
    return notifier;
}

inline void sd_notifier::tell(std::string_view message, int flags) const noexcept {
    if (socket_)
        static_cast<void>(sys::sendto(socket_.get(), message.data(), message.size(), flags, address_.data(), address_.size()));
}

inline void sd_notifier::reloading() noexcept {
    if (!socket_) return;
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    char text[64];
    const int size = std::snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                                   static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
    tell({text, static_cast<std::size_t>(size)});
}

inline std::string sd_notifier::status_line(std::string_view text) {
    std::string message = std::string("STATUS=").append(text);
    for (char& c : message)
        if (c == '\n') c = ' ';
    return message;
}

inline void sd_notifier::status(std::string_view text) { tell(status_line(text), MSG_DONTWAIT); }

inline void sd_notifier::main_pid(pid_t pid) {
    if (socket_) tell(std::string("MAINPID=").append(std::to_string(pid)));
}

inline void sd_notifier::extend_timeout(std::chrono::microseconds by) {
    if (socket_) tell("EXTEND_TIMEOUT_USEC=" + std::to_string(by.count() > 0 ? by.count() : 0));
}

inline void sd_notifier::pass(std::string_view message, int fd, error_out out) const {
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {}; // aligned as CMSG_DATA needs it (cmsg(3))
    iovec text{const_cast<char*>(message.data()), message.size()};
    msghdr datagram{};
    datagram.msg_name = const_cast<sockaddr*>(address_.data());
    datagram.msg_namelen = address_.size();
    datagram.msg_iov = &text;
    datagram.msg_iovlen = 1;
    datagram.msg_control = control;
    datagram.msg_controllen = sizeof control;
    cmsghdr* const head = CMSG_FIRSTHDR(&datagram);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
    if (sys::sendmsg(socket_.get(), &datagram) == -1) out.set(last_error(), "notify the service manager");
}

inline void sd_notifier::barrier(deadline until, error_out out) const {
    if (!socket_) return;
    int ends[2];
    if (sys::pipe(ends) == -1) return out.set(last_error(), "wait for the service manager");
    const unique_fd read_end(ends[0]);
    unique_fd write_end(ends[1]);
    pass("BARRIER=1", write_end.get(), out);
    write_end.reset(); // the manager closes its copy when it has come so far
    while (!out.failed()) {
        pollfd wait{read_end.get(), 0, 0};
        const int ended = sys::poll(&wait, 1, until.poll_timeout());
        if (ended > 0) return;
        if (ended == -1 && errno != EINTR) return out.set(last_error(), "wait for the service manager");
        if (until.passed()) return out.set(errc::timed_out, "wait for the service manager");
    }
}

inline void sd_notifier::store(int fd, std::string_view name, error_out out) const {
    bool is_name = !name.empty() && name.size() <= 255;
    for (const char each : name) is_name = is_name && each > ' ' && each < 0x7f && each != ':';
    if (!is_name)
        return out.set({EINVAL, std::system_category()}, "store a descriptor", name,
                       "a name has 1 to 255 printable characters and no ':'");
    if (socket_) pass(std::string("FDSTORE=1\nFDNAME=").append(name), fd, out);
}

inline void sd_notifier::remove_stored(std::string_view name) {
    if (socket_) tell(std::string("FDSTOREREMOVE=1\nFDNAME=").append(name));
}

inline void sd_notifier::fail(const failure& why) {
    if (!socket_) return;
    std::string message = status_line(why.message());
    if (why.code.category() == std::system_category()) message.append("\nERRNO=").append(std::to_string(why.code.value()));
    tell(message);
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/retry.hpp ----
/// @file retry.hpp: retries after transient errors, with growing waits and a time limit.
/// Layer: 2 (policy).  Test: test/toolkit/retry_test.cpp.
/// Threads: distinct objects are independent.   Blocks: `retry`, at most `total`; `backoff` never.
/// Source: "full jitter": each wait is uniform in [0, cap], so that clients that failed together do not retry together.

namespace mato {
inline namespace MATO_ABI {

/// `next` returns the next wait, or empty to give up.
template <class B> concept backoff_policy = std::copyable<B> && requires(B policy, clock::time_point now) {
    { policy.next(now) } -> std::same_as<std::optional<milliseconds>>;
};

/// The options of `exponential_backoff`. The defaults suit a client that waits for a daemon to start.
struct backoff_options {
    milliseconds first{2};     ///< cap of the first wait
    milliseconds longest{250}; ///< largest cap
    milliseconds total{5000};  ///< time limit from the first failure; the last wait is shortened to end there
};

/// Doubles the cap of each wait, with full jitter, and gives up after a total time.
///
/// The default backoff policy.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// const int answer = mato::retry(
///     [attempts = 0](mato::error_out out) mutable {
///         if (++attempts < 3) out.set(mato::errc::busy, "ask");
///         return attempts;
///     },
///     why, mato::exponential_backoff({.total = std::chrono::seconds(10)}));
/// if (!why) std::printf("succeeded at attempt %d\n", answer);
/// @endcode
class exponential_backoff {
public:
    /// The seed must differ between processes that fail together; the default does.
    explicit exponential_backoff(backoff_options options = {}, std::uint64_t seed = process_seed())
        : options_(options), cap_(options.first), random_(seed) {}

    [[nodiscard]] std::optional<milliseconds> next(clock::time_point now) {
        if (give_up_at_ == clock::time_point()) give_up_at_ = detail::later(now, options_.total);
        if (now >= give_up_at_) return std::nullopt;
        const milliseconds cap = cap_ < milliseconds(0) ? milliseconds(0) : cap_;
        cap_ = cap < options_.longest / 2 ? cap * 2 : options_.longest;
        const milliseconds wait(static_cast<milliseconds::rep>(draw() % (static_cast<std::uint64_t>(cap.count()) + 1)));
        const auto left = std::chrono::ceil<milliseconds>(give_up_at_ - now);
        return wait < left ? wait : left;
    }

private:
    static std::uint64_t process_seed() noexcept {
        const auto time = static_cast<std::uint64_t>(clock::now().time_since_epoch().count());
        const auto pid = static_cast<std::uint64_t>(sys::getpid());
        return time ^ (pid << 40);
    }
    /// SplitMix64 (Steele, Lea, Flood 2014). Including <random> would double the compile time of this header.
    std::uint64_t draw() noexcept {
        std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    backoff_options options_;
    milliseconds cap_;
    clock::time_point give_up_at_{}; // the first wait sets it
    std::uint64_t random_;
};

static_assert(backoff_policy<exponential_backoff>);

/// The clock and the sleep of `retry`; tests replace it.
///
/// It blocks the calling thread.
///
/// @threads safe.
/// @blocks `wait`, for the given time.
struct thread_sleeper {
    [[nodiscard]] clock::time_point now() const noexcept { return clock::now(); }
    void wait(milliseconds span) const noexcept { sys::sleep_ms(detail::number_cast<long>(span.count())); }
};

/// Calls `attempt(error_out)` until it succeeds, fails with an error that is not `cond::transient`, or the policy gives up.
/// Then the last error is reported. @returns the result of the last call.
template <class Attempt, class Backoff = exponential_backoff, class Sleeper = thread_sleeper>
auto retry(Attempt attempt, error_out out, Backoff policy = Backoff(), Sleeper sleeper = {}) {
    static_assert(backoff_policy<Backoff>,
                  "mato: a backoff policy needs `std::optional<milliseconds> next(clock::time_point)`, see retry.hpp");
    for (;;) {
        failure why;
        auto result = attempt(error_out(why));
        if (!why) return result;
        const auto wait = why.code == cond::transient ? policy.next(sleeper.now()) : std::nullopt;
        if (!wait) {
            out.set(why);
            return result;
        }
        sleeper.wait(*wait);
    }
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/shutdown.hpp ----
/// @file shutdown.hpp: decides when a stop is graceful and when it is forced.
/// Layer: 2 (policy).  Test: test/toolkit/shutdown_test.cpp.
/// Pure: no clock, no signals; the caller passes requests in and does what is returned.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {

/// What to do on a request to stop. Returned by a shutdown policy; the caller does it.
enum class stop_action {
    none,  ///< nothing new to do
    begin, ///< stop accepting, end work gracefully, start the deadline
    force, ///< end everything immediately
};

/// Decides what to do on each request to stop, and how long a graceful stop may take.
template <class S> concept shutdown_policy = std::copyable<S> && requires(S policy, const S& constant) {
    { policy.requested() } -> std::same_as<stop_action>;
    { constant.grace() } -> std::same_as<milliseconds>;
};

/// The first request stops gracefully, the second by force. The caller also forces the stop when `grace` has passed.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// mato::graceful_then_force shutdown(std::chrono::seconds(10));
/// const auto begin = shutdown.requested(); // SIGTERM: stop accepting, finish work within shutdown.grace()
/// const auto force = shutdown.requested(); // a second SIGTERM: end immediately
/// @endcode
class graceful_then_force {
public:
    /// Enough for programs to end (2 s) and a slow disk; the usual limit of a supervisor is 90 s.
    static constexpr milliseconds default_grace{10'000};

    explicit graceful_then_force(milliseconds grace = default_grace) noexcept : grace_(grace) {}
    [[nodiscard]] milliseconds grace() const noexcept { return grace_; }
    stop_action requested() noexcept {
        if (requests_ == 2) return stop_action::none;
        return ++requests_ == 1 ? stop_action::begin : stop_action::force;
    }

private:
    milliseconds grace_;
    int requests_ = 0;
};

/// Every request forces the stop: for a daemon that has no work to finish.
///
/// Its grace period is zero.
///
/// @threads a value.
/// @blocks never.
class immediate {
public:
    [[nodiscard]] static constexpr milliseconds grace() noexcept { return milliseconds(0); }
    [[nodiscard]] static stop_action requested() noexcept { return stop_action::force; }
};

static_assert(shutdown_policy<graceful_then_force> && shutdown_policy<immediate>);

} // namespace MATO_ABI
} // namespace mato

// ---- mato/signals.hpp ----
/// @file signals.hpp: delivers signals through a readable descriptor; no handler does work.
/// Layer: 2 (policy).  Test: test/toolkit/signals_test.cpp.
/// Threads: one source per process, opened before the first thread, so that every thread inherits its mask.
/// Fork: open it after the last fork. Call `reset_signals` in children before exec: mask and SIG_IGN survive exec (execve(2)).
/// Blocks: never.   Source: signalfd(2), signal-safety(7), pthread_sigmask(3).
///
/// Signals coalesce: reading a signal means that it arrived at least once since the last read.

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

// ---- mato/status.hpp ----
/// @file status.hpp: memory, processor time and uptime of this process.
/// Layer: 2 (policy).  Test: test/toolkit/status_test.cpp.
/// Threads: safe; one `usage_meter`, one thread.   Blocks: never (reads proc(5)).

namespace mato {
inline namespace MATO_ABI {

/// Memory and processor time of a process at one moment. Returned by a usage source.
struct process_usage {
    std::uint64_t memory_bytes = 0; ///< resident set; 0: not known
    milliseconds cpu_time{};        ///< user and system, all threads, since the start
};

/// A source of usage figures.
template <class S> concept usage_source = requires(const S& source) {
    { source.sample() } -> std::same_as<process_usage>;
};

/// The usage of the calling process, from /proc/self/statm and clock_gettime(2).
///
/// The default source.
///
/// @threads safe.
/// @blocks never (reads proc(5)).
struct self_usage {
    [[nodiscard]] process_usage sample() const;
};
static_assert(usage_source<self_usage>);

/// Measures processor use between two calls of `ask`, in percent of one core. The first answer covers the time since
/// construction.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
///
/// @code
/// mato::usage_meter<> meter;
/// const auto now = meter.ask();
/// std::printf("up %s, %s, %.1f %%\n", mato::format_duration(now.uptime).c_str(),
///             mato::format_bytes(now.usage.memory_bytes).c_str(), now.cpu_percent);
/// @endcode
template <class Source = self_usage> class usage_meter {
    static_assert(usage_source<Source>, "mato: a usage source needs `process_usage sample() const`");

public:
    explicit usage_meter(Source source = {}, clock::time_point now = clock::now())
        : source_(source), started_(now), asked_(now), cpu_(source_.sample().cpu_time) {}

    struct answer {
        process_usage usage;
        double cpu_percent;
        std::chrono::seconds uptime;
    };
    [[nodiscard]] answer ask(clock::time_point now = clock::now()) {
        const auto usage = source_.sample();
        // An interval below a second is too short to measure: return the former percentage.
        if (now - asked_ >= std::chrono::seconds(1) || percent_ < 0) {
            const double wall = std::chrono::duration<double, std::milli>(now - asked_).count();
            const double busy = static_cast<double>((usage.cpu_time - cpu_).count());
            percent_ = wall > 0 ? 100.0 * busy / wall : 0.0;
            asked_ = now;
            cpu_ = usage.cpu_time;
        }
        return {usage, percent_, std::chrono::duration_cast<std::chrono::seconds>(now - started_)};
    }

private:
    Source source_;
    clock::time_point started_, asked_;
    milliseconds cpu_{};
    double percent_ = -1;
};

/// "45s", "12m 3s", "2h 15m", "3d 4h": the two largest units.
[[nodiscard]] std::string format_duration(std::chrono::seconds span);
/// "512 B", "45 KB", "45 MB", "1.5 GB": units of 1024.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// Local time, "2026-02-21 16:00:00".
[[nodiscard]] std::string format_time(std::time_t when);

// ---- implementation ----

inline process_usage self_usage::sample() const {
    process_usage usage;
#if MATO_HAS_PROC
    if (const unique_fd fd(sys::open("/proc/self/statm", O_RDONLY)); fd) { // "size resident …", in pages
        char text[128];
        const ssize_t got = sys::read(fd.get(), text, sizeof text);
        const std::string_view line(text, static_cast<std::size_t>(got > 0 ? got : 0));
        const auto resident = line.find(' ');
        std::uint64_t pages = 0;
        if (resident != std::string_view::npos) std::from_chars(line.data() + resident + 1, line.data() + line.size(), pages);
        usage.memory_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
#endif
    struct timespec spent {};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) == 0)
        usage.cpu_time = milliseconds(spent.tv_sec * 1000 + spent.tv_nsec / 1'000'000);
    return usage;
}

inline std::string format_duration(std::chrono::seconds span) {
    const auto s = span.count();
    const auto two = [](long long big, const char* b, long long small, const char* t) {
        return std::to_string(big) + b + " " + std::to_string(small) + t;
    };
    if (s < 60) return std::to_string(s) + "s";
    if (s < 3600) return two(s / 60, "m", s % 60, "s");
    if (s < 86'400) return two(s / 3600, "h", s % 3600 / 60, "m");
    return two(s / 86'400, "d", s % 86'400 / 3600, "h");
}

inline std::string format_bytes(std::uint64_t bytes) {
    constexpr const char* units[] = {"B", "KB", "MB", "GB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit < 3; ++unit) value /= 1024;
    char text[32];
    const bool fraction = unit == 3 && value < 10;
    std::snprintf(text, sizeof text, fraction ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

inline std::string format_time(std::time_t when) {
    std::tm local{};
    ::localtime_r(&when, &local);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local)};
}

} // namespace MATO_ABI
} // namespace mato
#ifdef MATO_WITH_TOML

// ---- mato/config.hpp ----
/// @file config.hpp: reads a TOML file into a struct, completely or not at all.
/// Layer: 2 (policy), the only header with toml++.  Test: test/toolkit/config_test.cpp, test/fuzz/config_fuzz.cpp.
/// Threads: distinct objects are independent; a finished schema may be read from several threads.   Blocks: while reading the
/// file.
///
/// A schema lists the keys, their types, and the member that each key sets. Unknown keys, wrong types, bad values and syntax
/// errors are `errc::invalid_config`; the detail is "FILE:LINE:COL: why", lines and columns from 1.

#if !__has_include(<toml++/toml.hpp>) && !__has_include(<toml++/toml.h>)
#error "mato: toml++ was not found, install it (Debian: libtomlplusplus-dev) or add -I; config.hpp alone needs it"
#endif

#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>
#else
#include <toml++/toml.h>
#endif

#include <algorithm>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {
namespace config {

/// Converts one TOML value to a T. Specialise it for your own types: `read` returns empty for a wrong value, `expected`
/// describes a right one. Provided: bool, integers, floating point, std::string, std::chrono::milliseconds ("250ms", "2s",
/// "5m"), enumerations with `enum_words`, paths such as std::filesystem::path; and of all readable types std::vector,
/// std::optional (a key that is absent leaves it as it is) and std::map with std::string as its key.
template <class T> struct value_reader;

/// std::filesystem::path, or a type like it; this header does not include its header.
template <class P> concept path_like = requires(const P& path) {
    typename P::string_type;
    path.lexically_normal();
};

/// The words of an enumeration in a configuration. Specialise it with
/// `static constexpr std::pair<std::string_view, E> words[] = {{"fast", E::fast}, …};`. Two words may mean one value.
template <class E> struct enum_words;

template <class T> concept readable = requires(const toml::node& node) {
    { value_reader<T>::read(node) } -> std::same_as<std::optional<T>>;
    { value_reader<T>::expected() } -> std::convertible_to<std::string>;
};

/// The keys of one TOML table and the members of `Value` that they set. Build it once, use it as `const`.
///
/// @threads a finished schema may be read from several threads. @blocks only `load`, while reading the file.
///
/// @code
/// mato::config::schema<settings> keys;
/// keys.field("greeting", &settings::greeting).field("most", &settings::most);
/// auto config = std::make_shared<mato::config::reloadable<settings>>(keys, options.paths.file("config.toml"));
/// mato::failure invalid;
/// config->reload(invalid); // in the starter, so that the user sees errors on the terminal
/// if (invalid) return report(invalid);
/// @endcode
template <class Value> class schema {
public:
    /// `key` sets `member`. `check` returns an empty string, or the reason why a value of the right type is not allowed.
    template <class T> schema& field(std::string key, T Value::*member, std::function<std::string(const T&)> check = {});
    /// Keys under `[name]`, which set members of the same `Value`.
    schema& table(std::string name, schema inner);
    /// Keys under `[name]`, which set members of a struct in `Value`.
    template <class Inner> schema& table(std::string name, Inner Value::*member, schema<Inner> inner);
    /// Each `[[name]]` is an element, in their order. They replace the default elements, if there is at least one.
    template <class Inner> schema& tables(std::string name, std::vector<Inner> Value::*member, schema<Inner> inner);

    /// The keys under `[name]` can be any. `check` gets a key, its value, and those under `[name]` that were read before it; it
    /// returns an empty string, or the reason why this one is not allowed. They replace the default elements.
    template <class T> schema& entries(
        std::string name, std::map<std::string, T> Value::*member,
        std::function<std::string(const std::string& key, const T& value, const std::map<std::string, T>& before)> check = {});

    /// Starts from `defaults`, applies the text, returns the result.
    /// @errors invalid_config. The message shows `name` as the file's name.
    [[nodiscard]] Value parse(std::string_view text, std::string_view name, Value defaults, error_out out) const;
    /// As `parse`. A missing file is no error and gives `defaults`.
    /// @errors invalid_config · any of open(2), read(2) · EFBIG: over `max_file_bytes`.
    [[nodiscard]] Value load(const std::string& path, Value defaults, error_out out) const {
        bool ignored = false;
        return load(path, std::move(defaults), ignored, out);
    }
    /// As above; `was_there` tells whether the file exists.
    [[nodiscard]] Value load(const std::string& path, Value defaults, bool& was_there, error_out out) const;

    static constexpr std::size_t max_file_bytes = std::size_t{1}
                                                  << 20; ///< 1 MiB; a larger file is most likely not a configuration

private:
    struct entry {
        std::string key;
        std::function<std::string(const toml::node&, Value&)> apply; ///< returns an empty string, or why the value is refused
        std::function<void(const toml::node&, const std::string& full, std::string_view name, Value&, error_out)> nested;
    };
    template <class> friend class schema;
    void apply(const toml::table& table, const std::string& prefix, std::string_view name, Value& value, error_out out) const;

    std::vector<entry> entries_;
};

/// The current configuration. A successful reload replaces all of it, a failed one changes nothing. See `schema` for a sample.
///
/// @threads one object, one thread. @blocks only `reload`, while reading the file.
template <class Value> class reloadable {
public:
    reloadable(schema<Value> keys, std::string path, Value defaults = {})
        : schema_(std::move(keys)), path_(std::move(path)), defaults_(std::move(defaults)), current_(defaults_) {}

    /// @errors as schema::load · ENOENT: the file existed at the last reload and is gone. `last_error` keeps the error until a
    /// reload succeeds.
    void reload(error_out out) {
        failure why;
        bool was_there = false;
        Value fresh = schema_.load(path_, defaults_, was_there, why);
        if (!why && !was_there && was_read_)
            why = {{ENOENT, std::system_category()},
                   "open configuration",
                   path_,
                   "the file was removed; create an empty file to use the defaults"};
        last_error_ = why;
        if (why) return out.set(why);
        was_read_ = was_there;
        current_ = std::move(fresh);
    }

    [[nodiscard]] const Value& operator*() const noexcept { return current_; }
    [[nodiscard]] const Value* operator->() const noexcept { return &current_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const failure& last_error() const noexcept { return last_error_; }

private:
    schema<Value> schema_;
    std::string path_;
    Value defaults_, current_;
    failure last_error_;
    bool was_read_ = false;
};

/// "250ms", "2s", "5m", "1h"; a number without a unit is not a duration. Empty: not a duration, or over 2^31 ms. Pure.
[[nodiscard]] inline std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    std::uint32_t count = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (why != std::errc()) return std::nullopt;
    const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    const std::uint64_t scale = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : 0;
    const std::uint64_t total = count * scale;
    if (scale == 0 || total > 0x7fffffff) return std::nullopt;
    return std::chrono::milliseconds(total);
}

// ---- implementation ----

/// Reads `true` or `false`. Other values are refused.
template <> struct value_reader<bool> {
    static std::optional<bool> read(const toml::node& node) { return node.value_exact<bool>(); }
    static std::string expected() { return "true or false"; }
};

/// Reads a whole number. A number outside the range of T is refused.
template <std::integral T>
requires(!std::same_as<T, bool>) struct value_reader<T> {
    static std::optional<T> read(const toml::node& node) {
        const auto number = node.value_exact<std::int64_t>();
        if (!number || !std::in_range<T>(*number)) return std::nullopt;
        return static_cast<T>(*number);
    }
    static std::string expected() {
        return std::string("a whole number from ") + std::to_string(std::numeric_limits<T>::min()) + " to " +
               std::to_string(std::min<std::uint64_t>(std::numeric_limits<T>::max(), std::numeric_limits<std::int64_t>::max()));
    }
};

/// Reads a string. Other values are refused.
template <> struct value_reader<std::string> {
    static std::optional<std::string> read(const toml::node& node) { return node.value_exact<std::string>(); }
    static std::string expected() { return "a string"; }
};

/// Reads an array of strings. The array may be empty.
template <> struct value_reader<std::vector<std::string>> {
    static std::optional<std::vector<std::string>> read(const toml::node& node) {
        const auto* array = node.as_array();
        if (!array) return std::nullopt;
        std::vector<std::string> result;
        for (const toml::node& item : *array) {
            auto text = item.value_exact<std::string>();
            if (!text) return std::nullopt;
            result.push_back(std::move(*text));
        }
        return result;
    }
    static std::string expected() { return "an array of strings"; }
};

/// Reads a finite number, also one without a point. A number outside the range of T is refused.
template <std::floating_point T> struct value_reader<T> {
    static std::optional<T> read(const toml::node& node) {
        auto number = node.value_exact<double>();
        if (const auto whole = node.value_exact<std::int64_t>()) number = static_cast<double>(*whole);
        constexpr double most =
            static_cast<double>(std::min<long double>(std::numeric_limits<T>::max(), std::numeric_limits<double>::max()));
        if (!number || !(*number >= -most && *number <= most)) return std::nullopt; // NaN compares false
        return static_cast<T>(*number);
    }
    static std::string expected() { return "a number"; }
};

/// Reads one of the words of `enum_words`. Other strings are refused.
template <class E>
requires std::is_enum_v<E> && requires { enum_words<E>::words[0]; }
struct value_reader<E> {
    static std::optional<E> read(const toml::node& node) {
        const auto text = node.value_exact<std::string>();
        for (const auto& [word, value] : enum_words<E>::words)
            if (text && *text == word) return value;
        return std::nullopt;
    }
    static std::string expected() {
        std::string text = "one of";
        for (const auto& [word, value] : enum_words<E>::words)
            text.append(text.size() > 6 ? ", \"" : " \"").append(word) += '"';
        return text;
    }
};

/// Reads a path: a string that is not empty. It is not made absolute.
template <path_like P> struct value_reader<P> {
    static std::optional<P> read(const toml::node& node) {
        const auto text = node.value_exact<std::string>();
        if (!text || text->empty() || text->find('\0') != std::string::npos) return std::nullopt;
        return P(*text);
    }
    static std::string expected() { return "a path, a string that is not empty"; }
};

/// Reads an array of any readable type. The array may be empty.
template <readable T> struct value_reader<std::vector<T>> {
    static std::optional<std::vector<T>> read(const toml::node& node) {
        const auto* const array = node.as_array();
        if (!array) return std::nullopt;
        std::vector<T> result;
        for (const toml::node& item : *array) {
            auto value = value_reader<T>::read(item);
            if (!value) return std::nullopt;
            result.push_back(std::move(*value));
        }
        return result;
    }
    static std::string expected() { return "an array, each item " + value_reader<T>::expected(); }
};

/// Reads a value of any readable type. TOML has no null, so only a key that is absent leaves it empty.
template <readable T> struct value_reader<std::optional<T>> {
    static std::optional<std::optional<T>> read(const toml::node& node) {
        auto value = value_reader<T>::read(node);
        return value ? std::optional<std::optional<T>>(std::in_place, std::move(*value)) : std::nullopt;
    }
    static std::string expected() { return value_reader<T>::expected(); }
};

/// Reads a table with any keys. Its values have one readable type.
template <readable T> struct value_reader<std::map<std::string, T>> {
    static std::optional<std::map<std::string, T>> read(const toml::node& node) {
        const auto* const table = node.as_table();
        if (!table) return std::nullopt;
        std::map<std::string, T> result;
        for (const auto& [key, item] : *table) {
            auto value = value_reader<T>::read(item);
            if (!value) return std::nullopt;
            result.emplace(std::string(key.str()), std::move(*value));
        }
        return result;
    }
    static std::string expected() { return "a table, each value " + value_reader<T>::expected(); }
};

/// Reads a duration such as "250ms". See parse_duration.
template <> struct value_reader<std::chrono::milliseconds> {
    static std::optional<std::chrono::milliseconds> read(const toml::node& node) {
        const auto text = node.value_exact<std::string>();
        return text ? parse_duration(*text) : std::nullopt;
    }
    static std::string expected() { return "a duration such as \"250ms\", \"2s\" or \"5m\""; }
};

namespace detail {
inline std::string located(std::string_view name, const toml::source_region& where, std::string_view why) {
    return std::string(name) + ":" + std::to_string(where.begin.line) + ":" + std::to_string(where.begin.column) + ": " +
           std::string(why);
}

inline void refuse(error_out out, std::string_view name, const toml::source_region& where, std::string_view why) {
    out.set(errc::invalid_config, "configuration", {}, located(name, where, why));
}

/// toml++ limits the nesting of values but not the parts of a dotted key: it builds a table for each part and destroys them
/// recursively. About 50 000 parts overflow the stack; a configuration needs only a few.
inline constexpr int max_key_dots = 64;

/// The position of a key with more dots than that; dots in strings and comments do not count. Pure.
inline std::optional<toml::source_region> overlong_key(std::string_view text) {
    int dots = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            const std::string quote(text.substr(i, 3) == std::string(3, c) ? 3 : 1, c);
            const bool lines = quote.size() == 3;
            for (i += quote.size(); i < text.size() && text.substr(i, quote.size()) != quote; ++i) {
                if (c == '"' && text[i] == '\\') ++i;
                if (!lines && i < text.size() && text[i] == '\n') break; // not closed: the parser reports it
            }
            i += quote.size() - 1;
            while (lines && i + 1 < text.size() && text[i + 1] == c)
                ++i; // a multi-line string may end in up to two quotes of its own
        } else if (c == '#') {
            i = std::min(text.find('\n', i), text.size());
            dots = 0;
        } else if (c == '.') {
            if (++dots <= max_key_dots) continue;
            toml::source_region where;
            where.begin = {1, 1};
            for (const char before : text.substr(0, i)) {
                if (before == '\n')
                    where.begin = {where.begin.line + 1, 1};
                else if ((static_cast<unsigned char>(before) & 0xc0) != 0x80)
                    ++where.begin.column;
            }
            return where;
        } else if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) {
            dots = 0;
        }
    }
    return std::nullopt;
}
} // namespace detail

template <class Value> template <class T>
schema<Value>& schema<Value>::field(std::string key, T Value::*member, std::function<std::string(const T&)> check) {
    static_assert(readable<T>, "mato: no value_reader for the type of this key; specialise `read` and `expected`");
    entries_.push_back({std::move(key),
                        [member, check = std::move(check)](const toml::node& node, Value& value) -> std::string {
                            auto got = value_reader<T>::read(node);
                            if (!got) return "expected " + value_reader<T>::expected();
                            if (check)
                                if (std::string why = check(*got); !why.empty()) return why;
                            value.*member = std::move(*got);
                            return {};
                        },
                        nullptr});
    return *this;
}

template <class Value> schema<Value>& schema<Value>::table(std::string name, schema inner) {
    const auto apply = [keys = std::make_shared<const schema>(std::move(inner))](const toml::node& node,
                                                                                 const std::string& full, std::string_view file,
                                                                                 Value& value, error_out out) {
        if (node.is_table()) return keys->apply(*node.as_table(), full + ".", file, value, out);
        detail::refuse(out, file, node.source(), "'" + full + "' must be a table; write [" + full + "]");
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> template <class Inner>
schema<Value>& schema<Value>::table(std::string name, Inner Value::*member, schema<Inner> inner) {
    const auto apply = [member, keys = std::make_shared<const schema<Inner>>(std::move(inner))](
                           const toml::node& node, const std::string& full, std::string_view file, Value& value,
                           error_out out) {
        if (node.is_table()) return keys->apply(*node.as_table(), full + ".", file, value.*member, out);
        detail::refuse(out, file, node.source(), "'" + full + "' must be a table; write [" + full + "]");
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> template <class T> schema<Value>&
schema<Value>::entries(std::string name, std::map<std::string, T> Value::*member,
                       std::function<std::string(const std::string&, const T&, const std::map<std::string, T>&)> check) {
    static_assert(readable<T>, "mato: no value_reader for the type of these keys; specialise `read` and `expected`");
    const auto apply = [member, check = std::move(check)](const toml::node& node, const std::string& full,
                                                          std::string_view file, Value& value, error_out out) {
        if (!node.is_table())
            return detail::refuse(out, file, node.source(), "'" + full + "' must be a table; write [" + full + "]");
        std::map<std::string, T> all;
        for (const auto& [key, item] : *node.as_table()) {
            const std::string word(key.str());
            auto got = value_reader<T>::read(item);
            std::string why = got ? std::string() : "expected " + value_reader<T>::expected();
            if (got && check) why = check(word, *got, all);
            if (!why.empty()) return detail::refuse(out, file, key.source(), "'" + full + "." + word + "': " + why);
            all.emplace(word, std::move(*got));
        }
        value.*member = std::move(all);
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> template <class Inner>
schema<Value>& schema<Value>::tables(std::string name, std::vector<Inner> Value::*member, schema<Inner> inner) {
    const auto apply = [member, keys = std::make_shared<const schema<Inner>>(std::move(inner))](
                           const toml::node& node, const std::string& full, std::string_view file, Value& value,
                           error_out out) {
        const std::string expected = "'" + full + "' must be tables; write [[" + full + "]] for each";
        if (!node.is_array()) return detail::refuse(out, file, node.source(), expected);
        std::vector<Inner> all;
        for (const toml::node& each : *node.as_array()) {
            if (!each.is_table()) return detail::refuse(out, file, each.source(), expected);
            const std::string prefix = full + "[" + std::to_string(all.size()) + "].";
            keys->apply(*each.as_table(), prefix, file, all.emplace_back(), out);
            if (out.failed()) return;
        }
        value.*member = std::move(all);
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> void schema<Value>::apply(const toml::table& table, const std::string& prefix, std::string_view name,
                                                 Value& value, error_out out) const {
    for (const auto& [key, node] : table) {
        const std::string full = prefix + std::string(key.str());
        const auto refuse = [&](const toml::source_region& where, const std::string& why) {
            detail::refuse(out, name, where, why);
        };
        const entry* known = nullptr;
        for (const entry& candidate : entries_)
            if (candidate.key == key.str()) known = &candidate;
        if (!known) return refuse(key.source(), "unknown key '" + full + "'");
        if (known->nested) {
            known->nested(node, full, name, value, out);
            if (out.failed()) return;
        } else if (const std::string why = known->apply(node, value); !why.empty()) {
            return refuse(node.source(), "'" + full + "': " + why);
        }
    }
}

template <class Value>
Value schema<Value>::parse(std::string_view text, std::string_view name, Value defaults, error_out out) const {
    Value value = defaults;
    toml::table table;
    if (const auto where = detail::overlong_key(text)) {
        out.set(errc::invalid_config, "configuration", {},
                detail::located(name, *where,
                                "a key has more than " + std::to_string(detail::max_key_dots + 1) + " parts; shorten it"));
        return defaults;
    }
    try {
        table = toml::parse(text, name);
    } catch (const toml::parse_error& broken) {
        out.set(errc::invalid_config, "configuration", {}, detail::located(name, broken.source(), broken.description()));
        return defaults;
    }
    apply(table, "", name, value, out);
    return out.failed() ? defaults : value;
}

template <class Value>
Value schema<Value>::load(const std::string& path, Value defaults, bool& was_there, error_out out) const {
    const unique_fd fd(sys::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    was_there = static_cast<bool>(fd);
    if (!fd) {
        if (errno != ENOENT && errno != ENOTDIR) out.set(last_error(), "open configuration", path);
        return defaults;
    }
    std::string text;
    char buffer[16'384];
    for (ssize_t got; (got = sys::read(fd.get(), buffer, sizeof buffer)) != 0;) {
        if (got < 0) return out.set(last_error(), "read configuration", path), defaults;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > max_file_bytes) return out.set({EFBIG, std::system_category()}, "read configuration", path), defaults;
    }
    return parse(text, path, std::move(defaults), out);
}

} // namespace config
} // namespace MATO_ABI
} // namespace mato
#endif

// 3: mechanisms

// ---- mato/descriptors.hpp ----
/// @file descriptors.hpp: sends and receives open descriptors over a Unix socket.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/descriptors_test.cpp.
/// Threads: safe.   Blocks: never (MSG_DONTWAIT).
/// Source: unix(7) SCM_RIGHTS: the receiver gets its own descriptors for the same open file descriptions, with the first byte.

namespace mato {
inline namespace MATO_ABI {

/// Most descriptors in one message. The kernel's limit is 253; a terminal and a pipe need three.
inline constexpr std::size_t max_passed_descriptors = 8;

/// Sends as much of `bytes` as the kernel accepts. The descriptors travel with the first byte: if any byte was sent, so were
/// they.
/// @returns bytes accepted; 0 when the socket's buffer is full. @pre `bytes` is not empty.
/// @errors E2BIG: more than `max_passed_descriptors`; nothing is sent · any of sendmsg(2).
[[nodiscard]] inline std::size_t send_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors,
                                                  error_out out);

/// Reads once, and appends the received descriptors, each close-on-exec, to `into`.
/// If this process has no room for all descriptors of a message, none of them is kept: the caller could not tell which are
/// missing.
/// @returns bytes read, 0 if there were none. @errors closed: end of stream · malformed: more descriptors than
/// `max_passed_descriptors`; all of them are closed · any of recvmsg(2).
[[nodiscard]] inline std::size_t receive_descriptors(int socket, std::span<char> room, std::vector<unique_fd>& into,
                                                     error_out out);

// ---- implementation ----

namespace detail {
/// Received descriptors that were not taken yet, each with its frame.
///
/// The sender passes the descriptors of a frame with the frame's first byte, in a message that contains nothing else, and the
/// kernel ends a read after a message with descriptors. So they belong to the frame that has the last byte of that read,
/// however the bytes before and after it are split. A template, as the next one: a program that passes no descriptors compiles
/// none of it.
template <class Descriptor = unique_fd> class basic_arrived_descriptors {
public:
    /// Reads once; `before` is the number of bytes that were received until now. @errors as receive_descriptors.
    std::size_t receive(int socket, std::span<char> room, std::uint64_t before, error_out out) {
        const std::size_t got = receive_descriptors(socket, room, untaken_, out);
        read_until_.resize(untaken_.size(), before + got);
        return got;
    }
    /// `take` returns the descriptors of the frame that ends at this position. @errors malformed: it has more than `most`.
    void begin_frame(std::uint64_t end, std::size_t most, error_out out) {
        frame_end_ = end;
        std::size_t count = 0;
        while (count < read_until_.size() && read_until_[count] <= end) ++count;
        if (count > most) refuse(most, out);
    }
    /// All are of a frame that is not complete. @errors as begin_frame.
    void no_frame(std::size_t most, error_out out) const {
        if (size() > most) refuse(most, out);
    }
    /// If each read is followed by one of these two, and more than `most` are not read, this is at most `most` and one message.
    [[nodiscard]] std::size_t size() const noexcept { return untaken_.size(); }
    [[nodiscard]] Descriptor take() noexcept {
        if (untaken_.empty() || read_until_.front() > frame_end_) return {};
        Descriptor first = std::move(untaken_.front());
        untaken_.erase(untaken_.begin());
        read_until_.erase(read_until_.begin());
        return first;
    }
    /// Closes those that the frame did not take.
    void end_frame() noexcept {
        while (take()) {
        }
        frame_end_ = 0;
    }

private:
    static void refuse(std::size_t most, error_out out) {
        out.set(errc::malformed, "receive", {},
                "the peer passed more descriptors with a frame than are accepted (" + std::to_string(most) + ")");
    }

    std::vector<Descriptor> untaken_;
    std::vector<std::uint64_t> read_until_; // the position at the end of the read that brought each
    std::uint64_t frame_end_ = 0;
};

/// How many descriptors were passed to a peer that may not have received them yet.
template <class Position = std::uint64_t> class basic_passed_descriptors {
public:
    void sent(Position position, std::size_t count) { unread_.push_back({position, count}); }
    /// `position`: bytes sent until now. Of them the peer has read at least all but `unread`.
    [[nodiscard]] std::size_t not_received(Position position, Position unread) {
        std::size_t received = 0, sum = 0;
        for (const message& each : unread_) {
            if (each.position + unread < position)
                ++received;
            else
                sum += each.count;
        }
        unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(received));
        return sum;
    }

private:
    struct message {
        Position position; // of its first byte
        std::size_t count;
    };
    std::vector<message> unread_; // in order
};

// Aligned as CMSG_DATA needs it (cmsg(3)).
struct control_room {
    alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(int) * max_passed_descriptors)];
};
} // namespace detail

inline std::size_t send_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors, error_out out) {
    if (descriptors.size() > max_passed_descriptors) {
        return out.fail<std::size_t>({E2BIG, std::system_category()}, "send descriptors", {},
                                     std::to_string(descriptors.size()) + " descriptors in one message; at most " +
                                         std::to_string(max_passed_descriptors) + " are allowed");
    }
    detail::control_room control{};
    iovec data{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        const std::size_t size = descriptors.size_bytes();
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(header), descriptors.data(), size);
    }
    const ssize_t sent = sys::sendmsg(socket, &message, MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno != EAGAIN && errno != EWOULDBLOCK) out.set(last_error(), "send descriptors");
    return 0;
}

inline std::size_t receive_descriptors(int socket, std::span<char> room, std::vector<unique_fd>& into, error_out out) {
    detail::control_room control{};
    iovec data{room.data(), room.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    const ssize_t got = sys::recvmsg(socket, &message, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) out.set(last_error(), "receive");
        return 0;
    }
    std::vector<unique_fd> came;
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(each) + i * sizeof(int), sizeof fd);
            came.emplace_back(fd);
        }
    }
    const bool has_no_room =
        came.size() < max_passed_descriptors; // the control buffer was not full, so the process's table was
    if ((message.msg_flags & MSG_CTRUNC) && has_no_room)
        came.clear();
    else if (message.msg_flags & MSG_CTRUNC)
        return out.fail<std::size_t>(errc::malformed, "receive", {},
                                     "the peer passed more than " + std::to_string(max_passed_descriptors) +
                                         " descriptors in one message");
    for (unique_fd& each : came) into.push_back(std::move(each));
    if (got == 0) out.set(errc::closed, "receive");
    return static_cast<std::size_t>(got);
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/fan_out.hpp ----
/// @file fan_out.hpp: one stream of frames for many readers of any speed: delivery, and the limits of slow readers.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp,
/// test/fuzz/fan_out_fuzz.cpp.   Threads: distinct objects are independent.   Blocks: never.
///
/// Memory: the ring, and less than 512 bytes for each reader; for one with a filter 1/512 of the ring more. If the ring drops a
/// frame that readers have sent partially, one copy is kept for all of them. Copies use at most a tenth of the ring; a reader
/// that would need more is disconnected. Linux accepts messages of up to 35 KiB completely or not at all (outbox.hpp), so only
/// larger frames are sent partially: make the ring ten times their size. A reader closed for being slow keeps its partially
/// sent frame while the connection lingers. broadcast.hpp connects this to sockets.

// ---- mato/detail/extremes.hpp ----
/// @file extremes.hpp: the smallest and the largest of a few numbers, without the cost of a larger standard header.
/// Layer: 0 (platform).
/// Pure.   Threads: safe.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {
namespace detail {

template <class T> [[nodiscard]] constexpr T least(T one, T other) noexcept { return other < one ? other : one; }
template <class T> [[nodiscard]] constexpr T least(T one, T other, T third) noexcept { return least(least(one, other), third); }
template <class T> [[nodiscard]] constexpr T greatest(T one, T other) noexcept { return one < other ? other : one; }
/// `value`, or the end of the range from `low` to `high` that is nearer to it.
template <class T> [[nodiscard]] constexpr T within(T value, T low, T high) noexcept {
    return value < low ? low : high < value ? high : value;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/frame_ring.hpp ----
/// @file frame_ring.hpp: a ring of the newest frames of a stream, each numbered and stored once.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/frame_ring_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// A frame has a sequence number, from 1, and a position: the number of stream bytes before it. Neither is ever reused.

namespace mato {
inline namespace MATO_ABI {

/// Stores the newest frames of a stream in a fixed amount of memory. Used by `fan_out`; the oldest frames are dropped
/// explicitly with `pop`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class frame_ring {
public:
    /// `bytes`: all of its memory; at least `least_bytes`. One eighth is the index. If frames average below 64 bytes, the index
    /// fills before the data does, and old frames are dropped earlier.
    explicit frame_ring(std::size_t bytes);

    [[nodiscard]] std::uint64_t oldest() const noexcept { return oldest_; }   ///< the oldest in the ring; `next()` when empty
    [[nodiscard]] std::uint64_t next() const noexcept { return next_; }       ///< the number of the next frame
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }     ///< position of the oldest frame
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }         ///< position of the next frame
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; } ///< bytes for frames
    [[nodiscard]] std::size_t largest() const noexcept { return capacity_ / 2; } ///< bytes of the largest frame
    [[nodiscard]] std::size_t most_frames() const noexcept { return slots_; }    ///< a power of two

    /// False: call `pop` first. @pre size <= largest()
    [[nodiscard]] bool has_room(std::size_t size) const noexcept {
        return end_ + size - begin_ <= capacity_ && next_ - oldest_ < slots_;
    }
    /// Drops the oldest frame. @pre the ring is not empty
    void pop() noexcept { begin_ = end_of(oldest_++); }
    /// Adds a frame of three parts. @pre there is room for all @returns its number.
    std::uint64_t push(std::string_view head, std::string_view body = {}, std::string_view tail = {}) noexcept;

    /// @pre the frame is in the ring
    [[nodiscard]] std::uint64_t end_of(std::uint64_t sequence) const noexcept { return slot(sequence) & ~superseded_bit; }
    [[nodiscard]] std::uint64_t begin_of(std::uint64_t sequence) const noexcept {
        return sequence == oldest_ ? begin_ : end_of(sequence - 1);
    }
    /// The number of the frame that contains this byte, or begins here. @pre begin() <= position <= end()
    [[nodiscard]] std::uint64_t at(std::uint64_t position) const noexcept;
    /// The last frame boundary that is not after `position`. @pre as `at`
    [[nodiscard]] std::uint64_t boundary(std::uint64_t position) const noexcept { return begin_of_or_end(at(position)); }

    /// Marks a frame that a newer one replaces. @pre the frame is in the ring
    void supersede(std::uint64_t sequence) noexcept { slot(sequence) |= superseded_bit; }
    [[nodiscard]] bool is_superseded(std::uint64_t sequence) const noexcept { return (slot(sequence) & superseded_bit) != 0; }

    /// The bytes in memory, in at most two pieces, valid until the next `push`.
    [[nodiscard]] std::array<std::string_view, 2> bytes(std::uint64_t from, std::uint64_t to) const noexcept;

    static constexpr std::size_t least_bytes = 1024;
    static constexpr std::uint64_t nowhere = ~std::uint64_t{0}; ///< greater than every position and every number

private:
    static constexpr std::uint64_t superseded_bit = std::uint64_t{1} << 63; // no stream reaches 8 EiB

    void write(std::string_view part) noexcept;
    [[nodiscard]] std::uint64_t& slot(std::uint64_t sequence) const noexcept { return ends_[sequence & (slots_ - 1)]; }
    [[nodiscard]] std::uint64_t begin_of_or_end(std::uint64_t sequence) const noexcept {
        return sequence == next_ ? end_ : begin_of(sequence);
    }

    std::size_t slots_, capacity_;          // frames, a power of two; bytes
    std::unique_ptr<std::uint64_t[]> ends_; // the end position of each frame
    std::unique_ptr<char[]> data_;          // uninitialized: pages cost no memory until the stream reaches them
    std::uint64_t oldest_ = 1, next_ = 1;
    std::uint64_t begin_ = 0, end_ = 0;
    std::size_t write_at_ = 0; // end_ in data_
};

// ---- implementation ----

inline frame_ring::frame_ring(std::size_t bytes)
    : slots_(std::bit_floor(detail::greatest(bytes, least_bytes) / 64)),
      capacity_(detail::greatest(bytes, least_bytes) - slots_ * sizeof(std::uint64_t)), ends_(new std::uint64_t[slots_]),
      data_(new char[capacity_]) {}

inline void frame_ring::write(std::string_view part) noexcept {
    const std::size_t first = detail::least(part.size(), capacity_ - write_at_);
    part.copy(data_.get() + write_at_, first);
    part.substr(first).copy(data_.get(), part.size() - first);
    write_at_ += part.size();
    if (write_at_ >= capacity_) write_at_ -= capacity_;
    end_ += part.size();
}

inline std::uint64_t frame_ring::push(std::string_view head, std::string_view body, std::string_view tail) noexcept {
    const std::size_t size = head.size() + body.size() + tail.size();
    if (size < capacity_ - write_at_) [[likely]] { // it does not wrap
        char* const to = data_.get() + write_at_;
        head.copy(to, head.size());
        body.copy(to + head.size(), body.size());
        tail.copy(to + head.size() + body.size(), tail.size());
        write_at_ += size;
        end_ += size;
    } else {
        for (const std::string_view part : {head, body, tail}) write(part);
    }
    slot(next_) = end_;
    return next_++;
}

inline std::uint64_t frame_ring::at(std::uint64_t position) const noexcept {
    if (position == end_) return next_;
    std::uint64_t low = oldest_, high = next_ - 1; // the first that ends after the position
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (end_of(middle) > position)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

inline std::array<std::string_view, 2> frame_ring::bytes(std::uint64_t from, std::uint64_t to) const noexcept {
    const std::size_t at = from % capacity_, size = detail::size_cast(to - from), first = detail::least(size, capacity_ - at);
    return {std::string_view(data_.get() + at, first), std::string_view(data_.get(), size - first)};
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/key_index.hpp ----
/// @file key_index.hpp: finds the newest frame of each key in a ring.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/key_index_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {

/// Holds at most twice as many keys as the ring has frames, plus 64.
///
/// Used by `fan_out` for `publish_keyed`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class key_index {
public:
    /// The ring's newest frame has this key: marks the previous frame of the key as superseded.
    void add(frame_ring& ring, std::uint64_t key);
    [[nodiscard]] std::size_t size() const noexcept { return newest_.size(); } ///< keys; some may be of dropped frames

private:
    std::unordered_map<std::uint64_t, std::uint64_t> newest_;
};

// ---- implementation ----

inline void key_index::add(frame_ring& ring, std::uint64_t key) {
    const std::uint64_t sequence = ring.next() - 1;
    const auto [at, fresh] = newest_.try_emplace(key, sequence);
    if (!fresh && at->second >= ring.oldest()) ring.supersede(at->second);
    at->second = sequence;
    if (newest_.size() > 2 * (ring.next() - ring.oldest()) + 64) // most belong to dropped frames
        std::erase_if(newest_, [&](const auto& known) { return known.second < ring.oldest(); });
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/outbox.hpp ----
/// @file outbox.hpp: the send queue of one peer: its own frames, and a position in each shared stream that it follows.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// Use: `gather` a write, pass it to the kernel, report with `wrote` how much it accepted; no other call in between. Own frames
/// and frames of a stream are sent in the order they were queued; frames of different streams have no order among each other,
/// and streams take turns when not all fits into a write. A partially sent frame is completed before anything else.

namespace mato {
inline namespace MATO_ABI {

/// A frame encoded once and shared by every connection that sends it.
using shared_frame = std::shared_ptr<const std::string>;

/// The buffers of one write, and the part of the outbox that each refers to. They are grouped into messages, so that one system
/// call can send more than one message that the kernel accepts completely or not at all.
///
/// `outbox::gather` fills it.
///
/// @threads a value.
/// @blocks never.
struct gathered_write {
    /// Buffers of a write. IOV_MAX is 1024, but above a few dozen the kernel's cost per buffer dominates.
    static constexpr std::size_t most_buffers = 64;
    /// Bytes of a message. Linux accepts a write of up to 35.6 KiB to a Unix socket completely or not at all (one buffer of
    /// unix_stream_sendmsg: 32 KiB of pages and a head; measured on 6.18), so a message of complete frames sends no frame
    /// partially.
    static constexpr std::size_t message_bytes = 35_KiB;
    /// Messages of one sendmmsg(2): together they fill two thirds of an empty socket buffer (208 KiB by default).
    static constexpr std::size_t most_messages = MATO_HAS_SENDMMSG ? 4 : 1;
    static constexpr std::size_t most_bytes = most_messages * message_bytes;
    static constexpr std::uint64_t own = ~std::uint64_t{0}; ///< in `place`: not from a stream

    iovec buffers[most_buffers];        // NOLINT: valid up to `count`; not cleared, because that would cost 1.5 KiB of writes
    std::uint64_t place[most_buffers];  // NOLINT: the stream position where each buffer begins
    unsigned char stream[most_buffers]; // NOLINT: which of the streams that the outbox follows
    std::size_t ends[most_messages];    // NOLINT: for each message but the last, the index after its last buffer
    unsigned char adds_from = 0;        // the stream of the buffers that are added
    std::size_t count = 0, bytes = 0;
    std::size_t messages = 1;          ///< 0: one message, which passes the descriptors of outbox::passed
    std::size_t limit = message_bytes; ///< limit of `bytes` for the last message; a single frame may be longer

    /// The message has no room for another frame, which needs two buffers where the ring wraps.
    [[nodiscard]] bool is_full() const noexcept { return count + 2 > most_buffers || bytes >= limit; }
    /// Begins another message. @returns false if there is none left.
    [[nodiscard]] bool next_message() noexcept {
        const std::size_t begin = messages == 1 ? 0 : ends[messages - 2];
        if (messages == most_messages || count == begin || count + 2 > most_buffers) return false;
        ends[messages++ - 1] = count;
        limit = bytes + message_bytes;
        return true;
    }
    void add(std::string_view view, std::uint64_t at) noexcept {
        if (view.empty()) return;
        buffers[count] = {const_cast<char*>(view.data()), view.size()}; // iovec is shared with readv
        stream[count] = adds_from;
        place[count++] = at;
        bytes += view.size();
    }
};

class outbox;

/// A position in a shared stream, as used by the outbox of one reader. `basic_subscriber` implements it.
///
/// Calls may close the peer, which leaves the stream.
///
/// @threads one thread.
/// @blocks never.
class feed {
public:
    /// Called before each write: makes room according to the overflow policy. May insert frames into the outbox, and may close
    /// the peer.
    virtual void prepare() = 0;
    [[nodiscard]] virtual std::uint64_t position() const noexcept = 0; ///< the next byte to send
    [[nodiscard]] virtual std::uint64_t end() const noexcept = 0;      ///< after the last byte to send
    /// Where the frame ends that was sent partially; 0: none was.
    [[nodiscard]] virtual std::uint64_t partial_until() const noexcept = 0;
    /// Bytes between the two that are still in the ring; at least 1 while `prepare` has something to insert into the outbox.
    [[nodiscard]] virtual std::size_t pending() const noexcept = 0;
    /// Adds bytes from `from` to `until`, as far as the write has room. @returns where it stopped; `until` if nothing is left.
    virtual std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept = 0;
    /// The kernel accepted `size` bytes of the stream, from a position that `gather` returned.
    virtual void advance(std::uint64_t from, std::size_t size) noexcept = 0;
    virtual void on_drained(std::size_t queued) = 0; ///< `queued`: its queued bytes and the peer's replies
    virtual void on_own_queued() = 0;                ///< an own frame of the peer was queued; may close the peer
    virtual void on_stalled() noexcept = 0;          ///< the peer's kernel buffer is full
    virtual void on_writable() noexcept = 0;
    [[nodiscard]] virtual bool is_finished() const noexcept = 0; ///< it has nothing more to send: leave the stream
    [[nodiscard]] virtual bool is_leaving() const noexcept = 0;  ///< `no_more` was called
    virtual void no_more() = 0;                                  ///< frames published from now on are not sent to this peer
    virtual void keep_partial() = 0;                             ///< inserts the rest of a partially sent frame into the outbox
    /// The peer will be closed and does not get the rest. @returns whether it loses frames; `words` gets what to tell about it.
    virtual bool cut_short(const failure&, std::vector<std::string>&) { return false; }
    virtual void left() noexcept = 0;                              ///< the outbox left the stream; the last call
    [[nodiscard]] virtual const void* source() const noexcept = 0; ///< identifies the stream

protected:
    ~feed() = default;
};

/// The send queue of one connection: its own frames, merged with the frames of the streams that it follows. Used by
/// `basic_connection`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class outbox {
public:
    static constexpr std::size_t most_streams = 64; ///< at the same time

    outbox() = default;
    outbox(const outbox&) = delete;
    outbox& operator=(const outbox&) = delete;
    ~outbox() { abandon(); }

    /// Calls `append(std::string&)`, which appends complete frames, or nothing after an error that it reports itself.
    /// @returns the bytes appended.
    template <class Append> std::size_t push(Append append);
    void push(shared_frame frame);
    /// As the first, for one frame that passes descriptors with its first byte. It is a message of its own.
    template <class Append> std::size_t push_with(std::vector<unique_fd> passed, Append append);
    /// The descriptors of a write that has `messages` 0.
    [[nodiscard]] const std::vector<unique_fd>& passed() const noexcept { return *chunks_[first_].passed; }
    /// The number of descriptors that are not sent yet.
    [[nodiscard]] std::size_t unsent_descriptors() const noexcept {
        std::size_t sum = 0;
        for (std::size_t i = first_; i < chunks_.size(); ++i) sum += chunks_[i].passed ? chunks_[i].passed->size() : 0;
        return sum;
    }

    /// Makes `follow` possible, which then cannot fail. @returns false at `most_streams`.
    [[nodiscard]] bool make_place();
    /// Follows one more stream from now on. @pre make_place()
    void follow(std::shared_ptr<feed> stream) noexcept;
    /// Leaves a stream immediately; a partially sent frame is completed from a copy.
    void leave(const feed& stream);
    /// Ends a stream here for this peer: frames published from now on are not sent to it. Without argument: all streams.
    void no_more(const feed& stream);
    void no_more();
    void abandon() noexcept; ///< drops everything: nothing is sent any more

    /// The first stream that is followed; null: none is.
    [[nodiscard]] feed* stream() const noexcept {
        for (const followed& each : streams_)
            if (each.stream) return each.stream.get();
        return nullptr;
    }
    /// The stream of this source; null if it is not followed.
    [[nodiscard]] feed* stream_of(const void* source) const noexcept;
    /// Calls `each(feed&)`, which may change the streams: one that is added meanwhile may be left out.
    template <class Each> void each_stream(Each each);
    [[nodiscard]] bool is_mid_frame() const noexcept { return taken_ > 0; } ///< inside a frame that is not from a stream

    /// Collects the next write. @effects calls feed::prepare.
    void gather(gathered_write& write);
    void wrote(const gathered_write& write, std::size_t size);

    /// Leaves all streams, and drops everything except a partially sent frame, so that the next pushed frame is sent next.
    void drop_waiting();

    [[nodiscard]] std::size_t queued() const noexcept {
        std::size_t sum = own_;
        for (const followed& each : streams_) sum += each.stream ? each.stream->pending() : 0;
        return sum;
    }
    [[nodiscard]] std::size_t own() const noexcept { return own_; }         ///< of these, bytes that are not from a stream
    [[nodiscard]] std::size_t replies() const noexcept { return replies_; } ///< of these, bytes added by `push`

    /// For a stream: inserts ahead of everything queued after its position `place`.
    void insert(const feed& from, shared_frame frame, std::uint64_t place, std::size_t skip = 0);
    /// Bytes that this stream has inserted and that are not sent yet.
    [[nodiscard]] std::size_t inserted(const feed& by) const noexcept {
        if (streams_.size() == 1) [[likely]]
            return streams_[0].inserted; // of the only stream
        const std::size_t slot = slot_of(by);
        return slot < streams_.size() ? streams_[slot].inserted : 0;
    }
    /// Whether a frame that this stream has inserted is queued and not even partially sent.
    [[nodiscard]] bool has_unsent(const feed& by) const noexcept;

private:
    static constexpr unsigned char no_stream = 255, left_stream = 254; // in chunk::source

    struct followed {
        std::shared_ptr<feed> stream; // null: it has been left; the place will be used again
        std::size_t inserted = 0;
    };
    struct chunk {
        std::string own;         // joined frames of this peer
        shared_frame shared;     // or one frame shared with other peers
        std::uint64_t after = 0; // the position in the first stream at which it was queued
        std::vector<std::uint64_t> after_others{};
        unsigned char source = no_stream;                 // the stream that inserted it; no_stream: a reply
        std::unique_ptr<std::vector<unique_fd>> passed{}; // until its first byte is sent
        [[nodiscard]] std::string_view bytes() const noexcept { return shared ? std::string_view(*shared) : own; }
        [[nodiscard]] std::uint64_t& place(std::size_t stream) {
            if (stream == 0) return after;
            if (after_others.size() < stream) after_others.resize(stream);
            return after_others[stream - 1];
        }
        [[nodiscard]] std::uint64_t in(std::size_t stream) const noexcept {
            return stream == 0 ? after : stream <= after_others.size() ? after_others[stream - 1] : 0;
        }
    };
    static constexpr std::size_t join_bytes = 16_KiB; // own frames join one chunk up to this size

    [[nodiscard]] bool is_empty() const noexcept { return first_ == chunks_.size(); }
    [[nodiscard]] std::size_t slot_of(const feed& stream) const noexcept;
    [[nodiscard]] std::size_t free_slot() const noexcept {
        std::size_t slot = 0;
        while (slot < streams_.size() && streams_[slot].stream) ++slot;
        return slot;
    }
    [[nodiscard]] bool was_queued_here(const chunk& what) const noexcept;
    void add_here(chunk what);
    void tell_own_queued();
    void leave_at(std::size_t slot);
    void leave_finished();
    void sent(chunk& what, std::size_t bytes) noexcept;
    void pop() noexcept;

    std::vector<chunk> chunks_; // valid from first_ on
    std::size_t first_ = 0;
    std::size_t taken_ = 0; // sent bytes of the first chunk
    std::size_t own_ = 0, replies_ = 0;
    std::vector<followed> streams_; // a stream keeps its index while it is followed
    std::size_t turn_ = 0;          // the stream that is gathered first
};

// ---- implementation ----

template <class Append> std::size_t outbox::push(Append append) {
    const bool joins = !is_empty() && chunks_.back().source == no_stream && !chunks_.back().shared && !chunks_.back().passed &&
                       chunks_.back().own.size() < join_bytes && was_queued_here(chunks_.back());
    const bool follows_full = !joins && !is_empty() && chunks_.back().own.size() >= join_bytes;
    if (!joins) add_here({});
    std::string& bytes = chunks_.back().own;
    if (follows_full) bytes.reserve(join_bytes + join_bytes / 8); // it will be full too: it need not grow in steps
    const std::size_t before = bytes.size();
    append(bytes);
    const std::size_t size = bytes.size() - before;
    if (size == 0 && !joins) chunks_.pop_back();
    own_ += size;
    replies_ += size;
    if (size > 0) tell_own_queued();
    return size;
}

inline void outbox::push(shared_frame frame) {
    const std::size_t size = frame->size();
    chunk fresh;
    fresh.shared = std::move(frame);
    add_here(std::move(fresh));
    own_ += size;
    replies_ += size;
    tell_own_queued();
}

template <class Append> std::size_t outbox::push_with(std::vector<unique_fd> passed, Append append) {
    chunk fresh;
    append(fresh.own);
    const std::size_t size = fresh.own.size();
    if (size == 0) return 0;
    fresh.passed = std::make_unique<std::vector<unique_fd>>(std::move(passed));
    add_here(std::move(fresh));
    own_ += size;
    replies_ += size;
    tell_own_queued();
    return size;
}

inline void outbox::add_here(chunk what) {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream) what.place(slot) = streams_[slot].stream->end();
    chunks_.push_back(std::move(what));
}

inline bool outbox::was_queued_here(const chunk& what) const noexcept {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream && what.in(slot) != streams_[slot].stream->end()) return false;
    return true;
}

inline void outbox::tell_own_queued() {
    each_stream([](feed& stream) { stream.on_own_queued(); });
}

template <class Each> inline void outbox::each_stream(Each each) {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (const auto held = streams_[slot].stream) each(*held);
}

inline std::size_t outbox::slot_of(const feed& stream) const noexcept {
    std::size_t slot = 0;
    for (const followed& each : streams_) {
        if (each.stream.get() == &stream) break;
        ++slot;
    }
    return slot;
}

inline feed* outbox::stream_of(const void* source) const noexcept {
    for (const followed& each : streams_)
        if (each.stream && each.stream->source() == source) return each.stream.get();
    return nullptr;
}

inline bool outbox::has_unsent(const feed& by) const noexcept {
    const std::size_t bytes = inserted(by);
    if (bytes == 0 || taken_ == 0 || chunks_[first_].source != slot_of(by)) return bytes > 0;
    return bytes > chunks_[first_].bytes().size() - taken_;
}

inline void outbox::insert(const feed& from, shared_frame frame, std::uint64_t place, std::size_t skip) {
    const std::size_t slot = slot_of(from);
    auto at = chunks_.begin() + static_cast<std::ptrdiff_t>(first_);
    if (skip == 0)
        while (at != chunks_.end() && at->in(slot) <= place) ++at;
    const std::size_t size = frame->size() - skip;
    chunk fresh;
    fresh.shared = std::move(frame);
    fresh.place(slot) = place;
    fresh.source = static_cast<unsigned char>(slot);
    chunks_.insert(at, std::move(fresh));
    if (skip > 0) taken_ = skip; // the rest of a partially sent frame comes first; no own frame is partially sent then
    own_ += size;
    streams_[slot].inserted += size;
}

inline bool outbox::make_place() {
    if (free_slot() < streams_.size()) return true;
    if (streams_.size() == most_streams) return false;
    streams_.reserve(streams_.size() + 1);
    return true;
}

inline void outbox::follow(std::shared_ptr<feed> stream) noexcept {
    const std::size_t slot = free_slot();
    if (slot == streams_.size()) streams_.emplace_back();
    streams_[slot].stream = std::move(stream);
}

inline void outbox::leave(const feed& stream) {
    if (const std::size_t slot = slot_of(stream); slot < streams_.size()) leave_at(slot);
}

inline void outbox::leave_at(std::size_t slot) {
    streams_[slot].stream->keep_partial();
    for (std::size_t i = first_; i < chunks_.size(); ++i) {
        if (chunks_[i].in(slot) > 0) chunks_[i].place(slot) = 0;
        if (chunks_[i].source == slot) chunks_[i].source = left_stream;
    }
    const auto gone = std::exchange(streams_[slot], {}).stream;
    while (!streams_.empty() && !streams_.back().stream) streams_.pop_back();
    gone->left();
}

inline void outbox::leave_finished() {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream && streams_[slot].stream->is_finished()) leave_at(slot);
}

inline void outbox::no_more(const feed& stream) {
    if (const std::size_t slot = slot_of(stream); slot < streams_.size())
        if (const auto held = streams_[slot].stream) held->no_more();
    leave_finished();
}

inline void outbox::no_more() {
    each_stream([](feed& stream) { stream.no_more(); });
    leave_finished();
}

inline void outbox::abandon() noexcept {
    chunks_.clear();
    first_ = taken_ = own_ = replies_ = turn_ = 0;
    for (const auto gone = std::exchange(streams_, {}); const followed& each : gone)
        if (each.stream) each.stream->left();
}

inline void outbox::gather(gathered_write& write) {
    each_stream([](feed& stream) { stream.prepare(); }); // may leave it
    leave_finished();
    const std::size_t count = streams_.size();
    if (count == 1 && is_empty()) [[likely]] {
        write.adds_from = 0;
        streams_[0].stream->gather(write, streams_[0].stream->position(), streams_[0].stream->end());
        return;
    }
    std::uint64_t places[most_streams]; // NOLINT: valid up to `count`
    for (std::size_t slot = 0; slot < count; ++slot)
        places[slot] = streams_[slot].stream ? streams_[slot].stream->position() : 0;
    const auto is_full = [&write] { return write.is_full() && !write.next_message(); };
    const auto gather_until = [&](std::size_t slot, std::uint64_t until) { // returns whether all of it was gathered
        write.adds_from = static_cast<unsigned char>(slot);
        places[slot] = streams_[slot].stream->gather(write, places[slot], until);
        return places[slot] >= until;
    };
    if (taken_ == 0 && (count > 1 || !is_empty())) // a partially sent frame of a stream comes first
        for (std::size_t slot = 0; slot < count; ++slot)
            if (const auto until = streams_[slot].stream ? streams_[slot].stream->partial_until() : 0; until > 0)
                if (!gather_until(slot, until)) return;
    for (std::size_t i = first_; i < chunks_.size() && !is_full(); ++i) {
        const chunk& next = chunks_[i];
        for (std::size_t slot = 0; slot < count; ++slot)
            if (next.in(slot) > places[slot] && (!gather_until(slot, next.in(slot)) || is_full())) return; // more comes first
        if (next.passed && write.count > 0) return; // it begins the next write
        write.add(next.bytes().substr(i == first_ ? taken_ : 0), gathered_write::own);
        if (next.passed) return static_cast<void>(write.messages = 0);
    }
    if (turn_ >= count) turn_ = 0;
    for (std::size_t i = 0, slot = turn_; i < count; ++i, slot = slot + 1 < count ? slot + 1 : 0) {
        const std::uint64_t end = streams_[slot].stream ? streams_[slot].stream->end() : 0;
        if (places[slot] >= end) continue;
        if (is_full()) return;
        gather_until(slot, end);
    }
}

inline void outbox::wrote(const gathered_write& write, std::size_t size) {
    bool is_first = true; // the stream that begins this write does not begin the next one
    for (std::size_t i = 0; i < write.count && size > 0; ++i) {
        const std::size_t taken = size < write.buffers[i].iov_len ? size : write.buffers[i].iov_len;
        size -= taken;
        if (write.place[i] != gathered_write::own) {
            streams_[write.stream[i]].stream->advance(write.place[i], taken);
            if (std::exchange(is_first, false)) turn_ = write.stream[i] + std::size_t{1};
            continue;
        }
        chunk& front = chunks_[first_];
        for (std::size_t slot = 0; slot < streams_.size(); ++slot)
            if (const std::uint64_t place = front.in(slot); place > 0 && place > streams_[slot].stream->position())
                streams_[slot].stream->advance(place, 0); // frames of the stream before it were skipped
        sent(front, taken);
        front.passed.reset();
        taken_ += taken;
        if (taken_ == front.bytes().size()) pop();
    }
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (const auto held = streams_[slot].stream) held->on_drained(replies_ + streams_[slot].inserted + held->pending());
    leave_finished();
}

inline void outbox::sent(chunk& what, std::size_t bytes) noexcept {
    own_ -= bytes;
    if (what.source == no_stream)
        replies_ -= bytes;
    else if (what.source != left_stream)
        streams_[what.source].inserted -= bytes;
}

inline void outbox::pop() noexcept {
    taken_ = 0;
    chunks_[first_] = {}; // frees its bytes
    if (++first_ == chunks_.size()) {
        chunks_.clear();
        first_ = 0;
    } else if (first_ >= 32 && first_ * 2 >= chunks_.size()) { // bounds a queue that is never empty
        chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

inline void outbox::drop_waiting() {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream) leave_at(slot);
    const std::size_t keep = first_ + (taken_ > 0 ? 1 : 0);
    while (chunks_.size() > keep) {
        sent(chunks_.back(), chunks_.back().bytes().size());
        chunks_.pop_back();
    }
    if (is_empty()) {
        chunks_.clear();
        first_ = 0;
    }
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/partial_frames.hpp ----
/// @file partial_frames.hpp: copies of partially sent frames, so that sending can finish after the ring has dropped them.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/partial_frames_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {

/// One copy of a frame, shared by all subscribers that have sent a part of it. A copy lives as long as an outbox holds it,
/// which may be longer than this object.
///
/// Used by `fan_out` when the ring drops a frame.
///
/// @threads one object and its copies, one thread.
/// @blocks never.
class partial_frames {
public:
    /// @pre the ring still has the frame
    [[nodiscard]] shared_frame copy(const frame_ring& ring, std::uint64_t sequence);
    [[nodiscard]] bool has(std::uint64_t sequence) const { return kept_->frames.count(sequence) > 0; }
    [[nodiscard]] std::size_t bytes() const noexcept { return kept_->bytes; } ///< of all copies alive

private:
    struct kept {
        std::unordered_map<std::uint64_t, std::weak_ptr<const std::string>> frames;
        std::size_t bytes = 0;
    };
    std::shared_ptr<kept> kept_ = std::make_shared<kept>();
};

// ---- implementation ----

inline shared_frame partial_frames::copy(const frame_ring& ring, std::uint64_t sequence) {
    if (const auto known = kept_->frames.find(sequence); known != kept_->frames.end()) return known->second.lock();
    auto bytes = std::make_unique<std::string>();
    for (const auto part : ring.bytes(ring.begin_of(sequence), ring.end_of(sequence))) bytes->append(part);
    const shared_frame fresh(bytes.release(), [all = kept_, sequence](const std::string* gone) {
        all->frames.erase(sequence);
        all->bytes -= gone->size();
        delete gone;
    });
    kept_->frames.emplace(sequence, fresh);
    kept_->bytes += fresh->size();
    return fresh;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/selection.hpp ----
/// @file selection.hpp: which frames of a stream one subscriber wants, decided by its filter when they are published.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/selection_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {

/// Whether a subscriber gets a frame. Called once for each frame, when it is published, or when the subscriber joins if the
/// ring has it already. It must not publish. An exception from it closes the subscriber.
using frame_filter = callback<bool(std::string_view payload)>;

/// One bit for each frame that the ring can hold, and the sum of the frames not wanted that the subscriber has not passed yet.
/// So memory is at most 1/512 of the ring, and nothing is decided twice.
///
/// Used by `basic_subscriber`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class selection {
public:
    enum class verdict : unsigned char { refused, wanted };

    selection(const frame_ring& ring, frame_filter filter)
        : filter_(std::move(filter)), bits_((ring.most_frames() + 63) / 64) {}

    [[nodiscard]] const frame_filter& filter() const noexcept { return filter_; }
    /// Notes the decision about a frame once, a second time only to change it to `refused`. @pre the ring has it
    void note(const frame_ring& ring, std::uint64_t sequence, verdict of_filter) noexcept;
    /// @pre it was noted, and the ring has it
    [[nodiscard]] bool wants(std::uint64_t sequence) const noexcept {
        return (bits_[index(sequence)] >> (sequence % 64) & 1) != 0;
    }
    struct amount {
        std::uint64_t frames = 0, bytes = 0;
    };
    /// Of the frames from `from`, the subscriber's next one, up to `to`: those that are not wanted. @pre frames before `from`
    /// were passed; `end`, the end of its part of the stream, and `to` are in the ring or its end
    [[nodiscard]] amount unwanted(const frame_ring& ring, std::uint64_t from, std::uint64_t to,
                                  std::uint64_t end) const noexcept;
    /// The subscriber has passed these frames.
    void pass(const amount& passed) noexcept {
        ahead_.frames -= passed.frames;
        ahead_.bytes -= passed.bytes;
    }
    /// The end of the subscriber's part of the stream is now `from`. @pre these frames are in the ring, and not passed
    std::uint64_t forget(const frame_ring& ring, std::uint64_t from, std::uint64_t to) noexcept {
        const amount gone = sum_in_ring(ring, from, to);
        pass(gone);
        return gone.frames;
    }
    /// Not wanted and not passed, also of frames that the ring has dropped.
    [[nodiscard]] std::uint64_t frames_ahead() const noexcept { return ahead_.frames; }
    [[nodiscard]] std::uint64_t bytes_ahead() const noexcept { return ahead_.bytes; }

private:
    [[nodiscard]] std::size_t index(std::uint64_t sequence) const noexcept {
        return detail::size_cast(sequence / 64 % bits_.size());
    }
    [[nodiscard]] amount sum_in_ring(const frame_ring& ring, std::uint64_t from, std::uint64_t to) const noexcept;

    frame_filter filter_;
    std::vector<std::uint64_t> bits_;
    amount ahead_{};
};

// ---- implementation ----

inline void selection::note(const frame_ring& ring, std::uint64_t sequence, verdict of_filter) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (sequence % 64);
    std::uint64_t& word = bits_[index(sequence)];
    word = of_filter == verdict::wanted ? word | bit : word & ~bit;
    if (of_filter == verdict::wanted) return;
    ++ahead_.frames;
    ahead_.bytes += ring.end_of(sequence) - ring.begin_of(sequence);
}

inline auto selection::sum_in_ring(const frame_ring& ring, std::uint64_t from, std::uint64_t to) const noexcept -> amount {
    amount all;
    for (std::uint64_t each = from; each < to; ++each) {
        if (wants(each)) continue;
        ++all.frames;
        all.bytes += ring.end_of(each) - ring.begin_of(each);
    }
    return all;
}

// Of frames that the ring has dropped only the sum is known: what is ahead, without what is still in the ring.
inline auto selection::unwanted(const frame_ring& ring, std::uint64_t from, std::uint64_t to, std::uint64_t end) const noexcept
    -> amount {
    if (from >= ring.oldest()) return sum_in_ring(ring, from, to);
    const amount rest = sum_in_ring(ring, detail::greatest(to, ring.oldest()), end);
    return {ahead_.frames - rest.frames, ahead_.bytes - rest.bytes};
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/subscriber.hpp ----
/// @file subscriber.hpp: one reader of a stream: its position in the ring, and its overflow policy applied when it lags.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.

// ---- mato/subscription.hpp ----
/// @file subscription.hpp: where a subscriber joins a stream, its gaps and counters, and the callbacks of the stream.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp.
/// Values without behaviour.

namespace mato {
inline namespace MATO_ABI {

/// A range of frames that a subscriber lost, by sequence number.
///
/// Passed to `fan_out_handlers::gap`.
///
/// @threads a value.
/// @blocks never.
struct frame_gap {
    std::uint64_t first = 0, last = 0; ///< both inclusive
    std::uint64_t unwanted = 0;        ///< of these, frames that the subscriber's filter refuses; it has not lost them
    [[nodiscard]] std::uint64_t count() const noexcept { return last - first + 1 - unwanted; } ///< lost frames
};

/// Where in the stream a subscriber starts.
///
/// Passed to `subscribe`.
///
/// @threads a value.
/// @blocks never.
struct join_at {
    enum class place : unsigned char { next, last, after, snapshot } where = place::next;
    std::uint64_t number = 0;

    [[nodiscard]] static join_at next() noexcept { return {}; } ///< the next frame published
    /// Up to this many of the newest frames in the ring, then the following ones.
    [[nodiscard]] static join_at last(std::uint64_t frames) noexcept { return {place::last, frames}; }
    /// Resumes with the frame after this one; if the ring no longer has it, reports a gap.
    [[nodiscard]] static join_at after(std::uint64_t sequence) noexcept { return {place::after, sequence}; }
    /// A snapshot, then newer frames.
    [[nodiscard]] static join_at snapshot() noexcept { return {place::snapshot, 0}; }
};

/// Counters of one subscriber, or of all subscribers since the stream was created.
///
/// They never decrease.
///
/// @threads a value.
/// @blocks never.
struct delivery_counters {
    std::uint64_t delivered = 0;  ///< frames of the stream accepted by the kernel
    std::uint64_t dropped = 0;    ///< frames lost, each in a reported gap
    std::uint64_t gaps = 0;       ///< reported gaps
    std::uint64_t resyncs = 0;    ///< snapshots sent, including those on joining
    std::uint64_t superseded = 0; ///< frames not sent because a newer one of their key or a snapshot replaced them
    std::uint64_t filtered = 0;   ///< frames not sent because the subscriber's filter refuses them
};

/// The state of one subscriber, from `basic_broadcast::status`. The counters are its own.
///
/// @threads a value.
/// @blocks never.
struct subscriber_status : delivery_counters {
    std::size_t queued_bytes = 0; ///< including its replies
    std::uint64_t lag = 0;        ///< frames published but not yet sent to it, without those that its filter refuses
};

/// The state of a broadcast, from `basic_broadcast::status`. The counters include subscribers that have left.
///
/// @threads a value.
/// @blocks never.
struct broadcast_status : delivery_counters {
    std::size_t subscribers = 0, stalled = 0; ///< current number; of these, with a full kernel buffer
    std::uint64_t published = 0;
    std::uint64_t disconnected = 0; ///< subscribers closed because they were too slow
    std::size_t ring_bytes = 0;     ///< bytes of the frames in the ring
    std::size_t partial_bytes = 0;  ///< bytes of partially sent frames that the ring has dropped
    std::size_t slowest_bytes = 0;  ///< the longest queue
    std::uint64_t slowest_lag = 0;  ///< the largest lag, in frames
};

/// Callbacks of a stream: the payloads that only its owner can make.
///
/// An exception from `snapshot` or `gap` closes that subscriber.
///
/// @threads the loop's thread.
/// @blocks never.
struct fan_out_handlers {
    /// Returns the payload that replaces all frames up to `sequence`, for a subscriber that joins or is resynchronised. Called
    /// when it can be sent; once for all subscribers that need it at the same sequence.
    callback<std::string(std::uint64_t sequence)> snapshot{};
    /// Returns the payload that reports lost frames to a subscriber; empty if the frames themselves carry numbers.
    callback<std::optional<std::string>(const frame_gap&)> gap{};
    /// Returns the last payload for a subscriber that is closed because it is too slow.
    callback<std::optional<std::string>(const failure& why)> last_words{};
    /// There is room again after `publish` reported errc::busy or `has_room` returned false. Posted to the loop.
    callback<void()> room{};
};

} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {

/// The state of one subscriber. `Hub` is the fan_out it belongs to, `Peer` the connection it writes to: see fan_out.
///
/// Created by `fan_out::join`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
template <class Hub, class Peer, broadcast_policy Overflow, framing_policy Framing> class basic_subscriber final : public feed {
public:
    basic_subscriber(Hub& all, Peer& peer, Overflow policy) : all_(all), peer_(&peer), policy_(std::move(policy)) {}
    basic_subscriber(const basic_subscriber&) = delete;

    void prepare() override;
    [[nodiscard]] std::uint64_t position() const noexcept override { return position_; }
    [[nodiscard]] std::uint64_t end() const noexcept override {
        return detail::least(until_, accepted_until_, all_.ring_.end());
    }
    [[nodiscard]] std::uint64_t partial_until() const noexcept override {
        return is_mid_frame() ? all_.ring_.end_of(sequence_) : 0;
    }
    [[nodiscard]] std::size_t pending() const noexcept override { return detail::greatest(waiting(), std::size_t{has_work()}); }
    std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept override;
    void advance(std::uint64_t from, std::size_t size) noexcept override;
    void on_drained(std::size_t queued) override;
    void on_own_queued() override;
    void on_stalled() noexcept override;
    void on_writable() noexcept override;
    [[nodiscard]] bool is_finished() const noexcept override { return position_ >= until_; }
    [[nodiscard]] bool is_leaving() const noexcept override { return until_ != frame_ring::nowhere; }
    void no_more() override;
    void keep_partial() override;
    bool cut_short(const failure& why, std::vector<std::string>& words) override;
    void left() noexcept override { all_.remove(*this); }
    [[nodiscard]] const void* source() const noexcept override { return &all_; }

    [[nodiscard]] subscriber_status status() const;

private:
    friend Hub;

    [[nodiscard]] bool is_mid_frame() const noexcept { // inside a frame; a copied frame is in the outbox instead
        return position_ > all_.ring_.begin() && sequence_ < all_.ring_.next() && position_ > all_.ring_.begin_of(sequence_);
    }
    /// A snapshot or gap notice is queued but not yet sent.
    [[nodiscard]] bool has_pending_notice() const noexcept { return !is_leaving() && peer_->box().inserted(*this) > 0; }
    [[nodiscard]] bool fell_out_of_ring() const noexcept { return position_ < all_.ring_.begin(); }
    [[nodiscard]] bool has_work() const noexcept {
        return position_ < end() || needs_snapshot_ || accepted_until_ != frame_ring::nowhere;
    }
    [[nodiscard]] bool is_full() const noexcept {
        return fell_out_of_ring() || queued() >= detail::greatest(policy_.limit(), std::size_t{1});
    }
    [[nodiscard]] std::size_t waiting() const noexcept; // bytes of the stream that are still in the ring
    [[nodiscard]] std::size_t queued() const noexcept;  // for the policy: lost frames count until their gap notice is queued
    /// The peer's replies, and what this stream has inserted between them; not what its other streams have.
    [[nodiscard]] std::size_t own() const noexcept { return peer_->box().replies() + peer_->box().inserted(*this); }
    [[nodiscard]] std::uint64_t last_frame() const noexcept { return detail::least(last_, all_.ring_.next()); } // after it
    [[nodiscard]] std::uint64_t unwanted_bytes() const noexcept { return selection_ ? selection_->bytes_ahead() : 0; }
    void begin_at(join_at where) noexcept;
    bool begin_selection(frame_filter filter, error_out out);
    void ask_filter(std::uint64_t sequence, std::string_view payload);
    void pass_unwanted() noexcept;
    [[nodiscard]] selection::amount unwanted_before(std::uint64_t to) const noexcept;
    void pass(const selection::amount& unwanted) noexcept;
    [[nodiscard]] std::uint64_t accepted_until(std::size_t room) const noexcept;
    [[nodiscard]] std::uint64_t wanted_until(std::size_t room) const noexcept;
    [[nodiscard]] std::uint64_t first_that_fits() const noexcept;
    void enforce_limit();
    void make_room();
    void skip_to(std::uint64_t sequence);
    void queue_notice(const frame_gap& lost, std::uint64_t place);
    void drop_oldest();
    void drop_newest();
    void take_snapshot();
    void fall_behind();
    void fall_behind(failure why);
    std::optional<std::string> last_words(const failure& why);
    template <class Ask> bool call_handler(const char* step, Ask ask);
    shared_frame put(std::string_view payload, std::uint64_t place);
    std::uint64_t gather_chosen(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept;

    Hub& all_;
    Peer* peer_; // null: it has left the stream
    Overflow policy_;
    std::size_t index_ = 0;      // in its partition
    std::uint64_t position_ = 0; // of the next byte to send
    std::uint64_t sequence_ = 1; // of the frame that contains it
    std::uint64_t until_ = frame_ring::nowhere,
                  last_ = frame_ring::nowhere;           // the end of its part of the stream, as position and as frame number
    std::uint64_t accepted_until_ = frame_ring::nowhere; // drop_newest: the queued frames end here, newer ones are dropped
    frame_gap noticed_{};                                // the newest gap notice
    std::unique_ptr<selection> selection_;               // null: it wants every frame
    delivery_counters counters_;
    bool is_stalled_ = false, needs_snapshot_ = false, is_skipping_ = false;
};

// ---- implementation ----

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::begin_at(join_at where) noexcept {
    const frame_ring& ring = all_.ring_;
    sequence_ = ring.next();
    if (where.where == join_at::place::last) sequence_ -= detail::least(where.number, ring.next() - ring.oldest());
    if (where.where == join_at::place::after) sequence_ = detail::least(where.number, ring.next() - 1) + 1;
    needs_snapshot_ = where.where == join_at::place::snapshot;
    if (sequence_ < ring.oldest())
        position_ = ring.begin() - 1; // before the ring: the gap will be reported
    else
        position_ = sequence_ == ring.next() ? ring.end() : ring.begin_of(sequence_);
}

template <class H, class P, broadcast_policy O, framing_policy F>
std::size_t basic_subscriber<H, P, O, F>::waiting() const noexcept {
    const std::uint64_t from = detail::greatest(position_, all_.ring_.begin()), to = end();
    const std::uint64_t bytes = from < to ? to - from : 0;
    if (!selection_ || fell_out_of_ring()) return static_cast<std::size_t>(bytes);
    return static_cast<std::size_t>(bytes - detail::least(bytes, unwanted_bytes()));
}

template <class H, class P, broadcast_policy O, framing_policy F>
std::size_t basic_subscriber<H, P, O, F>::queued() const noexcept {
    return own() + static_cast<std::size_t>(detail::least(until_, all_.ring_.end()) - position_ - unwanted_bytes());
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::prepare() {
    if (is_mid_frame()) return; // complete that frame first
    const typename H::busy scope(all_);
    if (needs_snapshot_ && !is_leaving()) return take_snapshot();
    if (has_pending_notice()) return; // it must be sent before another is queued
    if (policy_.kind() == overflow_kind::drop_newest) return drop_newest();
    if (fell_out_of_ring()) return make_room();
    if (policy_.kind() == overflow_kind::disconnect || is_leaving() || queued() <= policy_.limit()) return;
    const overflow_verdict verdict = policy_.on_queued(queued(), all_.now_());
    if (verdict == overflow_verdict::disconnect) return fall_behind();
    if (verdict == overflow_verdict::make_room) make_room();
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::make_room() {
    switch (policy_.kind()) {
    case overflow_kind::disconnect: return fall_behind();
    case overflow_kind::block_producer:
        if (fell_out_of_ring()) fall_behind();
        return;
    case overflow_kind::conflate:
        if (fell_out_of_ring()) skip_to(all_.ring_.oldest());
        return;
    case overflow_kind::resync:
        if (!is_leaving()) return take_snapshot();
        [[fallthrough]]; // leaving: no snapshot any more
    case overflow_kind::drop_oldest: return drop_oldest();
    case overflow_kind::drop_newest: return drop_newest();
    }
}

// Called when something was queued. Only a subscriber that must not lose frames is disconnected before it is writable again.
template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::enforce_limit() {
    const overflow_kind kind = policy_.kind();
    if (is_leaving() || (kind != overflow_kind::disconnect && kind != overflow_kind::block_producer)) return;
    const typename H::busy scope(all_);
    if (fell_out_of_ring()) return fall_behind();
    if (kind != overflow_kind::disconnect || queued() <= policy_.limit()) return;
    if (policy_.on_queued(queued(), all_.now_()) != overflow_verdict::keep) return fall_behind();
    all_.report_room(); // its limit may have changed
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::drop_oldest() {
    const frame_ring& ring = all_.ring_;
    std::uint64_t first = detail::greatest(sequence_, ring.oldest());
    if (selection_) {
        first = detail::greatest(first, is_leaving() ? first : first_that_fits());
    } else if (!is_leaving() && queued() > policy_.limit()) {
        const std::uint64_t from = detail::within(position_ + (queued() - policy_.limit()), ring.begin(), ring.end());
        const std::uint64_t fits = ring.boundary(from) == from ? ring.at(from) : ring.at(from) + 1;
        first = detail::greatest(first, detail::least(fits, ring.next() - 1)); // the newest frame is kept, whatever its size
    }
    if (first > sequence_) skip_to(first);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::drop_newest() {
    const frame_ring& ring = all_.ring_;
    if (accepted_until_ == frame_ring::nowhere && !is_leaving() && position_ < ring.end() &&
        (fell_out_of_ring() || queued() > policy_.limit())) {
        const std::size_t room = policy_.limit() - detail::least(own(), policy_.limit());
        accepted_until_ = selection_ ? wanted_until(room) : accepted_until(room);
    }
    if (accepted_until_ != frame_ring::nowhere && (position_ >= accepted_until_ || accepted_until_ <= ring.begin())) {
        accepted_until_ = frame_ring::nowhere;
        return skip_to(ring.next());
    }
    if (fell_out_of_ring()) skip_to(ring.oldest());
}

// drop_newest: the end of the queued frames that fit into `room` bytes.
template <class H, class P, broadcast_policy O, framing_policy F>
std::uint64_t basic_subscriber<H, P, O, F>::accepted_until(std::size_t room) const noexcept {
    const frame_ring& ring = all_.ring_;
    const std::uint64_t full =
        position_ + detail::least<std::uint64_t>(room, ring.end() - position_); // `bytes` may be any value
    if (full < ring.begin()) return full;
    const std::uint64_t boundary = ring.boundary(detail::least(full, ring.end()));
    return boundary > position_ ? boundary : ring.end_of(sequence_); // the oldest frame is kept, whatever its size
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::skip_to(std::uint64_t sequence) {
    const frame_ring& ring = all_.ring_;
    sequence = detail::least(sequence, last_);
    if (sequence <= sequence_) return;
    const std::uint64_t to = sequence == last_ ? until_ : sequence == ring.next() ? ring.end() : ring.begin_of(sequence);
    const auto unwanted = unwanted_before(sequence);
    is_skipping_ = true;
    queue_notice({sequence_, sequence - 1, unwanted.frames}, position_);
    is_skipping_ = false;
    position_ = to; // last: a handler that publishes or unsubscribes must still see the frames as queued
    sequence_ = sequence;
    pass(unwanted);
    pass_unwanted();
    all_.report_room();
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::queue_notice(const frame_gap& lost, std::uint64_t place) {
    if (lost.count() == 0) return;
    noticed_ = lost;
    all_.count(&delivery_counters::dropped, *this, lost.count());
    all_.count(&delivery_counters::gaps, *this, 1);
    std::optional<std::string> notice;
    if (all_.on.gap && call_handler("gap", [&] { notice = all_.on.gap(lost); }) && notice) put(*notice, place);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::take_snapshot() {
    const std::uint64_t now = all_.ring_.next() - 1, end = all_.ring_.end(), place = position_;
    needs_snapshot_ = false;
    const auto unwanted = unwanted_before(now + 1);
    all_.count(&delivery_counters::superseded, *this, now + 1 - sequence_ - unwanted.frames);
    all_.count(&delivery_counters::resyncs, *this, 1);
    is_skipping_ = true;
    const scope_exit skipped([this] { is_skipping_ = false; });
    if (all_.snapshot_) {
        peer_->box().insert(*this, all_.snapshot_, place);
    } else {
        std::string payload;
        if (!call_handler("snapshot", [&] { payload = all_.on.snapshot(now); })) return;
        auto frame = put(payload, place);
        if (now + 1 == all_.ring_.next()) all_.snapshot_ = std::move(frame); // otherwise the handler has published a frame
    }
    position_ = end; // last, as in skip_to
    sequence_ = now + 1;
    pass(unwanted);
    is_skipping_ = false;
    pass_unwanted();
    all_.report_room();
}

template <class H, class P, broadcast_policy O, framing_policy F>
shared_frame basic_subscriber<H, P, O, F>::put(std::string_view payload, std::uint64_t place) {
    if (!peer_) return {}; // a handler closed it
    auto frame = std::make_shared<std::string>();
    failure why;
    F::append(*frame, payload, why);
    if (why) return fall_behind(std::move(why)), nullptr;
    peer_->box().insert(*this, frame, place);
    return frame;
}

// An exception from a handler of the stream closes this subscriber only. @returns whether the handler returned.
template <class H, class P, broadcast_policy O, framing_policy F> template <class Ask>
bool basic_subscriber<H, P, O, F>::call_handler(const char* step, Ask ask) {
    return detail::attempt([&] { return ask(), true; },
                           [&] {
                               if (peer_) fall_behind(current_failure(step));
                               return false;
                           });
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::fall_behind() {
    std::string text = "slow consumer: the peer has not read " + std::to_string(queued());
    text += " bytes";
    fall_behind({errc::slow_consumer, "broadcast", {}, std::move(text)});
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::fall_behind(failure why) {
    auto words = last_words(why);
    if (peer_) peer_->fall_behind(std::move(why), std::move(words));
}

template <class H, class P, broadcast_policy O, framing_policy F>
std::optional<std::string> basic_subscriber<H, P, O, F>::last_words(const failure& why) {
    ++all_.disconnected_;
    using words = std::optional<std::string>;
    // If it throws, send no last words; `why` already tells why the connection is closed.
    return detail::attempt([&] { return all_.on.last_words ? all_.on.last_words(why) : words(); }, [] { return words(); });
}

template <class H, class P, broadcast_policy O, framing_policy F> std::uint64_t
basic_subscriber<H, P, O, F>::gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
    const frame_ring& ring = all_.ring_;
    until = detail::least(until, end());
    if (from >= until) return until;
    if (from < ring.begin()) return from;                // a handler published that much; the next `prepare` handles it
    if (O::loses_frames && queued() > policy_.limit()) { // make room before sending more of the stream
        if (has_pending_notice()) return from;
        if (from == position_ && is_mid_frame()) until = detail::least(until, ring.end_of(sequence_));
    }
    if (selection_ || (policy_.kind() == overflow_kind::conflate && !is_leaving())) return gather_chosen(write, from, until);
    do {
        const std::size_t room = write.limit - write.bytes;
        std::uint64_t stop = until;
        if (until - from > room) {
            stop = ring.boundary(from + room);
            if (stop <= from) stop = ring.end_of(ring.at(from)); // a frame longer than a message
        }
        const auto parts = ring.bytes(from, stop);
        write.add(parts[0], from);
        write.add(parts[1], from + parts[0].size());
        from = stop;
    } while (from < until && write.next_message());
    return from;
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::advance(std::uint64_t from, std::size_t size) noexcept {
    const frame_ring& ring = all_.ring_;
    if (from > position_) {
        const std::uint64_t next = ring.at(from);
        const auto unwanted = unwanted_before(next);
        if (selection_) pass(unwanted);
        all_.count(&delivery_counters::superseded, *this, next - sequence_ - unwanted.frames);
        sequence_ = next;
    }
    position_ = from + size;
    const std::uint64_t next = ring.at(position_);
    all_.count(&delivery_counters::delivered, *this, next - sequence_);
    sequence_ = next;
    if (is_mid_frame())
        all_.first_partial_ = detail::least(all_.first_partial_, position_);
    else if (selection_)
        pass_unwanted();
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::on_drained(std::size_t queued) {
    policy_.on_drained(queued);
    if (all_.reported_full_) all_.report_room();
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_own_queued() {
    if (is_leaving()) return;
    const typename H::busy scope(all_);
    if (policy_.kind() != overflow_kind::disconnect) {
        if (peer_->box().replies() > policy_.limit()) fall_behind();
        return;
    }
    enforce_limit();
    if (peer_ && is_stalled_) all_.note_limit(*this); // its own frames leave less room for the stream
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_stalled() noexcept {
    if (is_stalled_) return;
    all_.attach_to(all_.stalled_, all_.remove_from_partition(*this));
    all_.note_limit(*this);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_writable() noexcept {
    if (!is_stalled_) return;
    all_.attach_to(all_.writable_, all_.remove_from_partition(*this));
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::no_more() {
    if (is_leaving()) return;
    const typename H::busy scope(all_);
    const frame_ring& ring = all_.ring_;
    ++all_.leaving_;
    if (policy_.kind() == overflow_kind::block_producer) --all_.blocking_;
    all_.report_room();
    needs_snapshot_ = false;
    until_ = detail::greatest(position_, ring.end());
    last_ = ring.next();
    if (accepted_until_ == frame_ring::nowhere || accepted_until_ <= ring.begin()) return;
    frame_gap lost{ring.at(accepted_until_), ring.next() - 1}; // report it now; later the stream may be destroyed
    until_ = std::exchange(accepted_until_, frame_ring::nowhere);
    last_ = lost.first;
    if (selection_) lost.unwanted = selection_->forget(ring, lost.first, ring.next());
    all_.count(&delivery_counters::filtered, *this, lost.unwanted);
    if (lost.last >= lost.first) queue_notice(lost, until_);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::keep_partial() {
    if (!is_mid_frame()) return;
    const frame_ring& ring = all_.ring_;
    const auto taken = detail::size_cast(position_ - ring.begin_of(sequence_));
    auto frame = all_.partial_.copy(ring, sequence_);
    all_.count(&delivery_counters::delivered, *this, 1); // it will be completed, or the connection ends
    position_ = ring.end_of(sequence_++);
    peer_->box().insert(*this, std::move(frame), 0, taken);
    pass_unwanted();
}

// What the peer is told when it does not get the rest of the stream: the gap, a snapshot, or the last words.
template <class H, class P, broadcast_policy O, framing_policy F>
bool basic_subscriber<H, P, O, F>::cut_short(const failure& why, std::vector<std::string>& words) {
    const typename H::busy scope(all_);
    const std::uint64_t end = last_frame();
    frame_gap lost{sequence_ + (is_mid_frame() ? 1 : 0), end - 1};
    if (selection_) lost.unwanted = selection_->unwanted(all_.ring_, lost.first, end, end).frames;
    if (peer_->box().has_unsent(*this) && noticed_.count() > 0) { // that notice is dropped too
        if (selection_) lost.unwanted += noticed_.unwanted + lost.first - 1 - noticed_.last;
        lost.first = noticed_.first;
    }
    if (lost.first >= end || lost.count() == 0) return false;
    std::optional<std::string> told;
    const overflow_kind kind = policy_.kind();
    const auto count_rest = [&](std::uint64_t delivery_counters::*as) {
        const auto unwanted = unwanted_before(end);
        pass(unwanted);
        all_.count(as, *this, end - sequence_ - unwanted.frames);
    };
    if (kind == overflow_kind::resync && all_.on.snapshot && !is_leaving()) {
        if (!call_handler("snapshot", [&] { told = all_.on.snapshot(end - 1); })) return false;
        count_rest(&delivery_counters::superseded);
    } else if (O::loses_frames && kind != overflow_kind::disconnect && kind != overflow_kind::block_producer && all_.on.gap) {
        if (!call_handler("gap", [&] { told = all_.on.gap(lost); })) return false;
        count_rest(&delivery_counters::dropped);
        all_.count(&delivery_counters::gaps, *this, 1);
    } else {
        told = last_words(why);
    }
    if (told) words.push_back(std::move(*told));
    return true;
}

template <class H, class P, broadcast_policy O, framing_policy F>
subscriber_status basic_subscriber<H, P, O, F>::status() const {
    subscriber_status now;
    static_cast<delivery_counters&>(now) = counters_;
    now.queued_bytes = own() + waiting();
    now.lag = last_frame() - sequence_ - (selection_ ? selection_->frames_ahead() : 0);
    return now;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/subscriber_filter.hpp ----
/// @file subscriber_filter.hpp: a subscriber that wants only some frames: what it passes, and what its limit means then.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_property_test.cpp, broadcast_streams_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// Members of basic_subscriber; subscriber.hpp includes this file. With a filter, the frame at `sequence_` is always wanted, if
/// it is in the ring: frames before it that are not wanted are passed at once, so they never count as queued.

namespace mato {
inline namespace MATO_ABI {

// Frames that are in the ring already are decided now. Those that the ring has dropped count as wanted, so they are lost.
template <class H, class P, broadcast_policy O, framing_policy F>
bool basic_subscriber<H, P, O, F>::begin_selection(frame_filter filter, error_out out) {
    const frame_ring& ring = all_.ring_;
    selection_ = std::make_unique<selection>(ring, std::move(filter));
    const bool was_asking = std::exchange(all_.asks_filters_, true);
    const scope_exit asked([&] { all_.asks_filters_ = was_asking; });
    std::string room;
    for (std::uint64_t each = detail::greatest(sequence_, ring.oldest()); each < ring.next(); ++each) {
        const auto parts = ring.bytes(ring.begin_of(each), ring.end_of(each));
        std::string_view bytes = parts[0];
        if (!parts[1].empty()) bytes = room.assign(parts[0]).append(parts[1]);
        const auto ask = [&] {
            std::error_code ignored; // the frame was encoded by this framing
            const auto frame = F::split(bytes, ignored);
            const bool is_wanted = !frame || selection_->filter()(frame->payload);
            selection_->note(ring, each, is_wanted ? selection::verdict::wanted : selection::verdict::refused);
            return true;
        };
        const auto told = [&] {
            const failure why = current_failure("filter");
            return out.fail<bool>(why.code, "subscribe", why.path,
                                  "the filter failed: " + (why.detail.empty() ? why.code.message() : why.detail));
        };
        if (!detail::attempt(ask, told)) return false;
    }
    pass_unwanted();
    return true;
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::ask_filter(std::uint64_t sequence, std::string_view payload) {
    if (!selection_ || is_leaving() || sequence < sequence_) return;
    selection_->note(all_.ring_, sequence, selection::verdict::wanted); // first: the filter may end the subscription
    bool is_wanted = true;
    if (!call_handler("filter", [&] { is_wanted = selection_->filter()(payload); }) || is_wanted) return;
    selection_->note(all_.ring_, sequence, selection::verdict::refused);
    if (peer_) pass_unwanted();
}

template <class H, class P, broadcast_policy O, framing_policy F>
auto basic_subscriber<H, P, O, F>::unwanted_before(std::uint64_t to) const noexcept -> selection::amount {
    return selection_ ? selection_->unwanted(all_.ring_, sequence_, to, last_frame()) : selection::amount();
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::pass(const selection::amount& unwanted) noexcept {
    if (!selection_) return;
    selection_->pass(unwanted);
    all_.count(&delivery_counters::filtered, *this, unwanted.frames);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::pass_unwanted() noexcept {
    if (!selection_ || is_skipping_ || fell_out_of_ring() || is_mid_frame()) return;
    const frame_ring& ring = all_.ring_;
    // A newer frame of the key replaces an older one also if it is not wanted itself: then nothing newer may follow.
    const bool conflates = policy_.kind() == overflow_kind::conflate && !is_leaving();
    std::uint64_t next = sequence_;
    while (next < last_frame() && (!selection_->wants(next) || (conflates && ring.is_superseded(next)))) ++next;
    if (next == sequence_) return;
    const auto unwanted = unwanted_before(next);
    pass(unwanted);
    all_.count(&delivery_counters::superseded, *this, next - sequence_ - unwanted.frames);
    position_ = next == last_ ? until_ : next == ring.next() ? ring.end() : ring.begin_of(next);
    sequence_ = next;
}

// drop_oldest: the first frame to keep. The newest wanted frame is kept, whatever its size.
template <class H, class P, broadcast_policy O, framing_policy F>
std::uint64_t basic_subscriber<H, P, O, F>::first_that_fits() const noexcept {
    const frame_ring& ring = all_.ring_;
    std::uint64_t first = last_frame();
    std::size_t bytes = own();
    for (std::uint64_t each = first; each > detail::greatest(sequence_, ring.oldest());) {
        if (!selection_->wants(--each)) continue;
        bytes += detail::size_cast(ring.end_of(each) - ring.begin_of(each));
        if (bytes > policy_.limit() && first != last_frame()) break;
        first = each;
    }
    return first;
}

// drop_newest: the end of the wanted frames that fit into `room` bytes. The oldest one is kept, whatever its size.
template <class H, class P, broadcast_policy O, framing_policy F>
std::uint64_t basic_subscriber<H, P, O, F>::wanted_until(std::size_t room) const noexcept {
    const frame_ring& ring = all_.ring_;
    std::uint64_t until = ring.begin();
    std::size_t bytes = 0;
    for (std::uint64_t each = detail::greatest(sequence_, ring.oldest()); each < ring.next(); ++each) {
        if (!selection_->wants(each)) continue;
        bytes += detail::size_cast(ring.end_of(each) - ring.begin_of(each));
        if (bytes > room && until > ring.begin()) break;
        until = ring.end_of(each);
    }
    return until;
}

// Leaves out frames that are not wanted, and with conflate those that a newer one replaces.
template <class H, class P, broadcast_policy O, framing_policy F> std::uint64_t
basic_subscriber<H, P, O, F>::gather_chosen(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
    const frame_ring& ring = all_.ring_;
    const bool conflates =
        policy_.kind() == overflow_kind::conflate && !is_leaving(); // when leaving, the newer frame may not be for it
    std::uint64_t sequence = ring.at(from), to = from;              // [from, to) is a run of frames to send
    const auto add_run = [&] {
        const auto parts = ring.bytes(from, to);
        write.add(parts[0], from);
        write.add(parts[1], from + parts[0].size());
    };
    while (to < until && write.bytes + (to - from) < write.limit) {
        const std::uint64_t end = ring.end_of(sequence);
        const bool is_chosen = !(conflates && ring.is_superseded(sequence)) && (!selection_ || selection_->wants(sequence));
        const bool is_skipped = !is_chosen && !(sequence == sequence_ && is_mid_frame());
        ++sequence;
        if (!is_skipped) {
            to = end;
            continue;
        }
        if (to > from) add_run();
        from = to = end;
        if (write.is_full()) return to;
    }
    if (to > from) add_run();
    return to;
}

} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {

/// `Peer` has an outbox (`outbox& box()`), sends from it (`void flush()`), and can be closed: `void fall_behind(failure,
/// std::optional<std::string> last_payload)` closes it after the partially sent frame, `void cut_off(failure)` immediately.
/// Both leave the stream.
///
/// `basic_broadcast` is this class for connections.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork must not be used in a child.
/// @blocks never.
template <class Peer, broadcast_policy Overflow, framing_policy Framing> class fan_out {
    static_assert(Framing::keeps_boundaries || !Overflow::loses_frames,
                  "mato: this overflow policy loses whole frames, so it needs a framing that keeps boundaries; raw does not");

public:
    using subscriber = basic_subscriber<fan_out, Peer, Overflow, Framing>;
    using time_source = clock::time_point (*)();

    explicit fan_out(std::size_t ring_bytes, time_source now = &clock::now)
        : ring_(ring_bytes), now_(now), flush_bytes_(worth_a_flush(ring_.capacity() / 4)) {}
    fan_out(const fan_out&) = delete;
    fan_out& operator=(const fan_out&) = delete;
    virtual ~fan_out() = default;

    fan_out_handlers on{};

    /// Adds a subscriber, to be passed to `outbox::follow`; it lives until the outbox leaves it.
    /// @errors invalid_argument: a handler that the policy needs is not set: `snapshot` for resync, `gap` for dropping
    /// policies · what `filter` throws about frames that are in the ring already.
    [[nodiscard]] feed* join(Peer& peer, Overflow policy, join_at where, frame_filter filter, error_out out);
    [[nodiscard]] feed* join(Peer& peer, Overflow policy, join_at where, error_out out) {
        return join(peer, std::move(policy), where, {}, out);
    }

    /// @returns the frame's number.
    /// @errors as Framing::append · frame_too_large: larger than half of the ring · busy: every subscriber is full, see
    ///         block_producer, or a filter called it. After an error no subscriber gets the frame.
    std::uint64_t publish(std::string_view payload, error_out out) { return publish(payload, nullptr, out); }
    /// As `publish`. Replaces an older frame of the same key: subscribers with `conflate` no longer get that one.
    std::uint64_t publish_keyed(std::uint64_t key, std::string_view payload, error_out out) {
        return publish(payload, &key, out);
    }
    /// False while every subscriber is full and one has block_producer; `on.room` is called when there is room again.
    [[nodiscard]] bool has_room() noexcept;

    /// Writes once to every writable subscriber that has something to send, then enforces the limits of the others.
    /// @returns whether there is more to send now.
    bool flush();
    [[nodiscard]] bool is_busy() const noexcept { return busy_ > 0; } ///< inside `flush` or a handler
    /// Enough for one write was published since the last flush. Flushing then keeps one long iteration of the loop from
    /// overrunning the ring or a subscriber's limit.
    [[nodiscard]] bool is_flush_due() const noexcept { return ring_.end() - flushed_ >= flush_bytes_; }

    /// Subscribers get everything published so far, and nothing newer.
    void finish();

    [[nodiscard]] const frame_ring& ring() const noexcept { return ring_; }
    [[nodiscard]] std::size_t members() const noexcept { return writable_.size() + stalled_.size(); } ///< leaving ones too
    [[nodiscard]] std::size_t size() const noexcept { return writable_.size() + stalled_.size() - leaving_; }
    [[nodiscard]] std::size_t partial_bytes() const noexcept { return partial_.bytes(); } ///< as in broadcast_status
    [[nodiscard]] broadcast_status status() const;
    [[nodiscard]] static subscriber_status status(const feed& of) { return static_cast<const subscriber&>(of).status(); }

protected:
    /// Called when a subscriber has room again after `has_room()` returned false. It is called re-entrantly: post, do not act.
    virtual void has_room_again() noexcept {}

private:
    using partition = std::vector<std::unique_ptr<subscriber>>;
    static constexpr std::uint64_t nowhere = frame_ring::nowhere;
    friend subscriber;

    std::uint64_t publish(std::string_view payload, const std::uint64_t* key, error_out out);
    std::uint64_t store(const frame_ends& ends, std::string_view payload, const std::uint64_t* key, error_out out);
    std::uint64_t busy_now(error_out out) const;
    static constexpr std::size_t worth_a_flush(std::size_t bytes) noexcept {
        return detail::within(bytes, gathered_write::message_bytes, gathered_write::most_bytes);
    }
    std::uint64_t too_large(std::size_t size, error_out out) const;
    void make_room(std::size_t size);
    void keep_partial(std::uint64_t sequence);
    void ask_filters(std::uint64_t sequence, std::string_view payload);
    void enforce_limits();
    void note_limit(const subscriber& who) noexcept;
    std::unique_ptr<subscriber> remove_from_partition(subscriber& who) noexcept;
    void attach_to(partition& part, std::unique_ptr<subscriber> who);
    void remove(subscriber& who) noexcept;
    void reap() noexcept;
    template <class Each> void for_each(Each each) const;
    void report_room() noexcept;
    void count(std::uint64_t delivery_counters::*what, subscriber& who, std::uint64_t by) noexcept {
        who.counters_.*what += by;
        total_.*what += by;
    }

    /// Defers the deletion of subscribers while in scope.
    class busy {
    public:
        explicit busy(fan_out& all) noexcept : all_(all) { ++all_.busy_; }
        busy(const busy&) = delete;
        ~busy() {
            if (--all_.busy_ == 0) all_.reap();
        }

    private:
        fan_out& all_;
    };

    frame_ring ring_;
    time_source now_;
    std::size_t flush_bytes_; // published between two flushes
    std::string scratch_;     // a frame of a framing without ends()
    partition writable_, stalled_;
    std::size_t leaving_ = 0;               // members that only get what was already published
    std::size_t blocking_ = 0;              // members with block_producer
    std::size_t filtering_ = 0;             // members with a filter
    std::uint64_t flushed_ = 0;             // the ring's end at the last flush
    std::uint64_t first_partial_ = nowhere; // no partially sent frame ends before this position; may be too low
    std::uint64_t next_limit_ = nowhere;    // no stalled member reaches its limit before the ring's end gets here
    std::uint64_t last_kept_ = nowhere;     // no stalled member that must not lose frames is before this; may be too low
    partial_frames partial_;
    shared_frame snapshot_; // of the current state; dropped when the next frame is published
    key_index keys_;
    delivery_counters total_;
    std::uint64_t disconnected_ = 0;
    int busy_ = 0;
    bool reported_full_ = false, removed_ = false, asks_filters_ = false;
};

// ---- implementation ----

template <class P, broadcast_policy O, framing_policy F>
feed* fan_out<P, O, F>::join(P& peer, O policy, join_at where, frame_filter filter, error_out out) {
    const auto refuse = [&](std::errc why, const char* text) -> feed* {
        return out.fail<feed*>(std::make_error_code(why), "subscribe", {}, text);
    };
    const overflow_kind kind = policy.kind();
    const bool drops =
        kind == overflow_kind::drop_oldest || kind == overflow_kind::drop_newest || kind == overflow_kind::conflate;
    if ((kind == overflow_kind::resync || where.where == join_at::place::snapshot) && !on.snapshot)
        return refuse(std::errc::invalid_argument,
                      "the subscription needs a snapshot, but on.snapshot is not set; set it before subscribing");
    if (drops && !on.gap)
        return refuse(std::errc::invalid_argument,
                      "the policy may lose frames, but on.gap is not set; set it before subscribing");
    if (where.where == join_at::place::after && where.number < ring_.oldest() - 1 && !drops && kind != overflow_kind::resync)
        return refuse(std::errc::result_out_of_range,
                      "the frames after this number are no longer in the ring; join at a snapshot or at the next frame");
    flush_bytes_ = detail::least(flush_bytes_, worth_a_flush(policy.limit() / 2));
    auto fresh = std::make_unique<subscriber>(*this, peer, std::move(policy));
    fresh->begin_at(where);
    if (filter && !fresh->begin_selection(std::move(filter), out)) return nullptr;
    if (fresh->selection_) ++filtering_;
    if (kind == overflow_kind::block_producer) ++blocking_;
    subscriber* const joined = fresh.get();
    attach_to(writable_, std::move(fresh));
    report_room();
    return joined;
}

template <class P, broadcast_policy O, framing_policy F>
std::uint64_t fan_out<P, O, F>::publish(std::string_view payload, const std::uint64_t* key, error_out out) {
    if (asks_filters_ || !has_room()) [[unlikely]]
        return busy_now(out);
    std::uint64_t sequence = 0;
    if constexpr (requires { F::ends(payload, out); }) {
        sequence = store(F::ends(payload, out), payload, key, out);
    } else {
        scratch_.clear();
        F::append(scratch_, payload, out);
        sequence = store({}, scratch_, key, out);
    }
    if (filtering_ > 0 && sequence > 0) [[unlikely]]
        ask_filters(sequence, payload);
    return sequence;
}

template <class P, broadcast_policy O, framing_policy F> std::uint64_t
fan_out<P, O, F>::store(const frame_ends& ends, std::string_view payload, const std::uint64_t* key, error_out out) {
    if (out.failed()) return 0;
    const std::size_t size = ends.head_size + payload.size() + ends.tail.size();
    if (size > ring_.largest()) [[unlikely]]
        return too_large(size, out);
    if (snapshot_) snapshot_.reset();
    make_room(size);
    const std::uint64_t sequence = ring_.push(ends.before(), payload, ends.tail);
    if (key) keys_.add(ring_, *key);
    return sequence;
}

// Errors are reported in separate functions: an error_out whose address is not taken stays in registers.
template <class P, broadcast_policy O, framing_policy F> std::uint64_t fan_out<P, O, F>::busy_now(error_out out) const {
    return out.fail<std::uint64_t>(errc::busy, "publish", {},
                                   asks_filters_ ? "a subscriber's filter is running; publish after it"
                                                 : "every subscriber's queue is full; wait for on.room");
}

template <class P, broadcast_policy O, framing_policy F>
std::uint64_t fan_out<P, O, F>::too_large(std::size_t size, error_out out) const {
    std::string text = "a frame of " + std::to_string(size);
    text += " bytes is larger than half of the ring (" + std::to_string(ring_.largest()) + "); enlarge ring_bytes";
    out.set(errc::frame_too_large, "publish", {}, std::move(text));
    return 0;
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::make_room(std::size_t size) {
    while (!ring_.has_room(size)) {
        if (first_partial_ < ring_.end_of(ring_.oldest())) keep_partial(ring_.oldest());
        ring_.pop();
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::keep_partial(std::uint64_t sequence) {
    const busy scope(*this);
    const auto size = detail::size_cast(ring_.end_of(sequence) - ring_.begin_of(sequence));
    const bool is_kept = partial_.has(sequence) || partial_.bytes() + size <= ring_.capacity() / 10;
    first_partial_ = nowhere;
    for_each([&](subscriber& who) {
        if (!who.is_mid_frame()) return;
        if (who.sequence_ != sequence) {
            first_partial_ = detail::least(first_partial_, who.position_);
        } else if (is_kept) {
            who.keep_partial();
        } else {
            ++disconnected_;
            who.peer_->cut_off({errc::slow_consumer, "broadcast", {}, "slow consumer: too many partially sent frames"});
        }
    });
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::ask_filters(std::uint64_t sequence, std::string_view payload) {
    const busy scope(*this);
    asks_filters_ = true;
    const scope_exit asked([this] { asks_filters_ = false; });
    for_each([&](subscriber& who) { who.ask_filter(sequence, payload); });
}

template <class P, broadcast_policy O, framing_policy F> bool fan_out<P, O, F>::has_room() noexcept {
    if (blocking_ == 0) return true;
    for (const partition* part : {&writable_, &stalled_})
        for (const auto& who : *part)
            if (who->peer_ && !who->is_leaving() && !who->is_full()) return true;
    reported_full_ = true;
    return false;
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::report_room() noexcept {
    if (!reported_full_ || !has_room()) return;
    reported_full_ = false;
    has_room_again();
}

template <class P, broadcast_policy O, framing_policy F> bool fan_out<P, O, F>::flush() {
    const busy scope(*this);
    flushed_ = ring_.end();
    bool again = false;
    for (std::size_t i = 0; i < writable_.size();) {
        subscriber& who = *writable_[i];
        if (who.peer_ && who.has_work()) who.peer_->flush();
        if (who.peer_) who.enforce_limit();
        if (i == writable_.size() || writable_[i].get() != &who) continue; // it stalled; another one has its index now
        again = again || (who.peer_ && who.has_work());
        ++i;
    }
    enforce_limits();
    return again || ring_.end() != flushed_; // a handler has published
}

// Checks stalled subscribers that must not lose frames. The others are handled when they become writable.
template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::enforce_limits() {
    if (ring_.end() <= next_limit_ && ring_.begin() <= last_kept_) return;
    next_limit_ = last_kept_ = nowhere;
    for (std::size_t i = 0; i < stalled_.size(); ++i) { // a handler may add to them
        subscriber& who = *stalled_[i];
        if (who.peer_) who.enforce_limit();
        if (who.peer_) note_limit(who);
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::note_limit(const subscriber& who) noexcept {
    const overflow_kind kind = who.policy_.kind();
    if (who.is_leaving() || (kind != overflow_kind::disconnect && kind != overflow_kind::block_producer)) return;
    last_kept_ = detail::least(last_kept_, who.position_);
    if (kind != overflow_kind::disconnect) return;
    const std::size_t own = who.own();
    const std::uint64_t room = who.policy_.limit() - detail::least(own, who.policy_.limit());
    if (room < nowhere - who.position_ - who.unwanted_bytes())
        next_limit_ = detail::least(next_limit_, who.position_ + who.unwanted_bytes() + room);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::finish() {
    const busy scope(*this);
    for_each([](subscriber& who) { who.peer_->box().no_more(who); });
}

template <class P, broadcast_policy O, framing_policy F> template <class Each>
void fan_out<P, O, F>::for_each(Each each) const {
    for (const partition* part : {&writable_, &stalled_})
        for (std::size_t i = 0; i < part->size(); ++i) // a handler may add to them
            if ((*part)[i]->peer_) each(*(*part)[i]);
}

template <class P, broadcast_policy O, framing_policy F> auto fan_out<P, O, F>::remove_from_partition(subscriber& who) noexcept
    -> std::unique_ptr<subscriber> {
    partition& part = who.is_stalled_ ? stalled_ : writable_;
    part.back()->index_ = who.index_;
    std::swap(part[who.index_], part.back());
    auto out = std::move(part.back());
    part.pop_back();
    return out;
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::attach_to(partition& part, std::unique_ptr<subscriber> who) {
    who->index_ = part.size();
    who->is_stalled_ = &part == &stalled_;
    part.push_back(std::move(who));
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::remove(subscriber& who) noexcept {
    if (who.is_leaving())
        --leaving_;
    else if (who.policy_.kind() == overflow_kind::block_producer)
        --blocking_;
    if (who.selection_) --filtering_;
    who.peer_ = nullptr;
    report_room();
    removed_ = true;
    if (busy_ == 0) {
        static_cast<void>(remove_from_partition(who));
        removed_ = false;
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::reap() noexcept {
    if (!std::exchange(removed_, false)) return;
    for (partition* part : {&writable_, &stalled_})
        for (std::size_t i = 0; i < part->size();) {
            if ((*part)[i]->peer_)
                ++i;
            else
                static_cast<void>(remove_from_partition(*(*part)[i]));
        }
}

template <class P, broadcast_policy O, framing_policy F> broadcast_status fan_out<P, O, F>::status() const {
    broadcast_status now;
    static_cast<delivery_counters&>(now) = total_;
    now.subscribers = size();
    now.stalled = stalled_.size();
    now.published = ring_.next() - 1;
    now.disconnected = disconnected_;
    now.partial_bytes = partial_bytes();
    now.ring_bytes = detail::size_cast(ring_.end() - ring_.begin());
    for_each([&](const subscriber& who) {
        const subscriber_status its = who.status();
        now.slowest_bytes = detail::greatest(now.slowest_bytes, its.queued_bytes);
        now.slowest_lag = detail::greatest(now.slowest_lag, its.lag);
    });
    return now;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/keeper.hpp ----
/// @file keeper.hpp: a process that holds what a daemon must not lose, and starts the next worker when one dies.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_test.cpp, test/process/survive_process_test.cpp.
/// Threads: the process has one; with more, fork copies locks that no thread can release.
/// Fork: that is its purpose: every worker is a fork of this process, which runs no code of the program's.
/// Blocks: `run`, until the last worker has ended.
/// Source: prctl(2) PR_SET_CHILD_SUBREAPER, unix(7), waitpid(2).
///
/// The keeper waits for messages of its worker, signals, and the deaths of children. It reaps every child, as an init does.

// ---- mato/detail/keeper_state.hpp ----
/// @file keeper_state.hpp: what a keeper knows, in a memory file for the program that is executed in its place.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_state_test.cpp.
/// Threads: values.   Blocks: never.
///
/// The process stays: pid, children, subreaper, signal mask and descriptors are the same after exec(2). All else is here. The
/// memory: a head of kept_memory.hpp, one word that a checking program sets when it could go on from here, the checksum, then
/// numbers of eight bytes, and texts with their length before them.

// ---- mato/memory_file.hpp ----
/// @file memory_file.hpp: memory that outlives the process while another process holds its descriptor.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/memory_file_test.cpp; the faults: test/fault/fault_memory_file_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Fork: the child has the mapping and the descriptor too. Both see each other's writes; each object releases its own copy.
/// Exec: mapping and descriptor are closed. The memory stays while another process holds a descriptor (descriptors.hpp passes
/// it). Source: memfd_create(2), fcntl(2) "File Sealing", madvise(2) MADV_DONTDUMP.

namespace mato {
inline namespace MATO_ABI {

/// A file in memory, mapped for reading and writing. Its size is sealed, so that no other holder can truncate it. Its contents
/// are not: the adopting program must check them. A page uses memory after its first write. Core dumps do not include it.
///
/// ```cpp
/// mato::failure why;
/// auto counter = mato::memory_file::create("counter", 4096, why);
/// if (why) return; // limits or an old system refuse it: continue without
/// counter.bytes()[0] = 'x';
/// auto next = mato::memory_file::adopt(std::move(counter).release(), why); // what the next process does
/// if (!why) std::printf("%c\n", next.bytes()[0]);
/// ```
class memory_file {
public:
    /// Largest file in bytes: bounds an adopted file, and fits the address space of every process.
    static constexpr std::size_t most_bytes = std::size_t{1} << 30;
    /// Longest name in bytes, memfd_create(2).
    static constexpr std::size_t most_name = 249;

    /// Empty: `bytes()` is empty.
    memory_file() noexcept = default;
    memory_file(memory_file&& other) noexcept
        : fd_(std::move(other.fd_)), at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    memory_file& operator=(memory_file&& other) noexcept {
        memory_file taken(std::move(other));
        std::swap(fd_, taken.fd_), std::swap(at_, taken.at_), std::swap(size_, taken.size_);
        return *this;
    }
    ~memory_file() { unmap(); }

    /// Creates a file filled with zeroes. `name` is shown in proc(5) and need not be unique.
    /// @errors invalid_argument: 0 bytes, more than `most_bytes`, or an invalid name · EFBIG: over the file size limit ·
    /// ENOMEM: no address space · EMFILE, ENFILE · ENOSYS: not on this system · any other of memfd_create(2) and mmap(2).
    [[nodiscard]] static memory_file create(std::string_view name, std::size_t bytes, error_out out);
    [[nodiscard]] static memory_file create(std::string_view name, std::size_t bytes) {
        return or_throw([&](failure& why) { return create(name, bytes, why); });
    }
    /// Adopts a file that another process created and passed or left. The descriptor becomes close-on-exec; a refused one is
    /// closed.
    /// @errors malformed: not a memory file, not sealed as by `create`, sealed against writing, opened read-only, empty, or
    /// over `most_bytes` · EBADF · as `create`.
    [[nodiscard]] static memory_file adopt(unique_fd fd, error_out out);
    [[nodiscard]] static memory_file adopt(unique_fd fd) {
        return or_throw([&](failure& why) { return adopt(std::move(fd), why); });
    }
    /// As `adopt`, but what this process writes is not written to the file. For a reader that must change nothing, such as a
    /// program that may still be refused.
    [[nodiscard]] static memory_file adopt_copy(unique_fd fd, error_out out);

    /// All bytes, page-aligned. Valid until the object is destroyed or assigned.
    [[nodiscard]] std::span<char> bytes() const noexcept { return {at_, size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); } ///< to pass to another process; -1 when empty
    [[nodiscard]] explicit operator bool() const noexcept { return at_ != nullptr; }

    /// Unmaps the file and returns the descriptor.
    [[nodiscard]] unique_fd release() && noexcept {
        unmap();
        return std::move(fd_);
    }

private:
    [[nodiscard]] static memory_file adopt(unique_fd fd, int sharing, error_out out);
    void map(std::size_t size, int sharing, std::string_view called, error_out out);
    void unmap() noexcept {
        if (at_ != nullptr) sys::munmap(std::exchange(at_, nullptr), std::exchange(size_, 0));
    }

    unique_fd fd_;
    char* at_ = nullptr;
    std::size_t size_ = 0;
};

// ---- implementation ----

#if MATO_HAS_MEMFD
namespace detail {
inline constexpr int size_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
inline constexpr int write_seals = F_SEAL_WRITE | 0x10; // and F_SEAL_FUTURE_WRITE, which older headers lack
inline constexpr long shared_memory_magic = 0x01021994; // TMPFS_MAGIC, statfs(2); huge pages have a different one
} // namespace detail

inline memory_file memory_file::create(std::string_view name, std::size_t bytes, error_out out) {
    static constexpr std::string_view step = "create memory file";
    const auto refuse = [&](std::string why) {
        return out.fail<memory_file>(std::make_error_code(std::errc::invalid_argument), step, name.substr(0, name.find('\0')),
                                     std::move(why));
    };
    if (name.find('\0') != std::string_view::npos) return refuse("the name contains a NUL");
    if (name.size() > most_name)
        return refuse("the name has " + std::to_string(name.size()) + " bytes, the limit is " + std::to_string(most_name));
    if (bytes == 0 || bytes > most_bytes)
        return refuse(std::to_string(bytes) + " bytes were requested; 1 to " + std::to_string(most_bytes) + " are allowed");
    memory_file made;
    made.fd_.reset(sys::memfd_create(std::string(name).c_str()));
    if (!made.fd_) return out.fail<memory_file>(last_error(), step, name);
    // Above the limit ftruncate(2) sends SIGXFSZ, which kills a process that does not handle it.
    struct ::rlimit limit {};
    const bool fits = sys::getrlimit(RLIMIT_FSIZE, &limit) == -1 || limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur;
    if (!fits) errno = EFBIG;
    if (!fits || sys::ftruncate(made.fd_.get(), static_cast<off_t>(bytes)) == -1) {
        const auto code = last_error();
        return out.fail<memory_file>(
            code, "size memory file", name,
            code.value() == EFBIG ? std::to_string(bytes) + " bytes exceed this process's file size limit; raise it (ulimit -f)"
                                  : std::string());
    }
    if (sys::fcntl(made.fd_.get(), F_ADD_SEALS, detail::size_seals) == -1)
        return out.fail<memory_file>(last_error(), "seal memory file", name);
    made.map(bytes, MAP_SHARED, name, out);
    return made.at_ ? std::move(made) : memory_file();
}

inline memory_file memory_file::adopt(unique_fd fd, error_out out) { return adopt(std::move(fd), MAP_SHARED, out); }
inline memory_file memory_file::adopt_copy(unique_fd fd, error_out out) { return adopt(std::move(fd), MAP_PRIVATE, out); }

inline memory_file memory_file::adopt(unique_fd fd, int sharing, error_out out) {
    static constexpr std::string_view step = "adopt memory file";
    const std::string called = "descriptor " + std::to_string(fd.get());
    const auto refuse = [&](std::string why) { return out.fail<memory_file>(errc::malformed, step, called, std::move(why)); };
    const auto failed = [&] { return out.fail<memory_file>(last_error(), step, called); };
    struct ::stat about {};
    if (sys::fstat(fd.get(), &about) == -1) return failed();
    const int seals = sys::fcntl(fd.get(), F_GET_SEALS, 0); // EINVAL: a file that cannot be sealed
    if (seals == -1 && errno != EINVAL) return failed();
    struct ::statfs system {};
    if (sys::fstatfs(fd.get(), &system) == -1) return failed();
    if (seals == -1 || !S_ISREG(about.st_mode) || system.f_type != detail::shared_memory_magic)
        return refuse("it is not a memory file");
    if ((seals & detail::size_seals) != detail::size_seals) return refuse("its size is not sealed");
    if ((seals & detail::write_seals) != 0) return refuse("it is sealed against writing");
    const int mode = sys::fcntl(fd.get(), F_GETFL, 0);
    if (mode == -1) return failed();
    if ((mode & O_ACCMODE) != O_RDWR) return refuse("it is not open for reading and writing");
    if (about.st_size <= 0 || static_cast<unsigned long long>(about.st_size) > most_bytes)
        return refuse("it has " + std::to_string(about.st_size) + " bytes; 1 to " + std::to_string(most_bytes) +
                      " are accepted");
    if (sys::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) == -1) return failed();
    memory_file made;
    made.fd_ = std::move(fd);
    made.map(static_cast<std::size_t>(about.st_size), sharing, called, out);
    return made.at_ ? std::move(made) : memory_file();
}

inline void memory_file::map(std::size_t size, int sharing, std::string_view called, error_out out) {
    void* const at = sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, sharing | MAP_NORESERVE, fd_.get(), 0);
    if (at == MAP_FAILED) { // NOLINT(performance-no-int-to-ptr)
        const auto code = last_error();
        out.set(code, "map memory file", called,
                code.value() == ENOMEM ? "no address space for " + std::to_string(size) + " bytes; raise the limit (ulimit -v)"
                                       : std::string());
        return;
    }
    at_ = static_cast<char*>(at);
    size_ = size;
    sys::madvise(at_, size_, MADV_DONTDUMP); // if it fails, core dumps are larger
}
#else
namespace detail {
inline memory_file no_memory_files(std::string_view step, std::string_view called, error_out out) {
    return out.fail<memory_file>({ENOSYS, std::system_category()}, step, called, "this system has no memfd_create(2)");
}
} // namespace detail

inline memory_file memory_file::create(std::string_view name, std::size_t, error_out out) {
    return detail::no_memory_files("create memory file", name.substr(0, name.find('\0')), out);
}
inline memory_file memory_file::adopt(unique_fd fd, error_out out) {
    return detail::no_memory_files("adopt memory file", "descriptor " + std::to_string(fd.get()), out);
}
inline memory_file memory_file::adopt_copy(unique_fd fd, error_out out) { return adopt(std::move(fd), out); }
#endif

} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/crc32c.hpp ----
/// @file crc32c.hpp: the checksum CRC-32C, with the processor's instruction if it has one.
/// Layer: 0 (platform).  Test: test/toolkit/two_slots_test.cpp.
/// Threads: safe.   Blocks: never.
/// Source: RFC 3720 appendix B.4 (test values); polynomial 0x1EDC6F41, reflected 0x82F63B78.

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// The checksum of `bytes`, continuing the checksum `before` of the bytes preceding them.
[[nodiscard]] inline std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

// ---- implementation ----

/// `of[k][b]`: the effect of byte b on the sum when k more bytes follow it in the same step.
struct crc32c_tables {
    std::uint32_t of[8][256]{};
    constexpr crc32c_tables() noexcept {
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            std::uint32_t sum = byte;
            for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0x82F63B78U : 0U);
            of[0][byte] = sum;
        }
        for (int k = 1; k < 8; ++k)
            for (std::uint32_t byte = 0; byte < 256; ++byte)
                of[k][byte] = (of[k - 1][byte] >> 8) ^ of[0][of[k - 1][byte] & 0xFF];
    }
};
inline constexpr crc32c_tables crc32c_table;

inline std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t sum) noexcept {
    const auto& of = crc32c_table.of;
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
        sum ^= static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
               static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
        sum = of[7][sum & 0xFF] ^ of[6][sum >> 8 & 0xFF] ^ of[5][sum >> 16 & 0xFF] ^ of[4][sum >> 24] ^ of[3][at[4]] ^
              of[2][at[5]] ^ of[1][at[6]] ^ of[0][at[7]];
    }
    for (; left > 0; --left, ++at) sum = (sum >> 8) ^ of[0][(sum ^ *at) & 0xFF];
    return sum;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] inline std::uint32_t crc32c_sse42(std::string_view bytes, std::uint32_t sum) noexcept {
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t wide = sum;
    for (; left >= 8; left -= 8, at += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, at, sizeof eight);
        wide = __builtin_ia32_crc32di(wide, eight);
    }
    sum = static_cast<std::uint32_t>(wide);
    for (; left > 0; --left, ++at) sum = __builtin_ia32_crc32qi(sum, static_cast<unsigned char>(*at));
    return sum;
}
#endif

inline std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_sse42(bytes, ~before);
#endif
    return ~crc32c_portable(bytes, ~before);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/kept_memory.hpp ----
/// @file kept_memory.hpp: the header of memory that outlives its writer, and how its words are stored.
/// Layer: 1 (vocabulary).  Test: test/toolkit/read_journal_test.cpp, test/toolkit/two_slots_test.cpp.
/// Threads: one thread of one process writes.   Blocks: never.
///
/// Every number is little-endian. The first 64 bytes are the head. Words that change while the memory is in use follow it in a
/// separate cache line:
///
///     0   8  magic, eight letters
///     8   2  major version: a reader refuses a newer one
///     10  2  minor version: a reader ignores it, and the fields it adds
///     12  4  offset of the content from the start of the memory
///     16  8  size of the content, as the part defines it
///
/// A process is killed between two instructions, and all its earlier stores are in memory. So stores survive in program order
/// if the compiler does not reorder them: `store_word` is a compiler barrier in both directions.

namespace mato {
inline namespace MATO_ABI {

/// A hook between two stores that does nothing. A test uses its own type to see the memory as a kill at that point leaves it.
struct no_steps {
    template <class Store> static constexpr void after(Store) noexcept {}
};

namespace detail {

template <class Number> Number little_endian(Number value) noexcept {
    if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1)
        return value;
    else if constexpr (sizeof(Number) == 2)
        return static_cast<Number>(__builtin_bswap16(value));
    else if constexpr (sizeof(Number) == 4)
        return static_cast<Number>(__builtin_bswap32(value));
    else
        return static_cast<Number>(__builtin_bswap64(value));
}
template <class Number> [[nodiscard]] Number load_number(const char* at) noexcept {
    Number value;
    std::memcpy(&value, at, sizeof value);
    return little_endian(value);
}
template <class Number> void store_number(char* at, Number value) noexcept {
    value = little_endian(value);
    std::memcpy(at, &value, sizeof value);
}

/// One store of eight bytes: after a kill the old or the new value is there. No store is moved across it. @pre `at` is aligned
inline void store_word(char* at, std::uint64_t value) noexcept {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(at), little_endian(value), __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
[[nodiscard]] inline std::uint64_t load_word(const char* at) noexcept {
    return little_endian(__atomic_load_n(reinterpret_cast<const std::uint64_t*>(at), __ATOMIC_ACQUIRE));
}

inline constexpr std::size_t kept_words = 64;    // offset of the first word
inline constexpr std::size_t kept_content = 128; // least offset of the content: head, then one cache line of words

/// Describes one kind of kept memory, for its head and for messages.
struct kept_kind {
    std::string_view magic; // eight letters
    const char* name;       // "read journal"
    std::uint16_t major;
    std::uint16_t minor;
};

/// Whether the memory is aligned for words. @errors invalid_argument
inline bool is_aligned(std::span<const char> memory, std::string_view step, error_out out) {
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % alignof(std::uint64_t) == 0) return true;
    out.set(std::make_error_code(std::errc::invalid_argument), step, {}, "the memory does not begin at a multiple of 8 bytes");
    return false;
}

/// Writes the magic last: memory without it is refused as incomplete. @pre the words and the content are written
inline void write_kept_head(char* at, const kept_kind& kind, std::uint64_t content_size) noexcept {
    store_number(at + 8, kind.major);
    store_number(at + 10, kind.minor);
    store_number(at + 12, static_cast<std::uint32_t>(kept_content));
    store_number(at + 16, content_size);
    std::uint64_t magic = 0;
    std::memcpy(&magic, kind.magic.data(), sizeof magic);
    store_word(at, little_endian(magic));
}

/// The offset of the content, within the memory's size; 0 with an error for memory of another kind or a newer version.
/// @errors invalid_argument · malformed · version_mismatch
inline std::size_t check_kept_head(std::span<const char> memory, const kept_kind& kind, error_out out) {
    const std::string step = std::string("adopt ") + kind.name;
    const auto refuse = [&](std::error_code code, std::string why) {
        return out.fail<std::size_t>(code, step, {}, std::move(why));
    };
    if (!is_aligned(memory, step, out)) return 0;
    if (memory.size() < kept_content)
        return refuse(errc::malformed, std::to_string(memory.size()) + " bytes are too few for it");
    if (std::memcmp(memory.data(), kind.magic.data(), 8) != 0)
        return refuse(errc::malformed, "the memory does not begin with the magic number of this format");
    const auto major = load_number<std::uint16_t>(memory.data() + 8);
    if (major > kind.major)
        return refuse(errc::version_mismatch, "it has format version " + std::to_string(major) + ", this program reads up to " +
                                                  std::to_string(kind.major));
    const std::size_t begin = load_number<std::uint32_t>(memory.data() + 12);
    if (major == 0 || begin < kept_content || begin > memory.size() || begin % alignof(std::uint64_t) != 0)
        return refuse(errc::malformed, "its head is damaged");
    return begin;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/kept_table.hpp ----
/// @file kept_table.hpp: what a keeper holds for its workers, by slot.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_message_test.cpp, test/fuzz/keeper_message_fuzz.cpp.
/// Threads: one object, one thread.   Blocks: never.
/// Fork: the worker gets the table and its descriptors under the same numbers.

// ---- mato/detail/keeper_message.hpp ----
/// @file keeper_message.hpp: the messages between a keeper and its worker, of one size and parsed strictly.
/// Layer: 1 (vocabulary).  Test: test/toolkit/keeper_message_test.cpp, test/fuzz/keeper_message_fuzz.cpp.
/// Threads: values.   Blocks: never.
///
/// 128 bytes, numbers little-endian:
///
///     0   2  word
///     2   2  version: 1
///     4   4  slot
///     8   8  a
///     16  8  b
///     24  64 name, the rest of it zero
///     88  40 zero

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// What a message says, and which of its fields have a meaning; all others are zero.
enum class keeper_word : std::uint16_t {
    keep = 1, ///< worker: slot, a: child's pid or 0, b: `keep_flags`, name; one descriptor, unless b says none
    drop,     ///< worker: slot
    listen,   ///< worker: slot: backlog, a: device, b: inode; one descriptor
    serving,  ///< worker: clients are let in
    stopping, ///< worker: no more clients
    stopped,  ///< worker: socket and pid file are removed; the lock may be released
    answer,   ///< keeper: to keep, listen, stopped; slot of the question, a: errno or 0
    child,    ///< keeper: slot, a: wait status
    signal,   ///< keeper: a: the signal that it received
    // an upgrade, in this order; the new program is started by the keeper
    upgrade,     ///< worker: a: milliseconds, b: `upgrade_check` or 0; two descriptors: the program, the commit word
    hello,       ///< new program: it can take over
    freeze,      ///< keeper, to the old worker: bring all into what is kept
    frozen,      ///< old worker: a: errno or 0
    given,       ///< keeper, to the new program: slot, a: child's pid or 0, b: `given_flags`, name; descriptor as in keep
    given_all,   ///< keeper, to the new program: slot: generation, a: since when none serves, b: `worker_facts`
    ready,       ///< new program: setup has succeeded, nothing is consumed yet
    go,          ///< keeper, to the new program: the old worker is dead; serve
    retired,     ///< keeper, to the old worker: the new program takes over
    rolled_back, ///< keeper, to the old worker: a: `rollback`, b: wait status; one descriptor: the new program's report
};
inline constexpr std::uint64_t keep_memory = 1;        ///< flag of keep: the descriptor is a memory file
inline constexpr std::uint64_t keep_no_descriptor = 2; ///< flag of keep: only the child is kept
inline constexpr std::uint64_t given_ended = 4;        ///< flag of given: the child has ended; its wait status is above
inline constexpr unsigned given_status_shift = 16;
inline constexpr std::uint64_t upgrade_check = 1; ///< flag of upgrade: roll it back where it would be committed
inline constexpr std::uint64_t fact_must_stop = 1, fact_upgraded = 2; ///< flags of given_all
inline constexpr unsigned fact_signal_shift = 8, fact_old_worker_shift = 32;

/// Why an upgrade was rolled back.
enum class rollback : std::uint64_t { ended = 1, timed_out, stopping, refused, damaged, checked };

struct keeper_message {
    static constexpr std::size_t bytes = 128;
    static constexpr std::size_t most_name = 63; ///< bytes of a name, without the final NUL
    static constexpr std::uint16_t version = 1;
    static constexpr std::uint32_t most_slots = 65'536; ///< more than a process may have descriptors on most systems

    keeper_word word = keeper_word::keep;
    std::uint32_t slot = 0;
    std::uint64_t a = 0, b = 0;
    std::string_view name{}; ///< of a decoded message: a view of its bytes

    bool operator==(const keeper_message&) const = default;

    /// @pre name fits
    [[nodiscard]] std::array<char, bytes> encode() const noexcept;
    /// Nothing for bytes that `encode` does not make, or that say what their word cannot mean. Pure.
    [[nodiscard]] static std::optional<keeper_message> decode(std::string_view from) noexcept;

private:
    static constexpr std::size_t name_at = 24, name_end = name_at + most_name + 1;
    [[nodiscard]] bool is_meant() const noexcept;
};

// ---- implementation ----

inline std::array<char, keeper_message::bytes> keeper_message::encode() const noexcept {
    std::array<char, bytes> to{};
    store_number(to.data(), static_cast<std::uint16_t>(word));
    store_number(to.data() + 2, version);
    store_number(to.data() + 4, slot);
    store_number(to.data() + 8, a);
    store_number(to.data() + 16, b);
    if (!name.empty()) std::memcpy(to.data() + name_at, name.data(), name.size() < most_name ? name.size() : most_name);
    return to;
}

inline std::optional<keeper_message> keeper_message::decode(std::string_view from) noexcept {
    if (from.size() != bytes || load_number<std::uint16_t>(from.data() + 2) != version) return std::nullopt;
    keeper_message got;
    const auto word = load_number<std::uint16_t>(from.data());
    if (word < static_cast<std::uint16_t>(keeper_word::keep) || word > static_cast<std::uint16_t>(keeper_word::rolled_back))
        return std::nullopt;
    got.word = static_cast<keeper_word>(word);
    got.slot = load_number<std::uint32_t>(from.data() + 4);
    got.a = load_number<std::uint64_t>(from.data() + 8);
    got.b = load_number<std::uint64_t>(from.data() + 16);
    const auto field = from.substr(name_at, name_end - name_at);
    got.name = field.substr(0, field.find('\0'));
    if (got.name.size() > most_name || from.find_first_not_of('\0', name_at + got.name.size()) != std::string_view::npos)
        return std::nullopt;
    return got.is_meant() ? std::optional(got) : std::nullopt;
}

inline bool keeper_message::is_meant() const noexcept {
    constexpr std::uint64_t most_pid = 0x7fffffff, most_errno = 4095, most_status = 0xffff, most_signal = 64;
    const bool is_slot = slot < most_slots;
    switch (word) {
    case keeper_word::keep:
        return is_slot && !name.empty() && a <= most_pid && a != 1 && b <= keep_no_descriptor &&
               (b != keep_no_descriptor || a > 1);
    case keeper_word::drop: return is_slot && a == 0 && b == 0 && name.empty();
    case keeper_word::listen: return slot <= most_pid && name.empty();
    case keeper_word::serving:
    case keeper_word::stopping:
    case keeper_word::stopped:
    case keeper_word::hello:
    case keeper_word::freeze:
    case keeper_word::ready:
    case keeper_word::go:
    case keeper_word::retired: return slot == 0 && a == 0 && b == 0 && name.empty();
    case keeper_word::answer: return a <= most_errno && b == 0 && name.empty();
    case keeper_word::child: return is_slot && a <= most_status && b == 0 && name.empty();
    case keeper_word::upgrade: return slot == 0 && a <= most_pid && b <= upgrade_check && name.empty();
    case keeper_word::frozen: return slot == 0 && a <= most_errno && b == 0 && name.empty();
    case keeper_word::given: {
        constexpr std::uint64_t flags = keep_memory | keep_no_descriptor | given_ended | (most_status << given_status_shift);
        return is_slot && !name.empty() && a <= most_pid && a != 1 && (b & ~flags) == 0;
    }
    case keeper_word::given_all: return slot <= most_pid && name.empty();
    case keeper_word::rolled_back:
        return slot == 0 && a >= 1 && a <= static_cast<std::uint64_t>(rollback::checked) && b <= most_status && name.empty();
    case keeper_word::signal: return slot == 0 && a >= 1 && a <= most_signal && b == 0 && name.empty();
    }
    return false;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {
namespace detail {

struct kept_record {
    std::string name{}; ///< empty: the slot is free
    unique_fd descriptor{};
    pid_t child = 0;
    bool is_memory = false;
    bool has_ended = false; ///< the child, with `status`
    bool is_told = true;    ///< its end, to the worker
    bool is_taken = false;  ///< in the worker: the program has it
    int status = 0;         ///< as waitpid(2) says it
    // while a new program restores
    bool is_provisional = false; ///< kept by the new program: forgotten if it does not take over
    bool awaits_drop = false;    ///< dropped by the new program: forgotten when it takes over
    bool is_given_ended = false; ///< the new program knows the status
};

class kept_table {
public:
    /// `keep` and `drop`. @returns 0 or the errno of a refusal; then nothing has changed.
    [[nodiscard]] int apply(const keeper_message& message, std::vector<unique_fd>& descriptors);
    /// A child of this process has ended. @returns whether it is kept.
    bool ended(pid_t child, int status) noexcept;

    /// `keep` and `drop` of a program that has not taken over yet. Nothing that the old worker kept changes.
    [[nodiscard]] int apply_provisionally(const keeper_message& message, std::vector<unique_fd>& descriptors);
    /// The program took over, or did not.
    void resolve(bool took_over) noexcept;

    /// What a keeper had before another program was executed in its place. @pre the slot is free, and the name not empty
    void restore(std::size_t slot, std::string name, unique_fd descriptor, pid_t child) {
        if (slot >= records_.size()) records_.resize(slot + 1);
        records_[slot].name = std::move(name);
        records_[slot].descriptor = std::move(descriptor);
        records_[slot].child = child;
        ++used_;
    }

    [[nodiscard]] const std::vector<kept_record>& records() const noexcept { return records_; }
    [[nodiscard]] std::vector<kept_record>& records() noexcept { return records_; }
    [[nodiscard]] bool empty() const noexcept { return used_ == 0; }

private:
    int keep(const keeper_message& message, std::vector<unique_fd>& descriptors);
    void forget(kept_record& record) noexcept {
        record = {};
        --used_;
    }

    std::vector<kept_record> records_;
    std::size_t used_ = 0;
};

// ---- implementation ----

inline int kept_table::apply(const keeper_message& message, std::vector<unique_fd>& descriptors) {
    if (message.word == keeper_word::keep) return attempt([&] { return keep(message, descriptors); }, [] { return ENOMEM; });
    if (message.word != keeper_word::drop || !descriptors.empty()) return EBADMSG;
    if (message.slot >= records_.size() || records_[message.slot].name.empty()) return ENOENT;
    forget(records_[message.slot]);
    return 0;
}

inline int kept_table::keep(const keeper_message& message, std::vector<unique_fd>& descriptors) {
    const std::size_t expected = message.b == keep_no_descriptor ? 0 : 1;
    if (message.slot >= keeper_message::most_slots) return ENOSPC;
    if (descriptors.size() < expected) return EMFILE; // the kernel left it out: no number was free
    if (descriptors.size() > expected) return EBADMSG;
    if (message.slot < records_.size() && !records_[message.slot].name.empty() && records_[message.slot].name != message.name)
        return EEXIST;
    std::string name(message.name);
    if (message.slot >= records_.size()) records_.resize(message.slot + 1);
    kept_record& record = records_[message.slot];
    if (record.name.empty()) ++used_;
    record = {};
    record.name = std::move(name);
    if (expected == 1) record.descriptor = std::move(descriptors.front());
    record.child = static_cast<pid_t>(message.a);
    record.is_memory = message.b == keep_memory;
    return 0;
}

inline int kept_table::apply_provisionally(const keeper_message& message, std::vector<unique_fd>& descriptors) {
    const bool is_old =
        message.slot < records_.size() && !records_[message.slot].name.empty() && !records_[message.slot].is_provisional;
    if (is_old && message.word == keeper_word::keep) return EBUSY;
    if (is_old && message.word == keeper_word::drop) return records_[message.slot].awaits_drop = true, 0;
    const int why = apply(message, descriptors);
    if (why == 0 && message.word == keeper_word::keep) records_[message.slot].is_provisional = true;
    return why;
}

inline void kept_table::resolve(bool took_over) noexcept {
    for (kept_record& each : records_) {
        if (each.name.empty()) continue;
        if (took_over ? each.awaits_drop : each.is_provisional) {
            forget(each);
            continue;
        }
        if (took_over && each.has_ended) each.is_told = each.is_given_ended;
        each.is_provisional = each.awaits_drop = each.is_given_ended = false;
    }
}

inline bool kept_table::ended(pid_t child, int status) noexcept {
    for (kept_record& each : records_) {
        if (each.child != child || each.has_ended) continue;
        each.has_ended = true;
        each.is_told = false;
        each.status = status;
        return true;
    }
    return false;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {
namespace detail {

struct keeper_state {
    struct item {
        std::uint64_t slot = 0;
        std::string name{};
        int descriptor = -1;
        pid_t child = 0;
        bool is_memory = false, has_ended = false, is_told = true;
        int status = 0;
        bool operator==(const item&) const = default;
    };

    std::uint64_t generation = 0; ///< of the worker
    pid_t worker = 0;
    int link = -1, report = -1, program = -1, lock = -1, listener = -1; ///< descriptors
    std::uint64_t device = 0, inode = 0;                                ///< of the listener's name
    std::uint64_t started_at = 0, died_at = 0;                          ///< nanoseconds of the clock
    int last_signal = 0;
    upgrade_start start{};
    std::vector<item> items{};

    /// @errors as memory_file::create.
    [[nodiscard]] memory_file write(error_out out) const;
    /// @errors malformed · version_mismatch.
    [[nodiscard]] static keeper_state read(const memory_file& from, error_out out);
    /// Said by a program that has read it and could go on.
    static void accept(const memory_file& in) noexcept { store_word(in.bytes().data() + accepted_word, 1); }
    [[nodiscard]] static bool is_accepted(const memory_file& in) noexcept {
        return in && load_word(in.bytes().data() + accepted_word) == 1;
    }

private:
    static constexpr kept_kind kind{"matokeep", "a keeper's state", 1, 0};
    static constexpr std::size_t accepted_word = kept_words, sum_at = kept_words + 8;
    static constexpr std::uint64_t most_texts = 65'536; ///< arguments, or variables
    class writer;
    class reader;
};

// ---- implementation ----

class keeper_state::writer {
public:
    void number(std::uint64_t n) {
        char bytes[8];
        store_number(bytes, n);
        all.append(bytes, sizeof bytes);
    }
    void signed_number(std::int64_t n) { number(static_cast<std::uint64_t>(n)); }
    void text(std::string_view t) { number(t.size()), all.append(t); }
    void texts(const std::vector<std::string>& many) {
        number(many.size());
        for (const std::string& each : many) text(each);
    }
    std::string all;
};

class keeper_state::reader {
public:
    explicit reader(std::string_view from) noexcept : left_(from) {}
    [[nodiscard]] std::uint64_t number() noexcept {
        if (left_.size() < 8) return is_good_ = false, left_ = {}, 0;
        const auto n = load_number<std::uint64_t>(left_.data());
        left_.remove_prefix(8);
        return n;
    }
    /// Outside of these limits nothing that follows is read.
    [[nodiscard]] std::uint64_t number(std::uint64_t least, std::uint64_t most) noexcept {
        const std::uint64_t n = number();
        return n >= least && n <= most ? n : (is_good_ = false, left_ = {}, least);
    }
    [[nodiscard]] int signed_number(int least) noexcept {
        const auto n = static_cast<std::int64_t>(number());
        const bool fits = n >= least && n <= 0x7fffffff;
        return fits ? static_cast<int>(n) : (is_good_ = false, left_ = {}, least);
    }
    [[nodiscard]] bool flag() noexcept { return number(0, 1) == 1; }
    [[nodiscard]] std::string text() {
        const std::uint64_t size = number();
        if (size > left_.size()) return is_good_ = false, left_ = {}, std::string();
        std::string got(left_.substr(0, static_cast<std::size_t>(size)));
        left_.remove_prefix(got.size());
        return got;
    }
    [[nodiscard]] std::vector<std::string> texts() {
        std::vector<std::string> many;
        for (auto left = number(0, most_texts); left > 0 && is_good_; --left) many.push_back(text());
        return many;
    }
    [[nodiscard]] bool is_whole() const noexcept { return is_good_ && left_.empty(); }
    [[nodiscard]] bool is_good() const noexcept { return is_good_; }

private:
    std::string_view left_;
    bool is_good_ = true;
};

inline memory_file keeper_state::write(error_out out) const {
    writer to;
    to.number(generation), to.signed_number(worker);
    for (const int fd : {link, report, program, lock, listener}) to.signed_number(fd);
    to.number(device), to.number(inode), to.number(started_at), to.number(died_at), to.signed_number(last_signal);
    to.texts(start.arguments), to.texts(start.variables);
    to.number(items.size());
    for (const item& each : items) {
        to.number(each.slot), to.text(each.name), to.signed_number(each.descriptor), to.signed_number(each.child);
        to.number(each.is_memory ? 1 : 0), to.number(each.has_ended ? 1 : 0), to.number(each.is_told ? 1 : 0);
        to.signed_number(each.status);
    }
    auto file = memory_file::create("mato:keeper", kept_content + to.all.size(), out);
    if (out.failed()) return {};
    char* const at = file.bytes().data();
    std::memcpy(at + kept_content, to.all.data(), to.all.size());
    store_number(at + sum_at, crc32c(to.all));
    write_kept_head(at, kind, to.all.size());
    return file;
}

inline keeper_state keeper_state::read(const memory_file& file, error_out out) {
    const std::size_t begin = check_kept_head(file.bytes(), kind, out);
    if (begin == 0) return {};
    const auto refuse = [&](const char* why) { return out.fail<keeper_state>(errc::malformed, "go on as keeper", {}, why); };
    const char* const at = file.bytes().data();
    const auto size = load_number<std::uint64_t>(at + 16);
    if (size > file.size() - begin) return refuse("the state is truncated");
    const std::string_view body(at + begin, static_cast<std::size_t>(size));
    if (load_number<std::uint32_t>(at + sum_at) != crc32c(body)) return refuse("the state is damaged: its checksum differs");
    reader from(body);
    keeper_state got;
    got.generation = from.number(1, 0xffffffff), got.worker = from.signed_number(2);
    for (int* const fd : {&got.link, &got.report, &got.program, &got.lock, &got.listener}) *fd = from.signed_number(-1);
    got.device = from.number(), got.inode = from.number(), got.started_at = from.number(), got.died_at = from.number();
    got.last_signal = from.signed_number(0);
    got.start.arguments = from.texts(), got.start.variables = from.texts();
    for (auto left = from.number(0, keeper_message::most_slots); left > 0 && from.is_good(); --left) {
        item each;
        each.slot = from.number(0, keeper_message::most_slots - 1);
        each.name = from.text(), each.descriptor = from.signed_number(-1), each.child = from.signed_number(0);
        each.is_memory = from.flag(), each.has_ended = from.flag(), each.is_told = from.flag();
        each.status = from.signed_number(0);
        if (each.name.empty() || each.name.size() > keeper_message::most_name) return refuse("an item has no valid name");
        got.items.push_back(std::move(each));
    }
    if (!from.is_whole()) return refuse("the state is not complete");
    if (got.link < 0 || got.program < 0) return refuse("it has no worker, or no program");
    return got;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/restart_schedule.hpp ----
/// @file restart_schedule.hpp: when the next worker starts after a death, or that none does.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_test.cpp.
/// Threads: values.   Blocks: never.

namespace mato {
inline namespace MATO_ABI {
namespace detail {

class restart_schedule {
public:
    static constexpr std::size_t most_counted = 64; ///< deaths that are remembered

    explicit restart_schedule(restart_limits limits) noexcept : limits_(limits) {}

    /// A worker died. @returns when the next one starts; nothing: too many died, wait for a reason to try.
    [[nodiscard]] std::optional<clock::time_point> died(clock::time_point now) noexcept;

private:
    restart_limits limits_;
    std::array<clock::time_point, most_counted> at_{}; // the oldest first
    std::size_t count_ = 0;
};

// ---- implementation ----

inline std::optional<clock::time_point> restart_schedule::died(clock::time_point now) noexcept {
    std::size_t recent = 0;
    const std::size_t skipped = count_ == most_counted ? 1 : 0;
    for (std::size_t i = skipped; i < count_; ++i)
        if (later(at_[i], limits_.within) > now) at_[recent++] = at_[i];
    at_[recent++] = now;
    count_ = recent;
    if (limits_.deaths != unlimited && recent >= limits_.deaths) return std::nullopt;
    constexpr milliseconds spans[] = {milliseconds(0), milliseconds(0), milliseconds(100), milliseconds(1000)};
    const milliseconds span = recent <= std::size(spans) ? spans[recent - 1] : limits_.longest;
    return later(now, span < limits_.longest ? span : limits_.longest);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/worker_program.hpp ----
/// @file worker_program.hpp: starts a program as the next worker of a keeper, and what that program takes from its environment.
/// Layer: 3 (mechanism; no asio).  Test: test/process/upgrade_process_test.cpp.
/// Threads: the keeper has one.   Fork: `start` forks; the child only executes.   Blocks: never.
/// Source: fexecve(3), environ(7).
///
/// MATO_WORKER is "PID:KEEPER:LINK:REPORT:COMMIT:LOCK": the pid of the process that it is for, the keeper's, and descriptors,
/// -1 where there is none. A child that inherits the variable has another pid, so it does not take them. MATO_KEEPER is
/// "PID:STATE:CHECK", for a program that is executed in the keeper's place (keeper_renewal.hpp).

// ---- mato/detail/keeper_link.hpp ----
/// @file keeper_link.hpp: one end of the socket between a keeper and its worker.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/kept_test.cpp.
/// Threads: one object, one thread.   Blocks: `send` until its deadline; nothing else.
/// Source: unix(7) SOCK_SEQPACKET: each message comes whole, with its descriptor, also after its sender has died.

namespace mato {
inline namespace MATO_ABI {
namespace detail {

class keeper_link {
public:
    enum class received { nothing, message, damaged, end };

    keeper_link() noexcept = default;
    explicit keeper_link(unique_fd socket) noexcept : socket_(std::move(socket)) {}

    /// Two ends. @errors any of socketpair(2).
    [[nodiscard]] static std::pair<keeper_link, keeper_link> pair(error_out out);

    /// @returns false when the socket is full. `fd` -1: no descriptor. @errors any of sendmsg(2).
    bool try_send(const keeper_message& said, int fd, error_out out) {
        return try_send(said, fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>(), out);
    }
    bool try_send(const keeper_message& message, std::span<const int> with, error_out out);
    /// @errors timed_out · as try_send.
    void send(const keeper_message& said, int fd, deadline until, error_out out) {
        send(said, fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>(), until, out);
    }
    void send(const keeper_message& message, std::span<const int> with, deadline until, error_out out);

    /// One message into `message` and `descriptors`; both stay until the next call. What is damaged is discarded with its
    /// descriptors.
    [[nodiscard]] received receive();
    keeper_message message{};
    std::vector<unique_fd> descriptors{};

    /// Waits until the socket is readable. @returns whether it is.
    [[nodiscard]] bool wait(deadline until) const { return wait_for(POLLIN, until); }

    [[nodiscard]] int native_handle() const noexcept { return socket_.get(); }
    void close() noexcept { socket_.reset(); }

private:
    [[nodiscard]] bool wait_for(short what, deadline until) const;

    unique_fd socket_;
    char room_[keeper_message::bytes + 1]{}; // one more: a longer message is seen as such
};

// ---- implementation ----

inline std::pair<keeper_link, keeper_link> keeper_link::pair(error_out out) {
    int ends[2] = {-1, -1};
    if (sys::packet_socket_pair(ends) == -1) out.set(last_error(), "connect keeper and worker");
    return {keeper_link(unique_fd(ends[0])), keeper_link(unique_fd(ends[1]))};
}

inline bool keeper_link::try_send(const keeper_message& said, std::span<const int> with, error_out out) {
    const auto bytes = said.encode();
    return send_descriptors(socket_.get(), {bytes.data(), bytes.size()}, with, out) > 0;
}

inline void keeper_link::send(const keeper_message& said, std::span<const int> with, deadline until, error_out out) {
    while (!try_send(said, with, out) && !out.failed())
        if (!wait_for(POLLOUT, until)) return out.set(errc::timed_out, "send");
}

inline keeper_link::received keeper_link::receive() {
    descriptors.clear();
    std::error_code why;
    const std::size_t got = receive_descriptors(socket_.get(), room_, descriptors, why);
    if (why == errc::malformed) return received::damaged;
    if (why) return received::end;
    if (got == 0) return received::nothing;
    const auto decoded = keeper_message::decode({room_, got});
    if (!decoded) {
        descriptors.clear();
        return received::damaged;
    }
    message = *decoded;
    return received::message;
}

inline bool keeper_link::wait_for(short what, deadline until) const {
    for (;;) {
        pollfd asked{socket_.get(), what, 0};
        const int ready = sys::poll(&asked, 1, until.poll_timeout());
        if (ready > 0) return true;
        if ((ready == -1 && errno != EINTR) || until.passed()) return false;
    }
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

extern char** environ; // NOLINT(readability-redundant-declaration): unistd.h declares it only with _GNU_SOURCE

namespace mato {
inline namespace MATO_ABI {

/// What a keeper passed to this process, and nothing in a process that no keeper started. Removes the variable from the
/// environment and sets close-on-exec on the descriptors. Call it first in main, for `daemon_options::worker`.
/// @errors malformed: the variable is not what a keeper writes · EBADF: a descriptor of it is not open.
[[nodiscard]] inline worker_environment take_worker_environment(error_out out);

/// Tells the process that requested the upgrade why this program does not take over. Exit afterwards.
inline void refuse_to_take_over(const worker_environment& from, const failure& why) {
    const std::string text = readiness_pipe::encode(why);
    static_cast<void>(sys::write(from.report, text.data(), text.size()));
}

namespace detail {

struct worker_program {
    pid_t pid = 0;
    keeper_link link{};
    unique_fd report{};

    static constexpr const char* variable = "MATO_WORKER";
    static constexpr const char* keeper_variable = "MATO_KEEPER";

    /// Forks and executes `program`. An error of the execution comes through `report`. @errors any of socketpair(2), fork(2).
    [[nodiscard]] static worker_program start(int program, const upgrade_start& how, int commit, int lock, error_out out);
    /// The arguments of this process. @errors any of open(2), read(2).
    [[nodiscard]] static std::vector<std::string> own_arguments(error_out out);
    /// Whether this process may run it: @errors EACCES with the reason.
    static void check(int program, error_out out);
};

// ---- implementation ----

inline std::vector<std::string> worker_program::own_arguments(error_out out) {
    static constexpr const char* path = "/proc/self/cmdline";
    const unique_fd file(sys::open(path, O_RDONLY));
    if (!file) return out.set(last_error(), "open", path), std::vector<std::string>();
    std::string text;
    char room[4096];
    for (ssize_t got = 1; got > 0;) {
        got = sys::read(file.get(), room, sizeof room);
        if (got == -1) return out.set(last_error(), "read", path), std::vector<std::string>();
        text.append(room, static_cast<std::size_t>(got));
    }
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\0', at);
        arguments.push_back(text.substr(at, end - at));
        at = end == std::string::npos ? text.size() : end + 1;
    }
    return arguments;
}

inline void worker_program::check(int program, error_out out) {
    struct ::stat about {};
    if (sys::fstat(program, &about) == -1) return out.set(last_error(), "upgrade");
    const char* why = nullptr;
    if (!S_ISREG(about.st_mode))
        why = "the new program is not a regular file";
    else if ((about.st_mode & 0111) == 0)
        why = "the new program is not executable; chmod +x";
    else if (about.st_uid != 0 && about.st_uid != sys::geteuid())
        why = "the new program belongs to another user; it must belong to root or to this user";
    else if ((about.st_mode & 0002) != 0)
        why = "every user may write to the new program; chmod o-w";
    if (why != nullptr) out.set({EACCES, std::system_category()}, "upgrade", {}, why);
}

inline worker_program worker_program::start(int program, const upgrade_start& how, int commit, int lock, error_out out) {
    worker_program made;
    auto [ours, theirs] = keeper_link::pair(out);
    if (out.failed()) return made;
    auto report = readiness_pipe::open(out);
    if (out.failed()) return made;
    const pid_t keeper = sys::getpid();
    made.pid = sys::fork();
    if (made.pid == -1) return made.pid = 0, out.set(last_error(), "fork"), std::move(made);
    if (made.pid != 0) {
        made.link = std::move(ours);
        made.report = unique_fd(sys::fcntl(report.starter_fd(), F_DUPFD_CLOEXEC, 3));
        return made;
    }
    const auto fails = [&](const char* step) {
        const std::string text = readiness_pipe::encode({last_error(), step, {}, {}});
        static_cast<void>(sys::write(report.daemon_fd(), text.data(), text.size()));
        ::_exit(127);
    };
    std::string passed = std::string(variable) + "=" + std::to_string(sys::getpid()) + ":" + std::to_string(keeper);
    for (const int fd : {theirs.native_handle(), report.daemon_fd(), commit, lock}) {
        if (fd >= 0 && sys::fcntl(fd, F_SETFD, 0) == -1) fails("pass descriptors to the new program");
        passed += ":" + std::to_string(fd);
    }
    std::vector<std::string> variables;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) variables.emplace_back(*each);
    variables.insert(variables.end(), how.variables.begin(), how.variables.end());
    variables.push_back(std::move(passed));
    std::vector<std::string> arguments = how.arguments;
    const auto pointers = [](std::vector<std::string>& from) {
        std::vector<char*> to;
        for (std::string& each : from) to.push_back(each.data());
        to.push_back(nullptr);
        return to;
    };
    auto argv = pointers(arguments), envp = pointers(variables);
    sys::default_dispositions();
    sigset_t none;
    sigemptyset(&none);
    sys::signal_mask(SIG_SETMASK, &none, nullptr);
    sys::fexecve(program, argv.data(), envp.data());
    fails("execute the new program");
    return made;
}

} // namespace detail

namespace detail {

/// "NUMBER:NUMBER:…" from a variable, which is removed. @returns whether it is there. @errors malformed.
template <std::size_t Count> bool take_numbers(const char* variable, int (&numbers)[Count], error_out out) {
    const char* const value = std::getenv(variable);
    if (value == nullptr) return false;
    const std::string text = value;
    ::unsetenv(variable);
    const char* at = text.data();
    const char* const end = at + text.size();
    bool is_right = true;
    for (int& each : numbers) {
        if (&each != numbers) is_right = is_right && at != end && *at++ == ':';
        const auto [rest, why] = std::from_chars(at, end, each);
        is_right = is_right && why == std::errc() && each >= -1;
        at = rest;
    }
    if (is_right && at == end && numbers[0] > 0) return true;
    return out.fail<bool>(errc::malformed, "read environment", variable, "'" + text + "' is not what a keeper writes");
}

} // namespace detail

inline worker_environment take_worker_environment(error_out out) {
    const auto take = [&](const char* variable, int fd) {
        if (fd < 0 || sys::fcntl(fd, F_SETFD, FD_CLOEXEC) != -1) return true;
        return out.fail<bool>(last_error(), "take descriptor " + std::to_string(fd), variable);
    };
    const auto refuse = [&](const char* variable) {
        return out.fail<worker_environment>(errc::malformed, "read environment", variable, "it is not what a keeper writes");
    };
    const char* variable = detail::worker_program::keeper_variable;
    int of_keeper[3];
    if (detail::take_numbers(variable, of_keeper, out)) {
        const auto [pid, state, check] = of_keeper;
        if (state < 0 || check < 0 || check > 1) return refuse(variable);
        if (pid != sys::getpid()) return {}; // it is for an ancestor
        if (!take(variable, state)) return {};
        worker_environment found;
        found.keeper = pid, found.state = state, found.is_check = check == 1;
        return found;
    }
    if (out.failed()) return {};
    variable = detail::worker_program::variable;
    int numbers[6];
    if (!detail::take_numbers(variable, numbers, out)) return {};
    if (numbers[1] <= 0 || numbers[2] < 0 || numbers[3] < 0) return refuse(variable);
    if (numbers[0] != sys::getpid()) return {}; // it is for an ancestor
    for (int i = 2; i < 6; ++i)
        if (!take(variable, numbers[i])) return {};
    worker_environment found;
    found.link = numbers[2], found.report = numbers[3], found.commit = numbers[4], found.lock = numbers[5];
    found.keeper = numbers[1];
    return found;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/kept.hpp ----
/// @file kept.hpp: descriptors and memory that a daemon's process gives to its keeper, and gets back after a crash.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/kept_test.cpp, test/process/survive_process_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: `keep`, `memory` and `listen_on` until the keeper has answered, at most
/// `patience`.
/// Fork: a child must not use it.   Exec: gone; what is kept stays with the keeper.

namespace mato {
inline namespace MATO_ABI {

/// The options of `kept::keep`. By default only the descriptor is kept.
struct keep_options {
    pid_t child = 0; ///< a child of this process that belongs to the descriptor; its status is kept too
};

/// One of several items that `kept::keep` gives together. The name and the descriptor are the caller's until that call returns.
struct keep_request {
    std::string_view name;
    int fd = -1; ///< -1: the child alone
    keep_options options{};
};

/// A descriptor or child that an earlier generation kept. Returned by `kept::take_all`.
struct kept_item {
    std::string name;
    unique_fd descriptor;                 ///< close-on-exec; empty when only the child was kept
    pid_t child = 0;                      ///< now a child of the keeper: this process cannot wait for it
    std::optional<child_status> status{}; ///< of a child that has ended already
};

/// An item that an earlier generation kept and this one has not taken yet. Returned by `kept::look`; valid until the next call
/// of another function of that object.
struct kept_sight {
    std::string_view name;
    int descriptor = -1; ///< -1: only the child is kept
    pid_t child = 0;
    bool is_memory = false; ///< of `kept::memory`
};

/// The listening socket published by an endpoint. The keeper holds a copy of it for the next generation.
struct kept_listener {
    unique_fd socket;
    dev_t device = 0;
    ino_t inode = 0; ///< 0: it has no name of its own
};

/// The items that a daemon's process gives to its keeper, and gets back after a crash. A daemon returns it from `kept()`.
///
/// @threads only the daemon's thread.
/// @fork must not be used in a child.
/// @blocks `keep`, `memory` and `listen_on` until the keeper has answered, at most `patience`.
class kept {
public:
    static constexpr std::size_t most_items = detail::keeper_message::most_slots;
    static constexpr std::size_t most_name = detail::keeper_message::most_name; ///< bytes
    static constexpr milliseconds patience{5000};      ///< for an answer; a keeper that takes longer counts as lost
    static constexpr std::size_t most_unanswered = 16; ///< items: their answers fit into the socket

    kept() = default;
    kept(kept&&) = default;
    kept& operator=(kept&&) = default;

    /// Gives the keeper a copy of `fd`, or, with -1, the child alone. When it returns without error, no death of this process
    /// loses either. A name that is kept gets the new descriptor in place of the old one.
    /// @errors invalid_argument: no name, more than `most_name` bytes, a NUL in it, neither descriptor nor child · ENOSPC: more
    /// than `most_items` · EBADF · EMFILE: the keeper has no descriptor left · not_running: the keeper is gone · timed_out.
    void keep(std::string_view name, int fd, const keep_options& options, error_out out) {
        store(name, fd, options.child, fd < 0 ? detail::keep_no_descriptor : 0, out);
    }
    void keep(std::string_view name, int fd, error_out out) { keep(name, fd, {}, out); }
    /// Gives the keeper several items in this order, and waits once for all of them. After an error those before the refused
    /// one are kept, and those after it may be. @errors as for one, of the first that is refused.
    void keep(std::span<const keep_request> items, error_out out);

    /// The memory file of that name that an earlier generation left; else a new one, all zeroes, that is kept.
    /// @errors as `keep` and memory_file::create · file_exists: this process has it already · invalid_argument: the earlier
    /// one has another size.
    [[nodiscard]] memory_file memory(std::string_view name, std::size_t bytes, error_out out);

    /// What earlier generations left and this one has not taken yet, memory files excepted. The keeper still holds all of it.
    [[nodiscard]] std::vector<kept_item> take_all();

    /// The same items and the memory files, without taking them.
    [[nodiscard]] std::vector<kept_sight> look() const;

    /// The keeper closes its copy and forgets the child. No effect if nothing has that name.
    void drop(std::string_view name);

    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name) < table_.records().size(); }
    [[nodiscard]] pid_t keeper() const noexcept { return keeper_; } ///< its pid; 0: there is none any more

    // ---- for basic_daemon ----
    struct event {
        enum class kind { child, signal, keeper_lost, freeze, rolled_back } what;
        std::string name{};
        child_status status{};
        int signal = 0;
        failure why{}; ///< of rolled_back
    };
    [[nodiscard]] const generation& number() const noexcept { return generation_; }
    [[nodiscard]] bool must_stop() const noexcept { return must_stop_; } ///< the worker before died while it stopped
    [[nodiscard]] bool has_listener() const noexcept { return static_cast<bool>(listener_.socket); }
    [[nodiscard]] kept_listener take_listener() noexcept { return std::move(listener_); }
    /// Gives the keeper the listener. Its answer is for `await_listener`, so that other work is done in the meantime; no other
    /// request may come between the two.
    void listen_on(int socket, dev_t device, ino_t inode, int backlog, error_out out);
    void await_listener(error_out out); ///< from here on the credentials of clients' connections name the keeper
    void say_serving() {
        serve_now();
        say(detail::keeper_word::serving);
    }
    void say_stopping() { say(detail::keeper_word::stopping); } ///< the keeper closes its listener
    void stopped();                                             ///< returns once the lock is released
    void report(const failure& why);                            ///< the reason of an exit that follows
    /// Lets the keeper start `program` as the next worker. Its result comes as an event: freeze or rolled_back.
    /// @errors EACCES: not a program that this user may run · busy: an upgrade is under way · not_running: the keeper is gone ·
    /// any of memfd_create(2), fork(2).
    void upgrade(int program, deadline until, upgrade_purpose purpose, error_out out);
    /// After the event freeze: says that everything is in what is kept, or why not, and waits for the keeper's decision.
    /// @returns whether the new program has taken over; if so, end this process. `out`: why it has not; no error after a check
    /// that has succeeded.
    [[nodiscard]] bool stay_frozen(const failure& refusal, error_out out);
    /// In a program that a keeper started: receives what earlier generations left. @errors not_running: the keeper is gone ·
    /// EMFILE: no room for a descriptor.
    [[nodiscard]] static kept take_over(const worker_environment& from, error_out out);
    /// Before the first effect on anything outside: waits until the old worker is dead. @errors not_ready: rolled back.
    void await_go(error_out out);
    [[nodiscard]] bool is_program() const noexcept { return is_program_; } ///< a keeper started it from a file
    [[nodiscard]] int native_handle() const noexcept { return link_.native_handle(); }
    [[nodiscard]] std::optional<event> next();
    std::function<void()> on_event{}; ///< one was received while an answer was awaited; called re-entrantly

private:
    friend class keeper_process;
    void refuse(std::string_view name, std::string why, error_out out) const {
        out.set(std::make_error_code(std::errc::invalid_argument), "keep", name.substr(0, name.find('\0')), std::move(why));
    }
    void store(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out);
    struct offer { // of an item that the keeper has not answered yet
        detail::keeper_message message{};
        bool is_new = false; // nothing had its name
    };
    [[nodiscard]] offer offer_item(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out);
    void settle(const offer& offered, error_out out);
    void note_item(const detail::keeper_message& message);
    [[nodiscard]] std::size_t find(std::string_view name) const noexcept;
    void ask(const detail::keeper_message& message, int fd, std::string_view step, std::string_view name, error_out out) {
        ask(message, fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>(), step, name, out);
    }
    void ask(const detail::keeper_message& message, std::span<const int> with, std::string_view step, std::string_view name,
             error_out out);
    void tell(const detail::keeper_message& message, std::span<const int> with, std::string_view step, std::string_view name,
              error_out out);
    void await_answer(std::uint32_t slot, std::string_view step, std::string_view name, error_out out);
    void lost(std::error_code code, std::string_view step, std::string_view name, error_out out);
    void take_given(bool& is_complete, error_out out);
    [[nodiscard]] failure why_rolled_back();
    [[nodiscard]] bool is_committed() const noexcept;
    void say(detail::keeper_word word);
    void serve_now() noexcept; ///< the generation's gap ends
    void note(const detail::keeper_message& message);
    void lose();

    detail::keeper_link link_;
    detail::kept_table table_;    // descriptors in it were inherited and not taken yet
    std::vector<event> events_;   // at most one for each child and signal
    std::size_t told_events_ = 0; // of them, from the first one on
    generation generation_;
    clock::time_point since_{}; // without a process that serves
    kept_listener listener_;
    unique_fd report_;
    pid_t keeper_ = 0;
    bool must_stop_ = false;
    static constexpr std::string_view listen_step = "keep the listening socket";
    std::uint32_t backlog_ = 0; // of the listener that was given last
    memory_file commit_;        // of the upgrade that is under way; the first word is 1 after the commit
    pid_t old_worker_ = 0;
    bool is_program_ = false;
};

// ---- implementation ----

namespace detail {
[[nodiscard]] inline child_status status_of(int status) noexcept {
    return WIFEXITED(status) ? child_status{WEXITSTATUS(status), 0} : child_status{-1, WTERMSIG(status)};
}
} // namespace detail

inline std::size_t kept::find(std::string_view name) const noexcept {
    const auto& records = table_.records();
    std::size_t slot = 0;
    while (slot < records.size() && (name.empty() || records[slot].name != name)) ++slot;
    return slot;
}

inline kept::offer kept::offer_item(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out) {
    if (fd < 0 && child <= 1) return refuse(name, "it has neither a descriptor nor a child", out), offer();
    if (name.empty()) return refuse(name, "the name is empty", out), offer();
    if (name.find('\0') != std::string_view::npos) return refuse(name, "the name has a NUL inside", out), offer();
    if (name.size() > most_name)
        return refuse(name, "the name has " + std::to_string(name.size()) + " bytes, the most are " + std::to_string(most_name),
                      out),
               offer();
    if (fd >= 0 && sys::fcntl(fd, F_GETFD, 0) == -1) return out.set(last_error(), "keep", name), offer();
    std::size_t slot = find(name);
    if (slot == table_.records().size()) {
        slot = 0;
        while (slot < table_.records().size() && !table_.records()[slot].name.empty()) ++slot;
    }
    if (slot >= most_items)
        return out.set({ENOSPC, std::system_category()}, "keep", name, std::to_string(most_items) + " items are kept already"),
               offer();
    offer made{{detail::keeper_word::keep, static_cast<std::uint32_t>(slot), static_cast<std::uint64_t>(child > 0 ? child : 0),
                flags, name},
               !has(name)};
    tell(made.message, fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>(), "keep", name, out);
    if (!out.failed() && made.is_new) note_item(made.message); // the next offer gets another slot
    return made;
}

/// The keeper's answer to it.
inline void kept::settle(const offer& offered, error_out out) {
    const auto& message = offered.message;
    await_answer(message.slot, "keep", message.name, out);
    if (!out.failed()) return note_item(message);
    std::vector<unique_fd> none;
    if (offered.is_new) static_cast<void>(table_.apply({detail::keeper_word::drop, message.slot, 0, 0, {}}, none));
}

/// In this process's copy of the table.
inline void kept::note_item(const detail::keeper_message& message) {
    std::vector<unique_fd> none;
    detail::keeper_message here = message;
    here.b = detail::keep_no_descriptor; // this process has the descriptor already
    static_cast<void>(table_.apply(here, none));
    table_.records()[message.slot].is_memory = message.b == detail::keep_memory;
    table_.records()[message.slot].is_taken = true;
}

inline void kept::store(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out) {
    const offer made = offer_item(name, fd, child, flags, out);
    if (!out.failed()) settle(made, out);
}

inline void kept::keep(std::span<const keep_request> items, error_out out) {
    failure first;
    while (!items.empty() && !first) {
        const auto some = items.first(items.size() < most_unanswered ? items.size() : most_unanswered);
        items = items.subspan(some.size());
        offer offers[most_unanswered];
        std::size_t count = 0;
        for (const keep_request& each : some) {
            const std::uint64_t flags = each.fd < 0 ? detail::keep_no_descriptor : 0;
            offers[count] = offer_item(each.name, each.fd, each.options.child, flags, first);
            if (first) break;
            ++count;
        }
        failure answered; // before what this process refused itself
        for (std::size_t i = 0; i < count; ++i) {
            failure why;
            settle(offers[i], why);
            if (why && !answered) answered = std::move(why);
        }
        if (answered) first = std::move(answered);
    }
    if (first) out.set(std::move(first));
}

inline memory_file kept::memory(std::string_view name, std::size_t bytes, error_out out) {
    const std::size_t slot = find(name);
    if (slot == table_.records().size()) {
        auto made = memory_file::create(name, bytes, out);
        if (!out.failed()) store(name, made.native_handle(), 0, detail::keep_memory, out);
        return out.failed() ? memory_file() : std::move(made);
    }
    detail::kept_record& record = table_.records()[slot];
    if (!record.is_memory || !record.descriptor) {
        return out.fail<memory_file>(std::make_error_code(std::errc::file_exists), "keep", name,
                                     record.is_memory ? "this process has that memory file already"
                                                      : "a descriptor has that name");
    }
    struct ::stat about {};
    if (sys::fstat(record.descriptor.get(), &about) == -1) return out.fail<memory_file>(last_error(), "keep", name);
    if (static_cast<std::size_t>(about.st_size) != bytes)
        return refuse(name,
                      "an earlier generation left " + std::to_string(about.st_size) + " bytes, " + std::to_string(bytes) +
                          " were asked for",
                      out),
               memory_file();
    return memory_file::adopt(std::move(record.descriptor), out);
}

inline std::vector<kept_item> kept::take_all() {
    std::vector<kept_item> items;
    for (detail::kept_record& each : table_.records()) {
        if (each.name.empty() || each.is_memory || each.is_taken) continue;
        each.is_taken = true;
        items.push_back({each.name, std::move(each.descriptor), each.child,
                         each.has_ended ? std::optional(detail::status_of(each.status)) : std::nullopt});
    }
    return items;
}

inline std::vector<kept_sight> kept::look() const {
    std::vector<kept_sight> items;
    for (const detail::kept_record& each : table_.records()) {
        const bool is_left = !each.name.empty() && !each.is_taken && (!each.is_memory || each.descriptor);
        if (is_left) items.push_back({each.name, each.descriptor.get(), each.child, each.is_memory});
    }
    return items;
}

inline void kept::drop(std::string_view name) {
    const std::size_t slot = find(name);
    if (slot == table_.records().size()) return;
    const detail::keeper_message message{detail::keeper_word::drop, static_cast<std::uint32_t>(slot), 0, 0, {}};
    std::vector<unique_fd> none;
    static_cast<void>(table_.apply(message, none));
    std::error_code why;
    if (keeper_ != 0) link_.send(message, -1, deadline::in(patience), why);
    if (why) lose();
}

inline void kept::listen_on(int socket, dev_t device, ino_t inode, int backlog, error_out out) {
    backlog_ = static_cast<std::uint32_t>(backlog > 0 ? backlog : 0);
    tell({detail::keeper_word::listen, backlog_, device, inode, {}}, std::span<const int>(&socket, 1), listen_step, {}, out);
}

inline void kept::await_listener(error_out out) { await_answer(backlog_, listen_step, {}, out); }

inline void kept::serve_now() noexcept {
    if (generation_.number > 1) generation_.gap = std::chrono::duration_cast<milliseconds>(clock::now() - since_);
}

inline void kept::say(detail::keeper_word word) {
    std::error_code why;
    if (keeper_ != 0) link_.send({word, 0, 0, 0, {}}, -1, deadline::in(patience), why);
    if (why) lose();
}

inline void kept::stopped() {
    std::error_code ignored; // without a keeper the lock is this process's
    if (keeper_ != 0) ask({detail::keeper_word::stopped, 0, 0, 0, {}}, -1, "stop", {}, ignored);
}

/// @errors not_running, timed_out · what the keeper says.
inline void kept::ask(const detail::keeper_message& message, std::span<const int> with, std::string_view step,
                      std::string_view name, error_out out) {
    tell(message, with, step, name, out);
    if (!out.failed()) await_answer(message.slot, step, name, out);
}

inline void kept::lost(std::error_code code, std::string_view step, std::string_view name, error_out out) {
    lose();
    out.set(code, step, name, "the keeper is gone or does not answer; restart the daemon so that it is kept again");
}

inline void kept::tell(const detail::keeper_message& message, std::span<const int> with, std::string_view step,
                       std::string_view name, error_out out) {
    if (keeper_ == 0) return lost(errc::not_running, step, name, out);
    std::error_code why;
    link_.send(message, with, deadline::in(patience), why);
    if (why == std::errc::too_many_files_open || why.value() == ETOOMANYREFS) return out.set(why, step, name);
    if (why) lost(why == errc::timed_out ? why : make_error_code(errc::not_running), step, name, out);
}

inline void kept::await_answer(std::uint32_t slot, std::string_view step, std::string_view name, error_out out) {
    if (keeper_ == 0) return lost(errc::not_running, step, name, out);
    const auto until = deadline::in(patience);
    for (;;) {
        using received = detail::keeper_link::received;
        switch (link_.receive()) {
        case received::end: return lost(errc::not_running, step, name, out);
        case received::nothing:
            if (!link_.wait(until)) return lost(errc::timed_out, step, name, out);
            break;
        case received::message:
            if (link_.message.word == detail::keeper_word::answer && link_.message.slot == slot) {
                if (link_.message.a != 0) out.set({static_cast<int>(link_.message.a), std::system_category()}, step, name);
                return;
            }
            note(link_.message);
            if (on_event) on_event();
            break;
        case received::damaged: break;
        }
    }
}

inline void kept::note(const detail::keeper_message& message) {
    if (message.word == detail::keeper_word::signal)
        events_.push_back({event::kind::signal, {}, {}, static_cast<int>(message.a)});
    if (message.word == detail::keeper_word::freeze) events_.push_back({event::kind::freeze});
    if (message.word == detail::keeper_word::rolled_back)
        events_.push_back({event::kind::rolled_back, {}, {}, 0, why_rolled_back()});
    auto& records = table_.records();
    if (message.word != detail::keeper_word::child || message.slot >= records.size() || records[message.slot].name.empty())
        return;
    detail::kept_record& record = records[message.slot];
    record.has_ended = true;
    record.status = static_cast<int>(message.a);
    events_.push_back({event::kind::child, record.name, detail::status_of(record.status), 0});
}

inline void kept::lose() {
    if (std::exchange(keeper_, 0) == 0) return;
    events_.push_back({event::kind::keeper_lost, {}, {}, 0});
    if (on_event) on_event();
}

inline std::optional<kept::event> kept::next() {
    while (events_.empty() && keeper_ != 0) {
        const auto got = link_.receive();
        if (got == detail::keeper_link::received::nothing) break;
        if (got == detail::keeper_link::received::end) lose();
        if (got == detail::keeper_link::received::message) note(link_.message);
    }
    if (events_.empty()) return std::nullopt;
    auto first = std::move(events_[told_events_++]);
    if (told_events_ == events_.size()) events_.clear(), told_events_ = 0;
    return first;
}

inline void kept::report(const failure& why) {
    const std::string text = readiness_pipe::encode(why);
    if (report_) static_cast<void>(sys::write(report_.get(), text.data(), text.size()));
    report_.reset();
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/kept_upgrade.hpp ----
/// @file kept_upgrade.hpp: how a worker gives way to a new program, and how that program takes over.
/// Layer: 3 (mechanism; no asio).  Test: test/process/upgrade_process_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: `stay_frozen`, `take_over` and `await_go` until the keeper decides, which its
/// deadline bounds.
///
/// Members of kept; kept.hpp includes this file.

namespace mato {
inline namespace MATO_ABI {

inline void kept::upgrade(int program, deadline until, upgrade_purpose purpose, error_out out) {
    static constexpr milliseconds longest{3'600'000}; // an upgrade that takes an hour will not succeed
    detail::worker_program::check(program, out);
    if (out.failed()) return;
    commit_ = memory_file::create("mato:upgrade", sizeof(std::uint64_t), out);
    if (out.failed()) return;
    const auto left = milliseconds(until.poll_timeout());
    const auto wait = static_cast<std::uint64_t>((left < longest ? left : longest).count());
    const int with[] = {program, commit_.native_handle()};
    failure why;
    const std::uint64_t flags = purpose == upgrade_purpose::check ? detail::upgrade_check : 0;
    ask({detail::keeper_word::upgrade, 0, wait, flags, {}}, with, "upgrade", {}, why);
    if (!why) return;
    if (why.code == std::errc::device_or_resource_busy) why = {errc::busy, "upgrade", {}, "another upgrade is under way"};
    if (why.code == std::errc::operation_canceled) why.detail = "the daemon is stopping";
    out.set(why);
}

inline bool kept::is_committed() const noexcept {
    return commit_.size() >= sizeof(std::uint64_t) && detail::load_word(commit_.bytes().data()) != 0;
}

/// From the message in `link_`.
inline failure kept::why_rolled_back() {
    const auto said = link_.message;
    if (static_cast<detail::rollback>(said.a) == detail::rollback::checked) return {};
    char room[readiness_pipe::max_report];
    ssize_t got = 0;
    if (!link_.descriptors.empty()) {
        pollfd asked{link_.descriptors.front().get(), POLLIN, 0};
        if (sys::poll(&asked, 1, 0) == 1) got = sys::read(asked.fd, room, sizeof room);
    }
    if (auto why = readiness_pipe::decode({room, static_cast<std::size_t>(got > 0 ? got : 0)})) return *why;
    const int status = static_cast<int>(said.b);
    const auto because = [](std::error_code code, std::string text) {
        return failure{code, "upgrade", {}, "the new program " + std::move(text) + "; the old one continues"};
    };
    switch (static_cast<detail::rollback>(said.a)) {
    case detail::rollback::ended:
        if (WIFSIGNALED(status)) return because(errc::not_ready, "died of signal " + std::to_string(WTERMSIG(status)));
        return because(errc::not_ready, "exited with " + std::to_string(WEXITSTATUS(status)) + " before it had taken over");
    case detail::rollback::timed_out: return because(errc::timed_out, "did not take over in time");
    case detail::rollback::stopping: return because(errc::stopping, "was ended because the daemon stops");
    case detail::rollback::damaged: return because(errc::version_mismatch, "does not understand this keeper");
    case detail::rollback::refused:
    case detail::rollback::checked: break;
    }
    return because(errc::not_ready, "was not needed, because this process refused");
}

inline bool kept::stay_frozen(const failure& refusal, error_out out) {
    using word = detail::keeper_word;
    using received = detail::keeper_link::received;
    std::error_code why;
    const std::uint64_t answer = refusal ? ECANCELED : 0;
    link_.send({word::frozen, 0, answer, 0, {}}, -1, deadline::in(patience), why);
    for (;;) {
        const auto got = link_.receive();
        if (got == received::end) break;
        if (got == received::nothing) static_cast<void>(link_.wait(deadline::never()));
        if (got != received::message) continue;
        if (link_.message.word == word::retired) return true;
        if (link_.message.word == word::rolled_back) {
            const failure reason = refusal ? refusal : why_rolled_back();
            commit_ = {};
            if (reason) out.set(reason);
            return false;
        }
        note(link_.message);
    }
    if (is_committed()) return true;
    lose();
    return out.set(errc::not_running, "upgrade", {}, "the keeper is gone; the old program continues"), false;
}

inline kept kept::take_over(const worker_environment& from, error_out out) {
    kept side;
    side.link_ = detail::keeper_link(unique_fd(from.link));
    side.report_ = unique_fd(from.report);
    side.keeper_ = from.keeper;
    side.is_program_ = true;
    if (from.commit >= 0) side.commit_ = memory_file::adopt(unique_fd(from.commit), out);
    if (!out.failed()) side.link_.send({detail::keeper_word::hello, 0, 0, 0, {}}, -1, deadline::in(patience), out);
    for (bool is_complete = false; !is_complete && !out.failed();) side.take_given(is_complete, out);
    return side;
}

/// One message.
inline void kept::take_given(bool& is_complete, error_out out) {
    using word = detail::keeper_word;
    using received = detail::keeper_link::received;
    const auto got = link_.receive();
    if (got == received::nothing) static_cast<void>(link_.wait(deadline::never()));
    if (got == received::end) return out.set(errc::not_running, "take over", {}, "the keeper is gone");
    if (got == received::damaged)
        return out.set(errc::version_mismatch, "take over", {}, "the keeper's messages are not those of this version");
    if (got != received::message) return;
    const auto said = link_.message;
    auto& came = link_.descriptors;
    const auto has_one = [&] {
        if (came.size() == 1) return true;
        return out.set({EMFILE, std::system_category()}, "take over", said.name, "raise the limit (ulimit -n)"), false;
    };
    switch (said.word) {
    case word::listen:
        if (has_one()) listener_ = {std::move(came.front()), static_cast<dev_t>(said.a), static_cast<ino_t>(said.b)};
        return;
    case word::given: {
        const bool is_bare = (said.b & detail::keep_no_descriptor) != 0;
        if (!is_bare && !has_one()) return;
        auto plain = said;
        plain.word = word::keep;
        plain.b = is_bare ? detail::keep_no_descriptor : said.b & detail::keep_memory;
        if (const int why = table_.apply(plain, came); why != 0)
            return out.set({why, std::system_category()}, "take over", said.name);
        auto& record = table_.records()[said.slot];
        record.has_ended = (said.b & detail::given_ended) != 0;
        record.status = static_cast<int>((said.b >> detail::given_status_shift) & 0xffff);
        return;
    }
    case word::given_all:
        generation_.number = said.slot;
        since_ = clock::time_point(std::chrono::duration_cast<clock::duration>(
            std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(said.a))));
        must_stop_ = (said.b & detail::fact_must_stop) != 0;
        if ((said.b & detail::fact_upgraded) != 0) {
            generation_.reason = generation::why::upgraded;
            old_worker_ = static_cast<pid_t>(said.b >> detail::fact_old_worker_shift);
        } else {
            generation_.reason = generation::why::crashed;
            generation_.last_signal = static_cast<int>((said.b >> detail::fact_signal_shift) & 0xff);
        }
        serve_now();
        is_complete = true;
        return;
    default: note(said);
    }
}

inline void kept::await_go(error_out out) {
    using word = detail::keeper_word;
    using received = detail::keeper_link::received;
    if (!is_program_) return;
    std::error_code why;
    link_.send({word::ready, 0, 0, 0, {}}, -1, deadline::in(patience), why);
    for (;;) {
        const auto got = link_.receive();
        if (got == received::end) break;
        if (got == received::nothing) static_cast<void>(link_.wait(deadline::never()));
        if (got != received::message) continue;
        if (link_.message.word == word::go) {
            commit_ = {};
            return;
        }
        note(link_.message);
    }
    // The keeper died. Its last store decides which of the two workers continues.
    const bool replaces = generation_.reason == generation::why::upgraded;
    if (replaces && !is_committed())
        return out.set(errc::not_ready, "upgrade", {}, "the keeper died before it had decided; the old program continues");
    if (const unique_fd old(replaces ? sys::pidfd_open(old_worker_) : -1); old) {
        pollfd asked{old.get(), POLLIN, 0};
        while (sys::poll(&asked, 1, -1) == -1 && errno == EINTR) {
        }
    }
    lose();
}

} // namespace MATO_ABI
} // namespace mato

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

// ---- mato/detail/keeper_renewal.hpp ----
/// @file keeper_renewal.hpp: how a keeper becomes the program that has taken over from its worker.
/// Layer: 3 (mechanism; no asio).  Test: test/process/keeper_renewal_process_test.cpp.
/// Threads: one.   Blocks: never.
/// Source: execve(2): pid, children, subreaper, mask, pending signals and descriptors stay.
///
/// Members of keeper_process; keeper.hpp includes this file. Once the new program serves and nothing is under way, a child
/// executes it, reads a copy of the keeper's state, and says whether it could go on. Only then the keeper executes it in its
/// own place. Whatever fails before that leaves the keeper as it is: it starts the new program again after a death anyway.

namespace mato {
inline namespace MATO_ABI {

/// Nothing is under way that the next program would not know of.
inline bool keeper_process::is_calm() const noexcept {
    return worker_ != 0 && is_serving_ && link_.native_handle() >= 0 && program_ && candidate_.at == step::none &&
           !giving_.is_on && !has_pending_ && !is_stopping_;
}

inline detail::keeper_state keeper_process::state() const {
    const auto nanoseconds = [](clock::time_point at) {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count());
    };
    detail::keeper_state all;
    all.generation = number_, all.worker = worker_;
    all.link = link_.native_handle(), all.report = report_.get(), all.program = program_.get(), all.lock = lock_;
    all.listener = listener_.socket.get(), all.device = listener_.device, all.inode = listener_.inode;
    all.started_at = nanoseconds(started_at_), all.died_at = nanoseconds(died_at_), all.last_signal = last_signal_;
    all.start = start_;
    const auto& records = table_.records();
    for (std::size_t slot = 0; slot < records.size(); ++slot) {
        const detail::kept_record& each = records[slot];
        if (each.name.empty()) continue;
        all.items.push_back(
            {slot, each.name, each.descriptor.get(), each.child, each.is_memory, each.has_ended, each.is_told, each.status});
    }
    return all;
}

/// Returns only after an error; then the descriptors are as before.
inline void keeper_process::execute(const detail::keeper_state& all, const memory_file& file, renewal_use use) {
    std::vector<int> passed{all.link, all.report, all.program, all.lock, all.listener, file.native_handle()};
    for (const auto& each : all.items) passed.push_back(each.descriptor);
    const auto close_on_exec = [&](int flag) {
        for (const int fd : passed)
            if (fd >= 0) sys::fcntl(fd, F_SETFD, flag);
    };
    const std::string what = std::string(detail::worker_program::keeper_variable) + "=" + std::to_string(sys::getpid()) + ":" +
                             std::to_string(file.native_handle()) + (use == renewal_use::check ? ":1" : ":0");
    std::vector<char*> arguments, variables;
    for (const std::string& each : all.start.arguments) arguments.push_back(const_cast<char*>(each.c_str()));
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) variables.push_back(*each);
    variables.push_back(const_cast<char*>(what.c_str()));
    arguments.push_back(nullptr), variables.push_back(nullptr);
    close_on_exec(0);
    sys::fexecve(all.program, arguments.data(), variables.data());
    const int why = errno;
    close_on_exec(FD_CLOEXEC);
    errno = why;
}

template <class Events> void keeper_process::work_on_renewal(Events& events) {
    if (!renewal_.is_due || !is_calm()) return;
    failure why;
    if (renewal_.is_checked) {
        const auto all = state();
        const auto file = all.write(why);
        if (!why) execute(all, file, renewal_use::take_place), why = {last_error(), "execute the new program", {}, {}};
        return end_renewal(why.message(), events);
    }
    if (renewal_.checker != 0) return;
    const auto all = state();
    renewal_.file = all.write(why);
    if (why) return end_renewal(why.message(), events);
    const pid_t pid = sys::fork();
    if (pid == -1) return end_renewal(failure{last_error(), "fork", {}, {}}.message(), events);
    if (pid == 0) {
        execute(all, renewal_.file, renewal_use::check);
        ::_exit(127);
    }
    renewal_.checker = pid;
    renewal_.until = deadline::in(renewal_patience);
}

template <class Events> void keeper_process::checker_ended(int status, Events& events) {
    renewal_.checker = 0;
    renewal_.until = deadline::never();
    renewal_.is_checked = WIFEXITED(status) && WEXITSTATUS(status) == 0 && detail::keeper_state::is_accepted(renewal_.file);
    renewal_.file = {};
    if (renewal_.is_checked) return;
    end_renewal(WIFSIGNALED(status) ? "it died of signal " + std::to_string(WTERMSIG(status))
                                    : "it exited with " + std::to_string(WEXITSTATUS(status)),
                events);
}

template <class Events> void keeper_process::end_renewal(const std::string& why, Events& events) {
    give_up_renewal();
    events.on_trouble("the keeper stays that of the earlier program, because the new one cannot go on from it: " + why);
}

/// Also before a program is replaced again.
inline void keeper_process::give_up_renewal() noexcept {
    if (renewal_.checker > 1) sys::kill(renewal_.checker, SIGKILL); // reaped as any orphan
    renewal_ = {};
}

inline int keeper_process::resume(const worker_environment& from, error_out out) {
    const auto file = memory_file::adopt(unique_fd(from.state), out);
    if (out.failed()) return -1;
    const auto all = detail::keeper_state::read(file, out);
    if (out.failed()) return -1;
    std::vector<int> passed{all.link, all.report, all.program, all.lock, all.listener};
    for (const auto& each : all.items) passed.push_back(each.descriptor);
    for (const int fd : passed)
        if (fd >= 0 && sys::fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
            return out.set(last_error(), "go on as keeper", {}, "descriptor " + std::to_string(fd) + " is not open"), -1;
    if (from.is_check) {
        detail::keeper_state::accept(file);
        ::_exit(0);
    }
    const auto time_of = [](std::uint64_t nanoseconds) {
        return clock::time_point(std::chrono::duration_cast<clock::duration>(
            std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(nanoseconds))));
    };
    number_ = static_cast<std::uint32_t>(all.generation);
    worker_ = all.worker;
    link_ = detail::keeper_link(unique_fd(all.link));
    report_ = unique_fd(all.report);
    program_ = unique_fd(all.program);
    lock_ = all.lock;
    listener_ = {unique_fd(all.listener), static_cast<dev_t>(all.device), static_cast<ino_t>(all.inode)};
    started_at_ = time_of(all.started_at), died_at_ = time_of(all.died_at);
    last_signal_ = all.last_signal;
    start_ = all.start;
    is_serving_ = has_served_ = true;
    for (const auto& each : all.items) table_.restore(each.slot, each.name, unique_fd(each.descriptor), each.child);
    for (const auto& each : all.items) {
        detail::kept_record& record = table_.records()[each.slot];
        record.is_memory = each.is_memory, record.has_ended = each.has_ended, record.is_told = each.is_told;
        record.status = each.status;
        has_pending_ = has_pending_ || !each.is_told;
    }
    return lock_;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/detail/keeper_upgrade.hpp ----
/// @file keeper_upgrade.hpp: how a keeper lets a new program take over from its worker, or rolls that back.
/// Layer: 3 (mechanism; no asio).  Test: test/process/upgrade_process_test.cpp.
/// Threads: one.   Blocks: never.
///
/// Members of keeper_process; keeper.hpp includes this file. The old worker serves until it is told to freeze. From the commit
/// on, which is one store in memory that all three processes share, there is no rollback: the old worker ends, the new one
/// serves. Before it, whatever goes wrong ends the new program, and the old worker continues.

namespace mato {
inline namespace MATO_ABI {

inline int keeper_process::begin_upgrade(const detail::keeper_message& said) {
    auto& came = link_.descriptors;
    if (came.size() != 2) return came.size() < 2 ? EMFILE : EBADMSG;
    if (candidate_.at != step::none) return EBUSY;
    if (is_stopping_) return ECANCELED;
    std::error_code why;
    auto program = std::move(came[0]);
    auto commit = memory_file::adopt(std::move(came[1]), why);
    if (why || commit.size() < sizeof(std::uint64_t)) return EBADMSG;
    if (start_.arguments.empty()) start_.arguments = detail::worker_program::own_arguments(why);
    if (why) return why.value();
    auto process = detail::worker_program::start(program.get(), start_, commit.native_handle(), lock_, why);
    if (why) return why.value();
    give_up_renewal(); // another program is to be the keeper
    candidate_ = {step::starting,
                  std::move(process),
                  std::move(program),
                  std::move(commit),
                  deadline::in(milliseconds(static_cast<milliseconds::rep>(said.a))),
                  0,
                  said.b == detail::upgrade_check ? upgrade_purpose::check : upgrade_purpose::replace};
    return 0;
}

/// After a death of a worker that was a program: the same program again.
inline void keeper_process::start_program() {
    auto process = detail::worker_program::start(program_.get(), start_, -1, lock_, why_);
    if (why_) return;
    ++number_;
    started_at_ = clock::now();
    worker_ = process.pid;
    link_ = std::move(process.link);
    report_ = std::move(process.report);
    is_serving_ = false;
    is_last_ = is_stopping_;
}

inline void keeper_process::take_candidate_messages() {
    using received = detail::keeper_link::received;
    auto& link = candidate_.process.link;
    while (link.native_handle() >= 0) {
        switch (link.receive()) {
        case received::nothing: return;
        case received::end: return link.close(); // its death is noticed as a child's
        case received::damaged: return roll_back(detail::rollback::damaged);
        case received::message: take_candidate_message();
        }
    }
}

inline void keeper_process::take_candidate_message() {
    using word = detail::keeper_word;
    auto& link = candidate_.process.link;
    const auto said = link.message;
    std::error_code why;
    switch (said.word) {
    case word::hello:
        if (candidate_.at != step::starting) return;
        candidate_.at = step::freezing;
        frozen_at_ = clock::now();
        if (!link_.try_send({word::freeze, 0, 0, 0, {}}, -1, why)) roll_back(detail::rollback::refused);
        return;
    case word::ready:
        if (candidate_.at != step::restoring) return;
        candidate_.purpose == upgrade_purpose::check ? roll_back(detail::rollback::checked) : commit();
        return;
    case word::keep: {
        const bool may = candidate_.at == step::restoring;
        const int result = may ? table_.apply_provisionally(said, link.descriptors) : EBUSY;
        static_cast<void>(link.try_send({word::answer, said.slot, static_cast<std::uint64_t>(result), 0, {}}, -1, why));
        return;
    }
    case word::drop:
        if (candidate_.at == step::restoring) static_cast<void>(table_.apply_provisionally(said, link.descriptors));
        return;
    default: return; // no word of a program that has not taken over
    }
}

/// Sends what fits: the listener, the table, and last the facts.
inline void keeper_process::give(detail::keeper_link& to, giving& at, bool is_upgrade) {
    using word = detail::keeper_word;
    std::error_code why;
    if (!at.has_listener && listener_.socket) {
        if (!to.try_send({word::listen, 0, listener_.device, listener_.inode, {}}, listener_.socket.get(), why)) return;
    }
    at.has_listener = true;
    auto& records = table_.records();
    for (; at.next < records.size(); ++at.next) {
        auto& each = records[at.next];
        if (each.name.empty()) continue;
        std::uint64_t flags = each.is_memory ? detail::keep_memory : 0;
        if (!each.descriptor) flags |= detail::keep_no_descriptor;
        if (each.has_ended)
            flags |= detail::given_ended | (static_cast<std::uint64_t>(each.status & 0xffff) << detail::given_status_shift);
        const auto child = static_cast<std::uint64_t>(each.child);
        if (!to.try_send({word::given, static_cast<std::uint32_t>(at.next), child, flags, each.name}, each.descriptor.get(),
                         why))
            return;
        each.is_given_ended = each.has_ended;
        if (!is_upgrade) each.is_told = true; // or it has not ended yet
    }
    if (!to.try_send(facts(is_upgrade), -1, why)) return;
    at = {};
    if (is_upgrade) candidate_.at = step::restoring;
}

inline detail::keeper_message keeper_process::facts(bool is_upgrade) const {
    const auto since = (is_upgrade ? frozen_at_ : died_at_).time_since_epoch();
    std::uint64_t all = is_stopping_ ? detail::fact_must_stop : 0;
    if (is_upgrade)
        all |= detail::fact_upgraded | (static_cast<std::uint64_t>(worker_) << detail::fact_old_worker_shift);
    else
        all |= static_cast<std::uint64_t>(last_signal_ & 0xff) << detail::fact_signal_shift;
    return {detail::keeper_word::given_all,
            number_ + (is_upgrade ? 1 : 0),
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()),
            all,
            {}};
}

inline void keeper_process::commit() {
    static constexpr milliseconds last_words{1000}; // for the old worker to end by itself
    candidate_.at = step::committed;
    detail::store_word(candidate_.commit.bytes().data(), 1);
    candidate_.until = deadline::in(last_words);
    std::error_code why;
    if (!link_.try_send({detail::keeper_word::retired, 0, 0, 0, {}}, -1, why)) sys::kill(worker_, SIGKILL);
}

/// The old worker is dead, and the new one takes its place.
template <class Events> void keeper_process::promote(int old_status, Events& events) {
    if (WIFSIGNALED(old_status))
        events.on_trouble("the worker died of signal " + std::to_string(WTERMSIG(old_status)) +
                          " once it was replaced; the new program takes over");
    worker_ = candidate_.process.pid;
    link_ = std::move(candidate_.process.link);
    report_ = std::move(candidate_.process.report);
    program_ = std::move(candidate_.program);
    const int status = candidate_.status;
    candidate_ = {};
    table_.resolve(true);
    ++number_;
    started_at_ = clock::now();
    died_at_ = frozen_at_;
    is_serving_ = false;
    is_last_ = is_stopping_;
    has_pending_ = true;
    renewal_.is_due = true;
    if (worker_ == 0) return worker_died(status, events);
    std::error_code ignored; // it waits for this message, so there is room
    static_cast<void>(link_.try_send({detail::keeper_word::go, 0, 0, 0, {}}, -1, ignored));
}

inline void keeper_process::check_deadline(clock::time_point now) {
    if (candidate_.at == step::none || !candidate_.until.passed(now)) return;
    if (candidate_.at != step::committed) return roll_back(detail::rollback::timed_out);
    sys::kill(worker_, SIGKILL);
    candidate_.until = deadline::never();
}

/// Ends the new program and tells the worker. No effect without an upgrade, and after the commit.
inline void keeper_process::roll_back(detail::rollback why, int status) {
    if (candidate_.at == step::none || candidate_.at == step::committed) return;
    std::error_code not_sent; // a worker whose socket is full gets no report
    const bool is_told = link_.try_send(
        {detail::keeper_word::rolled_back, 0, static_cast<std::uint64_t>(why), static_cast<std::uint64_t>(status & 0xffff), {}},
        candidate_.process.report.get(), not_sent);
    std::string what = "an upgrade is rolled back while the new program " + std::string(name_of(candidate_.at)) + ", reason " +
                       std::to_string(static_cast<int>(why)) + ", wait status " + std::to_string(status);
    if (is_told && why != detail::rollback::checked) heard_ = std::move(what), heard_at_ = clock::now();
    if (!is_told) unheard_ = what + "; the worker could not be told";
    end_candidate();
}

/// For the log, after "the new program".
inline const char* keeper_process::name_of(step at) noexcept {
    switch (at) {
    case step::starting: return "was starting";
    case step::freezing: return "waited for the state";
    case step::giving:
    case step::restoring: return "was restoring";
    case step::none:
    case step::committed: break;
    }
    return "was taking over";
}

inline void keeper_process::end_candidate() noexcept {
    if (candidate_.at == step::none) return;
    if (candidate_.process.pid > 1) sys::kill(candidate_.process.pid, SIGKILL); // reaped as any other child
    candidate_ = {};
    offered_ = {};
    table_.resolve(false);
    has_pending_ = worker_ != 0;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/listener.hpp ----
/// @file listener.hpp: accepts clients that the peer policy allows, and reports why others are refused.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/listener_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Fork: open it in the final process.   Source: accept(2).
///
/// It combines an endpoint and a peer policy, given as types. It includes neither header: any type with the same members works.

namespace mato {
inline namespace MATO_ABI {

/// Requires of its two policies: `Endpoint::publish(lock, options, out)`, `Endpoint::withdraw()`,
/// `Endpoint::describe()`, `Endpoint::named`, and `Peer::checks`.
///
/// A listening socket whose clients are checked by the peer policy. `basic_server` uses it; use it directly with another
/// event loop.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork open it in the final process.
/// @blocks never.
///
/// @code
/// auto listener = mato::basic_listener<mato::owned_path, mato::same_user>::open(
///     mato::owned_path(paths.file("other.sock")), {}, lock, mato::publish_options{}, why);
/// const auto check = [](int socket, const mato::same_user& policy, mato::error_out out) {
///     return mato::require_peer(socket, policy, mato::errc::peer_rejected, out);
/// };
/// const auto next = listener.try_accept(check, why);
/// if (next && !next->why) std::printf("pid %d connected\n", static_cast<int>(next->peer.pid));
/// @endcode
template <class Endpoint, class Peer> class basic_listener {
    static_assert(Endpoint::named || Peer::checks,
                  "mato: this endpoint has no file permissions, so the peer policy must check (any_peer does not)");

public:
    /// A connected client, allowed or refused; `why` has the reason of a refusal. Destroying it closes a refused client.
    template <class Credentials> struct accepted {
        unique_fd socket; ///< non-blocking, close-on-exec
        Credentials peer;
        failure why;
    };

    basic_listener() = default;
    basic_listener(basic_listener&&) noexcept = default;
    basic_listener& operator=(basic_listener&& other) noexcept {
        if (this == &other) return *this;
        close();
        endpoint_ = std::move(other.endpoint_);
        peer_ = std::move(other.peer_);
        socket_ = std::move(other.socket_);
        return *this;
    }
    ~basic_listener() { close(); }

    /// @errors as Endpoint::publish.
    template <class Lock, class Options> [[nodiscard]] static basic_listener
    open(Endpoint endpoint, Peer peer, const Lock& held, const Options& options, error_out out) {
        basic_listener listener;
        listener.endpoint_ = std::move(endpoint);
        listener.peer_ = std::move(peer);
        listener.socket_ = listener.endpoint_.publish(held, options, out);
        return listener;
    }

    /// Goes on with a socket that was published before, see adoptable_endpoint. @errors as Endpoint::adopt.
    template <class Name>
    [[nodiscard]] static basic_listener adopt(Endpoint endpoint, Peer peer, unique_fd socket, const Name& name, error_out out) {
        basic_listener listener;
        listener.endpoint_ = std::move(endpoint);
        listener.peer_ = std::move(peer);
        listener.socket_ = listener.endpoint_.adopt(std::move(socket), name, out);
        return listener;
    }

    /// Publishes again after the name was removed. Clients still waiting in the old socket's backlog are disconnected.
    /// @errors as Endpoint::publish; then the old socket stays open.
    template <class Lock, class Options> void republish(const Lock& held, const Options& options, error_out out) {
        unique_fd fresh = endpoint_.publish(held, options, out);
        if (fresh) socket_ = std::move(fresh);
    }

    /// The next client, or empty when none waits.
    /// `require(socket, policy, out)` reads and checks the credentials (`require_peer` in peer.hpp).
    /// @errors EMFILE, ENFILE, ENOBUFS, ENOMEM: try again later; the client waits in the backlog.
    template <class Require> auto try_accept(Require require, error_out out) {
        using credentials = decltype(require(0, std::as_const(peer_), out));
        std::optional<accepted<credentials>> result;
        unique_fd socket(sys::accept(socket_.get()));
        if (!socket) {
            const bool none = errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED;
            if (!none) out.set(last_error(), "accept", endpoint_.describe());
            return result;
        }
        result.emplace();
        result->socket = std::move(socket);
        result->peer = require(result->socket.get(), std::as_const(peer_), error_out(result->why));
        return result;
    }

    [[nodiscard]] int native_handle() const noexcept { return socket_.get(); } ///< readable when a client waits
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }

    /// Withdraws the name, then closes: clients still in the backlog see end-of-file.
    void close() noexcept {
        endpoint_.withdraw();
        socket_.reset();
    }

private:
    Endpoint endpoint_{};
    Peer peer_{};
    unique_fd socket_;
};

} // namespace MATO_ABI
} // namespace mato

// ---- mato/privileges.hpp ----
/// @file privileges.hpp: gives up root's rights for good, after the steps that need them.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/privileges_test.cpp.
/// Threads: call it before the first thread.   Blocks: never.   Fork: children have the rights that are left.
/// Source: setuid(2), setgroups(2), credentials(7).

namespace mato {
inline namespace MATO_ABI {

/// The rights that remain after `drop_privileges`.
///
/// Numbers, so that a test needs no entry in passwd(5).
///
/// @threads a value.
/// @blocks never.
struct process_rights {
    uid_t user = 0;
    gid_t group = 0;
    std::span<const gid_t> groups{}; ///< supplementary groups; by default none remain
};

/// Sets the real, effective and saved user and group of this process, and its supplementary groups, and proves that root's
/// rights cannot be had again. Call it after the privileged step, such as opening a device or a port below 1024, and before
/// `basic_daemon::run`: so the daemon's directory, lock and socket belong to the account. Pass opened descriptors in
/// daemon_options::keep.
///
/// After an error the process may have a part of the new rights: exit. A process that has the wanted rights already, and cannot
/// have root's, may call it too.
/// @errors EINVAL: user 0 · EPERM: not root, and other rights are wanted; or root's rights could be had again · EAGAIN: the
/// account's limit of processes.
inline void drop_privileges(const process_rights& wanted, error_out out);

// ---- implementation ----

inline void drop_privileges(const process_rights& wanted, error_out out) {
    const auto fail = [&](int why, std::string detail) {
        out.set({why, std::system_category()},
                "drop privileges to uid " + std::to_string(wanted.user) + ", gid " + std::to_string(wanted.group), {},
                std::move(detail));
    };
    if (wanted.user == 0) return fail(EINVAL, "user 0 has all rights; pass the uid of the account");
    if (sys::geteuid() == 0) {
        // The groups first: changing them needs the rights that setuid gives up.
        if (sys::setgroups(wanted.groups.size(), wanted.groups.data()) == -1) return fail(errno, {});
        if (sys::setgid(wanted.group) == -1) return fail(errno, {});
        if (sys::setuid(wanted.user) == -1) return fail(errno, {});
    }
    const bool has_user = sys::getuid() == wanted.user && sys::geteuid() == wanted.user;
    const bool has_group = sys::getgid() == wanted.group && sys::getegid() == wanted.group;
    if (!has_user || !has_group) return fail(EPERM, "only root can change its user and group");
    const int count = sys::getgroups(0, nullptr);
    std::vector<gid_t> left(static_cast<std::size_t>(count > 0 ? count : 0));
    if (sys::getgroups(static_cast<int>(left.size()), left.data()) == -1) return fail(errno, {});
    for (const gid_t each : left) {
        bool is_wanted = each == wanted.group;
        for (const gid_t one : wanted.groups) is_wanted = is_wanted || each == one;
        if (!is_wanted) return fail(EPERM, "the process keeps group " + std::to_string(each) + ", which only root can give up");
    }
    if (sys::setuid(0) == 0) return fail(EPERM, "the process could become root again; exit");
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/read_journal.hpp ----
/// @file read_journal.hpp: a log of the bytes read from a terminal, in memory that outlives the reader; no byte is lost.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/read_journal_test.cpp,
/// test/process/read_journal_process_test.cpp. Threads: distinct objects are independent; one object, one thread.   Blocks:
/// never. Fork: both processes see the memory. Only one of them may read the terminal.
///
/// read(2) writes the bytes to the place returned by `arm`, and `commit` counts them with one store of eight bytes. A reader
/// killed between the two leaves bytes that are not counted and that the terminal no longer has. So `arm` first fills the place
/// with a pattern: the last byte that differs from the pattern is the last byte of the interrupted read. This is exact for
/// text, which does not contain the pattern's bytes (F8 to FF). For random bytes, one read in 256 ends with a byte equal to the
/// pattern, which is then missed.
///
/// The memory (numbers little-endian; detail/kept_memory.hpp has the head):
///
///     64   8  end: all bytes ever read
///     72   8  armed: equals `end` while a read may be in progress, else another number
///     80   8  begin: bytes before the newest checkpoint; byte `begin` is at the content's start
///     128     the log: `capacity` bytes, and 4 095 for a read that begins at the last of them

namespace mato {
inline namespace MATO_ABI {

/// The stores of `arm`, `commit` and `checkpoint`, in order. A test's `Steps` gets them.
enum class journal_store : std::uint8_t {
    pattern,   ///< `arm`: the pattern was written to the place of the next read
    armed,     ///< `arm`: a read may be in progress
    end,       ///< `commit`
    disarmed,  ///< `checkpoint`: the old pattern does not count as a read
    forgotten, ///< `checkpoint`: the log begins here
};

/// The log of the bytes read from one terminal since the newest checkpoint. The memory belongs to the caller and must outlive
/// the object.
///
/// ```cpp
/// alignas(8) static char memory[mato::read_journal<>::memory_for(32768)]; // use a memory_file to outlive the process
/// mato::failure why;
/// auto journal = mato::read_journal<>::create(memory, why);
/// if (char* const to = journal.arm()) { // nullptr when full: save the log's effect elsewhere, then checkpoint()
///     const ssize_t got = ::read(0, to, journal.most_read);
///     if (got > 0) journal.commit(static_cast<std::size_t>(got));
/// }
/// auto next = mato::read_journal<>::adopt(memory, why); // what the next process does
/// next.recover();
/// std::printf("%zu bytes to process again\n", next.since_checkpoint().size());
/// ```
///
/// With two_slots for the checkpoints the order is: `slots.publish(state, journal.end(), out)`, then `journal.checkpoint()`.
/// After a crash: `recover()`, `resume_after(slots.position(), out)`, then apply `since_checkpoint()` to `slots.newest()`.
template <class Steps = no_steps> class read_journal {
public:
    /// Largest read in bytes: a Linux terminal returns at most this many (n_tty has 4 096 and reserves one).
    static constexpr std::size_t most_read = 4095;
    /// Bytes of memory needed for a log of `capacity` bytes.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t capacity) noexcept {
        return detail::kept_content + capacity + most_read;
    }

    /// Empty: has no memory and is always full.
    read_journal() noexcept = default;
    read_journal(read_journal&& other) noexcept : own_(std::exchange(other.own_, {})) {}
    read_journal& operator=(read_journal&& other) noexcept {
        own_ = std::exchange(other.own_, {});
        return *this;
    }

    /// Creates an empty log that uses all of the memory. Former contents are lost.
    /// @errors invalid_argument: not aligned to 8 bytes, or too small for a log of one byte.
    [[nodiscard]] static read_journal create(std::span<char> memory, error_out out);
    [[nodiscard]] static read_journal create(std::span<char> memory) {
        return or_throw([&](error_out out) { return create(memory, out); });
    }
    /// Adopts the memory of another process, without changing it. Call `recover` next. The other process must have ended or
    /// stopped reading, so that only one process reads the terminal.
    /// @errors malformed: not a journal, or damaged · version_mismatch: a newer format · invalid_argument: not aligned.
    [[nodiscard]] static read_journal adopt(std::span<char> memory, error_out out);
    [[nodiscard]] static read_journal adopt(std::span<char> memory) {
        return or_throw([&](error_out out) { return adopt(memory, out); });
    }

    /// The place for the next read, of `most_read` bytes. A read that fails or returns 0 needs no `commit`.
    /// @returns nullptr if the log is full, or if it was adopted during a read and `recover` was not called yet.
    [[nodiscard]] char* arm() noexcept;
    /// Counts the bytes of a read. @pre n <= most_read, and the read used the place from `arm`
    void commit(std::size_t n) noexcept;
    /// Bytes that were read but not counted by `commit`, because the reader was killed between the two.
    [[nodiscard]] std::size_t in_flight() const noexcept;
    /// Counts the bytes in flight. @returns their number
    std::size_t recover() noexcept;

    /// All bytes read since the newest checkpoint. Valid until the next `checkpoint`.
    [[nodiscard]] std::string_view since_checkpoint() const noexcept { return {own_.log, used()}; }
    /// Empties the log. Call it after the effect of the log was saved elsewhere. @pre `recover` was called, if adopted
    void checkpoint() noexcept;
    /// Aligns the log with a saved state that includes all bytes up to `position`. The state may have been saved just before
    /// the crash, without the matching `checkpoint`. @errors malformed: `position` is neither the begin nor the end of the log.
    bool resume_after(std::uint64_t position, error_out out);

    [[nodiscard]] std::uint64_t begin() const noexcept { return own_.begin; } ///< bytes before the newest checkpoint
    [[nodiscard]] std::uint64_t end() const noexcept { return own_.end; }     ///< all bytes ever read
    [[nodiscard]] std::size_t used() const noexcept { return static_cast<std::size_t>(own_.end - own_.begin); }
    [[nodiscard]] std::size_t capacity() const noexcept { return own_.capacity; } ///< `used()` at which it is full
    [[nodiscard]] bool full() const noexcept { return used() >= own_.capacity; }

private:
    static constexpr detail::kept_kind kind{"matoread", "read journal", 1, 0};
    static constexpr std::size_t end_word = detail::kept_words, armed_word = end_word + 8, begin_word = end_word + 16;
    static constexpr std::uint64_t disarmed = ~std::uint64_t{0};
    static constexpr std::uint64_t furthest = std::uint64_t{1} << 63; // no terminal reaches 8 EiB

    // Copies owned by this process: later writes of others into the memory cannot change where this one reads or writes.
    struct state {
        char* memory = nullptr;
        char* log = nullptr;
        std::size_t capacity = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t filled = 0; // end of the pattern written by this process, or below `end`
        bool must_recover = false;
    };
    state own_;
};

// ---- implementation ----

namespace detail {

/// 4 096 bytes of F8 to FF, stored twice so that any 4 096 in a row can be copied with one call. They are part of the format.
struct fill_pattern {
    static constexpr std::size_t period = 4096;
    char bytes[2 * period]{};
    constexpr fill_pattern() noexcept {
        std::uint32_t x = 0x9E3779B9U;
        for (std::size_t i = 0; i < period; ++i) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5; // Marsaglia's xorshift
            bytes[i] = bytes[i + period] = static_cast<char>(0xF8U | (x >> 11 & 7U));
        }
    }
    /// The pattern from this position of the stream on.
    [[nodiscard]] const char* from(std::uint64_t position) const noexcept { return bytes + position % period; }
};
inline constexpr fill_pattern read_pattern;

} // namespace detail

template <class Steps> read_journal<Steps> read_journal<Steps>::create(std::span<char> memory, error_out out) {
    static constexpr std::string_view step = "create read journal";
    read_journal made;
    if (!detail::is_aligned(memory, step, out)) return made;
    if (memory.size() < memory_for(1)) {
        out.set(std::make_error_code(std::errc::invalid_argument), step, {},
                std::to_string(memory.size()) + " bytes are too few; at least " + std::to_string(memory_for(1)) +
                    " are needed");
        return made;
    }
    char* const at = memory.data();
    const std::size_t capacity = memory.size() - memory_for(0);
    detail::store_word(at, 0); // a crash from here on leaves memory that is not taken for a journal
    detail::store_word(at + end_word, 0);
    detail::store_word(at + armed_word, disarmed);
    detail::store_word(at + begin_word, 0);
    detail::write_kept_head(at, kind, capacity);
    made.own_ = {at, at + detail::kept_content, capacity, 0, 0, 0, false};
    return made;
}

template <class Steps> read_journal<Steps> read_journal<Steps>::adopt(std::span<char> memory, error_out out) {
    read_journal made;
    const std::size_t content = detail::check_kept_head(memory, kind, out);
    if (content == 0) return made;
    char* const at = memory.data();
    const auto refuse = [&](const char* why) { out.set(errc::malformed, "adopt read journal", {}, why); };
    const auto capacity = detail::load_number<std::uint64_t>(at + 16);
    const std::size_t room = memory.size() - content;
    if (capacity == 0 || room < most_read || capacity > room - most_read)
        return refuse("its log does not fit into the memory"), read_journal();
    const std::uint64_t begin = detail::load_word(at + begin_word), end = detail::load_word(at + end_word);
    const std::uint64_t armed = detail::load_word(at + armed_word);
    if (begin > end || end > furthest || end - begin >= capacity + most_read)
        return refuse("its byte counts are damaged"), read_journal();
    if (armed != disarmed && (armed < begin || armed > end || (armed == end && end - begin >= capacity)))
        return refuse("it records a read in progress at an impossible position"), read_journal();
    made.own_ = {at, at + content, static_cast<std::size_t>(capacity), begin, end, 0, false};
    made.own_.must_recover = made.in_flight() > 0;
    return made;
}

template <class Steps> char* read_journal<Steps>::arm() noexcept {
    if (full() || own_.must_recover) return nullptr;
    char* const to = own_.log + used();
    const std::uint64_t until = own_.end + most_read;
    if (own_.filled < own_.end) own_.filled = own_.end;
    if (own_.filled < until) { // only as much as the last read overwrote
        std::memcpy(own_.log + (own_.filled - own_.begin), detail::read_pattern.from(own_.filled),
                    static_cast<std::size_t>(until - own_.filled));
        own_.filled = until;
        Steps::after(journal_store::pattern);
    }
    detail::store_word(own_.memory + armed_word, own_.end);
    Steps::after(journal_store::armed);
    return to;
}

template <class Steps> void read_journal<Steps>::commit(std::size_t n) noexcept {
    own_.end += n;
    detail::store_word(own_.memory + end_word, own_.end); // from here on `armed` is not equal to `end`
    Steps::after(journal_store::end);
}

template <class Steps> std::size_t read_journal<Steps>::in_flight() const noexcept {
    if (own_.memory == nullptr || detail::load_word(own_.memory + armed_word) != own_.end || full()) return 0;
    const char* const from = own_.log + used();
    const char* const untouched = detail::read_pattern.from(own_.end);
    std::size_t n = most_read;
    while (n > 0 && from[n - 1] == untouched[n - 1]) --n;
    return n;
}

template <class Steps> std::size_t read_journal<Steps>::recover() noexcept {
    const std::size_t found = in_flight();
    if (found > 0) commit(found);
    own_.must_recover = false;
    return found;
}

template <class Steps> void read_journal<Steps>::checkpoint() noexcept {
    if (own_.memory == nullptr) return;
    // In this order: after the second store, the place of the pattern contains other bytes.
    detail::store_word(own_.memory + armed_word, disarmed);
    Steps::after(journal_store::disarmed);
    detail::store_word(own_.memory + begin_word, own_.end);
    Steps::after(journal_store::forgotten);
    own_.begin = own_.end;
    own_.filled = 0;
}

template <class Steps> bool read_journal<Steps>::resume_after(std::uint64_t position, error_out out) {
    if (position == own_.begin) return true;
    if (position != own_.end) {
        return out.fail<bool>(errc::malformed, "resume read journal", {},
                              "the saved state includes " + std::to_string(position) + " bytes, but the log has bytes " +
                                  std::to_string(own_.begin) + " to " + std::to_string(own_.end));
    }
    checkpoint();
    return true;
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/read_limits.hpp ----
/// @file read_limits.hpp: when a connection stops reading from a client that sends faster than it is served.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/read_limits_test.cpp, back_pressure_test.cpp.
/// Threads: one object, one thread.   Blocks: never.
///
/// A client that reads no answers, or that sends more requests than the program has answered, is not read until it has caught
/// up. What it sends in the meantime stays in its own process and in the kernel's buffer (about 208 KiB). Other clients are not
/// affected.

namespace mato {
inline namespace MATO_ABI {

/// How much of one client's work may wait in this process. At a limit its frames are not read; nothing is lost.
///
/// Part of `server_limits`; a connection without a server has `set_read_limits`. With `unlimited` a limit is never reached.
///
/// @threads a value.
/// @blocks never.
struct read_limits {
    /// Bytes of replies that the client has not read. Above it, reading pauses until half of it is left. Half of the default
    /// limit at which `disconnect` closes a client.
    std::size_t unread_bytes = std::size_t{512} << 10;
    /// A client that reads nothing of its replies for this long, while reading is paused for them, is closed (slow_consumer).
    milliseconds unread_for{10'000};
    std::size_t unanswered_frames = 256;                 ///< frames with a frame_ticket; 0 is the same as 1
    std::size_t unanswered_bytes = std::size_t{1} << 20; ///< payloads of these frames; one frame may be larger
};

/// Marks a received frame as not yet answered, from `hold_frame` until its last copy is destroyed or `done`. Keep it with the
/// work that the frame started, for example with the job that a thread pool has.
///
/// It does not keep the connection alive, and may outlive it.
///
/// @threads copies may be moved to other threads; the last one must be destroyed on the thread of the loop.
/// @blocks never.
///
/// @code
/// server.on.on_frame = [&](const mato::server::session_ptr& session, std::string_view frame) {
///     session->established();
///     jobs.push_back({session, session->hold_frame(), std::string(frame)}); // answered later
/// };
/// @endcode
class frame_ticket {
public:
    frame_ticket() noexcept = default;
    explicit frame_ticket(std::shared_ptr<const void> held) noexcept : held_(std::move(held)) {}
    void done() noexcept { held_.reset(); } ///< for this copy
    [[nodiscard]] explicit operator bool() const noexcept { return held_ != nullptr; }

private:
    std::shared_ptr<const void> held_;
};

namespace detail {

/// Whether a connection may deliver another frame now.
class read_gate {
public:
    void set_limits(const read_limits& limits) noexcept { limits_ = limits; }
    [[nodiscard]] const read_limits& limits() const noexcept { return limits_; }

    [[nodiscard]] bool is_shut() const noexcept {
        const bool is_full = frames_ >= limits_.unanswered_frames || bytes_ >= limits_.unanswered_bytes;
        return by_hand_ || is_unread_ || (frames_ > 0 && is_full);
    }
    [[nodiscard]] bool waits_for_peer() const noexcept { return is_unread_; }
    [[nodiscard]] std::size_t frames() const noexcept { return frames_; }

    void pause(bool on) noexcept { by_hand_ = on; }
    void queued(std::size_t replies) noexcept { is_unread_ = is_unread_ || replies > limits_.unread_bytes; }
    /// @returns whether the peer has read enough, so that this no longer keeps the gate shut.
    bool sent(std::size_t replies) noexcept {
        if (!is_unread_ || replies > limits_.unread_bytes / 2) return false;
        is_unread_ = false;
        return true;
    }
    void held(std::size_t bytes) noexcept {
        ++frames_;
        bytes_ += bytes;
    }
    void answered(std::size_t bytes) noexcept {
        --frames_;
        bytes_ -= bytes;
    }

private:
    read_limits limits_{unlimited, never, unlimited, unlimited};
    std::size_t frames_ = 0, bytes_ = 0; // with a ticket
    bool by_hand_ = false, is_unread_ = false;
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

// ---- mato/shared_path.hpp ----
/// @file shared_path.hpp: publishes a Unix socket that other users can reach, by its mode and group.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/shared_path_test.cpp, test/process/shared_service_test.cpp.
/// Threads: distinct paths are independent.   Blocks: never, except `group_named` (a name service may be asked).
/// Fork: as owned_path.   Source: unix(7), path_resolution(7), chown(2), getgrnam(3).
///
/// Three things decide who gets in: search permission for the directory, write permission for the socket, and the peer policy.
/// The kernel checks the first two before the daemon sees the client.

namespace mato {
inline namespace MATO_ABI {

/// Creates or checks a directory that other users may enter but not change: not a symlink, owned by the effective uid or root,
/// not writable by group or others, and open (search permission) to group or others.
/// @effects creates missing components with mode 0755 exactly, below a directory owned by the same user or root; changes no
///          existing directory.
/// @errors  unsafe_directory with the reason · any of mkdir(2), stat(2), chmod(2).
inline void make_shared_directory(const std::string& directory, error_out out);

/// Checks without creating. @errors as above, and ENOENT.
inline void check_shared_directory(const std::string& directory, error_out out);

/// The id of a group. Asks the system's name service, which may be slow: call it before serving.
/// @errors ENOENT: there is no such group · any of getgrnam_r(3).
[[nodiscard]] inline gid_t group_named(const std::string& name, error_out out);

/// A path in a directory that other users may enter: for a daemon of root or of a service account that serves other users.
///
/// `publish_options` must let another user connect: mode 0660 with a group, or 0666. Combine it with a peer policy that checks,
/// such as group_member, because a mode alone does not tell which user connected. Lock, pid file and log may lie in the same
/// directory: their modes are 0600.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork only the process that published the name withdraws it.
/// @blocks never.
///
/// @code
/// struct service : mato::default_policies {
///     using endpoint = mato::shared_path;
///     using peer = mato::either<mato::same_user_or_root, mato::group_member>; // set_peer names the group
/// };
/// @endcode
class shared_path {
public:
    static constexpr bool named = true;

    shared_path() = default;
    /// Does not fail; `publish` and `connect` check the length.
    explicit shared_path(std::string path) : where_(std::move(path)) {}

    /// For `basic_daemon`, which makes the directory before it takes the lock. @errors as make_shared_directory.
    static void make_directory(const std::string& directory, error_out out) { make_shared_directory(directory, out); }

    /// As owned_path::publish, in a shared directory. The name has its group and mode before it accepts a connection.
    /// @errors as owned_path::publish · EINVAL: the mode lets no other user connect · EPERM: the group is not one of this
    ///         process.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);
    void withdraw() noexcept { where_.withdraw(); } ///< as owned_path::withdraw
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name& name, error_out out) noexcept {
        return where_.adopt(std::move(socket), name, out);
    }
    [[nodiscard]] published_name published() const noexcept { return where_.published(); }
    /// @errors as owned_path::connect · EACCES: this user may not enter the directory, or not connect to the socket.
    [[nodiscard]] unique_fd connect(error_out out) const { return where_.connect(out); }
    [[nodiscard]] std::string describe() const { return where_.describe(); }
    [[nodiscard]] const std::string& path() const noexcept { return where_.path(); }

private:
    owned_path where_;
};
static_assert(adoptable_endpoint<shared_path>);

// ---- implementation ----

namespace detail {
inline void judge_shared_directory(const struct ::stat& found, const std::string& directory, error_out out) {
    const auto refuse = [&](const std::string& why) { out.set(errc::unsafe_directory, "check directory", directory, why); };
    if (S_ISLNK(found.st_mode)) return refuse("it is a symbolic link; use a real directory");
    if (!S_ISDIR(found.st_mode)) return refuse("it is not a directory; choose another path");
    if (found.st_uid != sys::geteuid() && found.st_uid != 0)
        return refuse("it belongs to uid " + std::to_string(found.st_uid) +
                      "; a shared directory must belong to root or to the daemon's user");
    if (found.st_mode & 022)
        return refuse("group or others may write to it, so they could replace the socket; close it with chmod go-w");
    if ((found.st_mode & 011) == 0)
        return refuse("no other user may enter it; open it with chmod 755, or with chmod 750 and the clients' group");
}
} // namespace detail

inline void check_shared_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return check_shared_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) return out.set(last_error(), "check directory", directory);
    detail::judge_shared_directory(found, directory, out);
}

inline void make_shared_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return make_shared_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == 0) return detail::judge_shared_directory(found, directory, out);
    if (errno != ENOENT) return out.set(last_error(), "check directory", directory);
    detail::make_parent(directory, make_shared_directory, out);
    if (out.failed()) return;
    if (sys::mkdir(directory.c_str(), 0755) == 0) { // the umask may have removed bits
        if (sys::chmod(directory.c_str(), 0755) == -1) out.set(last_error(), "set mode 0755 of directory", directory);
    } else if (errno != EEXIST) { // EEXIST: another process was first
        out.set(last_error(), "create directory", directory);
    }
    if (!out.failed()) check_shared_directory(directory, out);
}

template <class Lock> unique_fd shared_path::publish(const Lock& held, const publish_options& options, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", path());
    if ((options.mode & 022) == 0)
        return out.fail<unique_fd>(std::make_error_code(std::errc::invalid_argument), "publish socket", path(),
                                   "its mode lets no other user connect; set publish_options::mode to 0660 and a group, or "
                                   "to 0666");
    check_shared_directory(detail::directory_of(path()), out);
    return out.failed() ? unique_fd() : where_.publish_in_checked_directory(options, out);
}

inline gid_t group_named(const std::string& name, error_out out) {
    constexpr std::size_t most = std::size_t{1} << 20; // bytes; a group of this size has 100 000 members
    struct ::group found {};
    struct ::group* result = nullptr;
    int why = ERANGE;
    for (std::vector<char> room(4096); why == ERANGE && room.size() <= most; room.resize(2 * room.size()))
        why = sys::getgrnam_r(name.c_str(), &found, room.data(), room.size(), &result);
    if (why == 0 && result != nullptr) return found.gr_gid;
    const std::error_code code(why == 0 ? ENOENT : why, std::system_category());
    out.set(code, "find group", name, why == 0 ? "there is no group '" + name + "'; create it with groupadd" : code.message());
    return static_cast<gid_t>(-1);
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/spawn.hpp ----
/// @file spawn.hpp: starts a program with clean signals, descriptors and limits, or reports why it cannot.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/spawn_program_test.cpp; failures:
/// test/fault/fault_spawn_program_test.cpp. Threads: safe; the new process is a child of the whole process.   Fork: it is one;
/// the child only executes. Blocks: until exec has succeeded or failed (usually less than a millisecond). Source: execve(2),
/// setpgid(2), close_range(2), prctl(2) PR_SET_PDEATHSIG.
///
/// A daemon blocks signals, has the umask 077, sockets, locks, and perhaps a raised limit of descriptors. A program that it
/// starts must inherit none of that: SIGTERM would not end it, and a copied listener would keep a dead daemon's socket alive.

extern char** environ; // NOLINT(readability-redundant-declaration): unistd.h declares it only with _GNU_SOURCE

namespace mato {
inline namespace MATO_ABI {

/// A descriptor of this process that the child gets, and its number there.
///
/// Part of `spawn_options`.
///
/// @threads a value.
/// @blocks never.
struct passed_descriptor {
    int from; ///< stays open here
    int to;   ///< 0 to 2: standard input, output, error
};

/// A limit of the child, set in the child by setrlimit(2).
///
/// Part of `spawn_options`.
///
/// @threads a value.
/// @blocks never.
struct process_limit {
    int resource; ///< RLIMIT_…
    rlim_t soft, hard;
};

/// What to start, and what it inherits. Only `program` must be set.
///
/// @threads a value.
/// @blocks never.
struct spawn_options {
    std::string program;                  ///< a path, or a name that is looked up in PATH of the child's environment
    std::vector<std::string> arguments{}; ///< after the program's name
    std::optional<std::vector<std::string>> environment{}; ///< "NAME=value"; not set: as this process
    std::string directory{};                               ///< working directory; empty: as this process
    std::vector<passed_descriptor> descriptors{};          ///< all others are closed; 0 to 2 not named here are /dev/null
    std::vector<process_limit> limits{};                   ///< others: as this process
    rlim_t most_descriptors = 1024; ///< soft RLIMIT_NOFILE, at most the hard one: more breaks programs that use select(2)
    mode_t umask = 022;             ///< a daemon's own is 077
    bool own_group = true; ///< it leads a process group, which signals can be sent to; false: it is in this process's group
    int signal_at_parents_death = 0; ///< Linux: sent to it when the thread that started it ends; 0: none
};

/// A started program. The caller waits for it, for example with `child`.
///
/// @threads a value.
/// @blocks never.
struct spawned {
    pid_t pid = 0;
    unique_fd process{}; ///< a pidfd, readable when it has ended; empty where there is none (MATO_HAS_PIDFD, Linux 5.3)
};

/// Starts a program. All its signals have their default disposition and none is blocked.
/// @errors with the step and the program: any of execve(2), fork(2), chdir(2), setrlimit(2), dup2(2) in the child · EBADF with
/// the
///         descriptor. Then there is no process.
[[nodiscard]] inline spawned spawn(const spawn_options& options, error_out out);

// ---- implementation ----

namespace detail {

/// All that the child needs, prepared before the fork: it may call only async-signal-safe functions.
class spawn_plan {
public:
    explicit spawn_plan(const spawn_options& options);
    /// In the child. Reports an error through `report`, a write end of a pipe. Does not return.
    [[noreturn]] void become_program(int report) noexcept;

    struct report_message {
        int step, error, detail;
    };
    enum step { descriptor, null, limit, group, directory, orphan, exec };
    [[nodiscard]] failure describe(const report_message& what) const;

private:
    [[noreturn]] static void fails(int report, step where, int which = 0) noexcept {
        const report_message message{where, errno, which};
        static_cast<void>(sys::write(report, &message, sizeof message));
        ::_exit(127);
    }
    int place_descriptors(int report) noexcept;
    void limit_descriptors(int report) const noexcept;
    [[nodiscard]] std::string_view variable(std::string_view name) const noexcept;

    const spawn_options& options_;
    std::vector<std::string> paths_; // to try in this order
    std::vector<char*> arguments_, variables_;
    std::vector<int> moved_, keep_;
    pid_t parent_ = sys::getpid();
    int first_free_ = 3; // above every number that the child gets
};

inline spawn_plan::spawn_plan(const spawn_options& options) : options_(options) {
    const auto pointer = [](const std::string& text) { return const_cast<char*>(text.c_str()); }; // execve(2) changes nothing
    arguments_.push_back(pointer(options.program));
    for (const auto& each : options.arguments) arguments_.push_back(pointer(each));
    arguments_.push_back(nullptr);
    if (options.environment) {
        for (const auto& each : *options.environment) variables_.push_back(pointer(each));
    } else {
        for (char** each = environ; each != nullptr && *each != nullptr; ++each) variables_.push_back(*each);
    }
    variables_.push_back(nullptr);
    if (options.program.find('/') != std::string::npos) {
        paths_.push_back(options.program);
    } else {
        std::string_view path = variable("PATH");
        if (path.empty()) path = "/usr/local/bin:/usr/bin:/bin";
        for (;;) {
            const auto end = path.find(':');
            const auto folder = path.substr(0, end); // an empty one would be the working directory: never a default
            if (!folder.empty()) paths_.push_back(std::string(folder).append("/").append(options.program));
            if (end == std::string_view::npos) break;
            path.remove_prefix(end + 1);
        }
    }
    for (const auto& each : options.descriptors) {
        first_free_ = each.to >= first_free_ ? each.to + 1 : first_free_;
        keep_.push_back(each.to);
    }
    moved_.resize(options.descriptors.size(), -1);
    keep_.push_back(-1); // the report's number, known in the child
}

inline std::string_view spawn_plan::variable(std::string_view name) const noexcept {
    for (const char* const each : variables_) {
        const std::string_view text = each == nullptr ? std::string_view() : each;
        if (text.starts_with(name) && text.substr(name.size()).starts_with('=')) return text.substr(name.size() + 1);
    }
    return {};
}

/// First moves all of them above the numbers that the child gets, so that none overwrites another. @returns the report's
/// number.
inline int spawn_plan::place_descriptors(int report) noexcept {
    const int moved_report = sys::fcntl(report, F_DUPFD_CLOEXEC, first_free_);
    if (moved_report == -1) fails(report, descriptor, first_free_ - 1); // above the limit of descriptors
    for (std::size_t i = 0; i < moved_.size(); ++i) {
        moved_[i] = sys::fcntl(options_.descriptors[i].from, F_DUPFD_CLOEXEC, first_free_);
        if (moved_[i] == -1) fails(moved_report, descriptor, options_.descriptors[i].from);
    }
    const int nothing = sys::open("/dev/null", O_RDWR);
    if (nothing == -1) fails(moved_report, null);
    for (int standard = 0; standard < 3; ++standard)
        if (sys::dup2(nothing, standard) == -1) fails(moved_report, null);
    for (std::size_t i = 0; i < moved_.size(); ++i)
        if (sys::dup2(moved_[i], options_.descriptors[i].to) == -1)
            fails(moved_report, descriptor, options_.descriptors[i].from);
    keep_.back() = moved_report;
    close_all_but(keep_);
    for (int standard = 0; standard < 3; ++standard) sys::fcntl(standard, F_SETFD, 0); // `nothing` may have been one of them
    return moved_report;
}

inline void spawn_plan::limit_descriptors(int report) const noexcept {
    struct ::rlimit now {};
    if (sys::getrlimit(RLIMIT_NOFILE, &now) == -1) fails(report, limit, RLIMIT_NOFILE);
    if (now.rlim_cur <= options_.most_descriptors) return;
    now.rlim_cur = options_.most_descriptors;
    if (sys::setrlimit(RLIMIT_NOFILE, &now) == -1) fails(report, limit, RLIMIT_NOFILE);
}

inline void spawn_plan::become_program(int report) noexcept {
    if (options_.own_group && sys::setpgid(0, 0) == -1) fails(report, group);
    report = place_descriptors(report);
    limit_descriptors(report);
    for (const auto& each : options_.limits) {
        struct ::rlimit wanted {};
        wanted.rlim_cur = each.soft;
        wanted.rlim_max = each.hard;
        if (sys::setrlimit(each.resource, &wanted) == -1) fails(report, limit, each.resource);
    }
    if (!options_.directory.empty() && sys::chdir(options_.directory.c_str()) == -1) fails(report, directory);
    sys::umask(options_.umask);
    if (options_.signal_at_parents_death != 0) {
        if (sys::set_death_signal(options_.signal_at_parents_death) == -1) fails(report, orphan);
        if (sys::getppid() != parent_) ::_exit(127); // it ended in between, and reads no report
    }
    reset_signals();
    int why = ENOENT; // the reason for a file that is there counts more than that others are not
    for (const std::string& path : paths_) {
        sys::execve(path.c_str(), arguments_.data(), variables_.data());
        if (errno != ENOENT && errno != ENOTDIR) why = errno;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
    }
    errno = why;
    fails(report, exec);
}

inline failure spawn_plan::describe(const report_message& what) const {
    const std::error_code code(what.error, std::system_category());
    const std::string number = std::to_string(what.detail);
    switch (what.step) {
    case descriptor: return {code, "pass descriptor " + number + " to", options_.program, {}};
    case null: return {code, "open /dev/null for", options_.program, {}};
    case limit: return {code, "set limit " + number + " of", options_.program, {}};
    case group: return {code, "make a process group for", options_.program, {}};
    case directory: return {code, "enter directory", options_.directory, {}};
    case orphan: return {code, "set the death signal of", options_.program, {}};
    default: break;
    }
    std::string text;
    if (what.error == ENOENT && options_.program.find('/') == std::string::npos)
        text = "it is in no directory of PATH; give its path";
    return {code, "execute", options_.program, std::move(text)};
}

} // namespace detail

inline spawned spawn(const spawn_options& options, error_out out) {
    for (const auto& each : options.descriptors)
        if (each.to < 0 || sys::fcntl(each.from, F_GETFD, 0) == -1)
            return out.fail<spawned>({EBADF, std::system_category()}, "pass descriptor " + std::to_string(each.from) + " to",
                                     options.program);
    detail::spawn_plan plan(options);
    int ends[2];
    if (sys::pipe(ends) == -1) return out.fail<spawned>(last_error(), "open a pipe for", options.program);
    const unique_fd report(ends[0]);
    unique_fd report_write(ends[1]);
    spawned result;
    {
        const blocked_signals quiet; // a handler of this process must not run in the child
        result.pid = sys::fork();
        if (result.pid == 0) plan.become_program(report_write.get());
        if (result.pid == -1) return out.fail<spawned>(last_error(), "fork for", options.program);
    }
    report_write.reset(); // otherwise this copy would keep the pipe open
    detail::spawn_plan::report_message problem{};
    const ssize_t got = sys::read(report.get(), &problem, sizeof problem);
    if (got == 0) { // a successful exec has closed the pipe
        result.process = unique_fd(sys::pidfd_open(result.pid));
        return result;
    }
    const auto read_error = last_error();
    if (got < 0) sys::kill(result.pid, SIGKILL);
    sys::waitpid(result.pid, nullptr, 0);
    if (got < 0) return out.fail<spawned>(read_error, "start", options.program);
    return out.fail<spawned>(plan.describe(problem));
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/system_log.hpp ----
/// @file system_log.hpp: logs that the system collects: journald by the priority of each line, and syslog.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/system_log_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: see the classes.
/// Source: sd-daemon(3) "<N>" prefixes; RFC 3164.

namespace mato {
inline namespace MATO_ABI {

/// The number of a level for syslog(3) and journald: 3 error, 4 warning, 6 info, 7 debug.
[[nodiscard]] constexpr int priority_of(log_level level) noexcept {
    switch (level) {
    case log_level::error: return 3;
    case log_level::warning: return 4;
    case log_level::info: return 6;
    case log_level::debug: return 7;
    }
    return 7;
}

/// Writes to stderr for journald: each line begins with its priority, "<6>", and has no time of its own, because journald adds
/// one. For a unit with StandardError=journal, which is the default.
///
/// @threads safe.
/// @blocks like write(2).
///
/// @code
/// struct in_the_journal : mato::default_policies {
///     using log = mato::journal_log;
/// };
/// @endcode
struct journal_log {
    void write(log_level level, std::string_view text) noexcept {
        const auto write_it = [&] {
            std::string line = {'<', static_cast<char>('0' + priority_of(level)), '>'};
            line.append(text) += '\n';
            static_cast<void>(sys::write(2, line.data(), line.size()));
        };
        detail::attempt(write_it, [] {}); // no memory for a line: drop it, as the logger does
    }
};

/// The part of the system that a syslog message comes from. The numbers are those of RFC 3164.
enum class syslog_facility : unsigned char {
    user = 1,
    mail = 2,
    daemon = 3,
    auth = 4,
    local0 = 16,
    local1,
    local2,
    local3,
    local4,
    local5,
    local6,
    local7
};

/// Sends each line as a datagram to the system's syslog daemon, as syslog(3) does, but never blocks: a line that cannot be
/// delivered is counted and dropped. A syslog daemon that is restarted gets the later lines.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork the pid in the lines is that of the process that writes.
/// @blocks never.
///
/// @code
/// struct to_syslog : mato::syslog_log {
///     to_syslog() : syslog_log("backupd", mato::syslog_facility::local3) {}
/// };
/// struct with_syslog : mato::default_policies {
///     using log = to_syslog;
/// };
/// @endcode
class syslog_log {
public:
    /// `tag`: the program's name in the lines. `path`: the socket of the syslog daemon.
    explicit syslog_log(std::string tag, syslog_facility facility = syslog_facility::daemon, std::string path = "/dev/log")
        : tag_(std::move(tag)), path_(std::move(path)), facility_(facility) {}

    void write(log_level level, std::string_view text) noexcept;
    [[nodiscard]] std::uint64_t lost_lines() const noexcept { return lost_; }

private:
    [[nodiscard]] bool send(log_level level, std::string_view text);

    std::string tag_, path_;
    syslog_facility facility_;
    unique_fd socket_; // not connected: a restarted syslog daemon has a new socket with the same name
    std::uint64_t lost_ = 0;
};

static_assert(log_sink<journal_log> && log_sink<syslog_log>);

// ---- implementation ----

inline void syslog_log::write(log_level level, std::string_view text) noexcept {
    if (!detail::attempt([&] { return send(level, text); }, [] { return false; })) ++lost_; // no memory for a line
}

inline bool syslog_log::send(log_level level, std::string_view text) {
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", // whatever the locale is
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (!socket_) socket_ = unique_fd(sys::unix_datagram_socket());
    std::error_code unusable;
    const auto address = unix_address::of_path(path_, unusable);
    if (!socket_ || unusable) return false;
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    char head[64];
    const int size =
        std::snprintf(head, sizeof head, "<%d>%s %2d %02d:%02d:%02d ", static_cast<int>(facility_) * 8 + priority_of(level),
                      months[local.tm_mon % 12], local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
    std::string line(head, static_cast<std::size_t>(size));
    line.append(tag_).append("[").append(std::to_string(sys::getpid())).append("]: ").append(text);
    const ssize_t sent = sys::sendto(socket_.get(), line.data(), line.size(), MSG_DONTWAIT, address.data(), address.size());
    return sent == static_cast<ssize_t>(line.size());
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/two_slots.hpp ----
/// @file two_slots.hpp: the newest complete state of a program, in memory that outlives its writer.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/two_slots_test.cpp; fuzz/two_slots_fuzz.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Fork: both processes see the memory. Only one of them may publish.
///
/// A state is written to the slot that is not published, and then published with one store of eight bytes. If the writer is
/// killed at any point, the next process finds the last published state, complete.
///
/// The memory (numbers little-endian; detail/kept_memory.hpp has the head):
///
///     64   8  published: generation of the newest state, 0 for none; it is in slot generation & 1
///     128     slot 0, slot 1, each {8 generation, 8 size, 8 position, 4 CRC-32C of these three and the body, 36 unused}, body

namespace mato {
inline namespace MATO_ABI {

/// The stores of `publish`, in order. A test's `Steps` gets them.
enum class slots_store : std::uint8_t {
    head,      ///< the head of the unpublished slot
    body,      ///< the body of the unpublished slot
    published, ///< publishes the slot
};

/// Publishes states and finds the newest one. The memory belongs to the caller and must outlive the object.
///
/// ```cpp
/// alignas(8) static char memory[mato::two_slots<>::memory_for(4096)]; // use a memory_file to outlive the process
/// mato::failure why;
/// auto slots = mato::two_slots<>::create(memory, why);
/// if (!slots.publish("the state to keep", why)) return;
/// auto next = mato::two_slots<>::adopt(memory, why); // what the next process does
/// if (!why) std::printf("%zu bytes, generation %llu\n", next.newest().size(), next.generation() + 0ULL);
/// ```
template <class Steps = no_steps> class two_slots {
public:
    static constexpr std::size_t slot_head_bytes = 64; ///< a cache line, so that the body is aligned
    /// Bytes of memory needed for two states of `capacity` bytes.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t capacity) noexcept {
        return detail::kept_content + 2 * (slot_head_bytes + (capacity + 63) / 64 * 64);
    }

    /// Empty: has no memory; `publish` fails, `newest` is empty.
    two_slots() noexcept = default;
    two_slots(two_slots&& other) noexcept : own_(std::exchange(other.own_, {})) {}
    two_slots& operator=(two_slots&& other) noexcept {
        own_ = std::exchange(other.own_, {});
        return *this;
    }

    /// Divides the memory into two slots. Former contents are lost.
    /// @errors invalid_argument: not aligned to 8 bytes, or too small for a body of 64 bytes.
    [[nodiscard]] static two_slots create(std::span<char> memory, error_out out);
    [[nodiscard]] static two_slots create(std::span<char> memory) {
        return or_throw([&](error_out out) { return create(memory, out); });
    }
    /// Adopts the memory of another process, without changing it. No other process may publish at the same time.
    /// @errors malformed: not slots, or damaged · version_mismatch: a newer format · invalid_argument: not aligned.
    [[nodiscard]] static two_slots adopt(std::span<char> memory, error_out out);
    [[nodiscard]] static two_slots adopt(std::span<char> memory) {
        return or_throw([&](error_out out) { return adopt(memory, out); });
    }

    /// Makes `body` the newest state. `position` is stored with it: how much of an input it includes, for example
    /// read_journal::end(). @pre `body` is not in the memory. @returns false after an error; the newest state is then
    /// unchanged.
    /// @errors frame_too_large: more than `capacity()`; the detail has both sizes.
    bool publish(std::string_view body, std::uint64_t position, error_out out);
    bool publish(std::string_view body, error_out out) { return publish(body, 0, out); }

    /// The last published state, empty if there is none. The view is valid until the second `publish` after this call.
    [[nodiscard]] std::string_view newest() const noexcept {
        return own_.generation == 0 ? std::string_view() : std::string_view(slot(own_.generation) + slot_head_bytes, own_.size);
    }
    [[nodiscard]] std::uint64_t position() const noexcept { return own_.position; }     ///< of the newest state
    [[nodiscard]] std::uint64_t generation() const noexcept { return own_.generation; } ///< number of published states; 0: none
    [[nodiscard]] std::size_t capacity() const noexcept { return own_.capacity; }       ///< bytes of one state

private:
    static constexpr detail::kept_kind kind{"matoslot", "slots", 1, 0};
    static constexpr std::uint64_t furthest = std::uint64_t{1} << 63; // no program publishes that often
    static constexpr std::size_t summed_bytes = 24;                   // of a slot's head: generation, size, position

    // Copies owned by this process: later writes of others into the memory cannot change where this one reads.
    struct state {
        char* memory = nullptr;
        std::size_t begin = 0;    // of slot 0
        std::size_t capacity = 0; // of a body
        std::uint64_t generation = 0;
        std::size_t size = 0;
        std::uint64_t position = 0;
    };

    [[nodiscard]] char* slot(std::uint64_t generation) const noexcept {
        return own_.memory + own_.begin + (generation & 1 ? slot_head_bytes + own_.capacity : 0);
    }
    [[nodiscard]] static std::uint32_t sum_of(const char* slot, std::size_t size) noexcept {
        return detail::crc32c({slot + slot_head_bytes, size}, detail::crc32c({slot, summed_bytes}));
    }

    state own_;
};

// ---- implementation ----

template <class Steps> two_slots<Steps> two_slots<Steps>::create(std::span<char> memory, error_out out) {
    static constexpr std::string_view step = "create slots";
    two_slots made;
    if (!detail::is_aligned(memory, step, out)) return made;
    if (memory.size() < memory_for(1)) {
        out.set(std::make_error_code(std::errc::invalid_argument), step, {},
                std::to_string(memory.size()) + " bytes are too few; at least " + std::to_string(memory_for(1)) +
                    " are needed");
        return made;
    }
    const std::size_t capacity = (memory.size() - detail::kept_content) / 2 / 64 * 64 - slot_head_bytes;
    detail::store_word(memory.data(), 0); // a crash from here on leaves memory that is not taken for slots
    detail::store_word(memory.data() + detail::kept_words, 0);
    detail::write_kept_head(memory.data(), kind, capacity);
    made.own_ = {memory.data(), detail::kept_content, capacity, 0, 0, 0};
    return made;
}

template <class Steps> two_slots<Steps> two_slots<Steps>::adopt(std::span<char> memory, error_out out) {
    two_slots made;
    const std::size_t begin = detail::check_kept_head(memory, kind, out);
    if (begin == 0) return made;
    const auto refuse = [&](const char* why) { out.set(errc::malformed, "adopt slots", {}, why); };
    const auto capacity = detail::load_number<std::uint64_t>(memory.data() + 16);
    const std::size_t room = (memory.size() - begin) / 2; // for one slot
    if (capacity == 0 || capacity % 64 != 0 || room < slot_head_bytes || capacity > room - slot_head_bytes)
        return refuse("its slots do not fit into the memory"), two_slots();
    made.own_ = {memory.data(), begin, static_cast<std::size_t>(capacity), 0, 0, 0};
    const std::uint64_t generation = detail::load_word(memory.data() + detail::kept_words);
    if (generation == 0) return made;
    const char* const at = made.slot(generation);
    const auto size = detail::load_number<std::uint64_t>(at + 8);
    if (generation > furthest || detail::load_number<std::uint64_t>(at) != generation || size > capacity)
        return refuse("the head of the newest state is damaged"), two_slots();
    made.own_.generation = generation;
    made.own_.size = static_cast<std::size_t>(size);
    made.own_.position = detail::load_number<std::uint64_t>(at + 16);
    if (detail::load_number<std::uint32_t>(at + summed_bytes) != sum_of(at, made.own_.size))
        return refuse("the newest state is damaged: its checksum differs"), two_slots();
    return made;
}

template <class Steps> bool two_slots<Steps>::publish(std::string_view body, std::uint64_t position, error_out out) {
    if (own_.memory == nullptr || body.size() > own_.capacity) {
        return out.fail<bool>(errc::frame_too_large, "publish", {},
                              "the state has " + std::to_string(body.size()) + " bytes, the capacity of a slot is " +
                                  std::to_string(own_.capacity));
    }
    const std::uint64_t next = own_.generation + 1;
    char* const at = slot(next);
    detail::store_number(at, next);
    detail::store_number(at + 8, detail::number_cast<std::uint64_t>(body.size()));
    detail::store_number(at + 16, position);
    detail::store_number(at + summed_bytes, detail::crc32c(body, detail::crc32c({at, summed_bytes})));
    Steps::after(slots_store::head);
    if (!body.empty()) std::memcpy(at + slot_head_bytes, body.data(), body.size());
    Steps::after(slots_store::body);
    detail::store_word(own_.memory + detail::kept_words, next);
    Steps::after(slots_store::published);
    own_.generation = next;
    own_.size = body.size();
    own_.position = position;
    return true;
}

} // namespace MATO_ABI
} // namespace mato

// 4: composition

// ---- mato/client.hpp ----
/// @file client.hpp: finds the daemon, starts it when there is none, and talks to it in frames.
/// Layer: 4 (composition), free of asio.  Test: test/toolkit/client_test.cpp, test/mato/start_race_process_test.cpp.
/// Threads: one object, one thread.   Blocks: until the given deadline, except for calls marked "Never blocks".
/// Fork: `connect_or_start` forks if `launch` does; call it before the first thread is started.

// ---- mato/policies.hpp ----
/// @file policies.hpp: the set of policies that a daemon and its clients share.
/// Layer: 4 (composition).  Test: test/toolkit/daemon_test.cpp.
///
/// Derive and override one line: `struct mine : mato::default_policies { using peer = mato::same_user_or_root; };`

namespace mato {
inline namespace MATO_ABI {

/// A daemon reloads on SIGHUP, and when the program calls `reload`. The default; reload_on_change, which also watches the
/// configuration file, is in file_watch.hpp, so that a daemon without it does not include that header.
///
/// @threads safe.
/// @blocks never.
struct reload_on_request {
    struct watch {};
    static constexpr bool watches = false;
};

/// `watch` is constructed from the loop, the file's path, and a function to call after a change; see reload_on_change.
template <class R> concept reload_policy = requires {
    typename R::watch;
    requires bool(R::watches) || !bool(R::watches);
};

/// The default policy of each kind. Derive from it and replace single members; daemon and client must use the same framing.
///
/// @code
/// struct policies : mato::default_policies {
///     using framing = mato::length_prefixed<std::uint16_t, 4096>; // two bytes of length, at most 4 KiB
///     using peer = mato::same_user_or_root;
///     using log = mato::stderr_log;
/// };
/// @endcode
struct default_policies {
    using lock = flock_lock;
    using pid = pid_file;
    using signals = default_signal_source;
    using shutdown = graceful_then_force;
    using detach = foreground;
    using handover = no_handover;
    using endpoint = owned_path;
    using peer = same_user;
    using server = same_user_or_root; ///< what a client checks of the daemon; a peer policy
    using framing = length_prefixed<>;
    using correlation = in_order; ///< which request an answer belongs to, for basic_async_client
    using overflow = disconnect;
    using log = file_log;
    using reload = reload_on_request; ///< when the configuration is read again
    using backoff = exponential_backoff;
};

namespace detail {
/// A readable compile error for each policy that does not satisfy its concept. Instantiated by the templates of layer 4.
/// A set that was written before there was this policy has the default one; so with correlation.
template <class P> struct server_of { using type = same_user_or_root; };
template <class P>
requires requires { typename P::server; }
struct server_of<P> {
    using type = typename P::server;
};
template <class P> struct correlation_of { using type = in_order; };
template <class P>
requires requires { typename P::correlation; }
struct correlation_of<P> {
    using type = typename P::correlation;
};
template <class P> struct reload_of { using type = reload_on_request; };
template <class P>
requires requires { typename P::reload; }
struct reload_of<P> {
    using type = typename P::reload;
};
template <class D> concept leads_session = requires { requires bool(D::leads_session); };
template <class P> struct require_policies {
    static_assert(lock_mechanism<typename P::lock>, "mato: policies::lock is not a lock mechanism, see lock.hpp");
    static_assert(pid_registry<typename P::pid>, "mato: policies::pid is not a pid registry, see pid_file.hpp");
    static_assert(signal_source<typename P::signals>, "mato: policies::signals is not a signal source, see signals.hpp");
    static_assert(shutdown_policy<typename P::shutdown>, "mato: policies::shutdown is not a shutdown policy, see shutdown.hpp");
    static_assert(detach_policy<typename P::detach>, "mato: policies::detach is not a detach policy, see detach.hpp");
    static_assert(endpoint_policy<typename P::endpoint>,
                  "mato: policies::endpoint is not an endpoint policy, see endpoint.hpp");
    static_assert(peer_policy<typename P::peer>, "mato: policies::peer is not a peer policy, see peer.hpp");
    static_assert(peer_policy<typename server_of<P>::type>, "mato: policies::server is not a peer policy, see peer.hpp");
    static_assert(P::endpoint::named || server_of<P>::type::checks,
                  "mato: this endpoint has no file permissions, so any process could take its name first; policies::server "
                  "must check the daemon's user (any_peer does not)");
    static_assert(framing_policy<typename P::framing>, "mato: policies::framing is not a framing policy, see framing.hpp");
    static_assert(correlation_policy<typename correlation_of<P>::type>,
                  "mato: policies::correlation is not a correlation policy, see correlation.hpp");
    static_assert(overflow_policy<typename P::overflow>,
                  "mato: policies::overflow is not an overflow policy, see overflow.hpp");
    static_assert(log_sink<typename P::log>, "mato: policies::log is not a log sink, see log.hpp");
    static_assert(reload_policy<typename reload_of<P>::type>,
                  "mato: policies::reload is not a reload policy, see reload_on_change in file_watch.hpp");
    static_assert(backoff_policy<typename P::backoff>, "mato: policies::backoff is not a backoff policy, see retry.hpp");
    static_assert(handover_policy<typename P::handover>, "mato: policies::handover is not a handover policy, see handover.hpp");
    static_assert(!survives<typename P::handover> || (MATO_HAS_SUBREAPER && MATO_HAS_ACCEPT4),
                  "mato: this system has no child subreapers, as Linux has; use no_handover");
    static_assert(!survives<typename P::handover> || adoptable_endpoint<typename P::endpoint>,
                  "mato: with this handover policy the endpoint needs `adopt` and `published`, see adoptable_endpoint");
    static_assert(
        !survives<typename P::handover> || shared_lock_mechanism<typename P::lock>,
        "mato: with this handover policy the lock needs `static constexpr bool shared_by_copies = true`, see lock.hpp");
    static_assert(!leads_session<typename P::detach> || survives<typename P::handover>,
                  "mato: with this detach policy the daemon leads its session, so a terminal that it opens could become its "
                  "controlling terminal; use a keeper, whose workers do not lead it, or double_fork");
    static constexpr bool ok = true;
};
} // namespace detail

/// Exit codes of programs built on the toolkit, from sysexits.h where it has a fitting one.
namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int forced = 1;           ///< the daemon was stopped by force
inline constexpr int not_answering = 2;    ///< the daemon runs but does not answer
inline constexpr int version_mismatch = 3; ///< no common protocol version
inline constexpr int usage = 64;           ///< EX_USAGE
inline constexpr int unavailable = 69;     ///< EX_UNAVAILABLE: no daemon runs, and none could be started
inline constexpr int already_running = 75; ///< EX_TEMPFAIL
inline constexpr int not_permitted = 77;   ///< EX_NOPERM
inline constexpr int bad_config = 78;      ///< EX_CONFIG
} // namespace exit_code

/// The exit code for an error; `unavailable` for errors that have none of their own.
[[nodiscard]] inline int exit_code_for(const std::error_code& why) noexcept {
    if (!why) return exit_code::ok;
    if (why == cond::already_running) return exit_code::already_running;
    if (why == errc::version_mismatch) return exit_code::version_mismatch;
    if (why == errc::invalid_config) return exit_code::bad_config;
    if (why == cond::not_permitted) return exit_code::not_permitted;
    return exit_code::unavailable;
}

/// The files of one daemon, in one private directory.
///
/// Daemon and client derive it from the same directory.
///
/// @threads a value.
/// @blocks never.
struct daemon_paths {
    std::string socket, lock, pid, log;

    /// `directory/stem.sock`, `.lock`, `.pid` and `.log`. A relative directory is made absolute here, because the background
    /// daemon has another working directory.
    [[nodiscard]] static daemon_paths in(const std::string& directory, const std::string& stem = "daemon") {
        const std::string base = detail::absolute(directory).append("/").append(stem);
        return {base + ".sock", base + ".lock", base + ".pid", base + ".log"};
    }
    [[nodiscard]] std::string directory() const { return detail::directory_of(socket); }
    /// The path of another file in the same directory.
    [[nodiscard]] std::string file(const std::string& name) const { return directory().append("/").append(name); }
};

} // namespace MATO_ABI
} // namespace mato

namespace mato {
inline namespace MATO_ABI {

/// A connection to a daemon for programs without an event loop: each call waits at most until its deadline. `client` has the
/// default policies. With an event loop, wait for `native_handle()` and use `queue`, `flush`, `fill` and `next`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork `connect_or_start` forks if `launch` does; call it before the first thread.
/// @blocks until the given deadline, except for calls marked "Never blocks".
///
/// @code
/// auto client = mato::client::connect(mato::owned_path(paths.socket), until, why);
/// if (!why) client.send("ping", until, why);
/// const auto answer = why ? std::nullopt : client.receive(until, why);
/// if (answer) std::printf("%s\n", std::string(*answer).c_str());
/// if (why.code == mato::cond::not_running) std::printf("no daemon runs\n");
/// @endcode
template <class Policies = default_policies> class basic_client {
    static_assert(detail::require_policies<Policies>::ok);

public:
    using framing = typename Policies::framing;
    using endpoint = typename Policies::endpoint;
    using server_policy = typename detail::server_of<Policies>::type;

    basic_client() noexcept = default;

    /// Connects to a running daemon and checks by `policies::server` which user it runs as (by default this user or root),
    /// before anything is sent. Waits while the daemon's backlog is full.
    /// @errors cond::not_running · server_not_trusted · timed_out: it runs but accepts no clients · any of connect(2).
    [[nodiscard]] static basic_client connect(const endpoint& where, deadline until, error_out out) {
        return connect(where, server_policy{}, until, out);
    }
    /// With a policy that has values, for example `uid_set{{account}}` for a daemon of a service account, or group_member.
    template <peer_policy Server>
    [[nodiscard]] static basic_client connect(const endpoint& where, const Server& trusted, deadline until, error_out out);

    /// As `connect`. If no daemon runs, it is started; of several clients that do this at the same time exactly one starts it.
    ///
    /// `launch()` returns an object like start_outcome: true once the daemon serves, else the reason in `why` (already_running
    /// too). It is called under a lock on `paths.directory()`, after a second attempt to connect. Other clients wait for the
    /// lock and then connect.
    /// @errors as `connect` · the daemon's own start error · unsafe_directory · not_ready.
    template <class Launch> [[nodiscard]] static basic_client connect_or_start(const daemon_paths& paths, deadline until,
                                                                               Launch launch, error_out out) {
        return connect_or_start(paths, server_policy{}, until, std::move(launch), out);
    }
    /// With a server policy that has values, as `connect`.
    template <peer_policy Server, class Launch> [[nodiscard]] static basic_client
    connect_or_start(const daemon_paths& paths, const Server& trusted, deadline until, Launch launch, error_out out);

    /// Sends `signal` to the daemon that holds `paths.lock`, and to no other process. If the lock file cannot prove which
    /// process that is (another pid namespace), the process that listens on the socket is taken from the kernel. Never blocks.
    /// @returns the daemon's pid as seen here, else 0. @errors as basic_instance_lock::signal_holder.
    static pid_t signal_daemon(const daemon_paths& paths, int signal, error_out out);

    /// Sends SIGTERM to the daemon that holds `paths.lock`, as `signal_daemon`, and waits until it has released the lock: then
    /// its socket and files are gone, and another one can start.
    /// @returns the pid of the daemon that was stopped, else 0. @errors as `signal_daemon` · timed_out: it still runs.
    static pid_t stop_daemon(const daemon_paths& paths, deadline until, error_out out);

    /// Queues a frame and sends as much of the queue as the kernel accepts. Never blocks.
    /// @errors frame_too_large · any of send(2).
    void queue(std::string_view payload, error_out out);
    /// As `queue`, and passes descriptors: the server receives its own descriptors for the same open files, no later than the
    /// frame. Waits until everything queued before is sent. After an error neither the frame nor the descriptors arrive, except
    /// when a part of the frame was already sent: then its rest is still sent. @errors as `send` · E2BIG: more than
    /// `max_passed_descriptors`.
    void send_with(std::string_view payload, std::span<const int> descriptors, deadline until, error_out out);
    /// Sends what the kernel accepts; never blocks. If the daemon has closed the connection but its last words were not read
    /// yet, for example why it refuses this client, then the first call that notices it reports no error: `receive` returns
    /// them, and then the end. So do the other calls that send.
    void flush(error_out out);
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return out_.size() - out_begin_; }
    /// Reads once. Never blocks. @returns false if there was nothing to read. @errors closed: end of stream.
    bool fill(error_out out);
    /// The next complete frame that was already read. The view is valid until the next `fill` or `next`. Never blocks.
    [[nodiscard]] std::optional<std::string_view> next(error_out out);

    /// Accepts descriptors that the daemon passes, at most `most` with a frame; more are an error of `next` and `receive`
    /// (errc::malformed). Without this call the kernel discards them. If the process has no free descriptor numbers, the frame
    /// comes without its descriptors.
    void accept_descriptors(std::size_t most) noexcept { most_descriptors_ = most; }
    /// The next descriptor that was passed with the last frame that `next` or `receive` returned. Empty: there is none. Those
    /// that are not taken are closed by the following call of `next` or `receive`. Never blocks.
    [[nodiscard]] unique_fd take_descriptor() noexcept { return arrived_.take(); }

    /// Queues a frame and waits until the whole queue is sent. @errors as `queue` · timed_out.
    void send(std::string_view payload, deadline until, error_out out);
    /// Waits for the next frame, and sends queued frames while it waits.
    /// @errors closed · timed_out · frame_too_large, malformed.
    [[nodiscard]] std::optional<std::string_view> receive(deadline until, error_out out);

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
    [[nodiscard]] int native_handle() const noexcept { return socket_.get(); }
    [[nodiscard]] const peer_credentials& server() const noexcept { return server_; }

private:
    static constexpr std::size_t first_read_bytes = 4_KiB; // size of a usual answer; doubled while reads fill the buffer
    static constexpr std::size_t most_read_bytes = 64_KiB;

    bool wait(short events, deadline until, error_out out) const;
    /// Reports why there is no connection, for every call on an unconnected client.
    bool is_connected(error_out out) const {
        if (!socket_) out.set(why_not_);
        return static_cast<bool>(socket_);
    }
    static basic_client unconnected(const failure& why, error_out out) {
        out.set(why);
        basic_client result;
        result.why_not_ = why;
        return result;
    }

    failure why_not_{{ENOTCONN, std::system_category()}, "use a client", {}, "the client is not connected; call connect first"};
    unique_fd socket_;
    peer_credentials server_;
    frame_decoder<framing> decoder_;
    detail::basic_arrived_descriptors<> arrived_;
    std::size_t most_descriptors_ = 0;
    std::uint64_t received_ = 0; // bytes
    std::string out_;
    std::size_t out_begin_ = 0;
    std::size_t read_bytes_ = first_read_bytes;
    bool is_end_known_ = false; // sending has failed once
};

using client = basic_client<>;

// ---- implementation ----

template <class P> template <peer_policy Server>
auto basic_client<P>::connect(const endpoint& where, const Server& trusted, deadline until, error_out out) -> basic_client {
    static_assert(endpoint::named || Server::checks,
                  "mato: this endpoint has no file permissions, so the client must check the "
                  "daemon's user (any_peer does not)");
    basic_client result;
    typename P::backoff policy{};
    for (;;) {
        failure why;
        unique_fd socket = where.connect(why);
        if (!why) {
            result.server_ = require_peer(socket.get(), trusted, errc::server_not_trusted, why);
            if (why) return unconnected(why, out);
            result.socket_ = std::move(socket);
            return result;
        }
        auto pause = why.code == cond::busy ? policy.next(clock::now()) : std::nullopt;
        if (why.code == cond::busy && !pause) { // the policy's own total has passed; only the caller's deadline counts here
            policy = typename P::backoff();
            pause = policy.next(clock::now());
        }
        if (!pause || until.passed()) {
            if (why.code == cond::busy)
                why = {errc::timed_out, "connect", where.describe(),
                       "the daemon runs, but its queue of waiting clients is full; try again later"};
            return unconnected(why, out);
        }
        const long wait = detail::number_cast<long>(pause->count()), left = until.poll_timeout();
        sys::sleep_ms(wait < left ? wait : left);
    }
}

template <class P> template <peer_policy Server, class Launch>
auto basic_client<P>::connect_or_start(const daemon_paths& paths, const Server& trusted, deadline until, Launch launch,
                                       error_out out) -> basic_client {
    constexpr milliseconds look_again{50}; // while another client starts the daemon: how late the success may be noticed
    const endpoint where(paths.socket);
    typename P::backoff policy{};
    failure why;
    const auto try_connect = [&] { return connect(where, trusted, until, why); };
    for (;;) {
        basic_client found = try_connect();
        if (!why) return found;
        if (why.code != cond::not_running) return unconnected(why, out);
        detail::make_directory_for<endpoint>(paths.directory(), why);
        if (why) return unconnected(why, out);

        const auto soon = clock::now() + look_again;
        auto starting = instance_lock::acquire_directory( // flock: the one mechanism that works on a directory
            paths.directory(), deadline(until.at() < soon ? until.at() : soon), why);
        if (!why) {
            found = try_connect(); // the previous holder of the lock may have started the daemon
            if (!why) return found;
            if (why.code != cond::not_running) return unconnected(why, out);
            const auto started = launch();
            if (started) {
                found = try_connect();
                if (!why) return found;
                if (why.code != cond::not_running) return unconnected(why, out);
            } else if (started.why.code != errc::already_running) {
                return unconnected(started.why, out);
            } else {
                why = started.why; // the other daemon holds the lock but does not listen yet, or not any more
            }
        } else if (why.code != errc::timed_out) {
            return unconnected(why, out);
        }
        starting = {};
        if (until.passed())
            return unconnected({errc::not_ready, "start the daemon", paths.socket,
                                "it was not ready in time; the last attempt failed: " + why.message()},
                               out);
        if (const auto pause = policy.next(clock::now()))
            sys::sleep_ms(detail::number_cast<long>(pause->count()));
        else
            policy = typename P::backoff();
    }
}

template <class P> pid_t basic_client<P>::signal_daemon(const daemon_paths& paths, int signal, error_out out) {
    const auto who_listens = [&](error_out unknown) {
        found_process found;
        const unique_fd socket = endpoint(paths.socket).connect(unknown);
        if (unknown.failed()) return found;
        found.number = credentials_of(socket.get(), unknown).pid;
        std::error_code
            older; // a kernel without SO_PEERPIDFD: signal_holder opens a pidfd for the pid and compares start times
        found.process = process_of(socket.get(), older);
        return found;
    };
    return basic_instance_lock<typename P::lock>::signal_holder(paths.lock, signal, who_listens, out);
}

template <class P> pid_t basic_client<P>::stop_daemon(const daemon_paths& paths, deadline until, error_out out) {
    constexpr long first_ms = 1, longest_ms = 20; // between two looks at the lock, which has no descriptor to wait for
    const pid_t stopped = signal_daemon(paths, SIGTERM, out);
    if (out.failed()) return 0;
    for (long pause = first_ms;; pause = pause * 2 < longest_ms ? pause * 2 : longest_ms) {
        failure why;
        const pid_t holder = signal_daemon(paths, 0, why);
        if (why.code == cond::not_running || (!why && holder != stopped)) return stopped;
        if (until.passed()) break;
        const long left = until.poll_timeout();
        sys::sleep_ms(pause < left ? pause : left);
    }
    return out.fail<pid_t>(errc::timed_out, "stop the daemon", paths.lock,
                           "pid " + std::to_string(stopped) + " has got SIGTERM but still runs");
}

template <class P> void basic_client<P>::queue(std::string_view payload, error_out out) {
    if (!is_connected(out)) return;
    framing::append(out_, payload, out);
    if (!out.failed()) flush(out);
}

template <class P>
void basic_client<P>::send_with(std::string_view payload, std::span<const int> descriptors, deadline until, error_out out) {
    if (!is_connected(out)) return;
    while (!out.failed() && queued_bytes() > 0 && wait(POLLOUT, until, out)) flush(out);
    if (out.failed()) return;
    std::string frame;
    framing::append(frame, payload, out);
    std::size_t sent = 0;
    while (!out.failed() && sent == 0 && wait(POLLOUT, until, out))
        sent = send_descriptors(socket_.get(), frame, descriptors, out);
    if (sent == 0) return;
    out_ = std::move(frame); // its unsent rest
    out_begin_ = sent;
    if (!out.failed()) flush(out);
}

template <class P> void basic_client<P>::flush(error_out out) {
    if (!is_connected(out)) return;
    while (queued_bytes() > 0) {
        const ssize_t sent = sys::send(socket_.get(), out_.data() + out_begin_, queued_bytes());
        if (sent < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) return;
            const std::error_code why = last_error();
            char byte = 0;
            const bool has_last_words =
                !std::exchange(is_end_known_, true) && sys::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
            if (!has_last_words) return out.set(why, "send");
            break;
        }
        out_begin_ += static_cast<std::size_t>(sent);
    }
    out_.clear();
    out_begin_ = 0;
}

template <class P> bool basic_client<P>::fill(error_out out) {
    if (!is_connected(out)) return false;
    const auto room = decoder_.prepare(read_bytes_);
    std::size_t size = 0;
    if (most_descriptors_ > 0) {
        if (arrived_.size() > most_descriptors_) return false; // `next` returns their frame, or that they are too many
        size = arrived_.receive(socket_.get(), room, received_, out);
    } else {
        const ssize_t got = sys::recv(socket_.get(), room.data(), room.size());
        if (got > 0)
            size = static_cast<std::size_t>(got);
        else if (got == 0)
            out.set(errc::closed, "receive");
        else if (errno != EAGAIN && errno != EWOULDBLOCK)
            out.set(last_error(), "receive");
    }
    decoder_.commit(size);
    received_ += size;
    if (size == room.size()) read_bytes_ = read_bytes_ < most_read_bytes ? 2 * read_bytes_ : most_read_bytes;
    return size > 0 && !out.failed();
}

template <class P> std::optional<std::string_view> basic_client<P>::next(error_out out) {
    arrived_.end_frame();
    auto frame = decoder_.next(out);
    if (most_descriptors_ == 0 || out.failed()) return frame;
    if (frame)
        arrived_.begin_frame(received_ - decoder_.buffered(), most_descriptors_, out);
    else
        arrived_.no_frame(most_descriptors_, out);
    if (out.failed()) frame.reset();
    return frame;
}

template <class P> bool basic_client<P>::wait(short events, deadline until, error_out out) const {
    for (;;) {
        pollfd ready{socket_.get(), events, 0};
        const int polled = sys::poll(&ready, 1, until.poll_timeout());
        if (polled > 0) return true;
        if (polled == -1 && errno != EINTR) return out.fail<bool>(last_error(), "wait");
        if (until.passed()) return out.fail<bool>(errc::timed_out, "wait for the daemon", {}, "no answer in time");
    }
}

template <class P> void basic_client<P>::send(std::string_view payload, deadline until, error_out out) {
    queue(payload, out);
    while (!out.failed() && queued_bytes() > 0 && wait(POLLOUT, until, out)) flush(out);
}

template <class P> std::optional<std::string_view> basic_client<P>::receive(deadline until, error_out out) {
    for (;;) {
        if (auto frame = next(out); frame || out.failed()) return frame;
        if (fill(out)) continue;
        if (out.failed()) return std::nullopt;
        failure unsent; // the request that this answers may be larger than the kernel's buffer
        flush(unsent);
        if (unsent) out_.clear(), out_begin_ = 0; // the next read reports that the server is gone
        if (!wait(static_cast<short>(queued_bytes() > 0 ? POLLIN | POLLOUT : POLLIN), until, out)) return std::nullopt;
    }
}

} // namespace MATO_ABI
} // namespace mato

// ---- mato/service.hpp ----
/// @file service.hpp: the environment that a service manager passes to a daemon, as a value.
/// Layer: 4 (composition), free of asio.  Test: test/toolkit/service_test.cpp, test/process/service_process_test.cpp.
/// Threads: `take_service_environment` changes the environment: call it before the first thread.   Blocks: never.
/// Fork: call it in the process that the manager started; the value may be used after a fork.
/// Source: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5).
///
/// No policy reads the environment. A program reads it once with this header, and passes the value on
/// (daemon_options::service).

namespace mato {
inline namespace MATO_ABI {

/// One socket passed by a service manager. Pass it to the `activated` endpoint.
struct passed_socket {
    int fd;           ///< 3 or more; the user of this value must close it
    std::string name; ///< systemd.socket(5) FileDescriptorName=; "unknown" if none was given
};

/// The variables of a service manager. Empty if no manager started the process.
///
/// Pass it in `daemon_options::service`.
///
/// @threads a value.
struct service_environment {
    std::string notify_socket{};           ///< for sd_notifier; empty: none
    std::chrono::microseconds watchdog{0}; ///< interval in which the daemon must notify; 0: no watchdog
    std::vector<passed_socket> sockets{};  ///< for `activated`

    [[nodiscard]] explicit operator bool() const noexcept { return !notify_socket.empty() || !sockets.empty(); }
    /// The descriptor of the passed socket with this name (FileDescriptorName=). -1: none has it, or several have.
    [[nodiscard]] int socket(std::string_view name) const noexcept {
        int found = -1;
        for (const passed_socket& each : sockets) {
            if (each.name != name) continue;
            if (found != -1) return -1;
            found = each.fd;
        }
        return found;
    }

    static constexpr int first_passed = 3;    ///< SD_LISTEN_FDS_START
    static constexpr int most_sockets = 1024; ///< the usual descriptor limit; a larger number is an error
};

/// A function that returns the value of a variable, or empty if it is not set.
template <class F> concept variable_lookup = requires(const F& variable, const char* name) {
    { variable(name) } -> std::same_as<std::optional<std::string>>;
};

/// Parses the variables for process `self`. Variables meant for another process count as absent. Pure.
/// @errors malformed: a value that the manual page does not allow; the failure's path is the variable's name.
template <variable_lookup F>
[[nodiscard]] service_environment parse_service_environment(const F& variable, pid_t self, error_out out);

/// Reads the environment of this process and removes these variables, so that no child uses them. Sets close-on-exec on the
/// passed descriptors.
/// @errors as above · EBADF: LISTEN_FDS includes a descriptor that is not open. The variables are removed also after an error.
[[nodiscard]] inline service_environment take_service_environment(error_out out);

// ---- implementation ----

namespace detail {
inline constexpr const char* service_variables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                                    "LISTEN_PID",    "LISTEN_FDS",    "LISTEN_FDNAMES"};

/// A decimal number from `least` to `most`, and nothing else.
inline std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t least, std::uint64_t most) noexcept {
    std::uint64_t value = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (why != std::errc() || rest != text.data() + text.size() || value < least || value > most) return std::nullopt;
    return value;
}
} // namespace detail

template <variable_lookup F> service_environment parse_service_environment(const F& variable, pid_t self, error_out out) {
    constexpr std::uint64_t most_pid = 0x7fffffff;
    service_environment result;
    // Absent, or a number; anything else is an error.
    struct found {
        std::uint64_t value = 0;
        bool is_there = false;
    };
    const auto number = [&](const char* name, std::uint64_t least, std::uint64_t most) {
        found none;
        const auto text = variable(name);
        if (!text || out.failed()) return none;
        const auto value = detail::parse_decimal(*text, least, most);
        if (!value)
            out.set(errc::malformed, "read environment", name,
                    "'" + *text + "' is not a number from " + std::to_string(least) + " to " + std::to_string(most));
        return value ? found{*value, true} : none;
    };
    const auto listen_pid = number("LISTEN_PID", 1, most_pid);
    const auto count = number("LISTEN_FDS", 0, service_environment::most_sockets);
    const auto watchdog_pid = number("WATCHDOG_PID", 1, most_pid);
    constexpr auto most_usec = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
    const auto watchdog = number(
        "WATCHDOG_USEC", 1, UINT64_MAX - 1); // the largest number means no watchdog, which managers express by not setting it
    if (out.failed()) return result;

    result.notify_socket = variable("NOTIFY_SOCKET").value_or("");
    const auto is_self = [&](std::uint64_t pid) { return pid == static_cast<std::uint64_t>(self); };
    if (watchdog.is_there && (!watchdog_pid.is_there || is_self(watchdog_pid.value)))
        result.watchdog = std::chrono::microseconds(
            static_cast<std::chrono::microseconds::rep>(watchdog.value < most_usec ? watchdog.value : most_usec));
    if (!listen_pid.is_there || !is_self(listen_pid.value) || !count.is_there) return result;

    for (int i = 0; i < static_cast<int>(count.value); ++i)
        result.sockets.push_back({service_environment::first_passed + i, "unknown"});
    if (const auto names = variable("LISTEN_FDNAMES")) {
        std::size_t begin = 0, used = 0;
        for (bool more = true; more; ++used) {
            const auto end = names->find(':', begin);
            more = end != std::string::npos;
            if (used < result.sockets.size())
                result.sockets[used].name = names->substr(begin, more ? end - begin : std::string::npos);
            begin = end + 1;
        }
        if (used != result.sockets.size() && !(names->empty() && result.sockets.empty()))
            return out.fail<service_environment>(errc::malformed, "read environment", "LISTEN_FDNAMES",
                                                 std::to_string(used) + " names for " + std::to_string(result.sockets.size()) +
                                                     " sockets");
    }
    return result;
}

inline service_environment take_service_environment(error_out out) {
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return value ? std::optional<std::string>(value) : std::nullopt;
    };
    auto result = parse_service_environment(variable, sys::getpid(), out);
    for (const char* const name : detail::service_variables) ::unsetenv(name);
    for (const passed_socket& each : result.sockets)
        if (sys::fcntl(each.fd, F_SETFD, FD_CLOEXEC) == -1)
            return out.fail<service_environment>(last_error(), "take descriptor " + std::to_string(each.fd), "LISTEN_FDS");
    return result;
}

} // namespace MATO_ABI
} // namespace mato
