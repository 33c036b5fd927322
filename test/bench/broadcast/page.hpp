// SPDX-License-Identifier: MIT
/// @file page.hpp: the state shared by the processes of one run, in shared memory.
#pragma once

#include "../support/statistics.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/types.h>

namespace bench {

enum class phase : int {
    joining,  ///< subscribers connect; one frame per millisecond shows when they have
    steady,   ///< measured
    draining, ///< nothing more is published; sent frames still arrive
    stop,
};

struct page {
    static constexpr std::size_t most_subscribers = 1100;
    using counters = std::array<std::atomic<std::uint64_t>, most_subscribers>;

    std::atomic<phase> now{phase::joining};
    std::atomic<bool> listening{false};
    std::atomic<pid_t> broker{-1};          ///< a server between publisher and subscribers
    std::atomic<std::uint32_t> connects{0}; ///< requested connections
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> told_lost{0}; ///< frames not sent to some subscriber, as reported by the publisher
    std::atomic<std::uint64_t> joins{
        0};                         ///< in steady state: joined, got a snapshot where there is one, and the frames after it
    std::atomic<bool> wrong{false}; ///< a receiver got a frame that was not sent
    alignas(64) counters next{};    ///< sequence number each subscriber expects; 0: not joined
    alignas(64) counters frames{};  ///< received and correct
    alignas(64) counters lost{};    ///< gaps in the numbers
    alignas(64) std::array<std::atomic<std::uint64_t>, latency_buckets::count> latency{};
};

/// A page that processes forked from here on share.
class shared_page {
public:
    shared_page() {
        void* const at = ::mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::runtime_error("mmap");
        page_ = new (at) page;
    }
    shared_page(const shared_page&) = delete;
    shared_page& operator=(const shared_page&) = delete;
    ~shared_page() { ::munmap(page_, sizeof(page)); }
    [[nodiscard]] page& operator*() const noexcept { return *page_; }
    [[nodiscard]] page* operator->() const noexcept { return page_; }

private:
    page* page_;
};

} // namespace bench
