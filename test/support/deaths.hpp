// SPDX-License-Identifier: MIT
/// @file deaths.hpp: the memory as left by a writer that is killed between two stores, or inside one.
#pragma once

#include <cstddef>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// Bytes aligned to 8, like a mapping; a copy is the memory found by another process.
class kept_memory {
public:
    explicit kept_memory(std::size_t size) : words_((size + 7) / 8), size_(size) {}
    [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(words_.data()); }
    [[nodiscard]] const char* data() const noexcept { return reinterpret_cast<const char*>(words_.data()); }
    [[nodiscard]] std::string_view text() const noexcept { return {data(), size_}; }
    operator std::span<char>() noexcept { return {data(), size_}; } // NOLINT(google-explicit-constructor)

private:
    std::vector<unsigned long long> words_;
    std::size_t size_;
};

/// The `Steps` of two_slots and read_journal: records the memory after each store, from `watch` on.
class deaths {
public:
    static void watch(kept_memory& memory) {
        watched = &memory;
        seen.assign(1, memory);
    }
    /// Before the first store, then after each.
    static std::vector<kept_memory> stop_watching() {
        watched = nullptr;
        return std::move(seen);
    }
    template <class Store> static void after(Store) noexcept {
        if (watched) seen.push_back(*watched);
    }

private:
    static inline kept_memory* watched = nullptr;
    static inline std::vector<kept_memory> seen;
};

/// The memory after a kill inside a store of many bytes: the new bytes up to each place, and some at random, because memcpy
/// stores them in any order.
inline std::vector<kept_memory> torn_between(const kept_memory& before, const kept_memory& after, std::mt19937& random) {
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < before.text().size(); ++i)
        if (before.text()[i] != after.text()[i]) changed.push_back(i);
    std::vector<kept_memory> all{before, after};
    const std::size_t step = 1 + changed.size() / 16;
    for (std::size_t n = 0; n < changed.size(); n += step) {
        all.push_back(before);
        for (std::size_t i = 0; i < n; ++i) all.back().data()[changed[i]] = after.data()[changed[i]];
        all.push_back(before);
        for (const std::size_t each : changed)
            if (random() % 2) all.back().data()[each] = after.data()[each];
    }
    return all;
}

} // namespace support
