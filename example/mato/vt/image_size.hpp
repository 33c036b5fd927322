// SPDX-License-Identifier: MIT
/// @file image_size.hpp: how large an image is, in pixels, by its first bytes; the image itself is never decoded.
/// Layer: vt core.  Test: test/mato/vt/picture_test.cpp.
/// Threads: pure functions.   Blocks: never.
/// Source: VT330/VT340 manual, chapter 14 (sixel); PNG 1.2 "IHDR"; GIF89a 18; ITU-T T.81 B.2.2 (JPEG); RFC 4648 4.
#pragma once

#include "picture.hpp"

#include <string>
#include <string_view>

namespace mux::vt {

/// `most` bytes at most; ends at the first byte that is no base64.
[[nodiscard]] std::string decode_base64(std::string_view text, std::size_t most);
/// Letters, digits, '+' and '/', then '=' alone: safe in any control string.
[[nodiscard]] bool is_base64(std::string_view text) noexcept;

/// Of a PNG, GIF or JPEG in base64. All zero when it is none of these, or says nothing sensible.
[[nodiscard]] pixel_size encoded_image_size(std::string_view base64);

struct sixel_extent {
    pixel_size size;
    int last_band = 0; ///< the top of the band the drawing ended in, pixels from the top
};
[[nodiscard]] sixel_extent measure_sixels(std::string_view data) noexcept;

} // namespace mux::vt
