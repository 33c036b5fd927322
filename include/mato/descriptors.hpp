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
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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
