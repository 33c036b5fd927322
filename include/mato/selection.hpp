// SPDX-License-Identifier: MIT
/// @file selection.hpp: which frames of a stream one subscriber wants, decided by its filter when they are published.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/selection_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include "callback.hpp"
#include "detail/extremes.hpp"
#include "detail/number_cast.hpp"
#include "frame_ring.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// Whether a subscriber gets a frame. Called once for each frame, when it is published, or when the subscriber joins if the
/// ring has it already. It must not publish. An exception from it closes the subscriber.
using frame_filter = callback<bool(std::string_view payload)>;

/// One bit for each frame that the ring can hold, and the sum of the frames not wanted that the subscriber has not passed yet.
/// So memory is at most 1/512 of the ring, and nothing is decided twice.
///
/// Used by `basic_subscriber`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class selection {
public:
    enum class verdict : unsigned char { refused, wanted };

    selection(const frame_ring& ring, frame_filter filter)
        : filter_(std::move(filter)), bits_((ring.most_frames() + 63) / 64) {}

    [[nodiscard]] const frame_filter& filter() const noexcept { return filter_; }
    /// Notes the decision about a frame once, a second time only to change it to `refused`. @pre the ring has it
    void note(const frame_ring& ring, std::uint64_t sequence, verdict of_filter) noexcept;
    /// @pre it was noted, and the ring has it
    [[nodiscard]] bool wants(std::uint64_t sequence) const noexcept {
        return (bits_[index(sequence)] >> (sequence % 64) & 1) != 0;
    }
    struct amount {
        std::uint64_t frames = 0, bytes = 0;
    };
    /// Of the frames from `from`, the subscriber's next one, up to `to`: those that are not wanted. @pre frames before `from`
    /// were passed; `end`, the end of its part of the stream, and `to` are in the ring or its end
    [[nodiscard]] amount unwanted(const frame_ring& ring, std::uint64_t from, std::uint64_t to,
                                  std::uint64_t end) const noexcept;
    /// The subscriber has passed these frames.
    void pass(const amount& passed) noexcept {
        ahead_.frames -= passed.frames;
        ahead_.bytes -= passed.bytes;
    }
    /// The end of the subscriber's part of the stream is now `from`. @pre these frames are in the ring, and not passed
    std::uint64_t forget(const frame_ring& ring, std::uint64_t from, std::uint64_t to) noexcept {
        const amount gone = sum_in_ring(ring, from, to);
        pass(gone);
        return gone.frames;
    }
    /// Not wanted and not passed, also of frames that the ring has dropped.
    [[nodiscard]] std::uint64_t frames_ahead() const noexcept { return ahead_.frames; }
    [[nodiscard]] std::uint64_t bytes_ahead() const noexcept { return ahead_.bytes; }

private:
    [[nodiscard]] std::size_t index(std::uint64_t sequence) const noexcept {
        return detail::size_cast(sequence / 64 % bits_.size());
    }
    [[nodiscard]] amount sum_in_ring(const frame_ring& ring, std::uint64_t from, std::uint64_t to) const noexcept;

    frame_filter filter_;
    std::vector<std::uint64_t> bits_;
    amount ahead_{};
};

// ---- implementation ----

inline void selection::note(const frame_ring& ring, std::uint64_t sequence, verdict of_filter) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (sequence % 64);
    std::uint64_t& word = bits_[index(sequence)];
    word = of_filter == verdict::wanted ? word | bit : word & ~bit;
    if (of_filter == verdict::wanted) return;
    ++ahead_.frames;
    ahead_.bytes += ring.end_of(sequence) - ring.begin_of(sequence);
}

inline auto selection::sum_in_ring(const frame_ring& ring, std::uint64_t from, std::uint64_t to) const noexcept -> amount {
    amount all;
    for (std::uint64_t each = from; each < to; ++each) {
        if (wants(each)) continue;
        ++all.frames;
        all.bytes += ring.end_of(each) - ring.begin_of(each);
    }
    return all;
}

// Of frames that the ring has dropped only the sum is known: what is ahead, without what is still in the ring.
inline auto selection::unwanted(const frame_ring& ring, std::uint64_t from, std::uint64_t to, std::uint64_t end) const noexcept
    -> amount {
    if (from >= ring.oldest()) return sum_in_ring(ring, from, to);
    const amount rest = sum_in_ring(ring, detail::greatest(to, ring.oldest()), end);
    return {ahead_.frames - rest.frames, ahead_.bytes - rest.bytes};
}

} // namespace MATO_ABI
} // namespace mato
