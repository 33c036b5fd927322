// SPDX-License-Identifier: MIT
/// @file connection.hpp: frames over one stream socket, in both directions, in order, with a bounded queue.
/// Layer: 3 (asio).  Test: test/toolkit/connection_test.cpp, connection_end_test.cpp.
/// Threads: all calls and callbacks on the thread that runs the io_context.   Blocks: never.
/// Fork: create it after the last fork.
///
/// Everything queued in one iteration of the loop is sent with one system call (up to 140 KiB, see outbox.hpp); so are all
/// replies to the frames of one read. If the kernel's buffer is full, the rest waits until the socket is writable. A frame that
/// was partially sent is completed, or the connection ends. Callbacks may call any function of the connection, `close` too, and
/// may drop the last reference to it. An exception from a callback ends the connection unless `on_exception` decides otherwise.
/// A failed allocation in the connection does the same.
#pragma once

#include "callback.hpp"
#include "clock.hpp"
#include "descriptors.hpp"
#include "detail/asio_local.hpp"
#include "detail/asio_loop.hpp"
#include "detail/loop_member.hpp"
#include "error.hpp"
#include "framing.hpp"
#include "outbox.hpp"
#include "overflow.hpp"
#include "read_limits.hpp"
#include "scope_exit.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

namespace detail {
/// False for a policy that declares `loses_frames`.
template <class Overflow> [[nodiscard]] constexpr bool keeps_every_frame() noexcept {
    if constexpr (requires { Overflow::loses_frames; })
        return !Overflow::loses_frames;
    else
        return true;
}
} // namespace detail

/// Sends and receives frames over a connected Unix stream socket. Hold it by `std::shared_ptr`; it keeps itself alive while a
/// wait is pending. It may outlive the io_context: then it is closed, and calls no callback. `connection` has the default
/// policies.
///
/// @threads only the thread that runs the io_context.
/// @fork create it after the last fork; it must not be used in a child.
/// @blocks never.
///
/// @code
/// auto connection = std::make_shared<mato::connection>(context, std::move(socket));
/// connection->start({.on_frame = [&](std::string_view payload) { connection->send(payload); },
///                    .on_closed = [&](const mato::failure& why) { ended = why.message(); }});
/// connection->send("hello");
/// context.run_for(std::chrono::milliseconds(1));
/// connection->close({mato::errc::stopping, "stop", {}, {}}); // sends queued frames first
/// @endcode
template <class Framing = length_prefixed<>, class Overflow = disconnect>
class basic_connection : public std::enable_shared_from_this<basic_connection<Framing, Overflow>>, private detail::loop_member {
    static_assert(framing_policy<Framing>, "mato: the framing policy lacks a member, see framing.hpp");
    static_assert(overflow_policy<Overflow>, "mato: the overflow policy needs on_queued and on_drained, see overflow.hpp");
    static_assert(detail::keeps_every_frame<Overflow>(), "mato: this overflow policy loses frames, so it is for subscribers of "
                                                         "a broadcast; a connection must not lose its own frames");

public:
    using framing = Framing;

    struct handlers {
        /// The payload of one frame. The view is valid during the call.
        callback<void(std::string_view payload)> on_frame{};
        /// The connection has ended. Called once, as the last callback, and never from inside another call of the connection.
        /// `why`: errc::closed if the peer closed it, else the reason.
        callback<void(const failure& why)> on_closed{};
        /// The queue is empty again: a waiting producer may continue.
        callback<void()> on_drained{};
        /// Another callback threw (failure::step names it), or memory ran out (ENOMEM). Called inside the catch block: `throw;`
        /// passes the exception on, out of run(), and reading continues. Not set: the connection is closed with this failure.
        /// Set: nothing else is done.
        callback<void(const failure& why)> on_exception{};
    };

    /// Takes ownership of a connected socket. Nothing is read before `start`.
    basic_connection(asio::io_context& context, unique_fd socket, Overflow overflow = {});
    basic_connection(const basic_connection&) = delete;
    basic_connection& operator=(const basic_connection&) = delete;
    virtual ~basic_connection() = default;

