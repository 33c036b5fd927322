// SPDX-License-Identifier: MIT
/// @file connection.hpp: frames over one stream socket, in order, within a bound, each way.
/// Layer: 3 (asio).  Test: test/toolkit/connection_test.cpp.
/// Threads: all calls and callbacks on the thread that runs the io_context.   Blocks: never.
/// Fork: made after the last fork.
///
/// Everything queued during one turn of the loop leaves in one gathered write; at most one write is in flight. A frame once
/// begun is finished or the connection ends. Callbacks may call anything on the connection, `close` included.
#pragma once

#if !__has_include(<asio/io_context.hpp>)
#error "mato: asio was not found, install it (Debian: libasio-dev) or add -I; the headers below layer 3 need none"
#endif

#include "clock.hpp"
#include "descriptors.hpp"
#include "error.hpp"
#include "framing.hpp"
#include "overflow.hpp"
#include "unique_fd.hpp"

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// A frame encoded once and shared by every connection that sends it.
using shared_frame = std::shared_ptr<const std::string>;

template <class Framing = length_prefixed<>, class Overflow = disconnect> class basic_connection
    : public std::enable_shared_from_this<basic_connection<Framing, Overflow>> {
    static_assert(framing_policy<Framing>, "mato: the framing policy lacks a member, see framing.hpp");
    static_assert(overflow_policy<Overflow>, "mato: the overflow policy needs on_queued and on_drained, see overflow.hpp");

public:
    using framing = Framing;

    struct handlers {
        /// A whole payload; the view dies with the call.
        std::function<void(std::string_view payload)> on_frame;
        /// Once, last, never from inside another call: errc::closed when the peer left, else why.
        std::function<void(const failure& why)> on_closed;
        /// The queue is empty again: a producer that waits may go on.
        std::function<void()> on_drained;
    };

    /// Takes a connected socket. Nothing is read before `start`.
    basic_connection(asio::io_context& context, unique_fd socket, Overflow overflow = {});
    basic_connection(const basic_connection&) = delete;
    basic_connection& operator=(const basic_connection&) = delete;
    virtual ~basic_connection() = default;

    void start(handlers callbacks);

    /// Queues one frame. The overflow policy may end the connection (errc::slow_consumer); after the end nothing is queued.
    /// @errors frame_too_large: not queued, the connection goes on.
    void send(std::string_view payload, error_out out);
    void send(std::string_view payload) {
        or_throw([&](failure& why) { send(payload, why); });
    }
    /// As `send`, of bytes that already are frames of this framing.
    void send_encoded(shared_frame frame);

    /// Reads no more, sends what is queued for at most `linger`, then closes with `why`.
    void close(failure why, milliseconds linger = default_linger);
    /// Closes at once; what is queued is lost.
    void abort(failure why);

    /// From now on descriptors that the peer passes along are kept, at most `most` at a time; more end the connection
    /// (errc::malformed). Without this the kernel closes them unseen.
    void accept_descriptors(std::size_t most) noexcept { most_descriptors_ = most; }
    /// The oldest descriptor that came and was not taken: it came no later than the frame it belongs to. Empty when none did.
    [[nodiscard]] unique_fd take_descriptor() {
        if (descriptors_.empty()) return {};
        unique_fd first = std::move(descriptors_.front());
        descriptors_.erase(descriptors_.begin());
        return first;
    }

    /// Calls nobody any more, whatever happens: before what the callbacks refer to goes away. Not from inside a callback.
    void forget_callbacks() noexcept { callbacks_ = {}; }

    [[nodiscard]] bool is_open() const noexcept { return state_ == state::open; }
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return queued_; } ///< accepted by `send`, not by the kernel
    [[nodiscard]] std::uint64_t sent_bytes() const noexcept { return sent_; }   ///< taken by the kernel since the start
    [[nodiscard]] int native_handle() { return socket_.native_handle(); }

    static constexpr milliseconds default_linger{1000}; ///< a reading peer takes a full queue in a few ms

