// SPDX-License-Identifier: MIT
/// @file outbox.hpp: the send queue of one peer: its own frames, and a position in each shared stream that it follows.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// Use: `gather` a write, pass it to the kernel, report with `wrote` how much it accepted; no other call in between. Own frames
/// and frames of a stream are sent in the order they were queued; frames of different streams have no order among each other,
/// and streams take turns when not all fits into a write. A partially sent frame is completed before anything else.
#pragma once

#include "framing.hpp"
#include "unique_fd.hpp"

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
    static constexpr std::uint64_t own = ~std::uint64_t{0}; ///< in `place`: not from a stream

    iovec buffers[most_buffers];        // NOLINT: valid up to `count`; not cleared, because that would cost 1.5 KiB of writes
    std::uint64_t place[most_buffers];  // NOLINT: the stream position where each buffer begins
    unsigned char stream[most_buffers]; // NOLINT: which of the streams that the outbox follows
    std::size_t ends[most_messages];    // NOLINT: for each message but the last, the index after its last buffer
    unsigned char adds_from = 0;        // the stream of the buffers that are added
    std::size_t count = 0, bytes = 0;
    std::size_t messages = 1;          ///< 0: one message, which passes the descriptors of outbox::passed
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
        stream[count] = adds_from;
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
    /// Where the frame ends that was sent partially; 0: none was.
    [[nodiscard]] virtual std::uint64_t partial_until() const noexcept = 0;
    /// Bytes between the two that are still in the ring; at least 1 while `prepare` has something to insert into the outbox.
    [[nodiscard]] virtual std::size_t pending() const noexcept = 0;
    /// Adds bytes from `from` to `until`, as far as the write has room. @returns where it stopped; `until` if nothing is left.
    virtual std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept = 0;
    /// The kernel accepted `size` bytes of the stream, from a position that `gather` returned.
    virtual void advance(std::uint64_t from, std::size_t size) noexcept = 0;
    virtual void on_drained(std::size_t queued) = 0; ///< `queued`: its queued bytes and the peer's replies
    virtual void on_own_queued() = 0;                ///< an own frame of the peer was queued; may close the peer
    virtual void on_stalled() noexcept = 0;          ///< the peer's kernel buffer is full
    virtual void on_writable() noexcept = 0;
    [[nodiscard]] virtual bool is_finished() const noexcept = 0; ///< it has nothing more to send: leave the stream
    [[nodiscard]] virtual bool is_leaving() const noexcept = 0;  ///< `no_more` was called
    virtual void no_more() = 0;                                  ///< frames published from now on are not sent to this peer
    virtual void keep_partial() = 0;                             ///< inserts the rest of a partially sent frame into the outbox
    /// The peer will be closed and does not get the rest. @returns whether it loses frames; `words` gets what to tell about it.
    virtual bool cut_short(const failure&, std::vector<std::string>&) { return false; }
    virtual void left() noexcept = 0;                              ///< the outbox left the stream; the last call
    [[nodiscard]] virtual const void* source() const noexcept = 0; ///< identifies the stream

protected:
    ~feed() = default;
};

