// SPDX-License-Identifier: MIT
/// @file picture.hpp: an image a program sent, the rectangle of cells it covers, and the mark those cells carry.
/// Layer: vt core.  Test: test/mato/vt/picture_test.cpp.
/// Threads: values; an image is never changed and may be shared.   Blocks: never.
///
/// A cell under a picture is erased and carries its number and row where the colour of an underline would be, which an erased
/// cell never has. So pictures scroll, wrap, are cut and end with their cells; what writes text knows nothing of them.
#pragma once

#include "row.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace mux::vt {

enum class picture_kind : std::uint8_t { kitty, sixel, iterm };

/// The protocols a terminal knows. What comes by one that it does not know is an event, and moves no cursor.
struct picture_protocols {
    bool kitty = false, sixel = false, iterm = false;
    bool announces_sixel = false; ///< in DA1, and answers XTSMGRAPHICS

    friend bool operator==(const picture_protocols&, const picture_protocols&) = default;
};

/// @units pixels; 0: not known
struct pixel_size {
    int width = 0, height = 0;

    [[nodiscard]] bool is_known() const noexcept { return width > 0 && height > 0; }
    friend bool operator==(const pixel_size&, const pixel_size&) = default;
};

struct image {
    picture_kind kind = picture_kind::kitty;
    std::string header; ///< kitty: the keys that say what the data is; sixel: "0;1;0q"; iterm: empty
    std::string data;   ///< kitty and iterm: base64; sixel: sixels; printable ASCII alone
    pixel_size size;

    [[nodiscard]] std::size_t bytes() const noexcept { return sizeof *this + header.size() + data.size(); }
};

struct picture {
    std::uint16_t number = 0;
    std::shared_ptr<const vt::image> image;
    int rows = 0, columns = 0;               ///< cells it covers
    bool is_cut = false;                     ///< sixel: it goes on beyond the right edge
    int x = 0, y = 0, width = 0, height = 0; ///< kitty: the part of the image that is shown, pixels; width 0: all
    int offset_x = 0, offset_y = 0, z = 0;   ///< kitty: pixels from the first cell's top left; order
    std::uint32_t id = 0, placement = 0;     ///< kitty: as the program calls them
};

/// What an erased cell under a picture says.
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

/// Number 0: there is none in the run of equal style that begins at `column`.
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
