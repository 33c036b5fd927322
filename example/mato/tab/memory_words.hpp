// SPDX-License-Identifier: MIT
/// @file memory_words.hpp: numbers in memory that outlives the process.
/// Pure.  Blocks: never.   Test: test/mato/tab_store_test.cpp, raw_store_test.cpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

namespace mux {

template <class Number> [[nodiscard]] Number load_number(const char* from) noexcept {
    Number n;
    std::memcpy(&n, from, sizeof n);
    return n;
}
inline void store_number(char* to, std::uint32_t n) noexcept { std::memcpy(to, &n, sizeof n); }

/// One store of eight bytes. The next process sees this one's stores in the order of the program, which only the compiler could
/// change. @pre `to` is aligned
inline void store_word(char* to, std::uint64_t value) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(to), value, __ATOMIC_RELEASE);
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

} // namespace mux