/// The send queue of one connection: its own frames, merged with the frames of the streams that it follows. Used by
/// `basic_connection`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class outbox {
public:
    static constexpr std::size_t most_streams = 64; ///< at the same time

    outbox() = default;
    outbox(const outbox&) = delete;
    outbox& operator=(const outbox&) = delete;
    ~outbox() { abandon(); }

    /// Calls `append(std::string&)`, which appends complete frames, or nothing after an error that it reports itself.
    /// @returns the bytes appended.
    template <class Append> std::size_t push(Append append);
    void push(shared_frame frame);
    /// As the first, for one frame that passes descriptors with its first byte. It is a message of its own.
    template <class Append> std::size_t push_with(std::vector<unique_fd> passed, Append append);
    /// The descriptors of a write that has `messages` 0.
    [[nodiscard]] const std::vector<unique_fd>& passed() const noexcept { return *chunks_[first_].passed; }
    /// The number of descriptors that are not sent yet.
    [[nodiscard]] std::size_t unsent_descriptors() const noexcept {
        std::size_t sum = 0;
        for (std::size_t i = first_; i < chunks_.size(); ++i) sum += chunks_[i].passed ? chunks_[i].passed->size() : 0;
        return sum;
    }

    /// Makes `follow` possible, which then cannot fail. @returns false at `most_streams`.
    [[nodiscard]] bool make_place();
    /// Follows one more stream from now on. @pre make_place()
    void follow(std::shared_ptr<feed> stream) noexcept;
    /// Leaves a stream immediately; a partially sent frame is completed from a copy.
    void leave(const feed& stream);
    /// Ends a stream here for this peer: frames published from now on are not sent to it. Without argument: all streams.
    void no_more(const feed& stream);
    void no_more();
    void abandon() noexcept; ///< drops everything: nothing is sent any more

    /// The first stream that is followed; null: none is.
    [[nodiscard]] feed* stream() const noexcept {
        for (const followed& each : streams_)
            if (each.stream) return each.stream.get();
        return nullptr;
    }
    /// The stream of this source; null if it is not followed.
    [[nodiscard]] feed* stream_of(const void* source) const noexcept;
    /// Calls `each(feed&)`, which may change the streams: one that is added meanwhile may be left out.
    template <class Each> void each_stream(Each each);
    [[nodiscard]] bool is_mid_frame() const noexcept { return taken_ > 0; } ///< inside a frame that is not from a stream

    /// Collects the next write. @effects calls feed::prepare.
    void gather(gathered_write& write);
    void wrote(const gathered_write& write, std::size_t size);

    /// Leaves all streams, and drops everything except a partially sent frame, so that the next pushed frame is sent next.
    void drop_waiting();

    [[nodiscard]] std::size_t queued() const noexcept {
        std::size_t sum = own_;
        for (const followed& each : streams_) sum += each.stream ? each.stream->pending() : 0;
        return sum;
    }
    [[nodiscard]] std::size_t own() const noexcept { return own_; }         ///< of these, bytes that are not from a stream
    [[nodiscard]] std::size_t replies() const noexcept { return replies_; } ///< of these, bytes added by `push`

    /// For a stream: inserts ahead of everything queued after its position `place`.
    void insert(const feed& from, shared_frame frame, std::uint64_t place, std::size_t skip = 0);
    /// Bytes that this stream has inserted and that are not sent yet.
    [[nodiscard]] std::size_t inserted(const feed& by) const noexcept {
        if (streams_.size() == 1) [[likely]]
            return streams_[0].inserted; // of the only stream
        const std::size_t slot = slot_of(by);
        return slot < streams_.size() ? streams_[slot].inserted : 0;
    }
    /// Whether a frame that this stream has inserted is queued and not even partially sent.
    [[nodiscard]] bool has_unsent(const feed& by) const noexcept;

private:
    static constexpr unsigned char no_stream = 255, left_stream = 254; // in chunk::source

    struct followed {
        std::shared_ptr<feed> stream; // null: it has been left; the place will be used again
        std::size_t inserted = 0;
    };
    struct chunk {
        std::string own;         // joined frames of this peer
        shared_frame shared;     // or one frame shared with other peers
        std::uint64_t after = 0; // the position in the first stream at which it was queued
        std::vector<std::uint64_t> after_others{};
        unsigned char source = no_stream;                 // the stream that inserted it; no_stream: a reply
        std::unique_ptr<std::vector<unique_fd>> passed{}; // until its first byte is sent
        [[nodiscard]] std::string_view bytes() const noexcept { return shared ? std::string_view(*shared) : own; }
        [[nodiscard]] std::uint64_t& place(std::size_t stream) {
            if (stream == 0) return after;
            if (after_others.size() < stream) after_others.resize(stream);
            return after_others[stream - 1];
        }
        [[nodiscard]] std::uint64_t in(std::size_t stream) const noexcept {
            return stream == 0 ? after : stream <= after_others.size() ? after_others[stream - 1] : 0;
        }
    };
    static constexpr std::size_t join_bytes = 16_KiB; // own frames join one chunk up to this size

    [[nodiscard]] bool is_empty() const noexcept { return first_ == chunks_.size(); }
    [[nodiscard]] std::size_t slot_of(const feed& stream) const noexcept;
    [[nodiscard]] std::size_t free_slot() const noexcept {
        std::size_t slot = 0;
        while (slot < streams_.size() && streams_[slot].stream) ++slot;
        return slot;
    }
    [[nodiscard]] bool was_queued_here(const chunk& what) const noexcept;
    void add_here(chunk what);
    void tell_own_queued();
    void leave_at(std::size_t slot);
    void leave_finished();
    void sent(chunk& what, std::size_t bytes) noexcept;
    void pop() noexcept;

    std::vector<chunk> chunks_; // valid from first_ on
    std::size_t first_ = 0;
    std::size_t taken_ = 0; // sent bytes of the first chunk
    std::size_t own_ = 0, replies_ = 0;
    std::vector<followed> streams_; // a stream keeps its index while it is followed
    std::size_t turn_ = 0;          // the stream that is gathered first
};

// ---- implementation ----