private:
    enum class state : unsigned char { open, closing, closed };
    struct chunk {
        std::string own;     // frames of this connection alone, appended until the chunk is in flight
        shared_frame shared; // or one that others send too
        [[nodiscard]] std::string_view bytes() const noexcept { return shared ? std::string_view(*shared) : own; }
    };

    static constexpr std::size_t read_bytes = 16_KiB;   // per read: four pty reads' worth
    static constexpr std::size_t gather_bytes = 64_KiB; // per write: beyond it a Unix socket's buffer (208 KiB) just fills
    static constexpr std::size_t gather_chunks = 16;    // iovecs per write
    static constexpr std::size_t append_bytes = 16_KiB; // own frames join one chunk up to this size

    /// asio keeps a copy of the sequence until the write is done, so it must own its items.
    struct gathered {
        std::array<asio::const_buffer, gather_chunks> items;
        std::size_t count = 0;
        [[nodiscard]] const asio::const_buffer* begin() const noexcept { return items.data(); }
        [[nodiscard]] const asio::const_buffer* end() const noexcept { return items.data() + count; }
    };

    void read();
    [[nodiscard]] std::size_t receive(error_out out);
    void deliver();
    void queued(std::size_t bytes);
    void flush_soon();
    void flush();
    void on_written(std::size_t bytes);
    void finish();
    void tell_end();

    asio::local::stream_protocol::socket socket_;
    asio::steady_timer linger_;
    handlers callbacks_;
    frame_decoder<Framing> decoder_;
    Overflow overflow_;
    std::vector<unique_fd> descriptors_;
    std::size_t most_descriptors_ = 0;
    std::deque<chunk> queue_;
    std::size_t first_offset_ = 0; // bytes of queue_.front() already taken
    std::size_t in_flight_ = 0;    // chunks the pending write refers to
    std::size_t queued_ = 0;
    std::uint64_t sent_ = 0;
    failure why_;
    state state_ = state::open;
    bool writing_ = false, flush_posted_ = false;
};

using connection = basic_connection<>;

// ---- implementation ----

namespace detail {
/// asio numbers errors as the system does, but in a category of its own, which no condition of ours would match.
[[nodiscard]] inline std::error_code plain_code(const std::error_code& why) noexcept {
    return why.category() == asio::error::get_system_category() ? std::error_code(why.value(), std::system_category()) : why;
}
} // namespace detail

template <class F, class O> basic_connection<F, O>::basic_connection(asio::io_context& context, unique_fd socket, O overflow)
    : socket_(context), linger_(context), overflow_(std::move(overflow)) {
    std::error_code why;
    socket_.assign(asio::local::stream_protocol(), socket.get(), why);
    if (why) throw error({why, "adopt socket", {}, {}});
    static_cast<void>(socket.release());
}

template <class F, class O> void basic_connection<F, O>::start(handlers callbacks) {
    callbacks_ = std::move(callbacks);
    if (state_ == state::open) return read();
    if (state_ == state::closed) tell_end(); // it ended before anybody listened
}

template <class F, class O> void basic_connection<F, O>::read() {
    socket_.async_wait(asio::socket_base::wait_read, [self = this->shared_from_this()](std::error_code why) {
        if (self->state_ != state::open) return;
        if (why) return self->abort({detail::plain_code(why), "read", {}, {}});
        failure problem;
        const std::size_t size = self->receive(problem);
        if (problem) return self->abort(std::move(problem));
        self->decoder_.commit(size);
        self->deliver();
    });
}

