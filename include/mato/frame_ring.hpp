// SPDX-License-Identifier: MIT
/// @file frame_ring.hpp: a ring of the newest frames of a stream, each numbered and stored once.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/frame_ring_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// A frame has a sequence number, from 1, and a position: the number of stream bytes before it. Neither is ever reused.
#pragma once

#include "detail/abi.hpp"
#include "detail/extremes.hpp"
#include "detail/number_cast.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {

/// Stores the newest frames of a stream in a fixed amount of memory. Used by `fan_out`; the oldest frames are dropped
/// explicitly with `pop`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class frame_ring {
public:
    /// `bytes`: all of its memory; at least `least_bytes`. One eighth is the index. If frames average below 64 bytes, the index
    /// fills before the data does, and old frames are dropped earlier.
    explicit frame_ring(std::size_t bytes);

    [[nodiscard]] std::uint64_t oldest() const noexcept { return oldest_; }   ///< the oldest in the ring; `next()` when empty
    [[nodiscard]] std::uint64_t next() const noexcept { return next_; }       ///< the number of the next frame
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }     ///< position of the oldest frame
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }         ///< position of the next frame
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; } ///< bytes for frames
    [[nodiscard]] std::size_t largest() const noexcept { return capacity_ / 2; } ///< bytes of the largest frame
    [[nodiscard]] std::size_t most_frames() const noexcept { return slots_; }    ///< a power of two

    /// False: call `pop` first. @pre size <= largest()
    [[nodiscard]] bool has_room(std::size_t size) const noexcept {
        return end_ + size - begin_ <= capacity_ && next_ - oldest_ < slots_;
    }
    /// Drops the oldest frame. @pre the ring is not empty
    void pop() noexcept { begin_ = end_of(oldest_++); }
    /// Adds a frame of three parts. @pre there is room for all @returns its number.
    std::uint64_t push(std::string_view head, std::string_view body = {}, std::string_view tail = {}) noexcept;

    /// @pre the frame is in the ring
    [[nodiscard]] std::uint64_t end_of(std::uint64_t sequence) const noexcept { return slot(sequence) & ~superseded_bit; }
    [[nodiscard]] std::uint64_t begin_of(std::uint64_t sequence) const noexcept {
        return sequence == oldest_ ? begin_ : end_of(sequence - 1);
    }
    /// The number of the frame that contains this byte, or begins here. @pre begin() <= position <= end()
    [[nodiscard]] std::uint64_t at(std::uint64_t position) const noexcept;
    /// The last frame boundary that is not after `position`. @pre as `at`
    [[nodiscard]] std::uint64_t boundary(std::uint64_t position) const noexcept { return begin_of_or_end(at(position)); }

    /// Marks a frame that a newer one replaces. @pre the frame is in the ring
    void supersede(std::uint64_t sequence) noexcept { slot(sequence) |= superseded_bit; }
    [[nodiscard]] bool is_superseded(std::uint64_t sequence) const noexcept { return (slot(sequence) & superseded_bit) != 0; }

    /// The bytes in memory, in at most two pieces, valid until the next `push`.
    [[nodiscard]] std::array<std::string_view, 2> bytes(std::uint64_t from, std::uint64_t to) const noexcept;

    static constexpr std::size_t least_bytes = 1024;
    static constexpr std::uint64_t nowhere = ~std::uint64_t{0}; ///< greater than every position and every number

private:
    static constexpr std::uint64_t superseded_bit = std::uint64_t{1} << 63; // no stream reaches 8 EiB

    void write(std::string_view part) noexcept;
    [[nodiscard]] std::uint64_t& slot(std::uint64_t sequence) const noexcept { return ends_[sequence & (slots_ - 1)]; }
    [[nodiscard]] std::uint64_t begin_of_or_end(std::uint64_t sequence) const noexcept {
        return sequence == next_ ? end_ : begin_of(sequence);
    }

    std::size_t slots_, capacity_;          // frames, a power of two; bytes
    std::unique_ptr<std::uint64_t[]> ends_; // the end position of each frame
    std::unique_ptr<char[]> data_;          // uninitialized: pages cost no memory until the stream reaches them
    std::uint64_t oldest_ = 1, next_ = 1;
    std::uint64_t begin_ = 0, end_ = 0;
    std::size_t write_at_ = 0; // end_ in data_
};

// ---- implementation ----

inline frame_ring::frame_ring(std::size_t bytes)
    : slots_(std::bit_floor(detail::greatest(bytes, least_bytes) / 64)),
      capacity_(detail::greatest(bytes, least_bytes) - slots_ * sizeof(std::uint64_t)), ends_(new std::uint64_t[slots_]),
      data_(new char[capacity_]) {}

inline void frame_ring::write(std::string_view part) noexcept {
    const std::size_t first = detail::least(part.size(), capacity_ - write_at_);
    part.copy(data_.get() + write_at_, first);
    part.substr(first).copy(data_.get(), part.size() - first);
    write_at_ += part.size();
    if (write_at_ >= capacity_) write_at_ -= capacity_;
    end_ += part.size();
}

inline std::uint64_t frame_ring::push(std::string_view head, std::string_view body, std::string_view tail) noexcept {
    const std::size_t size = head.size() + body.size() + tail.size();
    if (size < capacity_ - write_at_) [[likely]] { // it does not wrap
        char* const to = data_.get() + write_at_;
        head.copy(to, head.size());
        body.copy(to + head.size(), body.size());
        tail.copy(to + head.size() + body.size(), tail.size());
        write_at_ += size;
        end_ += size;
    } else {
        for (const std::string_view part : {head, body, tail}) write(part);
    }
    slot(next_) = end_;
    return next_++;
}

inline std::uint64_t frame_ring::at(std::uint64_t position) const noexcept {
    if (position == end_) return next_;
    std::uint64_t low = oldest_, high = next_ - 1; // the first that ends after the position
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (end_of(middle) > position)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

inline std::array<std::string_view, 2> frame_ring::bytes(std::uint64_t from, std::uint64_t to) const noexcept {
    const std::size_t at = from % capacity_, size = detail::size_cast(to - from), first = detail::least(size, capacity_ - at);
    return {std::string_view(data_.get() + at, first), std::string_view(data_.get(), size - first)};
}

} // namespace MATO_ABI
} // namespace mato
