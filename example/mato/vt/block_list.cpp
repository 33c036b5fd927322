// SPDX-License-Identifier: MIT
#include "block_list.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

namespace mux::vt {

namespace {

class heap_store final : public block_store {
public:
    block_head* take(std::size_t capacity) override {
        return ::new (::operator new(capacity))
            block_head{0, block_kind::lines, static_cast<std::uint32_t>(capacity), sizeof(block_head), 0};
    }
    void give(block_head* block) noexcept override { ::operator delete(block); }
    void leave(block_head* block) noexcept override { ::operator delete(block); }
};

} // namespace

block_store& heap_blocks() noexcept {
    static heap_store store;
    return store;
}

block_list::~block_list() {
    for (const block& b : blocks_) store_->leave(b.head_);
    for (block_head* const head : aside_) store_->leave(head);
    if (spare_) store_->give(spare_);
}

bool block_list::make_room(std::size_t bytes) {
    if (!blocks_.empty() && blocks_.back().is_cut_ && !copy_last_block()) return false;
    return (!blocks_.empty() && blocks_.back().has_room(bytes)) || begin_block(bytes);
}

bool block_list::begin_block(std::size_t bytes) {
    const std::size_t need = sizeof(block_head) + bytes + sizeof(std::uint16_t);
    block_head* head = need <= block_bytes ? std::exchange(spare_, nullptr) : nullptr;
    if (!head) head = store_->take((need + block_bytes - 1) / block_bytes * block_bytes);
    if (!head) return false;
    if (!blocks_.empty()) { // complete now: its head says so
        const block& full = blocks_.back();
        full.head_->used = full.used_;
        full.head_->records = full.count_;
    }
    head->kind = kind_;
    std::atomic_signal_fence(std::memory_order_seq_cst); // a block with a sequence has its kind
    head->sequence = ++sequence_;
    block next;
    next.head_ = head;
    next.capacity_ = head->capacity;
    bytes_ += next.capacity_;
    blocks_.push_back(std::move(next));
    return true;
}

// The copy is as long as the block: what fits into it does not depend on when a checkpoint was published.
bool block_list::copy_last_block() {
    block& last = blocks_.back();
    block_head* const head =
        last.capacity_ == block_bytes && spare_ ? std::exchange(spare_, nullptr) : store_->take(last.capacity_);
    if (!head) return false;
    char* const to = reinterpret_cast<char*>(head);
    std::memcpy(to + sizeof(block_head), last.data() + sizeof(block_head), last.used_ - sizeof(block_head));
    const std::size_t starts = last.capacity_ - sizeof(std::uint16_t) * last.count_;
    std::memcpy(to + starts, last.data() + starts, last.capacity_ - starts);
    head->kind = kind_;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    head->sequence = ++sequence_;
    keep_aside(std::exchange(last.head_, head));
    last.is_cut_ = false;
    return true;
}

void block_list::keep_aside(block_head* head) {
    aside_.push_back(head);
    aside_bytes_ += head->capacity;
}

// The sequence goes first. A process that finds the block after this one's death then does not take it for what it was.
void block_list::give(block_head* head) noexcept {
    head->sequence = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!spare_ && head->capacity == block_bytes)
        spare_ = head;
    else
        store_->give(head);
}

void block_list::drop_front_block() noexcept {
    bytes_ -= blocks_.front().capacity_;
    block_head* const head = blocks_.front().head_;
    blocks_.pop_front();
    give(head);
}

void block_list::drop_back_block() {
    const block last = std::move(blocks_.back());
    bytes_ -= last.capacity_;
    blocks_.pop_back();
    if (is_published(last))
        keep_aside(last.head_);
    else
        give(last.head_);
    if (!blocks_.empty()) blocks_.back().is_cut_ = is_published(blocks_.back()); // its head says that it is complete
}

void block_list::pop_back() {
    block& last = blocks_.back();
    last.used_ = last.start(--last.count_);
    last.seen_ = {};
    last.is_cut_ = is_published(last);
    last.measure_ = {};
    --size_;
    if (last.size() == 0) drop_back_block();
}

void block_list::clear() noexcept {
    while (!blocks_.empty()) drop_front_block();
    if (spare_) store_->give(std::exchange(spare_, nullptr));
    size_ = 0;
}

void block_list::retire() {
    while (!blocks_.empty()) drop_back_block();
    size_ = 0;
}

