// SPDX-License-Identifier: MIT
/// @file mato_hub.hpp: mato's broadcast, over connections that lose the oldest frames when they lag.
#pragma once

#include "frame.hpp"
#include "stream_reader.hpp"

#include <mato/broadcast.hpp>
#include <mato/version.hpp>

namespace bench {

class mato_publisher final : public socket_publisher {
public:
    mato_publisher(const setup& s, page& shared) : socket_publisher(s, shared) {
        hub_.on.gap = [](const mato::frame_gap&) { return std::nullopt; }; // the frames carry numbers
        hub_.on.snapshot = [this](std::uint64_t newest) {
            std::string payload(settings().snapshot_bytes, '\0');
            const std::uint64_t mark = (newest + 1) | snapshot_mark;
            std::memcpy(payload.data(), &mark, sizeof mark);
            return payload;
        };
    }

    void publish(std::string_view payload) override {
        std::error_code why; // cheaper than the overload that throws: no text is prepared
        hub_.publish(payload, why);
        if (why) throw std::system_error(why);
    }
    void turn(bool wait) override {
        context_.restart();
        if (wait)
            context_.run_for(std::chrono::microseconds(500));
        else
            context_.poll();
    }
    [[nodiscard]] std::uint64_t told_lost() const override { return hub_.status().dropped; }

private:
    static constexpr std::size_t ring_bytes = 1 << 20,
                                 most_queued = 768 * 1024; // more than the lag of a subscriber that keeps up

    void add(int fd, std::string greeting) override {
        const auto subscriber = std::make_shared<mato::connection>(context_, mato::unique_fd(fd));
        hub_.subscribe(subscriber, {most_queued}, greeting.empty() ? mato::join_at::next() : mato::join_at::snapshot());
        subscribers_.push_back(subscriber);
    }

    asio::io_context context_{1};
    mato::basic_broadcast<mato::connection, mato::drop_oldest> hub_{context_, ring_bytes};
    std::vector<std::shared_ptr<mato::connection>> subscribers_;
};

[[nodiscard]] inline peer mato_peer() {
    peer result;
    result.name = "mato";
    result.version = "mato " MATO_VERSION_STRING;
    result.snapshots = result.tells_lost = true;
    result.publish = [](const setup& s, page& p) { return std::make_unique<mato_publisher>(s, p); };
    result.read = [](const setup& s, receiver& r) {
        return std::make_unique<stream_reader<split_by_length>>(s, r, r.shared());
    };
    return result;
}

} // namespace bench
