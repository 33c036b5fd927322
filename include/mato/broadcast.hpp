// SPDX-License-Identifier: MIT
/// @file broadcast.hpp: one frame to many connections, encoded and stored once.
/// Layer: 3 (asio).  Test: test/toolkit/broadcast_test.cpp.
/// Threads: as connection.hpp.   Blocks: never.
///
/// What a slow subscriber may cost is its connection's overflow policy. Publishing, subscribing and closing from inside any
/// callback is safe.
#pragma once

#include "connection.hpp"

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

template <class Connection = connection> class basic_broadcast {
    static_assert(Connection::framing::keeps_boundaries,
                  "mato: a broadcast needs a framing that keeps boundaries; raw does not");

public:
    /// Frames published from now on go to it too, until it is closed or unsubscribed. Twice is once.
    void subscribe(const std::shared_ptr<Connection>& subscriber) {
        if (!contains(subscriber.get())) subscribers_.push_back(subscriber);
    }
    void unsubscribe(const Connection* subscriber) noexcept {
        std::erase_if(subscribers_, [&](const auto& held) { return held.lock().get() == subscriber; });
    }

    /// @errors frame_too_large: sent to nobody.
    void publish(std::string_view payload, error_out out) {
        auto frame = std::make_shared<std::string>();
        Connection::framing::append(*frame, payload, out);
        if (out.failed()) return;
        std::erase_if(subscribers_, [](const auto& held) {
            const auto subscriber = held.lock();
            return !subscriber || !subscriber->is_open();
        });
        for (const auto& held : subscribers_)
            if (const auto subscriber = held.lock())
                subscriber->send_encoded(frame); // its callbacks are posted, never run here
    }
    void publish(std::string_view payload) {
        or_throw([&](failure& why) { publish(payload, why); });
    }

    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(std::count_if(subscribers_.begin(), subscribers_.end(), [](const auto& held) {
            const auto subscriber = held.lock();
            return subscriber && subscriber->is_open();
        }));
    }

private:
    [[nodiscard]] bool contains(const Connection* subscriber) const noexcept {
        return std::any_of(subscribers_.begin(), subscribers_.end(),
                           [&](const auto& held) { return held.lock().get() == subscriber; });
    }

    std::vector<std::weak_ptr<Connection>> subscribers_;
};

using broadcast = basic_broadcast<>;

} // namespace MATO_ABI
} // namespace mato
