// SPDX-License-Identifier: MIT
/// @file block_list.hpp: records of bytes in blocks of a store, appended at the back, removed at both ends.
/// Layer: vt core.  Test: test/mato/vt/block_list_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// A record is immutable from `finish` on. It does not span blocks. Its number counts from the oldest record in the list.
#pragma once

#include "block_store.hpp"

#include <cstring>
#include <deque>
#include <string_view>

namespace mux::vt {

class block_list {
public:
    /// What a user has measured of a block's records. It is valid while width and records are the same.
    struct measure {
        int width = 0; ///< 0: nothing
        std::uint32_t gone = 0, count = 0;
        std::size_t result = 0;
    };

    class block {
    public:
        [[nodiscard]] std::size_t size() const noexcept { return count_ - gone_; }
        /// @pre i < size()
        [[nodiscard]] std::string_view record(std::size_t i) const noexcept {
            const std::size_t n = gone_ + i;
            const std::uint32_t from = start(n), end = n + 1 < count_ ? start(n + 1) : used_;
            return {data() + from, end - from};
        }
        /// `measured` by `width`: what was measured before, else what `compute()` returns.
        template <class Compute> std::size_t measured(int width, Compute compute) const {
            if (measure_.width != width || measure_.gone != gone_ || measure_.count != count_)
                measure_ = {width, gone_, count_, compute()};
            return measure_.result;
        }

    private:
        friend class block_list;

        [[nodiscard]] char* data() const noexcept { return reinterpret_cast<char*>(head_); }
        [[nodiscard]] char* start_at(std::size_t n) const noexcept {
            return data() + capacity_ - sizeof(std::uint16_t) * (n + 1);
        }
        [[nodiscard]] std::uint32_t start(std::size_t n) const noexcept {
            std::uint16_t value = 0;
            std::memcpy(&value, start_at(n), sizeof value);
            return value;
        }
        [[nodiscard]] bool has_room(std::size_t bytes) const noexcept {
            return used_ <= last_start && used_ + bytes + sizeof(std::uint16_t) * (count_ + 1u) <= capacity_;
        }

        block_head* head_ = nullptr;
        std::uint32_t capacity_ = 0; // a copy: the head is far from where records are written
        std::uint32_t used_ = sizeof(block_head);
        std::uint32_t gone_ = 0;  // records removed from the front
        std::uint32_t count_ = 0; // records, those included
        mutable measure measure_;
    };

    block_list(block_store& store, block_kind kind) noexcept : store_(&store), kind_(kind) {}
    block_list(const block_list&) = delete;
    block_list& operator=(const block_list&) = delete;
    ~block_list();

    /// Room for a record of at most `bytes`, to be written and then counted by `finish`. Nothing may be called in between.
    /// @returns nullptr when the store has no room
    [[nodiscard]] char* begin_record(std::size_t bytes) {
        if (blocks_.empty() || !blocks_.back().has_room(bytes)) {
            if (!begin_block(bytes)) return nullptr;
        }
        return blocks_.back().data() + blocks_.back().used_;
    }
    void finish_record(std::size_t bytes) noexcept {
        block& last = blocks_.back();
        const auto from = static_cast<std::uint16_t>(last.used_);
        std::memcpy(last.start_at(last.count_++), &from, sizeof from);
        last.used_ += static_cast<std::uint32_t>(bytes);
        ++size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Bytes of all blocks together.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] const std::deque<block>& blocks() const noexcept { return blocks_; } ///< the oldest first
    /// The newest record. @pre size() > 0
    [[nodiscard]] std::string_view back() const noexcept { return blocks_.back().record(blocks_.back().size() - 1); }

    void pop_back() noexcept;
    void pop_front() noexcept {
        --size_;
        ++blocks_.front().gone_;
        if (blocks_.front().size() == 0) drop_front_block();
    }
    /// @returns how many records it had
    std::size_t pop_front_block() noexcept {
        const std::size_t records = blocks_.front().size();
        size_ -= records;
        drop_front_block();
        return records;
    }
    void clear() noexcept;

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return bytes_ + (spare_ ? block_bytes : 0) + blocks_.size() * sizeof(block);
    }

private:
    static constexpr std::uint32_t last_start = 0xffff; // a record's start has 16 bits

    [[nodiscard]] bool begin_block(std::size_t bytes);
    void drop_front_block() noexcept;
    void give(block_head* head) noexcept;

    block_store* store_;
    block_kind kind_;
    std::deque<block> blocks_;
    block_head* spare_ = nullptr; // the block removed last, to be used next
    std::uint64_t sequence_ = 0;  // of the newest block ever
    std::size_t size_ = 0, bytes_ = 0;
};

} // namespace mux::vt
