// SPDX-License-Identifier: MIT
/// @file mixed_text.hpp: decodes and encodes text in many scripts without branches on its content.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp (against decode_utf8() and append_utf8()).
/// Threads: pure functions.   Blocks: never.
///
/// The next character in mixed text cannot be predicted, and each misprediction costs as much as the work itself.
#pragma once

#include "row.hpp"

#include <optional>

namespace mux::vt {

struct decoded_run {
    int bytes = 0;
    int columns = 0;
};

/// Decodes well-formed characters of one or two columns into at most `room` columns. Stops before anything else: controls,
/// marks, ill-formed bytes, a long run of plain bytes, the last few bytes before `end`. The first `scratch` units from `to` may
/// be overwritten with garbage past the counted ones.
decoded_run decode_mixed(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept;

/// Encodes units as UTF-8 for packed_line.hpp; stops before an erased cell or a cluster. It needs five bytes per unit, and may
/// overwrite up to four more with garbage.
/// @returns how many units; `to` moves on
std::size_t encode_mixed(const unit* units, std::size_t count, char*& to) noexcept;

/// Two bytes per unit, lowest first: the code point, pair_tail for a right half, 0 for an erased cell. A wide character above
/// U+FFFF is a surrogate pair in its two columns. Writes `2 * count` bytes.
/// @returns roughly the bytes that encode_mixed() would write, counting a right half for the mark of its left; nothing if a
/// unit has no such form: clusters, narrow characters above U+FFFF, a wide one cut in half
std::optional<std::size_t> encode_pairs(const unit* units, std::size_t count, char* to) noexcept;
inline constexpr int pair_tail = 1;

/// The same two for each processor; the first is portable, the last is the fastest one, which is used.
struct mixed_codec {
    decltype(&decode_mixed) decode;
    decltype(&encode_pairs) encode;
};
[[nodiscard]] std::span<const mixed_codec> mixed_codecs() noexcept;

/// In packed text: the next character has two columns.
inline constexpr char wide_mark = 1;

} // namespace mux::vt