    void start(handlers callbacks);
    /// As `start`, and reads once immediately: `on_frame` may be called before this returns.
    void start_now(handlers callbacks);

    /// Queues one frame. The overflow policy may end the connection (errc::slow_consumer). No effect after the end.
    /// @errors frame_too_large: the frame is not queued, the connection continues.
    void send(std::string_view payload, error_out out);
    void send(std::string_view payload) {
        or_throw([&](failure& why) { send(payload, why); });
    }
    /// As `send`, for a payload in two parts, which are not joined before they are queued if the framing can append both.
    void send(std::string_view head, std::string_view rest, error_out out);
    /// As `send`, and passes descriptors: the peer gets its own descriptors for the same open files, with this frame. They are
    /// duplicated, so the caller may close its own at once. After an error nothing is queued.
    /// @errors as `send` · E2BIG: more than `max_passed_descriptors` · busy: the peer has not received the descriptors of
    /// earlier frames, together more than `most_unread_descriptors` · EINVAL: a frame without bytes · EMFILE, any of fcntl(2).
    void send_with(std::string_view payload, std::span<const int> descriptors, error_out out);
    /// As `send`, for bytes that are already encoded in this framing.
    void send_encoded(shared_frame frame);

    /// Stops reading, sends queued frames for at most `linger`, then closes with `why`.
    void close(failure why, milliseconds linger = default_linger);
    /// Closes immediately; queued frames are lost.
    void abort(failure why);

    /// Accepts descriptors that the peer passes, at most `most` with a frame; more end the connection (errc::malformed).
    /// Without this call the kernel discards them. If the process has no free descriptor numbers, the frame comes without its
    /// descriptors.
    void accept_descriptors(std::size_t most) noexcept { most_descriptors_ = most; }
    /// In `on_frame`: the next descriptor that was passed with this frame. Empty: there is none. Those that are not taken are
    /// closed when `on_frame` returns.
    [[nodiscard]] unique_fd take_descriptor() noexcept { return arrived_.take(); }

    /// Limits the time between the first and the last byte of a received frame, for frames that begin later. Exceeding it ends
    /// the connection (errc::timed_out), which frees the memory of the incomplete frame.
    void set_frame_deadline(milliseconds limit) noexcept { frame_deadline_ = limit; }

    /// How much of the peer's work may wait here: at a limit its frames are not read. Not set, there is no limit: two ends that
    /// both stop reading while they send would wait for each other, so only one may do it. A server sets it for its sessions.
    void set_read_limits(const read_limits& limits) noexcept { gate_.set_limits(limits); }
    /// Delivers no frame until `resume_reading`, not even one that was already read. The peer's end is noticed only then, or
    /// when something is sent to it. Both are idempotent.
    void pause_reading() noexcept { gate_.pause(true); }
    void resume_reading() noexcept {
        gate_.pause(false);
        continue_reading();
    }
    /// Reading is paused, by `pause_reading` or at a limit.
    [[nodiscard]] bool is_reading_paused() const noexcept { return gate_.is_shut(); }
    /// Counts the frame of the running `on_frame` as not yet answered while the ticket exists: see frame_ticket. Called
    /// elsewhere, it counts a frame without bytes.
    [[nodiscard]] frame_ticket hold_frame();

    /// The most bytes of one read; 16 KiB by default. More cost fewer system calls for a peer that sends much, and memory.
    void set_most_read_bytes(std::size_t bytes) noexcept { most_read_bytes_ = bytes; }

    /// Removes all callbacks. Call it before the objects that they refer to are destroyed.
    void forget_callbacks() noexcept { callbacks_ = {}; }

