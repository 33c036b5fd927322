// SPDX-License-Identifier: MIT
/// @file mixed_text.hpp: text of many scripts, decoded and encoded without branches on what it is.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp (against decode_utf8() and append_utf8()).
/// Threads: pure functions.   Blocks: never.
///
/// Which character comes next cannot be predicted in mixed text, and each wrong guess costs as much as the work itself.
#pragma once

#include "row.hpp"

#include <optional>

namespace mux::vt {

struct decoded_run {
    int bytes = 0;
    int columns = 0;
};

/// Decodes well-formed characters of one or two columns into at most `room` columns. Stops before anything else:
/// controls, marks, what is ill-formed, a long run of plain bytes, the last few bytes before `end`.
/// The first `scratch` units from `to` may be scribbled over past the ones counted.
decoded_run decode_mixed(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept;

/// Encodes units as UTF-8, as packed_line.hpp wants them; stops before an erased cell or a cluster. Five bytes a unit are
/// enough, and up to four more are scribbled over.
/// @returns how many units; `to` moves on
std::size_t encode_mixed(const unit* units, std::size_t count, char*& to) noexcept;

/// Two bytes a unit, lowest first: the code point, pair_tail for a right half, 0 for an erased cell. A wide character
/// past U+FFFF is a surrogate pair, and its columns are just as many. Writes `2 * count` bytes.
/// @returns roughly the bytes encode_mixed() would write, a right half counting for the mark of its left; nothing if a unit
///          has no such form: clusters, narrow characters past U+FFFF, a wide one cut in half
std::optional<std::size_t> encode_pairs(const unit* units, std::size_t count, char* to) noexcept;
inline constexpr int pair_tail = 1;

/// The same two by what this machine has; the first is portable, the last the fastest, and the one that is used.
struct mixed_codec {
    decltype(&decode_mixed) decode;
    decltype(&encode_pairs) encode;
};
[[nodiscard]] std::span<const mixed_codec> mixed_codecs() noexcept;

/// In packed text: the next character has two columns.
inline constexpr char wide_mark = 1;

} // namespace mux::vt
