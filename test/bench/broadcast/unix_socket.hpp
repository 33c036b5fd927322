// SPDX-License-Identifier: MIT
/// @file unix_socket.hpp: listening, connecting and accepting, for peers with a stream over a Unix socket.
#pragma once

#include "peer.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace bench {

inline constexpr std::size_t length_bytes = 4; ///< before each payload, little-endian, like mato::length_prefixed

inline void put_length(char* at, std::size_t payload) {
    const auto length = static_cast<std::uint32_t>(payload);
    std::memcpy(at, &length, sizeof length);
}

[[nodiscard]] inline sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("path too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

[[nodiscard]] inline int listen_at(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const sockaddr_un address = address_of(path);
    if (fd == -1 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1 || ::listen(fd, 1024) == -1)
        throw std::runtime_error("listen at " + path + ": " + std::strerror(errno));
    return fd;
}

/// A connected, non-blocking socket; -1 without a listener.
[[nodiscard]] inline int connect_to(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path);
    if (fd == -1 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1) {
        ::close(fd);
        return -1;
    }
    return fd;
}

/// Accepts as many as the receivers have requested: no system call without a request.
class socket_publisher : public publisher {
public:
    socket_publisher(const setup& s, page& shared) : setup_(s), page_(shared), listener_(listen_at(s.path())) {}
    ~socket_publisher() override { ::close(listener_); }

    void accept_waiting(std::uint64_t next) final {
        while (accepted_ < page_.connects.load(std::memory_order_relaxed)) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd == -1) return;
            ++accepted_;
            add(fd, setup_.snapshot_bytes == 0 ? std::string() : snapshot(next));
        }
    }

protected:
    /// Adds a subscriber, which first gets `greeting`: a complete frame, or nothing.
    virtual void add(int fd, std::string greeting) = 0;
    [[nodiscard]] const setup& settings() const noexcept { return setup_; }

private:
    [[nodiscard]] std::string snapshot(std::uint64_t next) const {
        std::string frame(length_bytes + setup_.snapshot_bytes, '\0');
        put_length(frame.data(), setup_.snapshot_bytes);
        const std::uint64_t mark = next | (std::uint64_t{1} << 63);
        std::memcpy(frame.data() + length_bytes, &mark, sizeof mark);
        return frame;
    }

    setup setup_;
    page& page_;
    int listener_;
    std::uint32_t accepted_ = 0;
};

} // namespace bench
