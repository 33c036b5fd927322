// SPDX-License-Identifier: MIT
/// @file outbox.hpp: what one peer is still to be sent: frames of its own, and a place in a stream that many share.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// Use: `gather` a write, give it to the kernel, say with `wrote` how much it took; nothing else in between. Own frames and the
/// stream's leave in the order they were queued, whole frames always: what was begun is finished before anything else.
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

/// The buffers of one write, and what of the outbox each stands for. It has messages, so that one system call may give the
/// kernel more than what it takes whole or not at all.
struct gathered_write {
    /// Buffers of a write: IOV_MAX is 1024, but beyond a few dozen the kernel's work for each is all that counts.
    static constexpr std::size_t most_buffers = 64;
    /// Bytes of a message. Linux takes up to 35.6 KiB of a Unix socket's write whole or not at all (one buffer of
    /// unix_stream_sendmsg: 32 KiB of pages and a head; seen on 6.18), so a message of whole frames leaves none half sent.
    static constexpr std::size_t message_bytes = 35_KiB;
    /// Where sendmmsg(2) takes several at once: together they fill an empty buffer (208 KiB by default) by two thirds.
    static constexpr std::size_t most_messages = MATO_HAS_SENDMMSG ? 4 : 1;
    static constexpr std::size_t most_bytes = most_messages * message_bytes;
    static constexpr std::uint64_t own = ~std::uint64_t{0}; ///< in `place`: not of the stream

    iovec buffers[most_buffers];       // NOLINT: filled up to `count`, 1.5 KiB that need no clearing
    std::uint64_t place[most_buffers]; // NOLINT: where in the stream each begins
    std::size_t ends[most_messages];   // NOLINT: of the messages before the last, the buffer behind it
    std::size_t count = 0, bytes = 0;
    std::size_t messages = 1;
    std::size_t limit = message_bytes; ///< of `bytes`, for the last message; one frame may be longer

    /// No buffer fits that message; a ring has two ends.
    [[nodiscard]] bool is_full() const noexcept { return count + 2 > most_buffers || bytes >= limit; }
    /// What follows is another message's. @returns false when there is none.
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

/// A place in a shared stream, as the outbox of the peer that reads it sees it. broadcast.hpp has the one there is.
class feed {
public:
    /// Before each write: makes room as the overflow policy says. May put frames into the outbox, and may end the peer.
    virtual void prepare() = 0;
    [[nodiscard]] virtual std::uint64_t position() const noexcept = 0; ///< the next byte to send
    [[nodiscard]] virtual std::uint64_t end() const noexcept = 0;      ///< behind the last byte to send
    /// Bytes between, of those there still are; at least 1 while `prepare` has something to put into the outbox.
    [[nodiscard]] virtual std::size_t pending() const noexcept = 0;
    /// Adds what lies between, as far as the write has room. @returns where it stopped; `until` when nothing more is there.
    virtual std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept = 0;
    /// Bytes of the stream were taken, from a place that `gather` gave.
    virtual void advance(std::uint64_t from, std::size_t size) noexcept = 0;
    virtual void on_drained(std::size_t queued) = 0; ///< all queued bytes, the peer's own as well
    virtual void on_own_queued() = 0;                ///< the peer's own frames became more; may end the peer
    virtual void on_stalled() noexcept = 0;          ///< its kernel buffer is full
    virtual void on_writable() noexcept = 0;
    [[nodiscard]] virtual bool is_finished() const noexcept = 0;   ///< it gets nothing more: let go of it
    [[nodiscard]] virtual bool is_leaving() const noexcept = 0;    ///< no_more was said
    virtual void no_more() = 0;                                    ///< frames published from now on are not for this peer
    virtual void keep_begun() = 0;                                 ///< puts the rest of a begun frame into the outbox
    virtual void cut_short(const failure&) {}                      ///< ends the peer, and tells it what it does not get
    virtual void left() noexcept = 0;                              ///< the outbox let go of it; the last call
    [[nodiscard]] virtual const void* source() const noexcept = 0; ///< tells streams apart

protected:
    ~feed() = default;
};

class outbox {
public:
    outbox() = default;
    outbox(const outbox&) = delete;
    outbox& operator=(const outbox&) = delete;
    ~outbox() { abandon(); }

