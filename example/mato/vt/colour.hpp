// SPDX-License-Identifier: MIT
/// @file colour.hpp: a cell's colour in four bytes, and the palette that programs can change.
/// Layer: vt core.  Test: test/mato/vt/20_strings.vt.
/// Threads: values.   Blocks: never.
/// Source: xterm ctlseqs OSC 4, 10-12, 104; X11 XParseColor for the specifications.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux::vt {

struct rgb {
    std::uint8_t red = 0;
    std::uint8_t green = 0;
    std::uint8_t blue = 0;

    friend bool operator==(const rgb&, const rgb&) = default;
};

/// The default colour, one of the 256 palette colours, or 24-bit red, green and blue. The value is small for common colours, so
/// that history can store it in one or two bytes.
class colour {
public:
    constexpr colour() = default;
    static constexpr colour indexed(unsigned index) noexcept { return colour(1 + (index & 0xff)); }
    static constexpr colour direct(rgb c) noexcept {
        return colour(first_direct + (std::uint32_t{c.red} << 16 | std::uint32_t{c.green} << 8 | c.blue));
    }
    /// @returns nothing if no colour has this value
    static constexpr std::optional<colour> from_value(std::uint32_t value) noexcept {
        if (value >= first_direct + 0x1000000) return std::nullopt;
        return colour(value);
    }

    [[nodiscard]] constexpr bool is_default() const noexcept { return value_ == 0; }
    [[nodiscard]] constexpr bool is_indexed() const noexcept { return value_ != 0 && value_ < first_direct; }
    [[nodiscard]] constexpr bool is_direct() const noexcept { return value_ >= first_direct; }
    [[nodiscard]] constexpr unsigned index() const noexcept { return value_ - 1; }
    [[nodiscard]] constexpr rgb components() const noexcept {
        const std::uint32_t v = value_ - first_direct;
        return {static_cast<std::uint8_t>(v >> 16), static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
    }
    [[nodiscard]] constexpr std::uint32_t value() const noexcept { return value_; }

    friend constexpr bool operator==(colour, colour) = default;

private:
    static constexpr std::uint32_t first_direct = 257;
    constexpr explicit colour(std::uint32_t value) noexcept : value_(value) {}
    std::uint32_t value_ = 0; // 0 default · 1..256 palette · 257.. red, green, blue
};

/// "#rgb" to "#rrrrggggbbbb", "rgb:r/g/b" to "rgb:rrrr/gggg/bbbb". Colour names are not supported.
[[nodiscard]] std::optional<rgb> parse_colour(std::string_view specification) noexcept;

/// "rgb:rrrr/gggg/bbbb", the form of xterm's answers.
[[nodiscard]] std::string colour_specification(rgb c);

/// The 256 colours and the three dynamic ones; records which of them a program has changed.
class palette {
public:
    enum dynamic : std::uint16_t { foreground = 256, background = 257, cursor = 258 };
    static constexpr std::size_t size = 259;

    palette();
    [[nodiscard]] rgb at(std::size_t index) const noexcept { return colours_[index]; }
    [[nodiscard]] bool is_changed(std::size_t index) const noexcept { return changed_[index]; }
    [[nodiscard]] bool is_any_changed() const noexcept { return changed_.any(); }
    void set(std::size_t index, rgb c) noexcept;
    void reset(std::size_t index) noexcept;
    void reset_all() noexcept;
    /// A stamp of the 256 colours: equal for equal changes in any order, and different for others (except once in 2^64). 0: no
    /// changes.
    [[nodiscard]] std::uint64_t stamp() const noexcept { return stamp_; }

private:
    void put(std::size_t index, rgb c, bool changed) noexcept;

    std::array<rgb, size> colours_;
    std::bitset<size> changed_;
    std::uint64_t stamp_ = 0;
};

} // namespace mux::vt
