// SPDX-License-Identifier: MIT
#include "likely_name.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t most_mistakes = 2; // letters that differ
constexpr std::size_t longest_compared = 64;

/// The letters to insert, to remove or to replace. @pre both are short
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::array<std::size_t, longest_compared + 1> row{};
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t above_left = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = above_left + (a[i] == b[j] ? 0 : 1);
            above_left = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row[b.size()];
}

} // namespace

std::string likely_name(std::string_view word, std::span<const std::string> known) {
    std::string best;
    std::size_t mistakes = most_mistakes + 1;
    for (const std::string& each : known) {
        if (!word.empty() && each.starts_with(word)) return each;
        if (word.size() > longest_compared || each.size() > longest_compared || word.size() <= most_mistakes) continue;
        if (const std::size_t count = edit_distance(word, each); count < mistakes) best = each, mistakes = count;
    }
    return best;
}

} // namespace mux
