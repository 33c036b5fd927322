// SPDX-License-Identifier: MIT
/// @file io_loop.hpp: runs an io_context until a fact, and the far end of a connection without an io_context.
#pragma once

#include <mato/unique_fd.hpp>

#include <asio/io_context.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace support {

using namespace std::chrono_literals;

/// Runs handlers until `fact()`; false if it was not true in time. `fact` may also read and write at the far end.
template <class Fact>
[[nodiscard]] bool run_until(asio::io_context& context, Fact fact, std::chrono::milliseconds limit = 20s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!fact()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        if (context.stopped()) context.restart();
        context.run_one_for(5ms); // a far end that becomes ready runs no handler here
    }
    return true;
}

/// Runs only ready handlers.
inline void run_ready(asio::io_context& context) {
    if (context.stopped()) context.restart();
    context.poll();
}

/// Two ends of a connected socket; SOCK_SEQPACKET shows where each write ended.
[[nodiscard]] inline std::pair<mato::unique_fd, mato::unique_fd> socket_pair(int type = SOCK_STREAM) {
    int ends[2];
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1) throw std::runtime_error("socketpair");
    return {mato::unique_fd(ends[0]), mato::unique_fd(ends[1])};
}

/// The far end: plain bytes, never blocking.
class far_end {
public:
    explicit far_end(mato::unique_fd socket) : socket_(std::move(socket)) {}

    /// Reads available bytes, at most `most`.
    void take(std::size_t most = std::size_t(-1)) {
        char buffer[16384];
        while (most > 0 && !ended) {
            const ssize_t got = ::recv(socket_.get(), buffer, std::min(most, sizeof buffer), 0);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && errno == ECONNRESET) reset = true;
            if (got == 0 || reset) ended = true;
            if (got <= 0) return;
            text.append(buffer, static_cast<std::size_t>(got));
            most -= static_cast<std::size_t>(got);
            ++reads;
        }
    }
    /// @returns the bytes accepted by the kernel.
    std::size_t put(std::string_view bytes) const {
        const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    void shut_write() const { ::shutdown(socket_.get(), SHUT_WR); }
    void close() { socket_.reset(); }
    [[nodiscard]] int fd() const noexcept { return socket_.get(); }

    std::string text; // all received bytes
    int reads = 0;    // of SOCK_SEQPACKET: writes of the other end
    bool ended = false, reset = false;

private:
    mato::unique_fd socket_;
};

/// Small kernel buffers: a few KiB fill them.
inline void shrink_buffers(int fd) {
    const int size = 1; // the kernel uses its minimum
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

} // namespace support
