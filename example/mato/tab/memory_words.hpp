// SPDX-License-Identifier: MIT
/// @file memory_words.hpp: numbers, slots and journals in memory that outlives the process.
/// Pure.  Blocks: never.   Test: test/mato/tab_store_test.cpp, raw_store_test.cpp.
#pragma once

#include <mato/read_journal.hpp>
#include <mato/two_slots.hpp>

#include <atomic>
#include <cstdint>
#include <cstring>

#ifndef MUX_STORE_STEPS
#define MUX_STORE_STEPS mato::no_steps // a test's program defines a class that ends the process after a chosen store
#endif

namespace mux {

/// Called after each store into memory that outlives the process.
using store_steps = MUX_STORE_STEPS;
using kept_slots = mato::two_slots<store_steps>;
using kept_journal = mato::read_journal<store_steps>;
enum class word_store : std::uint8_t { word }; ///< the store of `store_word`, for `store_steps`

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
    store_steps::after(word_store::word);
}

} // namespace mux
