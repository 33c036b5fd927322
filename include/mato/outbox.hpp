// SPDX-License-Identifier: MIT
/// @file outbox.hpp: the send queue of one peer: its own frames, and a position in a shared stream.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// Use: `gather` a write, pass it to the kernel, report with `wrote` how much it accepted; no other call in between. Own frames
/// and frames of the stream are sent in the order they were queued. A partially sent frame is completed before anything else.
#pragma once

#include "framing.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// A frame encoded once and shared by every connection that sends it.
using shared_frame = std::shared_ptr<const std::string>;

/// The buffers of one write, and the part of the outbox that each refers to. They are grouped into messages, so that one system
/// call can send more than one message that the kernel accepts completely or not at all.
///
/// `outbox::gather` fills it.
///
/// @threads a value.
/// @blocks never.
struct gathered_write {
    /// Buffers of a write. IOV_MAX is 1024, but above a few dozen the kernel's cost per buffer dominates.
    static constexpr std::size_t most_buffers = 64;
    /// Bytes of a message. Linux accepts a write of up to 35.6 KiB to a Unix socket completely or not at all (one buffer of
    /// unix_stream_sendmsg: 32 KiB of pages and a head; measured on 6.18), so a message of complete frames sends no frame
    /// partially.
    static constexpr std::size_t message_bytes = 35_KiB;
    /// Messages of one sendmmsg(2): together they fill two thirds of an empty socket buffer (208 KiB by default).
    static constexpr std::size_t most_messages = MATO_HAS_SENDMMSG ? 4 : 1;
    static constexpr std::size_t most_bytes = most_messages * message_bytes;
    static constexpr std::uint64_t own = ~std::uint64_t{0}; ///< in `place`: not from the stream

    iovec buffers[most_buffers];       // NOLINT: valid up to `count`; not cleared, because that would cost 1.5 KiB of writes
    std::uint64_t place[most_buffers]; // NOLINT: the stream position where each buffer begins
    std::size_t ends[most_messages];   // NOLINT: for each message but the last, the index after its last buffer
    std::size_t count = 0, bytes = 0;
    std::size_t messages = 1;
    std::size_t limit = message_bytes; ///< limit of `bytes` for the last message; a single frame may be longer

    /// The message has no room for another frame, which needs two buffers where the ring wraps.
    [[nodiscard]] bool is_full() const noexcept { return count + 2 > most_buffers || bytes >= limit; }
    /// Begins another message. @returns false if there is none left.
    [[nodiscard]] bool next_message() noexcept {
        const std::size_t begin = messages == 1 ? 0 : ends[messages - 2];
        if (messages == most_messages || count == begin || count + 2 > most_buffers) return false;
        ends[messages++ - 1] = count;
        limit = bytes + message_bytes;
        return true;
    }
    void add(std::string_view view, std::uint64_t at) noexcept {
        if (view.empty()) return;
        buffers[count] = {const_cast<char*>(view.data()), view.size()}; // iovec is shared with readv
        place[count++] = at;
        bytes += view.size();
    }
};

class outbox;

/// A position in a shared stream, as used by the outbox of one reader. `basic_subscriber` implements it.
///
/// Calls may close the peer, which leaves the stream.
///
/// @threads one thread.
/// @blocks never.
class feed {
public:
    /// Called before each write: makes room according to the overflow policy. May insert frames into the outbox, and may close
    /// the peer.
    virtual void prepare() = 0;
    [[nodiscard]] virtual std::uint64_t position() const noexcept = 0; ///< the next byte to send
    [[nodiscard]] virtual std::uint64_t end() const noexcept = 0;      ///< after the last byte to send
    /// Bytes between the two that are still in the ring; at least 1 while `prepare` has something to insert into the outbox.
    [[nodiscard]] virtual std::size_t pending() const noexcept = 0;
    /// Adds bytes from `from` to `until`, as far as the write has room. @returns where it stopped; `until` if nothing is left.
    virtual std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept = 0;
    /// The kernel accepted `size` bytes of the stream, from a position that `gather` returned.
    virtual void advance(std::uint64_t from, std::size_t size) noexcept = 0;
    virtual void on_drained(std::size_t queued) = 0; ///< `queued`: all queued bytes, including the peer's own
    virtual void on_own_queued() = 0;                ///< an own frame of the peer was queued; may close the peer
    virtual void on_stalled() noexcept = 0;          ///< the peer's kernel buffer is full
    virtual void on_writable() noexcept = 0;
    [[nodiscard]] virtual bool is_finished() const noexcept = 0; ///< it has nothing more to send: leave the stream
    [[nodiscard]] virtual bool is_leaving() const noexcept = 0;  ///< `no_more` was called
    virtual void no_more() = 0;                                  ///< frames published from now on are not sent to this peer
    virtual void keep_partial() = 0;                             ///< inserts the rest of a partially sent frame into the outbox
    virtual void cut_short(const failure&) {}                    ///< closes the peer, and reports to it which frames it lost
    virtual void left() noexcept = 0;                            ///< the outbox left the stream; the last call
    [[nodiscard]] virtual const void* source() const noexcept = 0; ///< identifies the stream

protected:
    ~feed() = default;
};

