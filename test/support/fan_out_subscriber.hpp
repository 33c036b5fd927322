// SPDX-License-Identifier: MIT
/// @file fan_out_subscriber.hpp: one subscriber of a fan_out_model: a fake socket, its client, and the rules of its streams.
///
/// It reads its byte stream like a client, and knows only from its policies and filters what may come next: no frame twice,
/// none out of order within its stream, none lost without an exact gap, none that its filter refuses, none incomplete, and
/// replies where they were queued.
#pragma once

#include <mato/fan_out.hpp>

#include "published_frames.hpp"

#include <algorithm>
#include <array>
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

static constexpr std::size_t model_streams = 2;

/// What a subscriber knows about one of its streams.
struct fan_out_subscription {
    static constexpr std::size_t hard = 600, soft = 200; // of `disconnect`, bytes
    static constexpr mato::milliseconds grace{100};

    const published_frames* published_ = nullptr;
    const mato::frame_ring* ring_ = nullptr;
    const void* source_ = nullptr;
    mato::any_overflow policy_{};
    std::uint64_t every_ = 1;      // its filter wants the numbers that this divides
    std::uint64_t known_from_ = 1; // frames before it had left the ring when it joined: they count as wanted
    bool was_subscribed_ = false, leaves_ = false, left_ = false, may_resync_ = false;
    bool is_fresh_ = false; // joined since the last flush

    std::uint64_t expected_ = 1;   // the number of the next frame
    std::uint64_t last_frame_ = 0; // the newest received frame
    std::uint64_t until_ = 0;      // leaving: the last frame it may get
    std::uint64_t reply_place_ = 0, replies_before_ = 0;
    std::uint64_t delivered_ = 0, lost_ = 0, gaps_ = 0, snapshots_ = 0, superseded_ = 0, filtered_ = 0;
    std::uint64_t first_ = 1;                                             // of its current subscription
    std::optional<mato::clock::time_point> over_soft_, known_to_be_over_; // at the earliest; at the latest
    std::size_t reply_bytes_ = 0, taken_bytes_ = 0;
    std::uint64_t joined_at_ = 0; // bytes of the stream before it

    [[nodiscard]] bool wants(std::uint64_t number) const noexcept { return number < known_from_ || number % every_ == 0; }
    [[nodiscard]] std::uint64_t wanted(std::uint64_t first, std::uint64_t last) const noexcept { // of this range
        std::uint64_t count = 0;
        for (std::uint64_t n = first; n <= last; ++n) count += wants(n) ? 1 : 0;
        return count;
    }
    void pass(std::uint64_t first, std::uint64_t last, std::uint64_t& as) noexcept {
        as += wanted(first, last);
        filtered_ += last + 1 - first - wanted(first, last);
    }
    void skip(std::uint64_t to);
    [[nodiscard]] std::size_t queued(const mato::outbox& box) const;
};

struct fan_out_subscriber {
    using framing = mato::length_prefixed<std::uint16_t, 4000>;
    static inline mato::clock::time_point now{}; // the fake clock of all

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
    [[nodiscard]] bool may_end(const fan_out_subscription& by) const;
    void note_soft_limit();
    [[nodiscard]] mato::feed* stream(const fan_out_subscription& of) const noexcept { return box_.stream_of(of.source_); }
    [[nodiscard]] bool has_ended() const noexcept { return fell_behind_ || is_cut_off_; }
    [[nodiscard]] std::size_t ever_followed() const noexcept {
        std::size_t count = 0;
        for (const auto& each : of_) count += each.was_subscribed_ ? 1 : 0;
        return count;
    }

    std::array<fan_out_subscription, model_streams> of_{};
    mato::outbox box_;
    std::size_t room_ = 0; // of its fake socket, bytes
    bool is_stalled_ = false, writes_ = false, fell_behind_ = false, is_cut_off_ = false, saw_last_words_ = false;
    mato::frame_decoder<framing> decoder_;
    std::uint64_t replies_sent_ = 0, replies_seen_ = 0;
};

// ---- implementation ----

/// Only frames replaced by a newer one of their key, and frames that the filter refuses, are left out.
inline void fan_out_subscription::skip(std::uint64_t to) {
    for (; expected_ < to; ++expected_) {
        if (!wants(expected_)) {
            ++filtered_;
            continue;
        }
        ++superseded_;
        MODEL_REQUIRE(policy_.kind() == mato::overflow_kind::conflate);
        const auto& key = (*published_)[expected_].key;
        MODEL_REQUIRE(key && published_->newest_of_key[*key] > expected_);
    }
}

