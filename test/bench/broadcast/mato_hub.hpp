// SPDX-License-Identifier: MIT
/// @file mato_hub.hpp: mato's own broadcast.
#pragma once

#include "stream_reader.hpp"

#include <mato/broadcast.hpp>
#include <mato/version.hpp>

namespace bench {

class mato_publisher final : public socket_publisher {
public:
    mato_publisher(const setup& s, page& shared) : socket_publisher(s, shared) {}

    void publish(std::string_view payload) override { hub_.publish(payload); }
    void turn(bool wait) override {
        context_.restart();
        if (wait)
            context_.run_for(std::chrono::microseconds(500));
        else
            context_.poll();
    }

private:
    void add(int fd, std::string greeting) override {
        const auto subscriber = std::make_shared<mato::connection>(context_, mato::unique_fd(fd));
        subscribers_.push_back(subscriber);
        if (!greeting.empty()) subscriber->send_encoded(std::make_shared<std::string>(std::move(greeting)));
        hub_.subscribe(subscriber);
    }

    asio::io_context context_{1};
    mato::broadcast hub_;
    std::vector<std::shared_ptr<mato::connection>> subscribers_;
};

[[nodiscard]] inline peer mato_peer() {
    peer result;
    result.name = "mato";
    result.version = MATO_VERSION_STRING;
    result.snapshots = true;
    result.publish = [](const setup& s, page& p) { return std::make_unique<mato_publisher>(s, p); };
    result.read = [](const setup& s, receiver& r) {
        return std::make_unique<stream_reader<split_by_length>>(s, r, r.shared());
    };
    return result;
}

} // namespace bench
