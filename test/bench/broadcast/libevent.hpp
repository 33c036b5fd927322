// SPDX-License-Identifier: MIT
/// @file libevent.hpp: libevent's bufferevents; frames published in one iteration are one buffer that all of them share.
#pragma once

#include "stream_reader.hpp"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

namespace bench {

class libevent_publisher final : public socket_publisher {
public:
    libevent_publisher(const setup& s, page& shared)
        : socket_publisher(s, shared), base_(::event_base_new()), batch_(::evbuffer_new()) {}
    ~libevent_publisher() override {
        for (const auto& each : subscribers_)
            if (each->event) ::bufferevent_free(each->event);
        ::evbuffer_free(batch_);
        ::event_base_free(base_);
    }

    void publish(std::string_view payload) override {
        char length[length_bytes];
        put_length(length, payload.size());
        ::evbuffer_add(batch_, length, sizeof length);
        ::evbuffer_add(batch_, payload.data(), payload.size());
    }
    void turn(bool wait) override {
        if (::evbuffer_get_length(batch_) > 0) {
            for (const auto& each : subscribers_)
                if (each->event) ::evbuffer_add_buffer_reference(::bufferevent_get_output(each->event), batch_);
            ::evbuffer_drain(batch_, ::evbuffer_get_length(batch_));
        }
        const timeval soon{0, 500};
        if (wait) ::event_base_loopexit(base_, &soon);
        ::event_base_loop(base_, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
    }

private:
    struct subscriber {
        bufferevent* event; // null: disconnected
    };

    void add(int fd, std::string greeting) override {
        bufferevent* const event = ::bufferevent_socket_new(base_, fd, BEV_OPT_CLOSE_ON_FREE);
        ::bufferevent_enable(event, EV_WRITE);
        if (!greeting.empty()) ::bufferevent_write(event, greeting.data(), greeting.size());
        subscribers_.push_back(std::make_unique<subscriber>(subscriber{event}));
        ::bufferevent_setcb(event, nullptr, nullptr, &left, subscribers_.back().get());
    }
    static void left(bufferevent* event, short, void* who) {
        ::bufferevent_free(event);
        static_cast<subscriber*>(who)->event = nullptr;
    }

    event_base* base_;
    evbuffer* batch_;
    std::vector<std::unique_ptr<subscriber>> subscribers_;
};

[[nodiscard]] inline peer libevent_peer() {
    peer result;
    result.name = "libevent";
    result.version = std::string("libevent ") + ::event_get_version();
    result.snapshots = true;
    result.publish = [](const setup& s, page& p) { return std::make_unique<libevent_publisher>(s, p); };
    result.read = [](const setup& s, receiver& r) {
        return std::make_unique<stream_reader<split_by_length>>(s, r, r.shared());
    };
    return result;
}

} // namespace bench
