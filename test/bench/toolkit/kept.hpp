// SPDX-License-Identifier: MIT
/// @file kept.hpp: the cost of keeping reads and states in memory that outlives the process, compared with a plain copy.
///
/// The read is a copy of as many bytes as one read of a terminal, so that the kernel's part is not measured.
#pragma once

#include "common.hpp"

#include <mato/memory_file.hpp>
#include <mato/read_journal.hpp>
#include <mato/two_slots.hpp>

#include <cstring>
#include <string>

namespace bench {

inline constexpr std::size_t kept_log_bytes = 32 << 10;

/// Copies into one buffer repeatedly, like a program that keeps nothing.
inline void journal_bare(State& state) {
    const std::string read(mato::read_journal<>::most_read, 'x');
    std::string buffer(read.size(), '\0');
    for (auto _ : state) {
        std::memcpy(buffer.data(), read.data(), read.size());
        benchmark::DoNotOptimize(buffer.data());
        benchmark::ClobberMemory();
    }
}
inline void journal_toolkit(State& state) {
    const std::string read(mato::read_journal<>::most_read, 'x');
    const auto file = mato::memory_file::create("bench", mato::read_journal<>::memory_for(kept_log_bytes));
    auto journal = mato::read_journal<>::create(file.bytes());
    for (auto _ : state) {
        if (journal.full()) journal.checkpoint();
        char* const to = journal.arm();
        std::memcpy(to, read.data(), read.size());
        benchmark::ClobberMemory();
        journal.commit(read.size());
    }
}

template <std::size_t Bytes> void publish_toolkit(State& state) {
    const std::string body(Bytes, 'x');
    const auto file = mato::memory_file::create("bench", mato::two_slots<>::memory_for(Bytes));
    auto slots = mato::two_slots<>::create(file.bytes());
    mato::failure why;
    for (auto _ : state)
        if (!slots.publish(body, why)) give_up("publish");
}
template <std::size_t Bytes> void publish_bare(State& state) {
    const std::string body(Bytes, 'x');
    std::string copy(Bytes, '\0');
    for (auto _ : state) {
        std::memcpy(copy.data(), body.data(), body.size());
        benchmark::DoNotOptimize(copy.data());
        benchmark::ClobberMemory();
    }
}

} // namespace bench
