// SPDX-License-Identifier: MIT
/// @file connection_read.hpp: the receiving side of a connection: reading, frames, pauses, the deadline of an incomplete frame.
/// Layer: 3 (asio).  Test: test/toolkit/connection_test.cpp, read_limits_test.cpp.
/// Threads: as connection.hpp.   Blocks: never.
///
/// Members of basic_connection; connection.hpp includes this file. At any time one of these is true: a wait for input is
/// pending, a call of `deliver` is running or posted, or the gate was shut and `is_stopped_` is set.
#pragma once

#include "../connection.hpp"
#include "asio_loop.hpp"

#include <memory>
#include <new>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

template <class F, class O> void basic_connection<F, O>::read() {
    try {
        socket_->async_wait(asio::socket_base::wait_read, [self = this->shared_from_this()](const detail::asio_code& why) {
            if (self->state_ != state::open) return;
            if (why) return self->abort({detail::plain_code(why), "read", {}, {}});
            self->guarded("read", [&] { self->take_what_came(); });
        });
    } catch (const std::bad_alloc&) {
        abort(no_memory("read"));
    }
}

template <class F, class O> void basic_connection<F, O>::take_what_came() {
    if (gate_.is_shut()) return stop_reading();
    failure problem;
    scope_exit thrown([this] { resume(); });
    const std::size_t size = receive(problem);
    thrown.dismiss();
    if (problem) return abort(std::move(problem));
    if (size >= read_bytes_ && read_bytes_ < most_read_bytes_) read_bytes_ *= 2;
    decoder_.commit(size);
    received_ += size;
    deliver();
}

template <class F, class O> std::size_t basic_connection<F, O>::receive(error_out out) {
    const auto room = decoder_.prepare(read_bytes_);
    if (most_descriptors_ > 0) return arrived_.receive(socket_->native_handle(), room, received_, out);
    const ssize_t got = sys::recv(socket_->native_handle(), room.data(), room.size(), MSG_DONTWAIT);
    if (got == 0)
        out.set(errc::closed, "read");
    else if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        out.set(last_error(), "read");
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

template <class F, class O> void basic_connection<F, O>::deliver() {
    failure why;
    delivering_ = true; // frames sent by callbacks are flushed at the end, without another iteration of the loop
    scope_exit thrown([this] {
        delivering_ = false;
        frame_bytes_ = 0;
        arrived_.end_frame();
        if (std::exchange(flush_due_, false)) flush_soon();
        resume();
    });
    bool came_whole = false, is_empty = false;
    while (state_ == state::open && !gate_.is_shut()) {
        const auto frame = decoder_.next(why);
        if (why) {
            abort(std::move(why));
            break;
        }
        is_empty = !frame;
        if (most_descriptors_ > 0) {
            if (is_empty)
                arrived_.no_frame(most_descriptors_, why);
            else
                arrived_.begin_frame(received_ - decoder_.buffered(), most_descriptors_, why);
            if (why) {
                abort(std::move(why));
                break;
            }
        }
        if (is_empty) break;
        came_whole = true;
        frame_bytes_ = frame->size();
        if (callbacks_.on_frame) guarded("on_frame", [&] { callbacks_.on_frame(*frame); });
        if (most_descriptors_ > 0) arrived_.end_frame();
    }
    frame_bytes_ = 0;
    if (is_empty || state_ != state::open) mind_rest(came_whole);
    delivering_ = false;
    if (std::exchange(flush_due_, false)) flush();
    thrown.dismiss();
    if (state_ != state::open) return;
    if (gate_.is_shut()) return stop_reading();
    if (!is_empty) return resume(); // the flush opened the gate
    read();
}

template <class F, class O> void basic_connection<F, O>::stop_reading() {
    is_stopped_ = true;
    is_half_ = false; // the rest of a frame gets its whole time when reading continues
    if (gate_.waits_for_peer()) watch_replies(sent_);
}

template <class F, class O> void basic_connection<F, O>::continue_reading() noexcept {
    if (state_ != state::open) return;
    const bool is_shut = gate_.is_shut();
    if (is_stopped_ && !is_shut) {
        is_stopped_ = false;
        return resume();
    }
    try {
        if (is_stopped_ && gate_.waits_for_peer() && !watches_replies_) watch_replies(sent_);
        // The gate was shut for a short time, between two reads; the deadline of an incomplete frame begins again.
        if (!is_stopped_ && !is_shut && !is_half_ && !delivering_ && decoder_.buffered() > 0) mind_rest(true);
    } catch (const std::bad_alloc&) {
        abort(no_memory("read"));
    }
}

// Uses the timer of an incomplete frame, which is not waited for while reading is paused.
template <class F, class O> void basic_connection<F, O>::watch_replies(std::uint64_t sent_before) {
    watches_half_ = false;
    watches_replies_ = true;
    linger_->expires_at(deadline::in(gate_.limits().unread_for).at());
    linger_->async_wait([held = this->weak_from_this(), sent_before](std::error_code cancelled) {
        const auto self = held.lock();
        if (cancelled || !self || self->state_ != state::open) return;
        self->watches_replies_ = false;
        if (!self->is_stopped_ || !self->gate_.waits_for_peer()) return;
        if (self->sent_ != sent_before) return self->watch_replies(self->sent_);
        self->abort({errc::slow_consumer,
                     "read",
                     {},
                     "slow consumer: the peer has not read " + std::to_string(self->out_.replies()) + " bytes of its replies"});
    });
}

template <class F, class O> frame_ticket basic_connection<F, O>::hold_frame() {
    const std::size_t bytes = frame_bytes_;
    gate_.held(bytes); // first: if there is no memory for the ticket, its end is called
    return frame_ticket(std::shared_ptr<const void>(this, [held = this->weak_from_this(), bytes](const void*) {
        const auto self = held.lock();
        if (!self) return;
        self->gate_.answered(bytes);
        self->continue_reading();
    }));
}

/// Handles the rest that is no complete frame: starts its deadline.
template <class F, class O> void basic_connection<F, O>::mind_rest(bool came_whole) {
    if (decoder_.buffered() == 0) {
        is_half_ = false;
        return;
    }
    if (state_ != state::open) return;
    if (came_whole || !is_half_) half_until_ = deadline::in(frame_deadline_).at();
    is_half_ = true;
    if (!watches_half_) watch_half_frame();
}

// The timer is not cancelled when the frame is complete: large frames take several reads, and each change of the timer costs a
// system call.
template <class F, class O> void basic_connection<F, O>::watch_half_frame() {
    watches_half_ = true;
    watches_replies_ = false;
    linger_->expires_at(half_until_);
    linger_->async_wait([held = this->weak_from_this()](std::error_code cancelled) {
        const auto self = held.lock();
        if (cancelled || !self || self->state_ != state::open) return;
        self->watches_half_ = false;
        if (self->gate_.is_shut()) self->is_half_ = false; // the peer is not the one that is late
        if (!self->is_half_) return;
        if (clock::now() < self->half_until_) return self->watch_half_frame();
        self->abort({errc::timed_out, "read", {}, "a part of a frame arrived, but not the rest of it in time"});
    });
}

// After an exception that was passed on: the remaining frames are delivered in another iteration of the loop.
template <class F, class O> void basic_connection<F, O>::resume() noexcept {
    if (state_ != state::open) return;
    try {
        asio::post(context_, [self = this->shared_from_this()] {
            if (self->state_ == state::open) self->guarded("read", [&] { self->deliver(); });
        });
    } catch (...) {
        abort(no_memory("read"));
    }
}

} // namespace MATO_ABI
} // namespace mato
