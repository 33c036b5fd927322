// SPDX-License-Identifier: MIT
/// @file image_size.hpp: the size of an image in pixels, from its first bytes; the image itself is never decoded.
/// Layer: vt core.  Test: test/mato/vt/picture_test.cpp.
/// Threads: pure functions.   Blocks: never.
/// Source: VT330/VT340 manual, chapter 14 (sixel); PNG 1.2 "IHDR"; GIF89a 18; ITU-T T.81 B.2.2 (JPEG); RFC 4648 4.
#pragma once

#include "picture.hpp"

#include <string>
#include <string_view>

namespace mux::vt {

/// Decodes at most `most` bytes; ends at the first byte that is not base64.
[[nodiscard]] std::string decode_base64(std::string_view text, std::size_t most);
/// Whether it is letters, digits, '+' and '/', then only '=': safe in any control string.
[[nodiscard]] bool is_base64(std::string_view text) noexcept;

/// The size of a PNG, GIF or JPEG in base64. All zero if it is another format, or invalid.
[[nodiscard]] pixel_size encoded_image_size(std::string_view base64);

struct sixel_extent {
    pixel_size size;
    int last_band = 0; ///< the top of the last band of the drawing, pixels from the top
};
[[nodiscard]] sixel_extent measure_sixels(std::string_view data) noexcept;

} // namespace mux::vt
