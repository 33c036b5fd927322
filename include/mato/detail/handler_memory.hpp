// SPDX-License-Identifier: MIT
/// @file handler_memory.hpp: memory reserved for one wait, so that waiting again cannot fail with bad_alloc.
/// Layer: 3 (mechanism; an asio associated allocator).  Test: test/toolkit/server_exception_test.cpp.
/// Threads: one object, one thread.   Blocks: never.
#pragma once

#include "abi.hpp"

#include <cstddef>
#include <new>
#include <utility>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// Must outlive the operations that use it: their handler keeps its owner alive.
class handler_memory {
public:
    handler_memory() noexcept = default;
    handler_memory(const handler_memory&) = delete;
    handler_memory& operator=(const handler_memory&) = delete;

    [[nodiscard]] void* take(std::size_t bytes) {
        if (is_used_ || bytes > sizeof room_) return ::operator new(bytes); // a cancelled wait may still be queued
        is_used_ = true;
        return room_;
    }
    void give_back(void* memory) noexcept {
        if (memory == room_)
            is_used_ = false;
        else
            ::operator delete(memory);
    }

private:
    alignas(std::max_align_t) unsigned char room_[384]; // bytes; asio 1.18 to 1.38 need 100 to 250 for a wait
    bool is_used_ = false;
};

template <class T> struct handler_allocator {
    using value_type = T;
    explicit handler_allocator(handler_memory& from) noexcept : memory(&from) {}
    template <class U> handler_allocator(const handler_allocator<U>& other) noexcept // NOLINT(google-explicit-constructor)
        : memory(other.memory) {}
    [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(memory->take(count * sizeof(T))); }
    void deallocate(T* what, std::size_t) noexcept { memory->give_back(what); }
    template <class U> bool operator==(const handler_allocator<U>& other) const noexcept { return memory == other.memory; }
    handler_memory* memory;
};

/// A handler whose operation is allocated in `memory`.
template <class Handler> struct handler_in {
    using allocator_type = handler_allocator<unsigned char>;
    handler_in(handler_memory& from, Handler what) : memory(&from), handler(std::move(what)) {}
    [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(*memory); }
    template <class... A> void operator()(A&&... arguments) { handler(std::forward<A>(arguments)...); }
    handler_memory* memory;
    Handler handler;
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
