// SPDX-License-Identifier: MIT
/// @file keeper_link.hpp: one end of the socket between a keeper and its worker.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/kept_test.cpp.
/// Threads: one object, one thread.   Blocks: `send` until its deadline; nothing else.
/// Source: unix(7) SOCK_SEQPACKET: each message comes whole, with its descriptor, also after its sender has died.
#pragma once

#include "../clock.hpp"
#include "../descriptors.hpp"
#include "keeper_message.hpp"

#include <span>
#include <utility>
#include <vector>

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
