// SPDX-License-Identifier: MIT
/// @file packed_line.hpp: a line in few bytes, for history and snapshots.
/// Layer: vt core.  Test: test/mato/vt/storage_test.cpp.
/// Threads: pure functions.   Blocks: never.
///
/// Layout: flags · [text length if styled] · text · [runs: columns since the last one, presence, fields].
/// Text is UTF-8, or two bytes per unit if that is not longer: those are read and written much faster. In UTF-8 the bytes below
/// a space mark wide characters, clusters and erased cells, so unpacking needs no width tables and cannot differ from them.
#pragma once

#include "row.hpp"

#include <string_view>

namespace mux::vt {

/// The most bytes that packing a row may need; pack_line() needs this room at `to`.
[[nodiscard]] std::size_t packed_bound(const row& r) noexcept;

/// Writes `r` at `to`, which has room for packed_bound() bytes. @returns the end of the written bytes
char* pack_line(const row& r, char* to) noexcept;

/// @returns false if `bytes` do not come from pack_line(); `out` is empty then
/// @pre a line of at most `most_columns` columns
bool unpack_line(std::string_view bytes, row& out, int most_columns);

/// The columns of a packed line if it is all ASCII, else -1: it must be unpacked to be measured.
[[nodiscard]] int ascii_columns(std::string_view packed) noexcept;

} // namespace mux::vt