    [[nodiscard]] bool is_open() const noexcept { return state_ == state::open; }
    /// Bytes not yet accepted by the kernel: from `send`, and from the broadcast it is subscribed to.
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return out_.queued(); }
    [[nodiscard]] std::uint64_t sent_bytes() const noexcept { return sent_; } ///< accepted by the kernel since the start
    [[nodiscard]] int native_handle() { return socket_ ? socket_->native_handle() : -1; } ///< -1: closed

    static constexpr std::size_t most_unread_descriptors = 64; ///< passed to this peer; the kernel keeps them open until then
    static constexpr milliseconds default_frame_deadline{30'000}; ///< long enough for a peer that was suspended while sending
    static constexpr milliseconds default_linger{1000};           ///< a peer that reads empties a full queue in a few ms

    // ---- used by broadcast.hpp ----

    [[nodiscard]] outbox& box() noexcept { return out_; }
    /// Merges the frames of one more shared stream with its own from now on. @pre box().make_place()
    void follow(std::shared_ptr<feed> stream);
    /// Writes once, as much as the kernel accepts.
    void flush() {
        if (!waiting_) write();
    }
    /// Closes the connection because the peer reads too slowly: a partially sent frame is completed, other queued frames are
    /// lost. The last payloads are sent after enlarging the full kernel buffer, so the peer finds them when it reads again.
    void fall_behind(failure why, std::optional<std::string> last_payload);
    void fall_behind_with(failure why, const std::vector<std::string>& last_payloads);
    void cut_off(failure why) { abort(std::move(why)); }

protected:
    /// For an owner that is being destroyed: ends the connection and calls `on_closed` before it returns. The peer sees
    /// end-of-file after `hang_up`.
    void end_now(failure why);
    void hang_up() noexcept;
    /// The io_context is being destroyed. No callback is called, because their owners may be destroyed already.
    void loop_ends() noexcept override;

private:
    enum class state : unsigned char { open, closing, closed };

    static constexpr std::size_t first_read_bytes = 4_KiB;  // size of a usual request; doubled while reads fill the buffer
    static constexpr std::size_t usual_read_bytes = 16_KiB; // four pty reads' worth

    void read();
    void take_what_came();
    [[nodiscard]] std::size_t receive(error_out out);
    void deliver();
    void mind_rest(bool came_whole);
    void watch_half_frame();
    void queued(std::size_t bytes);
    void flush_soon();
    void write();
    [[nodiscard]] ssize_t give_kernel(gathered_write& bytes);
    [[nodiscard]] ssize_t give_messages(gathered_write& bytes);
    [[nodiscard]] ssize_t give_descriptors(const gathered_write& bytes);
    [[nodiscard]] std::size_t unread_descriptors();
    void wait_until_writable();
    void finish();
    void tell_end();
    void tell_end_now();
    void resume() noexcept;
    void stop_reading();
    void continue_reading() noexcept;
    void watch_replies(std::uint64_t sent_before);
    template <class Call> void guarded(const char* step, Call call);
    [[nodiscard]] static failure no_memory(const char* step) { return {{ENOMEM, std::system_category()}, step, {}, {}}; }

    asio::io_context& context_;
    std::optional<asio::local::stream_protocol::socket> socket_; // empty: the loop was destroyed, as linger_
    std::optional<asio::steady_timer> linger_;
    handlers callbacks_;
    detail::exception_guard guard_;
    frame_decoder<Framing> decoder_;
    Overflow overflow_;
    detail::basic_arrived_descriptors<> arrived_;
    std::unique_ptr<detail::basic_passed_descriptors<>> passed_; // null: none were
    std::uint64_t received_ = 0;                                 // bytes
    std::size_t most_descriptors_ = 0, read_bytes_ = first_read_bytes, most_read_bytes_ = usual_read_bytes;
    milliseconds frame_deadline_ = default_frame_deadline;
    clock::time_point half_until_{}; // when an incomplete frame must be complete
    outbox out_;
    std::uint64_t sent_ = 0;
    detail::read_gate gate_;
    std::size_t frame_bytes_ = 0; // of the frame that on_frame handles
    failure why_;
    state state_ = state::open;
    bool writing_ = false, waiting_ = false;
    bool flush_posted_ = false, delivering_ = false, flush_due_ = false;
    bool is_half_ = false, watches_half_ = false;
    bool is_stopped_ = false, watches_replies_ = false; // stopped: no wait for input is pending, the gate was shut
};

using connection = basic_connection<>;

// ---- implementation ----

namespace detail {
/// asio uses the system's error numbers in its own category, which `cond` does not match; this returns the system's category.
[[nodiscard]] inline std::error_code plain_code(const asio_code& why) noexcept {
    const bool is_of_system = why.category() == asio::error::get_system_category();
    return is_of_system ? std::error_code(why.value(), std::system_category()) : std::error_code(why);
}
} // namespace detail

