// SPDX-License-Identifier: MIT
/// @file replaced_new.hpp: replaces operator new, so that a test sees each allocation and can make one fail. One file of a
/// program includes it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace support {

/// Called before each allocation but the nothrow ones. An exception makes the allocation fail.
inline void (*before_allocation)(std::size_t bytes) = nullptr;

} // namespace support

void* operator new(std::size_t size) {
    if (support::before_allocation) support::before_allocation(size);
    if (void* const memory = std::malloc(size > 0 ? size : 1)) return memory;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size > 0 ? size : 1); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
