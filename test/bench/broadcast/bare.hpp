// SPDX-License-Identifier: MIT
/// @file bare.hpp: only epoll and writev: the speed that the kernel allows, and the cost of one write per frame.
///
/// Frames are encoded once, one after the other, in a ring; a subscriber is an offset in it. The limit writes all that is
/// pending for a subscriber with one call, up to 128 KiB; the floor writes each frame by itself. All frames have one size, so
/// offsets are arithmetic: no real hub can be cheaper.
#pragma once

#include "stream_reader.hpp"

#include <algorithm>
#include <sys/uio.h>

namespace bench {

class bare_publisher final : public socket_publisher {
public:
    /// @param gather most bytes in one write; 0: one frame.
    bare_publisher(const setup& s, page& shared, std::size_t gather)
        : socket_publisher(s, shared), frame_bytes_(length_bytes + s.frame_bytes),
          ring_(frame_bytes_ * std::max<std::size_t>(64, ring_bytes / frame_bytes_)),
          gather_(gather == 0 ? frame_bytes_ : gather), one_frame_(gather == 0), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
    ~bare_publisher() override {
        for (const subscriber& each : subscribers_) ::close(each.fd);
        ::close(epoll_);
    }

    void publish(std::string_view payload) override {
        if (tail_ + frame_bytes_ > oldest_ + ring_.size()) make_room();
        char* const at = ring_.data() + tail_ % ring_.size(); // a multiple of the frame: frames never wrap
        put_length(at, payload.size());
        std::memcpy(at + length_bytes, payload.data(), payload.size());
        tail_ += frame_bytes_;
        if (one_frame_) flush();
    }

    void turn(bool wait) override {
        flush();
        if (blocked_ == 0 && !wait) return;
        epoll_event events[128];
        const int ready = ::epoll_wait(epoll_, events, 128, wait ? 1 : 0);
        for (int i = 0; i < ready; ++i) {
            subscriber& s = subscribers_[events[i].data.u64];
            if (std::exchange(s.writable, true) == false) --blocked_;
        }
        if (ready > 0) flush();
    }

    [[nodiscard]] std::uint64_t told_lost() const override { return lost_; }

private:
    static constexpr std::size_t ring_bytes = 1 << 20;

    struct subscriber {
        int fd;
        bool writable;
        std::uint64_t at;  // offset in the stream of frames
        std::string first; // before that: a snapshot, or the rest of a frame that the ring no longer holds
    };

    void add(int fd, std::string greeting) override {
        epoll_event event{};
        event.events = EPOLLOUT | EPOLLET;
        event.data.u64 = subscribers_.size();
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
        subscribers_.push_back({fd, true, tail_, std::move(greeting)});
    }

    void flush() {
        for (subscriber& s : subscribers_)
            while (s.writable && (s.at < tail_ || !s.first.empty())) write(s);
    }

    void write(subscriber& s) {
        const std::size_t begin = s.at % ring_.size();
        const std::size_t pending = std::min<std::size_t>(tail_ - s.at, gather_);
        const std::size_t straight = std::min(pending, ring_.size() - begin);
        iovec parts[3] = {
            {s.first.data(), s.first.size()}, {ring_.data() + begin, straight}, {ring_.data(), pending - straight}};
        msghdr message{};
        message.msg_iov = s.first.empty() ? parts + 1 : parts;
        message.msg_iovlen = (s.first.empty() ? 1u : 2u) + (pending > straight ? 1u : 0u);
        const ssize_t sent = ::sendmsg(s.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        std::size_t taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        if (sent < 0 && errno != EAGAIN) return leave(s);
        if (taken < s.first.size() + pending) {
            s.writable = false;
            ++blocked_;
        }
        const std::size_t of_first = std::min(taken, s.first.size());
        s.first.erase(0, of_first);
        s.at += taken - of_first;
    }

    static void leave(subscriber& s) {
        ::close(std::exchange(s.fd, -1));
        s.writable = false;
        s.first.clear();
    }

    /// A subscriber that lags by a ring loses the frames that were not partially sent.
    void make_room() {
        oldest_ = tail_;
        for (subscriber& s : subscribers_) {
            if (s.fd == -1) continue;
            if (s.at + ring_.size() < tail_ + frame_bytes_) {
                const std::size_t begun = s.at % frame_bytes_, rest = begun == 0 ? 0 : frame_bytes_ - begun;
                s.first.append(ring_.data() + s.at % ring_.size(), rest);
                lost_ += (tail_ - s.at - rest) / frame_bytes_;
                s.at = tail_;
            }
            oldest_ = std::min(oldest_, s.at);
        }
    }

    std::size_t frame_bytes_;
    std::vector<char> ring_;
    std::size_t gather_;
    bool one_frame_;
    int epoll_;
    std::vector<subscriber> subscribers_;
    std::uint64_t tail_ = 0;
    std::uint64_t oldest_ = 0; // at most the smallest offset of a subscriber
    std::size_t blocked_ = 0;
    std::uint64_t lost_ = 0;
};

[[nodiscard]] inline peer bare_peer(std::string name, std::size_t gather) {
    peer result;
    result.name = std::move(name);
    result.version = "epoll, sendmsg";
    result.snapshots = result.tells_lost = true;
    result.publish = [gather](const setup& s, page& p) { return std::make_unique<bare_publisher>(s, p, gather); };
    result.read = [](const setup& s, receiver& r) {
        return std::make_unique<stream_reader<split_by_length>>(s, r, r.shared());
    };
    return result;
}

} // namespace bench
