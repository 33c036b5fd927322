// SPDX-License-Identifier: MIT
/// @file stream_reader.hpp: many subscribers on stream sockets, drained by one epoll loop through one buffer.
#pragma once

#include "receiver.hpp"
#include "unix_socket.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <vector>

namespace bench {

/// A payload and its number of bytes in the stream.
struct piece {
    std::string_view payload;
    std::size_t consumed;
};

/// `u32` length, payload.
struct split_by_length {
    static constexpr std::string_view hello = {}; ///< sent on connecting
    [[nodiscard]] static std::optional<piece> split(std::string_view bytes) {
        std::uint32_t length = 0;
        if (bytes.size() < sizeof length) return std::nullopt;
        std::memcpy(&length, bytes.data(), sizeof length);
        if (bytes.size() - sizeof length < length) return std::nullopt;
        return piece{bytes.substr(sizeof length, length), sizeof length + length};
    }
};

template <class Split, class Receiver = receiver> class stream_reader final : public reader {
public:
    stream_reader(const setup& s, Receiver& to, page& shared)
        : path_(s.path()), receiver_(to), page_(shared), streams_(page::most_subscribers),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
    ~stream_reader() override {
        for (const stream& each : streams_)
            if (each.fd != -1) ::close(each.fd);
        ::close(epoll_);
    }

    void join(std::size_t subscriber) override {
        stream& s = streams_[subscriber];
        page_.connects.fetch_add(1);
        s.fd = connect_to(path_);
        if (s.fd == -1) throw std::runtime_error("cannot connect to " + path_);
        if (!Split::hello.empty() && ::send(s.fd, Split::hello.data(), Split::hello.size(), MSG_NOSIGNAL) < 0)
            throw std::runtime_error("hello");
        if (receiver_.is_throttled(subscriber)) {
            throttled_.push_back(subscriber);
            return;
        }
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = subscriber;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, s.fd, &event);
    }

    void leave(std::size_t subscriber) override {
        ::close(std::exchange(streams_[subscriber].fd, -1));
        streams_[subscriber].rest.clear();
    }

    void drain() override {
        for (const std::size_t each : throttled_)
            while (streams_[each].fd != -1 && receiver_.may_read(each) && read(each)) {
            }
        std::array<epoll_event, 128> events;
        const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1);
        for (int i = 0; i < ready; ++i) read(events[static_cast<std::size_t>(i)].data.u64);
    }

private:
    static constexpr std::size_t read_bytes = 128 * 1024; // most of a socket's buffer

    struct stream {
        int fd = -1;
        std::string rest; // the beginning of a frame
    };

    /// Reads once. False if there was nothing.
    bool read(std::size_t subscriber) {
        stream& s = streams_[subscriber];
        if (s.fd == -1) return false;
        if (buffer_.size() < s.rest.size() + read_bytes) buffer_.resize(s.rest.size() + read_bytes);
        std::memcpy(buffer_.data(), s.rest.data(), s.rest.size());
        const ssize_t got = ::recv(s.fd, buffer_.data() + s.rest.size(), read_bytes, MSG_DONTWAIT);
        if (got <= 0) {
            if (got == 0 || errno != EAGAIN) leave(subscriber);
            return false;
        }
        std::string_view bytes(buffer_.data(), s.rest.size() + static_cast<std::size_t>(got));
        while (const auto found = Split::split(bytes)) {
            if (!found->payload.empty()) receiver_.received(subscriber, found->payload);
            bytes.remove_prefix(found->consumed);
        }
        s.rest.assign(bytes);
        return true;
    }

    std::string path_;
    Receiver& receiver_;
    page& page_;
    std::vector<stream> streams_;
    std::vector<std::size_t> throttled_;
    std::string buffer_;
    int epoll_;
};

} // namespace bench
