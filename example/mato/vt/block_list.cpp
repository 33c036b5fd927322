// SPDX-License-Identifier: MIT
#include "block_list.hpp"

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
    if (spare_) store_->leave(spare_);
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
    blocks_.push_back(next);
    return true;
}

// The sequence goes first. Whoever finds the block after this process's death then does not take it for what it was.
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

void block_list::pop_back() noexcept {
    block& last = blocks_.back();
    last.used_ = last.start(--last.count_);
    last.measure_ = {};
    --size_;
    if (last.size() > 0) return;
    bytes_ -= last.capacity_;
    block_head* const head = last.head_;
    blocks_.pop_back();
    give(head);
}

void block_list::clear() noexcept {
    while (!blocks_.empty()) drop_front_block();
    if (spare_) store_->give(std::exchange(spare_, nullptr));
    size_ = 0;
}

} // namespace mux::vt