template <class F, class O> basic_connection<F, O>::basic_connection(asio::io_context& context, unique_fd socket, O overflow)
    : loop_member(context), context_(context), socket_(context), linger_(context), overflow_(std::move(overflow)) {
    detail::asio_code why;
    socket_->assign(asio::local::stream_protocol(), socket.get(), why);
    if (why) throw error({why, "adopt socket", {}, {}});
    static_cast<void>(socket.release());
}

template <class F, class O> void basic_connection<F, O>::start(handlers callbacks) {
    callbacks_ = std::move(callbacks);
    if (state_ == state::open) return read();
    if (state_ == state::closed && socket_) tell_end(); // it ended before the callbacks were set
}

template <class F, class O> void basic_connection<F, O>::start_now(handlers callbacks) {
    if (state_ != state::open) return start(std::move(callbacks));
    callbacks_ = std::move(callbacks);
    const auto self = this->shared_from_this();
    guarded("read", [&] { take_what_came(); });
}

template <class F, class O> template <class Call> void basic_connection<F, O>::guarded(const char* step, Call call) {
    guard_(call, [&] {
        failure why = current_failure(step);
        if (callbacks_.on_exception) return callbacks_.on_exception(why);
        close(std::move(why));
    });
}

template <class F, class O> void basic_connection<F, O>::close(failure why, milliseconds linger) {
    if (state_ != state::open) return;
    why_ = std::move(why);
    state_ = state::closing;
    out_.no_more();
    if (out_.queued() == 0) return finish();
    flush_soon();
    try {
        linger_->expires_at(deadline::in(linger).at());
        linger_->async_wait([self = this->shared_from_this()](std::error_code cancelled) {
            if (!cancelled) self->finish();
        });
    } catch (const std::bad_alloc&) {
        finish();
    }
}

template <class F, class O> void basic_connection<F, O>::abort(failure why) {
    if (state_ == state::closed) return;
    if (state_ == state::open) why_ = std::move(why);
    finish();
}

template <class F, class O> void basic_connection<F, O>::finish() {
    if (state_ == state::closed) return;
    state_ = state::closed;
    out_.abandon();
    detail::asio_code ignored;
    linger_->cancel();
    socket_->close(ignored);
    tell_end();
}

// Posted: the caller may be inside on_frame, or iterating over connections. If there is no memory to post, it is called
// directly.
template <class F, class O> void basic_connection<F, O>::tell_end() {
    try {
        return asio::post(context_, [self = this->shared_from_this()] { self->tell_end_now(); });
    } catch (const std::bad_alloc&) {
    }
    const auto self = this->shared_from_this();
    tell_end_now();
}

template <class F, class O> void basic_connection<F, O>::tell_end_now() {
    const auto callbacks = std::exchange(callbacks_, {});
    if (!callbacks.on_closed) return;
    guard_([&] { callbacks.on_closed(why_); },
           [&] {
               const failure why = current_failure("on_closed");
               if (callbacks.on_exception) callbacks.on_exception(why);
           });
}

template <class F, class O> void basic_connection<F, O>::end_now(failure why) {
    const auto self = this->shared_from_this();
    if (state_ == state::open) why_ = std::move(why);
    if (std::exchange(state_, state::closed) != state::closed) {
        out_.abandon();
        linger_->cancel();
    }
    tell_end_now();
}

template <class F, class O> void basic_connection<F, O>::hang_up() noexcept {
    detail::asio_code ignored;
    if (!socket_) return;
    linger_->cancel();
    socket_->close(ignored);
}

template <class F, class O> void basic_connection<F, O>::loop_ends() noexcept {
    const auto self = this->weak_from_this().lock(); // a callback may own the last reference
    state_ = state::closed;
    callbacks_ = {};
    out_.abandon();
    linger_.reset();
    socket_.reset();
}

} // namespace MATO_ABI
} // namespace mato

#include "detail/connection_read.hpp"
#include "detail/connection_write.hpp"