void block_list::published() noexcept {
    for (block_head* const head : aside_) give(head);
    aside_.clear();
    aside_bytes_ = 0;
    published_ = sequence_;
    if (!blocks_.empty()) blocks_.back().is_cut_ = false; // this checkpoint says itself where the last block ends
}

// Records, those removed from the first block, blocks; runs of sequences, each as the distance from the one before and how
// many; where the last block ends. All other blocks are complete, and their heads say where they end.
void block_list::write(byte_writer& out) const {
    out.number(size_);
    out.number(blocks_.size());
    if (blocks_.empty()) return;
    out.number(blocks_.front().gone_);
    std::uint64_t before = 0;
    for (auto at = blocks_.begin(); at != blocks_.end();) {
        const std::uint64_t first = at->head_->sequence;
        std::uint64_t next = first;
        while (at != blocks_.end() && at->head_->sequence == next) ++at, ++next;
        out.number(first - before);
        out.number(next - first);
        before = next;
    }
    out.number(blocks_.back().used_);
    out.number(blocks_.back().count_);
}

// Appends a block that was left, if what it says of itself can be.
bool block_list::take_block(block_head* head, const block_head& extent) {
    block b;
    b.head_ = head;
    b.capacity_ = head->capacity;
    b.used_ = extent.used;
    b.count_ = extent.records;
    if (b.capacity_ < block_bytes || b.used_ > b.capacity_ || b.count_ > (b.capacity_ - b.used_) / sizeof(std::uint16_t) ||
        b.count_ == 0)
        return false;
    std::uint32_t least = sizeof(block_head);
    if (b.start(0) != least) return false;
    for (std::size_t i = 0; i < b.count_; ++i) { // no record is empty
        if (b.start(i) < least || b.start(i) >= b.used_) return false;
        least = b.start(i) + 1;
    }
    bytes_ += b.capacity_;
    size_ += b.count_;
    blocks_.push_back(std::move(b));
    return true;
}

bool block_list::adopt(byte_reader& in, std::span<block_head* const> left, std::size_t& missing) {
    std::vector<block_head*> mine;
    for (block_head* const head : left)
        if (head->kind == kind_ && head->sequence != 0) mine.push_back(head);
    const auto is_older = [](const block_head* a, const block_head* b) { return a->sequence < b->sequence; };
    std::sort(mine.begin(), mine.end(), is_older);

    const std::uint64_t records = in.number();
    const std::uint64_t blocks = in.number();
    std::uint64_t gone = 0, named = 0, before = 0;
    std::size_t unnamed = 0; // of `mine`, from here on
    std::vector<block_head*> found;
    if (blocks > 0) gone = in.number();
    while (in.ok() && named < blocks) {
        const std::uint64_t distance = in.number(), count = in.number();
        if (!in.ok() || count == 0 || count > blocks - named || distance == 0 || distance > ~before ||
            count > ~(before + distance))
            return false;
        const std::uint64_t first = before + distance, end = first + count;
        for (; unnamed < mine.size() && mine[unnamed]->sequence < first; ++unnamed) keep_aside(mine[unnamed]);
        std::uint64_t expected = first;
        for (; unnamed < mine.size() && mine[unnamed]->sequence < end; ++unnamed) {
            if (found.empty()) expected = mine[unnamed]->sequence; // those before it are missing from the front
            if (mine[unnamed]->sequence != expected++) return false;
            found.push_back(mine[unnamed]);
        }
        if (!found.empty() && expected != end) return false;
        named += count;
        before = end;
    }
    for (; unnamed < mine.size(); ++unnamed) keep_aside(mine[unnamed]); // written after the checkpoint
    block_head last{};
    if (blocks > 0) last.used = in.bounded<std::uint32_t>(0xffffffff), last.records = in.bounded<std::uint32_t>(0xffffffff);
    if (!in.ok()) return false;
    for (block_head* const head : found)
        if (!take_block(head, head == found.back() ? last : *head)) return false;
    if (found.size() == blocks && blocks > 0) {
        if (gone >= blocks_.front().count_) return false;
        blocks_.front().gone_ = static_cast<std::uint32_t>(gone);
        size_ -= gone;
    }
    if (size_ > records || (found.size() == blocks && size_ != records)) return false;
    missing = static_cast<std::size_t>(records - size_);
    sequence_ = before; // blocks written later are given back before a new one is begun
    for (block_head* const head : aside_) sequence_ = std::max(sequence_, head->sequence);
    published_ = sequence_;
    return true;
}

} // namespace mux::vt
