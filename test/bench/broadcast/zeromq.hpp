// SPDX-License-Identifier: MIT
/// @file zeromq.hpp: ZeroMQ's PUB and SUB over ipc.
#pragma once

#include "receiver.hpp"

#include <zmq.h>

#include <vector>

namespace bench {

class zeromq_publisher final : public publisher {
public:
    zeromq_publisher(const setup& s, int high_water_mark)
        : context_(::zmq_ctx_new()), socket_(::zmq_socket(context_, ZMQ_PUB)) {
        const int none = 0;
        ::zmq_setsockopt(socket_, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark);
        ::zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
        if (::zmq_bind(socket_, ("ipc://" + s.path()).c_str()) != 0) throw std::runtime_error("zmq_bind");
    }
    ~zeromq_publisher() override {
        ::zmq_close(socket_);
        ::zmq_ctx_term(context_);
    }
    void publish(std::string_view payload) override { ::zmq_send(socket_, payload.data(), payload.size(), ZMQ_DONTWAIT); }
    void turn(bool wait) override {
        // Querying an option makes it process its thread's messages immediately: by itself it does so once per millisecond, and
        // drops frames.
        int events = 0;
        std::size_t size = sizeof events;
        ::zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size);
        if (wait) let_pass(std::chrono::microseconds(100)); // its own thread does the work
    }

private:
    void* context_;
    void* socket_;
};

class zeromq_reader final : public reader {
public:
    zeromq_reader(const setup& s, receiver& to, int high_water_mark)
        : address_("ipc://" + s.path()), receiver_(to), high_water_mark_(high_water_mark), context_(::zmq_ctx_new()) {
        ::zmq_ctx_set(context_, ZMQ_MAX_SOCKETS, static_cast<int>(page::most_subscribers) + 16);
    }
    ~zeromq_reader() override {
        for (const auto& each : sockets_) ::zmq_close(each.second);
        ::zmq_ctx_term(context_);
    }
    void join(std::size_t subscriber) override {
        void* const socket = ::zmq_socket(context_, ZMQ_SUB);
        if (!socket) throw std::runtime_error("zmq_socket");
        const int none = 0;
        ::zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark_, sizeof high_water_mark_);
        ::zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
        ::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
        if (::zmq_connect(socket, address_.c_str()) != 0) throw std::runtime_error("zmq_connect");
        sockets_.emplace_back(subscriber, socket);
    }
    void leave(std::size_t subscriber) override {
        for (auto& each : sockets_)
            if (each.first == subscriber) {
                ::zmq_close(each.second);
                each = sockets_.back();
                sockets_.pop_back();
                return;
            }
    }
    void drain() override {
        bool any = false;
        for (std::size_t i = 0; i < sockets_.size(); ++i) {
            const auto [subscriber, socket] = sockets_[i];
            zmq_msg_t message;
            for (int burst = 0; burst < 256 && receiver_.may_read(subscriber); ++burst) {
                ::zmq_msg_init(&message);
                if (::zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) < 0) break;
                any = true;
                receiver_.received(subscriber, {static_cast<const char*>(::zmq_msg_data(&message)), ::zmq_msg_size(&message)});
                ::zmq_msg_close(&message);
            }
        }
        if (!any) let_pass(std::chrono::microseconds(20)); // cheaper than zmq_poll over many sockets
    }

private:
    std::string address_;
    receiver& receiver_;
    int high_water_mark_;
    void* context_;
    std::vector<std::pair<std::size_t, void*>> sockets_;
};

/// @param high_water_mark messages per subscriber; 0: no limit.
[[nodiscard]] inline peer zeromq_peer(std::string name, int high_water_mark) {
    peer result;
    int major = 0, minor = 0, patch = 0;
    ::zmq_version(&major, &minor, &patch);
    result.name = std::move(name);
    result.version = "libzmq " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
    result.most_ahead = static_cast<std::size_t>(high_water_mark);
    result.publish = [=](const setup& s, page&) { return std::make_unique<zeromq_publisher>(s, high_water_mark); };
    result.read = [=](const setup& s, receiver& r) { return std::make_unique<zeromq_reader>(s, r, high_water_mark); };
    return result;
}

} // namespace bench
