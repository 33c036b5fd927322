// SPDX-License-Identifier: MIT
/// @file connection_write.hpp: how a connection sends: queue, gather, one system call, wait until the socket is writable.
/// Layer: 3 (asio).  Test: test/toolkit/connection_test.cpp.
/// Threads: the thread that runs the io_context.   Blocks: never.
///
/// Members of basic_connection; connection.hpp includes this file.
#pragma once

#include "../connection.hpp"
#include "asio_loop.hpp"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <system_error>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

template <class F, class O> void basic_connection<F, O>::send(std::string_view payload, error_out out) {
    if (state_ != state::open) return;
    queued(out_.push([&](std::string& bytes) { F::append(bytes, payload, out); }));
}

template <class F, class O> void basic_connection<F, O>::send(std::string_view head, std::string_view rest, error_out out) {
    if (state_ != state::open) return;
    if constexpr (requires(std::string & bytes) { F::append(bytes, head, rest, out); })
        queued(out_.push([&](std::string& bytes) { F::append(bytes, head, rest, out); }));
    else
        send(std::string(head).append(rest), out);
}

template <class F, class O>
void basic_connection<F, O>::send_with(std::string_view payload, std::span<const int> descriptors, error_out out) {
    if (state_ != state::open) return;
    if (descriptors.empty()) return send(payload, out);
    if (descriptors.size() > max_passed_descriptors)
        return out.set({E2BIG, std::system_category()}, "send descriptors", {},
                       std::to_string(descriptors.size()) + " descriptors with one frame; at most " +
                           std::to_string(max_passed_descriptors) + " are allowed");
    const std::size_t unread = unread_descriptors();
    if (unread + descriptors.size() > most_unread_descriptors)
        return out.set(errc::busy, "send descriptors", {},
                       "the peer has not received " + std::to_string(unread) + " descriptors of earlier frames");
    std::vector<unique_fd> copies;
    for (const int each : descriptors) {
        copies.emplace_back(sys::fcntl(each, F_DUPFD_CLOEXEC, 0));
        if (!copies.back()) return out.set(last_error(), "duplicate descriptor " + std::to_string(each));
    }
    if (!passed_) passed_ = std::make_unique<detail::basic_passed_descriptors<>>();
    const std::size_t size = out_.push_with(std::move(copies), [&](std::string& bytes) { F::append(bytes, payload, out); });
    if (size == 0 && !out.failed())
        return out.set({EINVAL, std::system_category()}, "send descriptors", {}, "a frame without bytes cannot pass them");
    queued(size);
}

// The kernel reports how much memory the unread bytes use, which is more than their number.
template <class F, class O> std::size_t basic_connection<F, O>::unread_descriptors() {
    if (!passed_) return 0;
    int unread = 0;
    if (sys::ioctl(socket_->native_handle(), TIOCOUTQ, &unread) == -1) unread = 0; // not on every system
    return out_.unsent_descriptors() + passed_->not_received(sent_, static_cast<std::uint64_t>(unread));
}

template <class F, class O> void basic_connection<F, O>::send_encoded(shared_frame frame) {
    if (state_ != state::open || !frame || frame->empty()) return;
    const std::size_t bytes = frame->size();
    out_.push(std::move(frame));
    queued(bytes);
}

template <class F, class O> void basic_connection<F, O>::queued(std::size_t bytes) {
    if (bytes == 0 || state_ != state::open) return;
    gate_.queued(out_.replies());
    if constexpr (broadcast_policy<O>) // up to it the policy keeps everything, whatever the time is
        if (out_.own() <= overflow_.limit()) return flush_soon();
    if (overflow_.on_queued(out_.own(), clock::now()) == overflow_verdict::disconnect)
        return abort({errc::slow_consumer,
                      "send",
                      {},
                      "slow consumer: the peer has not read " + std::to_string(out_.queued()) + " bytes"});
    flush_soon();
}

template <class F, class O> void basic_connection<F, O>::follow(std::shared_ptr<feed> stream) {
    feed& followed = *stream;
    out_.follow(std::move(stream));
    if (waiting_) followed.on_stalled();
    flush_soon();
}

// Posted, so that everything sent in one iteration of the loop is written together.
template <class F, class O> void basic_connection<F, O>::flush_soon() {
    if (waiting_ || flush_posted_ || state_ == state::closed) return;
    if (delivering_) {
        flush_due_ = true;
        return;
    }
    try {
        asio::post(context_, [self = this->shared_from_this()] {
            self->flush_posted_ = false;
            self->guarded("write", [&] { self->flush(); });
        });
        flush_posted_ = true;
    } catch (const std::bad_alloc&) {
        abort(no_memory("write"));
    }
}

