// SPDX-License-Identifier: MIT
/// @file readiness.hpp: reports to the starter that the daemon is ready, or the daemon's own error.
/// Layer: 2 (policy).  Test: test/toolkit/readiness_test.cpp, test/toolkit/sd_notifier_test.cpp.
/// Threads: one object, one thread.   Blocks: `wait`, until its deadline; sd_notifier, see there; nothing else.
/// Fork: open the pipe before it. After it, call `become_starter` in the starter and `become_daemon` in the daemon immediately:
/// a
///       write end left open in the starter would hide the daemon's death.
/// Source: pipe(7); s6 "notification-fd" (one newline, then close); sd_notify(3).
///
/// The pipe carries one report, "ready" or a `failure`. End-of-file without a report means that the daemon died.
#pragma once

#include "clock.hpp"
#include "detail/number_cast.hpp"
#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"
#include "unix_address.hpp"

#include <concepts>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <utility>

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
