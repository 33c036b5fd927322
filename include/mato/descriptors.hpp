// SPDX-License-Identifier: MIT
/// @file descriptors.hpp: sends and receives open descriptors over a Unix socket.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/descriptors_test.cpp.
/// Threads: safe.   Blocks: never (MSG_DONTWAIT).
/// Source: unix(7) SCM_RIGHTS: the receiver gets its own descriptors for the same open file descriptions, with the first byte.
#pragma once

#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