/// The send queue of one connection: its own frames, merged with the frames of a followed stream. Used by `basic_connection`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class outbox {
public:
    outbox() = default;
    outbox(const outbox&) = delete;
    outbox& operator=(const outbox&) = delete;
    ~outbox() { abandon(); }

    /// Calls `append(std::string&)`, which appends complete frames, or nothing after an error that it reports itself.
    /// @returns the bytes appended.
    template <class Append> std::size_t push(Append append);
    void push(shared_frame frame);

    /// Follows a stream from now on, and leaves the former one.
    void follow(std::shared_ptr<feed> stream);
    /// Leaves the stream immediately; a partially sent frame is completed from a copy.
    void leave();
    /// Ends the stream here for this peer: frames published from now on are not sent to it.
    void no_more();
    void abandon() noexcept; ///< drops everything: nothing is sent any more
    [[nodiscard]] feed* stream() const noexcept { return feed_.get(); }
    [[nodiscard]] bool is_mid_frame() const noexcept { return taken_ > 0; } ///< inside a frame that is not from the stream

    /// Collects the next write. @effects calls feed::prepare.
    void gather(gathered_write& write);
    void wrote(const gathered_write& write, std::size_t size);

    /// Drops everything except a partially sent frame, so that the next pushed frame is sent next.
    void drop_waiting();

    [[nodiscard]] std::size_t queued() const noexcept { return own_ + (feed_ ? feed_->pending() : 0); }
    [[nodiscard]] std::size_t own() const noexcept { return own_; }         ///< of these, bytes that are not from the stream
    [[nodiscard]] std::size_t replies() const noexcept { return replies_; } ///< of these, bytes added by `push`

    /// For the stream: inserts ahead of everything queued after stream position `place`.
    void insert(shared_frame frame, std::uint64_t place, std::size_t skip = 0);

private:
    struct chunk {
        std::string own;         // joined frames of this peer
        shared_frame shared;     // or one frame shared with other peers
        std::uint64_t after = 0; // the stream position at which it was queued
        bool is_reply = true;
        [[nodiscard]] std::string_view bytes() const noexcept { return shared ? std::string_view(*shared) : own; }
    };
    static constexpr std::size_t join_bytes = 16_KiB; // own frames join one chunk up to this size

    [[nodiscard]] std::uint64_t here() const noexcept { return feed_ ? feed_->end() : 0; }
    [[nodiscard]] bool is_empty() const noexcept { return first_ == chunks_.size(); }
    void pop() noexcept;

    std::vector<chunk> chunks_; // valid from first_ on
    std::size_t first_ = 0;
    std::size_t taken_ = 0; // sent bytes of the first chunk
    std::size_t own_ = 0, replies_ = 0;
    std::shared_ptr<feed> feed_;
};

// ---- implementation ----

template <class Append> std::size_t outbox::push(Append append) {
    const std::uint64_t place = here();
    const bool joins = !is_empty() && chunks_.back().is_reply && !chunks_.back().shared && chunks_.back().after == place &&
                       chunks_.back().own.size() < join_bytes;
    const bool follows_full = !joins && !is_empty() && chunks_.back().own.size() >= join_bytes;
    if (!joins) chunks_.push_back({{}, {}, place, true});
    std::string& bytes = chunks_.back().own;
    if (follows_full) bytes.reserve(join_bytes + join_bytes / 8); // it will be full too: it need not grow in steps
    const std::size_t before = bytes.size();
    append(bytes);
    const std::size_t size = bytes.size() - before;
    if (size == 0 && !joins) chunks_.pop_back();
    own_ += size;
    replies_ += size;
    if (const auto held = feed_; size > 0 && held) held->on_own_queued();
    return size;
}

