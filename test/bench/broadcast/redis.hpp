// SPDX-License-Identifier: MIT
/// @file redis.hpp: Redis' PUBLISH and SUBSCRIBE over a Unix socket: through a server, whose processor time counts.
///
/// Publisher and subscribers implement the protocol themselves (RESP2, redis.io/docs/reference/protocol-spec), pipelined.
#pragma once

#include "stream_reader.hpp"

#include <charconv>
#include <fcntl.h>

namespace bench {

/// A message to a subscriber: `*3`, "message", the channel, the payload.
struct split_redis_message {
    static constexpr std::string_view hello = "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n";
    static constexpr std::string_view subscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    static constexpr std::string_view message = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$";
    [[nodiscard]] static std::optional<piece> split(std::string_view bytes) {
        if (bytes.substr(0, subscribed.size()) == subscribed) return piece{{}, subscribed.size()};
        if (bytes.size() < message.size() || bytes.substr(0, message.size()) != message) return std::nullopt;
        const std::size_t line_end = bytes.find("\r\n", message.size());
        if (line_end == std::string_view::npos) return std::nullopt;
        std::size_t size = 0;
        std::from_chars(bytes.data() + message.size(), bytes.data() + line_end, size);
        if (bytes.size() < line_end + 2 + size + 2) return std::nullopt;
        return piece{bytes.substr(line_end + 2, size), line_end + 2 + size + 2};
    }
};

class redis_publisher final : public publisher {
public:
    redis_publisher(const setup& s, page& shared) : server_(child::any_core, [&s] { serve(s); }) {
        shared.broker = server_.pid();
        if (!wait_until(milliseconds(10'000), [&] { return (fd_ = connect_to(s.path())) != -1; }))
            throw std::runtime_error("redis-server does not start");
    }
    ~redis_publisher() override { ::close(fd_); }

    void publish(std::string_view payload) override {
        pending_ += "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$";
        pending_ += std::to_string(payload.size());
        pending_ += "\r\n";
        pending_ += payload;
        pending_ += "\r\n";
    }
    void turn(bool wait) override {
        char replies[16384];
        while (sent_ < pending_.size()) {
            const ssize_t taken = ::send(fd_, pending_.data() + sent_, pending_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (taken > 0) sent_ += static_cast<std::size_t>(taken);
            while (::recv(fd_, replies, sizeof replies, MSG_DONTWAIT) > 0) {
            }
            if (taken > 0) continue;
            if (errno != EAGAIN) throw std::runtime_error("redis-server is gone");
            pollfd ready{fd_, POLLIN | POLLOUT, 0};
            ::poll(&ready, 1, 1);
        }
        pending_.clear();
        sent_ = 0;
        if (wait) {
            while (::recv(fd_, replies, sizeof replies, MSG_DONTWAIT) > 0) {
            }
            let_pass(std::chrono::microseconds(100)); // the server does the work
        }
    }

private:
    static void serve(const setup& s) {
        const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(nowhere, 1);
        const std::string path = s.path();
        ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path.c_str(), "--save", "", "--appendonly",
                 "no", "--dir", s.directory.c_str(), "--maxclients", "2000", static_cast<char*>(nullptr));
        throw std::runtime_error("redis-server");
    }

    child server_;
    int fd_ = -1;
    std::string pending_;
    std::size_t sent_ = 0;
};

[[nodiscard]] inline peer redis_peer(std::string version) {
    peer result;
    result.name = "Redis";
    result.version = std::move(version);
    result.publish = [](const setup& s, page& p) { return std::make_unique<redis_publisher>(s, p); };
    result.read = [](const setup& s, receiver& r) {
        return std::make_unique<stream_reader<split_redis_message>>(s, r, r.shared());
    };
    return result;
}

} // namespace bench
