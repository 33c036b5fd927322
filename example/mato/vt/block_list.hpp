// SPDX-License-Identifier: MIT
/// @file block_list.hpp: records of bytes in blocks of a store, appended at the back, removed at both ends.
/// Layer: vt core.  Test: test/mato/vt/block_list_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// A record is immutable from `finish_record` on, and does not span blocks. Where the store outlives the process, a checkpoint
/// says which blocks the list has, and nothing of what they hold. Until the next checkpoint is published, this is kept true:
///
/// - A block is appended to and nothing else. To write over a record that was removed at the back, its block is copied first.
/// - A block that is removed at the back is kept aside. One that is removed at the front may be used again at once: the input
///   after the checkpoint removes it again. It loses its sequence before that, and the oldest block loses it first. So of the
///   blocks that a checkpoint names only the oldest can be missing.
#pragma once

#include "block_store.hpp"
#include "link_set.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace mux::vt {

class byte_reader;
class byte_writer;

class block_list {
public:
    /// What a user has measured of a block's records. It is valid while width and records are the same.
    struct measure {
        int width = 0; ///< 0: nothing
        std::uint32_t gone = 0, count = 0;
        std::size_t result = 0;
    };

    /// The links of a block's records, as far as its user has looked.
    struct links_seen {
        std::unique_ptr<link_set> links; ///< none: no link
        std::uint32_t records = 0;       ///< that were looked at, the oldest first

        void add(std::size_t link) {
            if (!links) links = std::make_unique<link_set>();
            links->set(link);
        }
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
        /// Adds the links of the records to `found`. `each(record, see)` calls `see` with each link of a record that was not
        /// looked at yet.
        template <class Each> void add_links(link_set& found, Each each) const {
            if (gone_ > 0) { // of the first block only; what was noted includes the removed records
                for (std::size_t i = 0; i < size(); ++i) each(record(i), [&found](std::size_t link) { found.set(link); });
                return;
            }
            for (; seen_.records < count_; ++seen_.records)
                each(record(seen_.records), [this](std::size_t link) { seen_.add(link); });
            if (seen_.links) found |= *seen_.links;
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
        bool is_cut_ = false;     // the published checkpoint has records beyond these
        mutable measure measure_;
        mutable links_seen seen_;
    };

    block_list(block_store& store, block_kind kind) noexcept : store_(&store), kind_(kind) {}
    block_list(const block_list&) = delete;
    block_list& operator=(const block_list&) = delete;
    ~block_list();

    /// Room for a record of at most `bytes`, to be written and then counted by `finish`. Nothing may be called in between.
    /// @returns nullptr when the store has no room
    [[nodiscard]] char* begin_record(std::size_t bytes) {
        if ((blocks_.empty() || blocks_.back().is_cut_ || !blocks_.back().has_room(bytes)) && !make_room(bytes)) return nullptr;
        return blocks_.back().data() + blocks_.back().used_;
    }
    void finish_record(std::size_t bytes) noexcept {
        block& last = blocks_.back();
        const auto from = static_cast<std::uint16_t>(last.used_);
        std::memcpy(last.start_at(last.count_++), &from, sizeof from);
        last.used_ += static_cast<std::uint32_t>(bytes);
        ++size_;
    }

    /// The newest record was looked at; `each` calls what it is given with each of its links. Does nothing if an older record
    /// was not looked at. @pre size() > 0
    template <class Each> void saw_links_of_newest(Each each) {
        block& last = blocks_.back();
        if (last.seen_.records + 1 != last.count_) return;
        each([&last](std::size_t link) { last.seen_.add(link); });
        ++last.seen_.records;
    }
    /// No record has a link so far.
    void saw_no_links() noexcept {
        for (block& b : blocks_) b.seen_.records = b.count_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Bytes of all blocks together.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] const std::deque<block>& blocks() const noexcept { return blocks_; } ///< the oldest first
    /// The newest record. @pre size() > 0
    [[nodiscard]] std::string_view back() const noexcept { return blocks_.back().record(blocks_.back().size() - 1); }

    void pop_back();
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
    /// Removes all at the front.
    void clear() noexcept;
    /// Removes all at the back, so that the published checkpoint still has them.
    void retire();

    /// For a checkpoint: which blocks there are.
    void write(byte_writer& out) const;
    /// Takes the blocks of this kind among `left` that were written. Changes nothing in them: `published` gives back the
    /// others.
    /// @param missing how many records were removed at the front and lost since
    /// @returns false if they do not fit together; the list is then not to be used. @pre it is new
    [[nodiscard]] bool adopt(byte_reader& in, std::span<block_head* const> left, std::size_t& missing);
    /// The checkpoint that was written last is published, and no earlier one is needed any more.
    void published() noexcept;
    /// Blocks that only the published checkpoint needs.
    [[nodiscard]] std::size_t blocks_kept_aside() const noexcept { return aside_.size(); }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t sets = 0;
        for (const block& b : blocks_) sets += b.seen_.links ? sizeof(link_set) : 0;
        return bytes_ + aside_bytes_ + (spare_ ? block_bytes : 0) + blocks_.size() * sizeof(block) + sets;
    }

private:
    static constexpr std::uint32_t last_start = 0xffff; // a record's start has 16 bits

    [[nodiscard]] bool make_room(std::size_t bytes);
    [[nodiscard]] bool begin_block(std::size_t bytes);
    [[nodiscard]] bool copy_last_block();
    [[nodiscard]] bool take_block(block_head* head, const block_head& extent);
    [[nodiscard]] bool is_published(const block& b) const noexcept { return b.head_->sequence <= published_; }
    void drop_front_block() noexcept;
    void drop_back_block();
    void keep_aside(block_head* head);
    void give(block_head* head) noexcept;

    block_store* store_;
    block_kind kind_;
    std::deque<block> blocks_;
    block_head* spare_ = nullptr; // the block removed last, to be used next
    std::uint64_t sequence_ = 0;  // of the newest block ever
    std::uint64_t published_ = 0; // of the newest block that the published checkpoint names
    std::size_t size_ = 0, bytes_ = 0;
    std::vector<block_head*> aside_;
    std::size_t aside_bytes_ = 0;
};

} // namespace mux::vt
