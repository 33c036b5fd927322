// SPDX-License-Identifier: MIT
/// @file fake_manager.hpp: a service manager's side of sd_notify(3) and sd_listen_fds(3), with real sockets.
///
/// Calls the system directly and not through mato's seam.
#pragma once

#include "child_process.hpp"
#include "temp_directory.hpp"

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace support {

/// A Unix socket bound to `name`, a path or "@abstract".
[[nodiscard]] inline int bound_socket(int type, std::string_view name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd == -1 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == -1) throw std::runtime_error("bind");
    return fd;
}

/// Receives the datagrams of daemons.
class fake_manager {
public:
    /// At a path or, with "@…", an abstract name.
    explicit fake_manager(std::string address) : address_(std::move(address)), fd_(bound_socket(SOCK_DGRAM, address_)) {}
    fake_manager(const fake_manager&) = delete;
    ~fake_manager() { ::close(fd_); }

    /// The value for NOTIFY_SOCKET.
    [[nodiscard]] const std::string& address() const noexcept { return address_; }

    /// The bytes of the next message; "(nothing)" if none arrives in time.
    [[nodiscard]] std::string next(std::chrono::milliseconds limit = 20s) const {
        char buffer[4096];
        if (!await_readable(fd_, limit)) return "(nothing)";
        const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
        return {buffer, static_cast<std::size_t>(got > 0 ? got : 0)};
    }
    /// The next message, and the descriptor that came with it; -1: none. The caller closes it.
    [[nodiscard]] std::pair<std::string, int> next_with_descriptor(std::chrono::milliseconds limit = 20s) const {
        char buffer[4096];
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        iovec text{buffer, sizeof buffer};
        msghdr message{};
        message.msg_iov = &text, message.msg_iovlen = 1;
        message.msg_control = control, message.msg_controllen = sizeof control;
        if (!await_readable(fd_, limit)) return {"(nothing)", -1};
        const ssize_t got = ::recvmsg(fd_, &message, MSG_CMSG_CLOEXEC);
        int fd = -1;
        if (const cmsghdr* const head = CMSG_FIRSTHDR(&message)) std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
        return {std::string(buffer, static_cast<std::size_t>(got > 0 ? got : 0)), fd};
    }
    /// The next message that is not a watchdog notification.
    [[nodiscard]] std::string next_but_watchdog() const {
        for (;;)
            if (std::string message = next(); message != "WATCHDOG=1") return message;
    }
    [[nodiscard]] bool is_silent() const { return !await_readable(fd_, 0ms); }

private:
    std::string address_;
    int fd_;
};

} // namespace support