template <class Append> std::size_t outbox::push(Append append) {
    const bool joins = !is_empty() && chunks_.back().source == no_stream && !chunks_.back().shared && !chunks_.back().passed &&
                       chunks_.back().own.size() < join_bytes && was_queued_here(chunks_.back());
    const bool follows_full = !joins && !is_empty() && chunks_.back().own.size() >= join_bytes;
    if (!joins) add_here({});
    std::string& bytes = chunks_.back().own;
    if (follows_full) bytes.reserve(join_bytes + join_bytes / 8); // it will be full too: it need not grow in steps
    const std::size_t before = bytes.size();
    append(bytes);
    const std::size_t size = bytes.size() - before;
    if (size == 0 && !joins) chunks_.pop_back();
    own_ += size;
    replies_ += size;
    if (size > 0) tell_own_queued();
    return size;
}

inline void outbox::push(shared_frame frame) {
    const std::size_t size = frame->size();
    chunk fresh;
    fresh.shared = std::move(frame);
    add_here(std::move(fresh));
    own_ += size;
    replies_ += size;
    tell_own_queued();
}

template <class Append> std::size_t outbox::push_with(std::vector<unique_fd> passed, Append append) {
    chunk fresh;
    append(fresh.own);
    const std::size_t size = fresh.own.size();
    if (size == 0) return 0;
    fresh.passed = std::make_unique<std::vector<unique_fd>>(std::move(passed));
    add_here(std::move(fresh));
    own_ += size;
    replies_ += size;
    tell_own_queued();
    return size;
}

inline void outbox::add_here(chunk what) {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream) what.place(slot) = streams_[slot].stream->end();
    chunks_.push_back(std::move(what));
}

inline bool outbox::was_queued_here(const chunk& what) const noexcept {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream && what.in(slot) != streams_[slot].stream->end()) return false;
    return true;
}

inline void outbox::tell_own_queued() {
    each_stream([](feed& stream) { stream.on_own_queued(); });
}

template <class Each> inline void outbox::each_stream(Each each) {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (const auto held = streams_[slot].stream) each(*held);
}

inline std::size_t outbox::slot_of(const feed& stream) const noexcept {
    std::size_t slot = 0;
    for (const followed& each : streams_) {
        if (each.stream.get() == &stream) break;
        ++slot;
    }
    return slot;
}

inline feed* outbox::stream_of(const void* source) const noexcept {
    for (const followed& each : streams_)
        if (each.stream && each.stream->source() == source) return each.stream.get();
    return nullptr;
}

inline bool outbox::has_unsent(const feed& by) const noexcept {
    const std::size_t bytes = inserted(by);
    if (bytes == 0 || taken_ == 0 || chunks_[first_].source != slot_of(by)) return bytes > 0;
    return bytes > chunks_[first_].bytes().size() - taken_;
}

inline void outbox::insert(const feed& from, shared_frame frame, std::uint64_t place, std::size_t skip) {
    const std::size_t slot = slot_of(from);
    auto at = chunks_.begin() + static_cast<std::ptrdiff_t>(first_);
    if (skip == 0)
        while (at != chunks_.end() && at->in(slot) <= place) ++at;
    const std::size_t size = frame->size() - skip;
    chunk fresh;
    fresh.shared = std::move(frame);
    fresh.place(slot) = place;
    fresh.source = static_cast<unsigned char>(slot);
    chunks_.insert(at, std::move(fresh));
    if (skip > 0) taken_ = skip; // the rest of a partially sent frame comes first; no own frame is partially sent then
    own_ += size;
    streams_[slot].inserted += size;
}

inline bool outbox::make_place() {
    if (free_slot() < streams_.size()) return true;
    if (streams_.size() == most_streams) return false;
    streams_.reserve(streams_.size() + 1);
    return true;
}

inline void outbox::follow(std::shared_ptr<feed> stream) noexcept {
    const std::size_t slot = free_slot();
    if (slot == streams_.size()) streams_.emplace_back();
    streams_[slot].stream = std::move(stream);
}

inline void outbox::leave(const feed& stream) {
    if (const std::size_t slot = slot_of(stream); slot < streams_.size()) leave_at(slot);
}

inline void outbox::leave_at(std::size_t slot) {
    streams_[slot].stream->keep_partial();
    for (std::size_t i = first_; i < chunks_.size(); ++i) {
        if (chunks_[i].in(slot) > 0) chunks_[i].place(slot) = 0;
        if (chunks_[i].source == slot) chunks_[i].source = left_stream;
    }
    const auto gone = std::exchange(streams_[slot], {}).stream;
    while (!streams_.empty() && !streams_.back().stream) streams_.pop_back();
    gone->left();
}

inline void outbox::leave_finished() {
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream && streams_[slot].stream->is_finished()) leave_at(slot);
}

