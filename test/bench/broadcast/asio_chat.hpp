// SPDX-License-Identifier: MIT
/// @file asio_chat.hpp: the design of asio's chat example: a queue of shared messages for each participant, one write per
/// message.
///
/// The usual starting point of C++ daemons. The queues are not bounded.
#pragma once

#include "stream_reader.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/version.hpp>
#include <asio/write.hpp>

#include <deque>
#include <memory>

namespace bench {

class asio_chat_publisher final : public socket_publisher {
public:
    asio_chat_publisher(const setup& s, page& shared) : socket_publisher(s, shared) {}

    void publish(std::string_view payload) override {
        auto message = std::make_shared<std::string>(length_bytes, '\0');
        put_length(message->data(), payload.size());
        message->append(payload);
        for (const auto& each : participants_) each->deliver(message);
    }
    void turn(bool wait) override {
        context_.restart();
        if (wait)
            context_.run_for(std::chrono::microseconds(500));
        else
            context_.poll();
    }

private:
    using message_ptr = std::shared_ptr<const std::string>;

    class participant : public std::enable_shared_from_this<participant> {
    public:
        participant(asio::io_context& context, int fd) : socket_(context, asio::local::stream_protocol(), fd) {}
        void deliver(message_ptr message) {
            if (!open_) return;
            const bool writing = !queue_.empty();
            queue_.push_back(std::move(message));
            if (!writing) write();
        }

    private:
        void write() {
            asio::async_write(socket_, asio::buffer(*queue_.front()),
                              [self = shared_from_this()](std::error_code why, std::size_t) {
                                  self->queue_.pop_front();
                                  if (why) {
                                      self->open_ = false;
                                      self->queue_.clear();
                                  }
                                  if (!self->queue_.empty()) self->write();
                              });
        }
        asio::local::stream_protocol::socket socket_;
        std::deque<message_ptr> queue_;
        bool open_ = true;
    };

    void add(int fd, std::string greeting) override {
        participants_.push_back(std::make_shared<participant>(context_, fd));
        if (!greeting.empty()) participants_.back()->deliver(std::make_shared<std::string>(std::move(greeting)));
    }

    asio::io_context context_{1};
    std::vector<std::shared_ptr<participant>> participants_;
};

[[nodiscard]] inline peer asio_chat_peer() {
    peer result;
    result.name = "asio chat";
    result.version = "asio " + std::to_string(ASIO_VERSION / 100000) + "." + std::to_string(ASIO_VERSION / 100 % 1000) + "." +
                     std::to_string(ASIO_VERSION % 100);
    result.snapshots = true;
    result.publish = [](const setup& s, page& p) { return std::make_unique<asio_chat_publisher>(s, p); };
    result.read = [](const setup& s, receiver& r) {
        return std::make_unique<stream_reader<split_by_length>>(s, r, r.shared());
    };
    return result;
}

} // namespace bench
