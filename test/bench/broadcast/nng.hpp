// SPDX-License-Identifier: MIT
/// @file nng.hpp: nng's pub0 and sub0 over ipc, with buffers of 1024 messages per subscriber (default 16).
#pragma once

#include "receiver.hpp"

#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>

#include <vector>

namespace bench {

inline constexpr int nng_buffer = 1024;

inline void nng_must(int result, const char* what) {
    if (result != 0) throw std::runtime_error(std::string(what) + ": " + ::nng_strerror(result));
}

class nng_publisher final : public publisher {
public:
    explicit nng_publisher(const setup& s) {
        nng_must(::nng_pub0_open(&socket_), "nng_pub0_open");
        ::nng_socket_set_int(socket_, NNG_OPT_SENDBUF, nng_buffer);
        nng_must(::nng_listen(socket_, ("ipc://" + s.path()).c_str(), nullptr, 0), "nng_listen");
    }
    ~nng_publisher() override { ::nng_close(socket_); }
    void publish(std::string_view payload) override {
        nng_msg* message = nullptr;
        nng_must(::nng_msg_alloc(&message, payload.size()), "nng_msg_alloc");
        std::memcpy(::nng_msg_body(message), payload.data(), payload.size());
        if (::nng_sendmsg(socket_, message, NNG_FLAG_NONBLOCK) != 0) ::nng_msg_free(message);
    }
    void turn(bool wait) override {
        if (wait) let_pass(std::chrono::microseconds(100)); // its own threads do the work
    }

private:
    nng_socket socket_{};
};

class nng_reader final : public reader {
public:
    nng_reader(const setup& s, receiver& to) : address_("ipc://" + s.path()), receiver_(to) {}
    ~nng_reader() override {
        for (const auto& each : sockets_) ::nng_close(each.second);
    }
    void join(std::size_t subscriber) override {
        nng_socket socket{};
        nng_must(::nng_sub0_open(&socket), "nng_sub0_open");
        ::nng_socket_set_int(socket, NNG_OPT_RECVBUF, nng_buffer);
        ::nng_socket_set(socket, NNG_OPT_SUB_SUBSCRIBE, "", 0);
        nng_must(::nng_dial(socket, address_.c_str(), nullptr, NNG_FLAG_NONBLOCK), "nng_dial"); // it retries by itself
        sockets_.emplace_back(subscriber, socket);
    }
    void leave(std::size_t subscriber) override {
        for (auto& each : sockets_)
            if (each.first == subscriber) {
                ::nng_close(each.second);
                each = sockets_.back();
                sockets_.pop_back();
                return;
            }
    }
    void drain() override {
        bool any = false;
        for (std::size_t i = 0; i < sockets_.size(); ++i) {
            const auto [subscriber, socket] = sockets_[i];
            nng_msg* message = nullptr;
            for (int burst = 0; burst < 256 && receiver_.may_read(subscriber); ++burst) {
                if (::nng_recvmsg(socket, &message, NNG_FLAG_NONBLOCK) != 0) break;
                any = true;
                receiver_.received(subscriber, {static_cast<const char*>(::nng_msg_body(message)), ::nng_msg_len(message)});
                ::nng_msg_free(message);
            }
        }
        if (!any) let_pass(std::chrono::microseconds(20));
    }

private:
    std::string address_;
    receiver& receiver_;
    std::vector<std::pair<std::size_t, nng_socket>> sockets_;
};

[[nodiscard]] inline peer nng_peer() {
    peer result;
    result.name = "nng";
    result.version = std::string("nng ") + ::nng_version();
    result.most_ahead = nng_buffer;
    result.most_subscribers = 256; // if a thousand dial together, they are refused and retry for minutes
    result.publish = [](const setup& s, page&) { return std::make_unique<nng_publisher>(s); };
    result.read = [](const setup& s, receiver& r) { return std::make_unique<nng_reader>(s, r); };
    return result;
}

} // namespace bench