    /// Calls `append(std::string&)`, which appends whole frames or, reporting its failure itself, nothing.
    /// @returns the bytes appended.
    template <class Append> std::size_t push(Append append);
    void push(shared_frame frame);

    /// Follows a stream from now on; the one before is left.
    void follow(std::shared_ptr<feed> stream);
    /// Lets go of the stream at once; a frame of it that was begun is finished from a copy.
    void leave();
    /// The stream goes no further than this: what is published from now on is not for this peer.
    void no_more();
    void abandon() noexcept; ///< lets go of everything: nothing is sent any more
    [[nodiscard]] feed* stream() const noexcept { return feed_.get(); }
    [[nodiscard]] bool is_begun() const noexcept { return taken_ > 0; } ///< a frame that is not the stream's was sent in part

    /// What to write next. @effects feed::prepare.
    void gather(gathered_write& write);
    void wrote(const gathered_write& write, std::size_t size);

    /// Forgets all that is not begun, so that what is pushed next comes next.
    void drop_waiting();

    [[nodiscard]] std::size_t queued() const noexcept { return own_ + (feed_ ? feed_->pending() : 0); }
    [[nodiscard]] std::size_t own() const noexcept { return own_; }         ///< of these, what is not the stream's
    [[nodiscard]] std::size_t replies() const noexcept { return replies_; } ///< of these, what `push` put there

    /// For the stream: before what was queued after `place`, behind the rest.
    void insert(shared_frame frame, std::uint64_t place, std::size_t skip = 0);

private:
    struct chunk {
        std::string own;         // frames of this peer alone, joined
        shared_frame shared;     // or one that others send too
        std::uint64_t after = 0; // where in the stream it was queued
        bool is_reply = true;
        [[nodiscard]] std::string_view bytes() const noexcept { return shared ? std::string_view(*shared) : own; }
    };
    static constexpr std::size_t join_bytes = 16_KiB; // own frames join one chunk up to this size

    [[nodiscard]] std::uint64_t here() const noexcept { return feed_ ? feed_->end() : 0; }
    [[nodiscard]] bool is_empty() const noexcept { return first_ == chunks_.size(); }
    void pop() noexcept;

    std::vector<chunk> chunks_; // from first_ on
    std::size_t first_ = 0;
    std::size_t taken_ = 0; // bytes of the first chunk
    std::size_t own_ = 0, replies_ = 0;
    std::shared_ptr<feed> feed_;
};

// ---- implementation ----

template <class Append> std::size_t outbox::push(Append append) {
    const std::uint64_t place = here();
    const bool joins = !is_empty() && chunks_.back().is_reply && !chunks_.back().shared && chunks_.back().after == place &&
                       chunks_.back().own.size() < join_bytes;
    if (!joins) chunks_.push_back({{}, {}, place, true});
    std::string& bytes = chunks_.back().own;
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
        taken_ = skip; // the rest of a begun frame: nothing own is begun, it comes first
    own_ += frame->size() - skip;
    chunks_.insert(at, {{}, std::move(frame), place, false});
}

inline void outbox::follow(std::shared_ptr<feed> stream) {
    leave();
    feed_ = std::move(stream);
}

inline void outbox::leave() {
    if (!feed_) return;
    feed_->keep_begun();
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
    if (const auto held = feed_) held->prepare(); // which may leave it
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
        if (feed_ && chunks_[first_].after > feed_->position()) // what lay before it was skipped, and stays so
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
    } else if (first_ >= 32 && first_ * 2 >= chunks_.size()) { // so that a queue that never empties does not grow
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