inline void outbox::no_more(const feed& stream) {
    if (const std::size_t slot = slot_of(stream); slot < streams_.size())
        if (const auto held = streams_[slot].stream) held->no_more();
    leave_finished();
}

inline void outbox::no_more() {
    each_stream([](feed& stream) { stream.no_more(); });
    leave_finished();
}

inline void outbox::abandon() noexcept {
    chunks_.clear();
    first_ = taken_ = own_ = replies_ = turn_ = 0;
    for (const auto gone = std::exchange(streams_, {}); const followed& each : gone)
        if (each.stream) each.stream->left();
}

inline void outbox::gather(gathered_write& write) {
    each_stream([](feed& stream) { stream.prepare(); }); // may leave it
    leave_finished();
    const std::size_t count = streams_.size();
    if (count == 1 && is_empty()) [[likely]] {
        write.adds_from = 0;
        streams_[0].stream->gather(write, streams_[0].stream->position(), streams_[0].stream->end());
        return;
    }
    std::uint64_t places[most_streams]; // NOLINT: valid up to `count`
    for (std::size_t slot = 0; slot < count; ++slot)
        places[slot] = streams_[slot].stream ? streams_[slot].stream->position() : 0;
    const auto is_full = [&write] { return write.is_full() && !write.next_message(); };
    const auto gather_until = [&](std::size_t slot, std::uint64_t until) { // returns whether all of it was gathered
        write.adds_from = static_cast<unsigned char>(slot);
        places[slot] = streams_[slot].stream->gather(write, places[slot], until);
        return places[slot] >= until;
    };
    if (taken_ == 0 && (count > 1 || !is_empty())) // a partially sent frame of a stream comes first
        for (std::size_t slot = 0; slot < count; ++slot)
            if (const auto until = streams_[slot].stream ? streams_[slot].stream->partial_until() : 0; until > 0)
                if (!gather_until(slot, until)) return;
    for (std::size_t i = first_; i < chunks_.size() && !is_full(); ++i) {
        const chunk& next = chunks_[i];
        for (std::size_t slot = 0; slot < count; ++slot)
            if (next.in(slot) > places[slot] && (!gather_until(slot, next.in(slot)) || is_full())) return; // more comes first
        if (next.passed && write.count > 0) return; // it begins the next write
        write.add(next.bytes().substr(i == first_ ? taken_ : 0), gathered_write::own);
        if (next.passed) return static_cast<void>(write.messages = 0);
    }
    if (turn_ >= count) turn_ = 0;
    for (std::size_t i = 0, slot = turn_; i < count; ++i, slot = slot + 1 < count ? slot + 1 : 0) {
        const std::uint64_t end = streams_[slot].stream ? streams_[slot].stream->end() : 0;
        if (places[slot] >= end) continue;
        if (is_full()) return;
        gather_until(slot, end);
    }
}

inline void outbox::wrote(const gathered_write& write, std::size_t size) {
    bool is_first = true; // the stream that begins this write does not begin the next one
    for (std::size_t i = 0; i < write.count && size > 0; ++i) {
        const std::size_t taken = size < write.buffers[i].iov_len ? size : write.buffers[i].iov_len;
        size -= taken;
        if (write.place[i] != gathered_write::own) {
            streams_[write.stream[i]].stream->advance(write.place[i], taken);
            if (std::exchange(is_first, false)) turn_ = write.stream[i] + std::size_t{1};
            continue;
        }
        chunk& front = chunks_[first_];
        for (std::size_t slot = 0; slot < streams_.size(); ++slot)
            if (const std::uint64_t place = front.in(slot); place > 0 && place > streams_[slot].stream->position())
                streams_[slot].stream->advance(place, 0); // frames of the stream before it were skipped
        sent(front, taken);
        front.passed.reset();
        taken_ += taken;
        if (taken_ == front.bytes().size()) pop();
    }
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (const auto held = streams_[slot].stream) held->on_drained(replies_ + streams_[slot].inserted + held->pending());
    leave_finished();
}

inline void outbox::sent(chunk& what, std::size_t bytes) noexcept {
    own_ -= bytes;
    if (what.source == no_stream)
        replies_ -= bytes;
    else if (what.source != left_stream)
        streams_[what.source].inserted -= bytes;
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
    for (std::size_t slot = 0; slot < streams_.size(); ++slot)
        if (streams_[slot].stream) leave_at(slot);
    const std::size_t keep = first_ + (taken_ > 0 ? 1 : 0);
    while (chunks_.size() > keep) {
        sent(chunks_.back(), chunks_.back().bytes().size());
        chunks_.pop_back();
    }
    if (is_empty()) {
        chunks_.clear();
        first_ = 0;
    }
}

} // namespace MATO_ABI
} // namespace mato