inline void outbox::push(shared_frame frame) {
    const std::size_t size = frame->size();
    chunks_.push_back({{}, std::move(frame), here(), true});
    own_ += size;
    replies_ += size;
    if (const auto held = feed_) held->on_own_queued();
}

inline void outbox::insert(shared_frame frame, std::uint64_t place, std::size_t skip) {
    auto at = chunks_.begin() + static_cast<std::ptrdiff_t>(first_);
    if (skip == 0)
        while (at != chunks_.end() && at->after <= place) ++at;
    else
        taken_ = skip; // the rest of a partially sent frame comes first; no own frame is partially sent then
    own_ += frame->size() - skip;
    chunks_.insert(at, {{}, std::move(frame), place, false});
}

inline void outbox::follow(std::shared_ptr<feed> stream) {
    leave();
    feed_ = std::move(stream);
}

inline void outbox::leave() {
    if (!feed_) return;
    feed_->keep_partial();
    for (std::size_t i = first_; i < chunks_.size(); ++i) chunks_[i].after = 0;
    std::exchange(feed_, {})->left();
}

inline void outbox::no_more() {
    if (const auto held = feed_) held->no_more();
    if (feed_ && feed_->is_finished()) leave();
}

inline void outbox::abandon() noexcept {
    chunks_.clear();
    first_ = taken_ = own_ = replies_ = 0;
    if (const auto gone = std::exchange(feed_, {})) gone->left();
}

inline void outbox::gather(gathered_write& write) {
    if (const auto held = feed_) held->prepare(); // may leave the stream
    if (feed_ && feed_->is_finished()) leave();
    std::uint64_t place = feed_ ? feed_->position() : 0;
    const auto is_full = [&write] { return write.is_full() && !write.next_message(); };
    for (std::size_t i = first_; i < chunks_.size() && !is_full(); ++i) {
        const chunk& next = chunks_[i];
        if (next.after > place) {
            place = feed_->gather(write, place, next.after);
            if (place < next.after || is_full()) return; // more of the stream comes first
        }
        write.add(next.bytes().substr(i == first_ ? taken_ : 0), gathered_write::own);
    }
    if (feed_ && !is_full()) feed_->gather(write, place, feed_->end());
}

inline void outbox::wrote(const gathered_write& write, std::size_t size) {
    for (std::size_t i = 0; i < write.count && size > 0; ++i) {
        const std::size_t taken = size < write.buffers[i].iov_len ? size : write.buffers[i].iov_len;
        size -= taken;
        if (write.place[i] != gathered_write::own) {
            feed_->advance(write.place[i], taken);
            continue;
        }
        if (feed_ && chunks_[first_].after > feed_->position()) // stream frames before it were skipped
            feed_->advance(chunks_[first_].after, 0);
        own_ -= taken;
        if (chunks_[first_].is_reply) replies_ -= taken;
        taken_ += taken;
        if (taken_ == chunks_[first_].bytes().size()) pop();
    }
    if (const auto held = feed_) held->on_drained(queued());
    if (feed_ && feed_->is_finished()) leave();
}

inline void outbox::pop() noexcept {
    taken_ = 0;
    chunks_[first_] = {}; // frees its bytes
    if (++first_ == chunks_.size()) {
        chunks_.clear();
        first_ = 0;
    } else if (first_ >= 32 && first_ * 2 >= chunks_.size()) { // bounds a queue that is never empty
        chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

inline void outbox::drop_waiting() {
    leave();
    const std::size_t keep = first_ + (taken_ > 0 ? 1 : 0);
    while (chunks_.size() > keep) {
        own_ -= chunks_.back().bytes().size();
        if (chunks_.back().is_reply) replies_ -= chunks_.back().bytes().size();
        chunks_.pop_back();
    }
    if (is_empty()) {
        chunks_.clear();
        first_ = 0;
    }
}

} // namespace MATO_ABI
} // namespace mato
