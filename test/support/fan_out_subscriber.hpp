// SPDX-License-Identifier: MIT
/// @file fan_out_subscriber.hpp: one subscriber of a fan_out_model: a fake socket, its client, and the rules of its stream.
///
/// It reads its byte stream like a client, and knows only from its policy what may come next: no frame twice, none out of
/// order, none lost without an exact gap, none incomplete, and replies where they were queued.
#pragma once

#include <mato/fan_out.hpp>

#include "published_frames.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace support {

/// The rule that a schedule broke.
struct broken_rule {
    const char* rule;
    int line;
};
#define MODEL_REQUIRE(fact)                                                                                                    \
    do {                                                                                                                       \
        if (!(fact)) throw ::support::broken_rule{#fact, __LINE__};                                                            \
    } while (false)

struct fan_out_subscriber {
    using framing = mato::length_prefixed<std::uint16_t, 4000>;
    static constexpr std::size_t hard = 600, soft = 200; // of `disconnect`, bytes
    static constexpr mato::milliseconds grace{100};
    static inline mato::clock::time_point now{}; // the fake clock of all

    fan_out_subscriber(const published_frames& published, const mato::frame_ring& ring, mato::any_overflow policy)
        : published_(published), ring_(ring), policy_(policy) {}

    // -- as fan_out sees it
    mato::outbox& box() noexcept { return box_; }
    void flush() {
        if (!is_stalled_) write();
    }
    void write();
    void fall_behind(mato::failure why, std::optional<std::string> last_payload);
    void cut_off(mato::failure why);

    // -- the client
    void receive(std::string_view bytes);
    void on_frame(std::string_view payload);
    void skip(std::uint64_t to);
    void may_end(const mato::failure& why);
    [[nodiscard]] std::size_t queued() const noexcept { // as counted by its policy
        return box_.own() + static_cast<std::size_t>(ring_.end() - box_.stream()->position());
    }
    void note_soft_limit();

    const published_frames& published_;
    const mato::frame_ring& ring_;
    mato::any_overflow policy_;
    mato::outbox box_;
    std::size_t room_ = 0; // of its fake socket, bytes
    bool is_stalled_ = false, writes_ = false;
    bool fell_behind_ = false, is_cut_off_ = false, leaves_ = false, left_ = false, may_resync_ = false, may_gap_ = false;

    mato::frame_decoder<framing> decoder_;
    std::uint64_t expected_ = 1;   // the number of the next frame
    std::uint64_t last_frame_ = 0; // the newest received frame
    std::uint64_t until_ = 0;      // leaving: the last frame it may get
    std::uint64_t replies_sent_ = 0, replies_seen_ = 0, reply_place_ = 0;
    std::uint64_t delivered_ = 0, lost_ = 0, gaps_ = 0, snapshots_ = 0, superseded_ = 0;
    std::uint64_t first_ = 1;        // of its current subscription
    mato::delivery_counters before_; // of earlier subscriptions
    bool saw_last_words_ = false;
    bool is_fresh_ = false;                                               // joined since the last flush
    std::optional<mato::clock::time_point> over_soft_, known_to_be_over_; // at the earliest; at the latest
    std::size_t reply_bytes_ = 0, taken_bytes_ = 0;
    std::uint64_t joined_at_ = 0; // bytes of the stream before it
};

// ---- implementation ----

inline void fan_out_subscriber::write() {
    if (writes_ || is_cut_off_) return;
    writes_ = true;
    mato::gathered_write bytes;
    box_.gather(bytes);
    writes_ = false;
    if (is_cut_off_ || bytes.count == 0) return;
    MODEL_REQUIRE(bytes.count <= mato::gathered_write::most_buffers);
    std::size_t left = std::min(room_, bytes.bytes), sum = 0;
    for (std::size_t i = 0; i < bytes.count; ++i) sum += bytes.buffers[i].iov_len;
    MODEL_REQUIRE(sum == bytes.bytes);
    const std::size_t taken = left;
    std::string flat;
    for (std::size_t i = 0; i < bytes.count && left > 0; ++i) {
        const std::size_t size = std::min(left, bytes.buffers[i].iov_len);
        flat.append(static_cast<const char*>(bytes.buffers[i].iov_base), size);
        left -= size;
    }
    room_ -= taken;
    taken_bytes_ += taken;
    if (taken < bytes.bytes) {
        is_stalled_ = true;
        if (mato::feed* const stream = box_.stream()) stream->on_stalled();
    }
    receive(flat);
    if (taken > 0) box_.wrote(bytes, taken);
    if (!box_.stream() || queued() <= soft) { // the timer of the soft limit is reset
        over_soft_.reset();
        known_to_be_over_.reset();
    }
}

inline void fan_out_subscriber::note_soft_limit() {
    if (!over_soft_ && box_.stream() && queued() > soft) over_soft_ = now;
}

inline void fan_out_subscriber::fall_behind(mato::failure why, std::optional<std::string> last_payload) {
    may_end(why);
    MODEL_REQUIRE(!fell_behind_);
    fell_behind_ = true;
    box_.drop_waiting();
    MODEL_REQUIRE(last_payload.has_value());
    box_.push([&](std::string& to) { framing::append(to, *last_payload, why); });
}

inline void fan_out_subscriber::cut_off(mato::failure why) {
    MODEL_REQUIRE(why.code == mato::errc::slow_consumer);
    is_cut_off_ = true;
    box_.abandon();
}

/// Only a subscriber that must not lose frames and was too slow, or whose own replies exceed the limit.
inline void fan_out_subscriber::may_end(const mato::failure& why) {
    MODEL_REQUIRE(why.code == mato::errc::slow_consumer);
    const bool overtaken = box_.stream()->position() < ring_.begin();
    const bool is_over = queued() > soft && over_soft_ && now - *over_soft_ >= grace;
    switch (policy_.kind()) {
    case mato::overflow_kind::disconnect: MODEL_REQUIRE(overtaken || queued() > hard || is_over); break;
    case mato::overflow_kind::block_producer: MODEL_REQUIRE(overtaken || box_.replies() > policy_.limit()); break;
    default: MODEL_REQUIRE(box_.replies() > policy_.limit());
    }
}

inline void fan_out_subscriber::receive(std::string_view bytes) {
    const auto to = decoder_.prepare(bytes.size());
    bytes.copy(to.data(), bytes.size());
    decoder_.commit(bytes.size());
    mato::failure why;
    while (const auto payload = decoder_.next(why)) on_frame(*payload);
    MODEL_REQUIRE(!why);
}

/// Only frames replaced by a newer one of their key are left out.
inline void fan_out_subscriber::skip(std::uint64_t to) {
    for (; expected_ < to; ++expected_, ++superseded_) {
        MODEL_REQUIRE(policy_.kind() == mato::overflow_kind::conflate);
        const auto& key = published_[expected_].key;
        MODEL_REQUIRE(key && published_.newest_of_key[*key] > expected_);
    }
}

inline void fan_out_subscriber::on_frame(std::string_view payload) {
    MODEL_REQUIRE(!payload.empty());
    MODEL_REQUIRE(!saw_last_words_);
    if (payload[0] == 'W') {
        MODEL_REQUIRE(fell_behind_);
        saw_last_words_ = true;
        return;
    }
    MODEL_REQUIRE(payload.size() >= 17);
    std::uint64_t first = 0, last = 0;
    std::memcpy(&first, payload.data() + 1, 8);
    std::memcpy(&last, payload.data() + 9, 8);
    const auto kind = policy_.kind();
    switch (payload[0]) {
    case 'F':
        MODEL_REQUIRE(first <= published_.newest());
        MODEL_REQUIRE(payload == published_.payload_of(first));
        MODEL_REQUIRE(first >= expected_);
        skip(first);
        MODEL_REQUIRE(first > reply_place_); // frames published before a reply do not come after it
        last_frame_ = first;
        expected_ = first + 1;
        ++delivered_;
        break;
    case 'G':
        skip(first);
        MODEL_REQUIRE(first == expected_ && last >= first && last <= published_.newest());
        MODEL_REQUIRE(kind != mato::overflow_kind::disconnect && kind != mato::overflow_kind::block_producer);
        MODEL_REQUIRE(kind != mato::overflow_kind::resync || leaves_);
        expected_ = last + 1;
        lost_ += last - first + 1;
        ++gaps_;
        break;
    case 'S':
        MODEL_REQUIRE(may_resync_);
        MODEL_REQUIRE(first + 1 >= expected_);
        superseded_ += first + 1 - expected_;
        expected_ = first + 1;
        ++snapshots_;
        break;
    case 'R':
        MODEL_REQUIRE(first == replies_seen_ + 1);
        MODEL_REQUIRE(last_frame_ <= last); // frames published after it do not come before it
        replies_seen_ = first;
        reply_place_ = last;
        break;
    default: MODEL_REQUIRE(false);
    }
    if (leaves_ && payload[0] == 'F') MODEL_REQUIRE(first <= until_);
}

} // namespace support
