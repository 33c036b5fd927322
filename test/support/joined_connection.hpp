// SPDX-License-Identifier: MIT
/// @file joined_connection.hpp: a connection, the far end of its socket, and a record of its callbacks.
#pragma once

#include <mato/connection.hpp>

#include "catch.hpp"
#include "io_loop.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// No limit: for tests of order.
struct keep_all {
    static mato::overflow_verdict on_queued(std::size_t, mato::clock::time_point) noexcept {
        return mato::overflow_verdict::keep;
    }
    static void on_drained(std::size_t) noexcept {}
};

template <class Framing = mato::length_prefixed<>> std::string framed(std::string_view payload) {
    std::string bytes;
    std::error_code why;
    Framing::append(bytes, payload, why);
    CHECK_FALSE(why);
    return bytes;
}

template <class Overflow, class Framing = mato::length_prefixed<>> struct joined {
    using connection = mato::basic_connection<Framing, Overflow>;
    asio::io_context context;
    far_end far;
    std::shared_ptr<connection> near;
    std::vector<std::string> frames;
    std::vector<mato::failure> ends;
    int drained = 0;
    bool inside = false; // a callback runs

    explicit joined(int type = SOCK_STREAM, Overflow overflow = {}) : joined(socket_pair(type), overflow) {}
    joined(std::pair<mato::unique_fd, mato::unique_fd> ends_of_it, Overflow overflow)
        : far(std::move(ends_of_it.second)),
          near(std::make_shared<connection>(context, std::move(ends_of_it.first), overflow)) {}
    joined(const joined&) = delete;
    ~joined() {
        if (near) near->forget_callbacks();
    }

    void start() {
        start([](std::string_view) {});
    }
    template <class OnFrame> void start(OnFrame on_frame) {
        near->start({[this, on_frame](std::string_view payload) {
                         frames.emplace_back(payload);
                         inside = true;
                         on_frame(payload);
                         inside = false;
                     },
                     [this](const mato::failure& why) {
                         CHECK_FALSE(inside);
                         ends.push_back(why);
                     },
                     [this] { ++drained; }});
    }
    [[nodiscard]] bool ended() {
        const bool came = run_until(context, [&] { return !ends.empty(); });
        run_ready(context);
        CHECK(ends.size() <= 1);
        return came && ends.size() == 1;
    }
};

using plain = joined<mato::disconnect>;
using unbounded = joined<keep_all>;

inline mato::disconnect bound(std::size_t bytes) {
    mato::disconnect policy;
    policy.hard = policy.soft = bytes;
    return policy;
}

} // namespace support
