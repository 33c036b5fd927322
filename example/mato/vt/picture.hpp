// SPDX-License-Identifier: MIT
/// @file picture.hpp: an image that a program sent, the rectangle of cells it covers, and the marks in those cells.
/// Layer: vt core.  Test: test/mato/vt/picture_test.cpp.
/// Threads: values; an image is never changed and may be shared.   Blocks: never.
///
/// A cell under a picture is erased and holds the picture's number and row in the field of the underline colour, which an
/// erased cell does not use. So pictures scroll, wrap, are cut and are removed with their cells, without code for it in the
/// text functions.
#pragma once

#include "geometry.hpp"
#include "row.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace mux::vt {

enum class picture_kind : std::uint8_t { kitty, sixel, iterm };

/// The image protocols that a terminal supports. Images of other protocols become events and do not move the cursor.
struct picture_protocols {
    bool kitty = false, sixel = false, iterm = false;
    bool announces_sixel = false; ///< in DA1, and answers XTSMGRAPHICS

    friend bool operator==(const picture_protocols&, const picture_protocols&) = default;
};

struct image {
    picture_kind kind = picture_kind::kitty;
    std::string header; ///< kitty: the keys that describe the data; sixel: "0;1;0q"; iterm: empty
    std::string data;   ///< kitty and iterm: base64; sixel: sixels; only printable ASCII
    pixel_size size;

    [[nodiscard]] std::size_t bytes() const noexcept { return sizeof *this + header.size() + data.size(); }
};

struct picture {
    std::uint16_t number = 0;
    std::shared_ptr<const vt::image> image;
    int rows = 0, columns = 0;               ///< cells that it covers
    bool is_cut = false;                     ///< sixel: it continues beyond the right edge
    int x = 0, y = 0, width = 0, height = 0; ///< kitty: the visible part of the image, pixels; width 0: all
    int offset_x = 0, offset_y = 0, z = 0;   ///< kitty: pixels from the first cell's top left; order
    std::uint32_t id = 0, placement = 0;     ///< kitty: the program's numbers
};

/// The contents of an erased cell under a picture.
struct picture_mark {
    static constexpr int max_rows = 255; ///< of a picture; numbers and rows share 24 bits
    std::uint16_t number = 0;
    int row = 0; ///< of the picture

    [[nodiscard]] colour as_colour() const noexcept {
        return colour::direct(
            {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number & 0xff), static_cast<std::uint8_t>(row)});
    }
    friend bool operator==(const picture_mark&, const picture_mark&) = default;
};

/// Number 0: the run of equal style that begins at `column` has no mark.
[[nodiscard]] inline picture_mark mark_at(const row& r, int column, const style& s) noexcept {
    if (!s.underline_colour.is_direct() || r.at(column) != units::blank) return {};
    const rgb c = s.underline_colour.components();
    return {static_cast<std::uint16_t>(c.red << 8 | c.green), c.blue};
}

/// Calls `found(mark, column, end)` for each run of marked cells of a row, from left to right.
template <class Found> void for_each_mark(const row& r, Found found) {
    const auto runs = r.runs();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (!runs[i].style.underline_colour.is_direct()) continue;
        const int end = i + 1 < runs.size() ? static_cast<int>(runs[i + 1].start) : r.used();
        for (int c = static_cast<int>(runs[i].start); c < end;) {
            const int begin = c;
            const picture_mark mark = mark_at(r, c, runs[i].style);
            if (mark.number == 0) {
                ++c;
                continue;
            }
            while (c < end && r.at(c) == units::blank) ++c;
            found(mark, begin, c);
        }
    }
}

} // namespace mux::vt
