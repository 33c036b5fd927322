// SPDX-License-Identifier: MIT
/// @file session.hpp: one client of a server.
/// Layer: 3 (asio).  Test: test/toolkit/server_test.cpp.
/// Threads: as connection.hpp.   Blocks: never.   Fork: must not be used in a child.
#pragma once

#include "clock.hpp"
#include "connection.hpp"
#include "detail/asio_loop.hpp"
#include "error.hpp"
#include "peer.hpp"
#include "unique_fd.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

template <class Endpoint, class Peer, class Framing, class Overflow> class basic_server;

/// One client: its connection, its credentials, and whether its handshake is complete.
///
/// The server creates it. Keep a `session_ptr` to use it later; after its end it is a closed connection.
///
/// @threads only the thread that runs the io_context.
/// @fork must not be used in a child.
/// @blocks never.
template <class Framing, class Overflow> class basic_session : public basic_connection<Framing, Overflow> {
public:
    basic_session(asio::io_context& context, unique_fd socket, Overflow overflow, std::uint64_t id, peer_credentials peer)
        : basic_connection<Framing, Overflow>(context, std::move(socket), std::move(overflow)), id_(id), peer_(peer),
          handshake_(std::in_place, context) {}

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; } ///< from 1, never reused by this server
    [[nodiscard]] const peer_credentials& peer() const noexcept { return peer_; }

    /// What the program remembers about this session: created by the first call, destroyed with the session object, so after
    /// on_closed. @throws error (EINVAL) if it was created as another type.
    template <class T> [[nodiscard]] T& data() {
        static constexpr char type = 0; // its address stands for the type; there may be no run-time type information
        if (!data_) {
            data_ = std::make_shared<T>();
            data_type_ = &type;
        }
        if (data_type_ == &type) return *static_cast<T*>(data_.get());
        throw error({std::make_error_code(std::errc::invalid_argument), "session data", {}, "it was created as another type"});
    }

    /// Marks the handshake as complete: its deadline no longer applies. Idempotent.
    void established() {
        if (std::exchange(established_, true) || !this->is_open()) return; // closed: the loop may be gone
        handshake_->cancel();
        // Cancelling the timer does not disarm asio's timerfd, so an idle daemon would wake up once more. Waiting on a later
        // timer re-arms it.
        if (const auto timer = idle_timer_.lock()) {
            timer->expires_after(std::chrono::hours(1));
            timer->async_wait([](std::error_code) {});
        }
        last_frame_ = clock::now();
        if (idle_ != never) watch_idle();
    }
    [[nodiscard]] bool is_established() const noexcept { return established_; }

private:
    template <class, class, class, class> friend class basic_server;

    void loop_ends() noexcept override {
        const auto self = this->weak_from_this().lock();
        handshake_.reset();
        basic_connection<Framing, Overflow>::loop_ends();
    }
    void frame_came() noexcept {
        if (idle_ != never) last_frame_ = clock::now();
    }
    // The timer is not changed for each frame, which would cost a system call.
    void watch_idle() {
        handshake_->expires_at(detail::later(last_frame_, idle_));
        handshake_->async_wait([this, held = this->weak_from_this()](std::error_code cancelled) {
            const auto self = held.lock();
            if (cancelled || !self || !this->is_open()) return;
            if (this->is_reading_paused()) last_frame_ = clock::now(); // the server does not read, so the client is not idle
            if (clock::now() < detail::later(last_frame_, idle_)) return watch_idle();
            this->close({errc::timed_out, "idle", {}, "no frame came for " + std::to_string(idle_.count()) + " ms"});
        });
    }

    std::uint64_t id_;
    peer_credentials peer_;
    std::optional<asio::steady_timer> handshake_;  // afterwards of the idle time; empty: the loop was destroyed
    std::weak_ptr<asio::steady_timer> idle_timer_; // of the server, while it accepts clients
    milliseconds idle_ = never;
    clock::time_point last_frame_{};
    std::shared_ptr<void> data_;
    const char* data_type_ = nullptr;
    bool established_ = false;
};

} // namespace MATO_ABI
} // namespace mato
