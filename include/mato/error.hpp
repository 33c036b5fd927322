// SPDX-License-Identifier: MIT
/// @file error.hpp: errors as a code, the failed step, the path, and details.
/// Layer: 1 (vocabulary).  Test: test/toolkit/error_test.cpp.
/// Threads: distinct objects are independent. The categories are constant.   Blocks: never.
///
/// Functions that can fail have two forms: `f(args)` throws `mato::error`; `f(args, error_out)` does not throw and reports into
/// the caller's `std::error_code` (only the code) or `mato::failure` (code, step, path, detail).
/// Errors of the operating system keep their number in `std::system_category()`; the toolkit's own errors are `errc`.
/// Codes compare equal and exceptions can be caught across shared objects, also with hidden visibility.
#pragma once

#include "detail/abi.hpp"
#include "detail/exceptions.hpp"

#include <cerrno>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

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
