// SPDX-License-Identifier: MIT
/// @file styled_text.hpp: words and the SGR sequences between them, written behind a row's end at once.
/// Layer: vt core.  Test: test/mato/vt/sequence_scan_test.cpp (against the same a byte at a time).
/// Threads: distinct objects are independent.   Blocks: never.
///
/// A coloured line is a word, a sequence, a word: what each costs is mostly the way from one to the other.
#pragma once

#include "row.hpp"

#include <array>

namespace mux::vt {

/// Where a row ends, and what was written there.
struct row_end {
    static constexpr int most_runs = 32;

    unit* units = nullptr; ///< with room for plain_step more behind `limit`
    int used = 0;          ///< columns; below `limit`
    int limit = 0;
    style pen;
    style last;                  ///< of what is before the end
    int count = 0;               ///< of the runs; `last` is the style of the last of them
    bool after_sequence = false; ///< what was taken last is a sequence, no text
    std::array<style_run, most_runs> runs;
};

/// Takes plain bytes and SGR sequences, in any order, until the row is full or something else comes; fewer where what is
/// behind them cannot be read with them, in the last bytes before `end`, or where `runs` is full.
/// @returns what is behind those taken
const char* append_styled(const char* p, const char* end, row_end& to) noexcept;

/// The same by what this machine has; the first is portable, the last the fastest, and the one that is used.
[[nodiscard]] std::span<decltype(&append_styled) const> styled_writers() noexcept;

namespace detail {

/// @pre has_avx512() (processor.hpp)
const char* append_styled_avx512(const char* p, const char* end, row_end& to) noexcept;

} // namespace detail

} // namespace mux::vt