template <class F, class O> void basic_connection<F, O>::write() {
    if (writing_ || state_ == state::closed) return; // writing: a handler of the stream called this again
    const auto self = this->shared_from_this();
    const bool was_empty = out_.queued() == 0;
    gathered_write bytes;
    writing_ = true;
    bool may_read = false;
    ssize_t taken = 0;
    {
        const scope_exit written([this] { writing_ = false; });
        out_.gather(bytes);
        if (bytes.count > 0 && state_ != state::closed) taken = give_kernel(bytes);
        if (taken > 0) {
            sent_ += static_cast<std::size_t>(taken);
            out_.wrote(bytes, static_cast<std::size_t>(taken));
            overflow_.on_drained(out_.own());
            may_read = gate_.sent(out_.replies());
        }
    }
    if (state_ == state::closed) return;
    if (may_read) continue_reading();
    if (taken < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return abort({last_error(), "write", {}, {}});
    if (taken < 0 || static_cast<std::size_t>(taken) < bytes.bytes) return wait_until_writable();
    if (out_.queued() > 0) return flush_soon();
    if (state_ == state::closing) return finish();
    if (!was_empty && callbacks_.on_drained) guarded("on_drained", [&] { callbacks_.on_drained(); });
}

template <class F, class O> ssize_t basic_connection<F, O>::give_kernel(gathered_write& bytes) {
    if (bytes.messages != 1) return bytes.messages == 0 ? give_descriptors(bytes) : give_messages(bytes);
    if (bytes.count == 1)
        return sys::send(socket_->native_handle(), bytes.buffers[0].iov_base, bytes.buffers[0].iov_len, MSG_DONTWAIT);
    msghdr message{};
    message.msg_iov = bytes.buffers;
    message.msg_iovlen = bytes.count;
    return sys::sendmsg(socket_->native_handle(), &message, MSG_DONTWAIT);
}

template <class F, class O> ssize_t basic_connection<F, O>::give_descriptors(const gathered_write& bytes) {
    int numbers[max_passed_descriptors]; // NOLINT: valid up to `count`
    std::size_t count = 0;
    for (const unique_fd& each : out_.passed()) numbers[count++] = each.get();
    const std::string_view frame(static_cast<const char*>(bytes.buffers[0].iov_base), bytes.buffers[0].iov_len);
    failure why;
    const std::size_t sent = send_descriptors(socket_->native_handle(), frame, {numbers, count}, why);
    if (sent > 0) passed_->sent(sent_, count);
    if (sent > 0) return static_cast<ssize_t>(sent);
    errno = why ? why.code.value() : EAGAIN;
    return -1;
}

#if MATO_HAS_SENDMMSG
// The kernel stops before the first message that it cannot take completely, so no frame is partially sent.
template <class F, class O> ssize_t basic_connection<F, O>::give_messages(gathered_write& bytes) {
    mmsghdr messages[gathered_write::most_messages]{};
    for (std::size_t i = 0, begin = 0; i < bytes.messages; ++i) {
        const std::size_t end = i + 1 < bytes.messages ? bytes.ends[i] : bytes.count;
        messages[i].msg_hdr.msg_iov = bytes.buffers + begin;
        messages[i].msg_hdr.msg_iovlen = end - begin;
        begin = end;
    }
    const int taken = sys::sendmmsg(socket_->native_handle(), messages, static_cast<unsigned>(bytes.messages), MSG_DONTWAIT);
    ssize_t size = taken < 0 ? -1 : 0;
    for (int i = 0; i < taken; ++i) size += messages[i].msg_len;
    return size;
}
#else
template <class F, class O> ssize_t basic_connection<F, O>::give_messages(gathered_write&) { return 0; } // there is only one
#endif

template <class F, class O> void basic_connection<F, O>::wait_until_writable() {
    if (std::exchange(waiting_, true)) return;
    out_.each_stream([](feed& stream) { stream.on_stalled(); });
    try {
        socket_->async_wait(asio::socket_base::wait_write, [self = this->shared_from_this()](const detail::asio_code& why) {
            self->waiting_ = false;
            if (self->state_ == state::closed) return;
            if (why) return self->abort({detail::plain_code(why), "write", {}, {}});
            self->guarded("write", [&] {
                self->out_.each_stream([](feed& stream) { stream.on_writable(); });
                self->write();
            });
        });
    } catch (const std::bad_alloc&) {
        waiting_ = false;
        abort(no_memory("write"));
    }
}

template <class F, class O> void basic_connection<F, O>::fall_behind(failure why, std::optional<std::string> last_payload) {
    std::vector<std::string> payloads;
    if (last_payload) payloads.push_back(std::move(*last_payload));
    fall_behind_with(std::move(why), payloads);
}

template <class F, class O>
void basic_connection<F, O>::fall_behind_with(failure why, const std::vector<std::string>& last_payloads) {
    if (state_ == state::closed) return;
    out_.drop_waiting();
    std::error_code ignored; // an oversized payload is not sent; if the buffer stays small, the rest waits as usual
    for (const std::string& each : last_payloads) out_.push([&](std::string& bytes) { F::append(bytes, each, ignored); });
    detail::asio_code not_set;
    asio::socket_base::send_buffer_size size; // on Linux asio reports half of it: the kernel needs the other half
    socket_->get_option(size, not_set);
    socket_->set_option(asio::socket_base::send_buffer_size(2 * size.value() + static_cast<int>(out_.queued())), not_set);
    if (state_ == state::open) close(std::move(why));
    write();
}

} // namespace MATO_ABI
} // namespace mato
