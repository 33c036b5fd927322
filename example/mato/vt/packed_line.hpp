// SPDX-License-Identifier: MIT
/// @file packed_line.hpp: a line as few bytes, for history and for snapshots.
/// Layer: vt core.  Test: test/mato/vt/storage_test.cpp.
/// Threads: pure functions.   Blocks: never.
///
/// Layout: flags · [text length if styled] · text · [runs: columns since the last one, presence, fields].
/// Text is UTF-8, or two bytes a unit where that takes no more room: it is written and read much faster. In UTF-8 the
/// bytes below a space mark wide characters, clusters and erased cells, so unpacking needs no tables and cannot disagree.
#pragma once

#include "row.hpp"

#include <string_view>

namespace mux::vt {

/// Bytes packing may take at most for a row; what pack_line() needs at `to`.
[[nodiscard]] std::size_t packed_bound(const row& r) noexcept;

/// Writes `r` at `to`, which has packed_bound() bytes. @returns the end of what was written
char* pack_line(const row& r, char* to) noexcept;

/// @returns false if `bytes` were not written by pack_line(); then `out` is empty
/// @pre a line of `most_columns` columns at most
bool unpack_line(std::string_view bytes, row& out, int most_columns);

/// Columns of a packed line if it is all ASCII, else -1: then it must be unpacked to be measured.
[[nodiscard]] int ascii_columns(std::string_view packed) noexcept;

} // namespace mux::vt