/// As counted by its policy.
inline std::size_t fan_out_subscription::queued(const mato::outbox& box) const {
    const std::uint64_t from = box.stream_of(source_)->position();
    std::uint64_t bytes = ring_->end() - from, begin = 0;
    for (std::uint64_t n = 1; n <= published_->newest(); begin += (*published_)[n++].size)
        if (begin >= from && begin < ring_->end() && !wants(n)) bytes -= (*published_)[n].size;
    return box.replies() + box.inserted(*box.stream_of(source_)) + static_cast<std::size_t>(bytes);
}

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
    for (auto& each : of_) each.taken_bytes_ += taken;
    if (taken < bytes.bytes) {
        is_stalled_ = true;
        box_.each_stream([](mato::feed& stream) { stream.on_stalled(); });
    }
    receive(flat);
    if (taken > 0) box_.wrote(bytes, taken);
    for (auto& each : of_)
        if (!stream(each) || each.queued(box_) <= each.soft) { // the timer of the soft limit is reset
            each.over_soft_.reset();
            each.known_to_be_over_.reset();
        }
}

inline void fan_out_subscriber::note_soft_limit() {
    for (auto& each : of_)
        if (!each.over_soft_ && stream(each) && each.queued(box_) > each.soft) each.over_soft_ = now;
}

inline void fan_out_subscriber::fall_behind(mato::failure why, std::optional<std::string> last_payload) {
    MODEL_REQUIRE(why.code == mato::errc::slow_consumer);
    MODEL_REQUIRE(std::any_of(of_.begin(), of_.end(), [&](const auto& each) { return stream(each) && may_end(each); }));
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
inline bool fan_out_subscriber::may_end(const fan_out_subscription& by) const {
    const bool overtaken = stream(by)->position() < by.ring_->begin();
    const bool is_over = by.queued(box_) > by.soft && by.over_soft_ && now - *by.over_soft_ >= by.grace;
    switch (by.policy_.kind()) {
    case mato::overflow_kind::disconnect: return overtaken || by.queued(box_) > by.hard || is_over;
    case mato::overflow_kind::block_producer: return overtaken || box_.replies() > by.policy_.limit();
    default: return box_.replies() > by.policy_.limit();
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

inline void fan_out_subscriber::on_frame(std::string_view payload) {
    MODEL_REQUIRE(!payload.empty());
    MODEL_REQUIRE(!saw_last_words_);
    if (payload[0] == 'W') {
        MODEL_REQUIRE(fell_behind_);
        saw_last_words_ = true;
        return;
    }
    MODEL_REQUIRE(payload.size() >= 26 && static_cast<std::size_t>(payload[1]) < model_streams);
    fan_out_subscription& its = of_[static_cast<std::size_t>(payload[1])];
    std::uint64_t first = 0, last = 0, more = 0;
    std::memcpy(&first, payload.data() + 2, 8);
    std::memcpy(&last, payload.data() + 10, 8);
    std::memcpy(&more, payload.data() + 18, 8);
    const auto kind = its.policy_.kind();
    MODEL_REQUIRE(payload[0] == 'R' || its.was_subscribed_);
    switch (payload[0]) {
    case 'F':
        MODEL_REQUIRE(first <= its.published_->newest());
        MODEL_REQUIRE(payload == its.published_->payload_of(first));
        MODEL_REQUIRE(first >= its.expected_);
        MODEL_REQUIRE(its.wants(first));
        its.skip(first);
        MODEL_REQUIRE(first > its.reply_place_); // frames published before a reply do not come after it
        its.last_frame_ = first;
        its.expected_ = first + 1;
        ++its.delivered_;
        break;
    case 'G':
        its.skip(first);
        MODEL_REQUIRE(first == its.expected_ && last >= first && last <= its.published_->newest());
        MODEL_REQUIRE(more > 0 && more == its.wanted(first, last)); // it tells how many are lost
        MODEL_REQUIRE(kind != mato::overflow_kind::disconnect && kind != mato::overflow_kind::block_producer);
        MODEL_REQUIRE(kind != mato::overflow_kind::resync || its.leaves_);
        its.expected_ = last + 1;
        its.pass(first, last, its.lost_);
        ++its.gaps_;
        break;
    case 'S':
        MODEL_REQUIRE(its.may_resync_);
        MODEL_REQUIRE(first + 1 >= its.expected_);
        its.pass(its.expected_, first, its.superseded_);
        its.expected_ = first + 1;
        ++its.snapshots_;
        break;
    case 'R': {
        MODEL_REQUIRE(first == replies_seen_ + 1);
        replies_seen_ = first;
        const std::uint64_t newest[] = {last, more};
        for (std::size_t i = 0; i < of_.size(); ++i) {
            if (first <= of_[i].replies_before_) continue;
            MODEL_REQUIRE(of_[i].last_frame_ <= newest[i]); // frames published after it do not come before it
            of_[i].reply_place_ = newest[i];
        }
        break;
    }
    default: MODEL_REQUIRE(false);
    }
    if (its.leaves_ && payload[0] == 'F') MODEL_REQUIRE(first <= its.until_);
}

} // namespace support
