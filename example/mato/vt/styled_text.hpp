// SPDX-License-Identifier: MIT
/// @file styled_text.hpp: appends words and the SGR sequences between them to a row in one pass.
/// Layer: vt core.  Test: test/mato/vt/sequence_scan_test.cpp (against one byte at a time).
/// Threads: distinct objects are independent.   Blocks: never.
///
/// A coloured line alternates words and sequences; most of the cost is the change from one to the other.
#pragma once

#include "row.hpp"

#include <array>

namespace mux::vt {

/// The end of a row, and what was appended there.
struct row_end {
    static constexpr int most_runs = 32;

    unit* units = nullptr; ///< with room for plain_step more after `limit`
    int used = 0;          ///< columns; below `limit`
    int limit = 0;
    style pen;
    style last;                  ///< of the text before the end
    int count = 0;               ///< of the runs; `last` is the style of the last of them
    bool after_sequence = false; ///< the last input taken was a sequence
    std::array<style_run, most_runs> runs;
};

/// Takes plain bytes and SGR sequences, in any order, until the row is full or something else comes. May stop early: near
/// `end`, where it cannot read ahead, or when `runs` is full.
/// @returns the rest of the input
const char* append_styled(const char* p, const char* end, row_end& to) noexcept;

/// The same for each processor; the first is portable, the last is the fastest one, which is used.
[[nodiscard]] std::span<decltype(&append_styled) const> styled_writers() noexcept;

namespace detail {

/// @pre has_avx512() (processor.hpp)
const char* append_styled_avx512(const char* p, const char* end, row_end& to) noexcept;

} // namespace detail

} // namespace mux::vt