template <class F, class O> std::size_t basic_connection<F, O>::receive(error_out out) {
    const auto room = decoder_.prepare(read_bytes);
    if (most_descriptors_ > 0) {
        const std::size_t size = receive_descriptors(socket_.native_handle(), room, descriptors_, out);
        if (descriptors_.size() > most_descriptors_)
            out.set(errc::malformed, "read", {}, "it passes descriptors nobody asked for");
        return size;
    }
    const ssize_t got = sys::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
    if (got == 0)
        out.set(errc::closed, "read");
    else if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        out.set(last_error(), "read");
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

template <class F, class O> void basic_connection<F, O>::deliver() {
    failure why;
    while (state_ == state::open) {
        const auto frame = decoder_.next(why);
        if (why) return abort(std::move(why));
        if (!frame) return read();
        if (callbacks_.on_frame) callbacks_.on_frame(*frame);
    }
}

template <class F, class O> void basic_connection<F, O>::send(std::string_view payload, error_out out) {
    if (state_ != state::open) return;
    const bool appends = queue_.size() > in_flight_ && !queue_.back().shared && queue_.back().own.size() < append_bytes;
    if (!appends) queue_.emplace_back();
    std::string& bytes = queue_.back().own;
    const std::size_t before = bytes.size();
    F::append(bytes, payload, out);
    if (out.failed()) {
        if (!appends) queue_.pop_back();
        return;
    }
    queued(bytes.size() - before);
}

template <class F, class O> void basic_connection<F, O>::send_encoded(shared_frame frame) {
    if (state_ != state::open || !frame || frame->empty()) return;
    const std::size_t bytes = frame->size();
    queue_.push_back({{}, std::move(frame)});
    queued(bytes);
}

template <class F, class O> void basic_connection<F, O>::queued(std::size_t bytes) {
    queued_ += bytes;
    if (overflow_.on_queued(queued_, clock::now()) == overflow_verdict::disconnect)
        return abort({errc::slow_consumer, "send", {}, "slow consumer: " + std::to_string(queued_) + " bytes unread"});
    flush_soon();
}

// Posted, so that all that one turn of the loop sends is gathered.
template <class F, class O> void basic_connection<F, O>::flush_soon() {
    if (writing_ || flush_posted_ || queue_.empty()) return;
    flush_posted_ = true;
    asio::post(socket_.get_executor(), [self = this->shared_from_this()] {
        self->flush_posted_ = false;
        self->flush();
    });
}

template <class F, class O> void basic_connection<F, O>::flush() {
    if (writing_ || queue_.empty() || state_ == state::closed) return;
    gathered buffers;
    std::size_t bytes = 0;
    for (const chunk& next : queue_) {
        if (buffers.count == gather_chunks || bytes >= gather_bytes) break;
        const auto view = next.bytes().substr(buffers.count == 0 ? first_offset_ : 0);
        buffers.items[buffers.count++] = asio::buffer(view.data(), view.size());
        bytes += view.size();
    }
    in_flight_ = buffers.count;
    writing_ = true;
    socket_.async_write_some(buffers, [self = this->shared_from_this()](std::error_code why, std::size_t size) {
        self->writing_ = false;
        self->in_flight_ = 0;
        if (self->state_ == state::closed) return;
        if (why) return self->abort({detail::plain_code(why), "write", {}, {}});
        self->on_written(size);
    });
}

template <class F, class O> void basic_connection<F, O>::on_written(std::size_t bytes) {
    sent_ += bytes;
    queued_ -= bytes;
    for (first_offset_ += bytes; !queue_.empty() && first_offset_ >= queue_.front().bytes().size(); queue_.pop_front())
        first_offset_ -= queue_.front().bytes().size();
    overflow_.on_drained(queued_);
    if (!queue_.empty()) return flush();
    if (state_ == state::closing) return finish();
    if (callbacks_.on_drained) callbacks_.on_drained();
}

template <class F, class O> void basic_connection<F, O>::close(failure why, milliseconds linger) {
    if (state_ != state::open) return;
    why_ = std::move(why);
    state_ = state::closing;
    if (queue_.empty()) return finish();
    flush_soon();
    linger_.expires_after(linger);
    linger_.async_wait([self = this->shared_from_this()](std::error_code cancelled) {
        if (!cancelled) self->finish();
    });
}

template <class F, class O> void basic_connection<F, O>::abort(failure why) {
    if (state_ == state::closed) return;
    if (state_ == state::open) why_ = std::move(why);
    finish();
}

template <class F, class O> void basic_connection<F, O>::finish() {
    if (state_ == state::closed) return;
    state_ = state::closed;
    std::error_code ignored;
    linger_.cancel();
    socket_.close(ignored);
    tell_end();
}

// Posted: the caller may be inside on_frame, or iterating over connections.
template <class F, class O> void basic_connection<F, O>::tell_end() {
    asio::post(socket_.get_executor(), [self = this->shared_from_this()] {
        const auto callbacks = std::exchange(self->callbacks_, {});
        if (callbacks.on_closed) callbacks.on_closed(self->why_);
    });
}

} // namespace MATO_ABI
} // namespace mato
