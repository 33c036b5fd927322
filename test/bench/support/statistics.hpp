// SPDX-License-Identifier: MIT
/// @file statistics.hpp: medians and ranges of repeated runs, and percentiles of many durations in little memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bench {

/// Values of one cell, one from each run. Empty: not measured.
class samples {
public:
    void add(double value) { values_.push_back(value); }
    template <class Take> void each(Take take) const {
        for (const double value : values_) take(value);
    }
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
    [[nodiscard]] double median() const { return quantile(0.5); }
    [[nodiscard]] double least() const { return quantile(0); }
    [[nodiscard]] double greatest() const { return quantile(1); }
    /// The value at that share of the sorted values; NaN if there are none.
    [[nodiscard]] double quantile(double share) const {
        if (values_.empty()) return std::numeric_limits<double>::quiet_NaN();
        std::vector<double> sorted = values_;
        std::sort(sorted.begin(), sorted.end());
        return sorted[static_cast<std::size_t>(std::lround(share * static_cast<double>(sorted.size() - 1)))];
    }

private:
    std::vector<double> values_;
};

/// Nanoseconds in buckets 4.4 % apart (sixteen per doubling), so that processes can add them up in shared memory.
struct latency_buckets {
    static constexpr std::size_t count = 640; // to 2^40 ns, 18 minutes
    [[nodiscard]] static std::size_t of(std::uint64_t nanoseconds) {
        if (nanoseconds < 1) return 0;
        return std::min(count - 1, static_cast<std::size_t>(std::log2(static_cast<double>(nanoseconds)) * 16));
    }
    [[nodiscard]] static double middle(std::size_t bucket) { return std::exp2((static_cast<double>(bucket) + 0.5) / 16); }

    template <class Counters> [[nodiscard]] static double quantile(const Counters& counters, double share) {
        std::uint64_t total = 0;
        for (const auto& each : counters) total += each;
        const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total)));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < count; ++i)
            if (seen += counters[i]; seen >= wanted && seen > 0) return middle(i);
        return std::numeric_limits<double>::quiet_NaN();
    }
};

} // namespace bench
