// SPDX-License-Identifier: MIT
/// @file modes.hpp: the modes that programs set with SM, RM, DECSET and DECRST.
/// Layer: vt core.  Test: test/mato/vt/02_modes.vt.
/// Threads: values.   Blocks: never.
/// Source: ECMA-48 7.2; xterm ctlseqs "DEC Private Mode Set"; DECRQM in the VT420 manual.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>

namespace mux::vt {

enum class mode : std::uint8_t {
    insert,             ///< 4 IRM
    newline,            ///< 20 LNM
    application_cursor, ///< ?1 DECCKM
    reverse_video,      ///< ?5 DECSCNM
    origin,             ///< ?6 DECOM
    autowrap,           ///< ?7 DECAWM
    auto_repeat,        ///< ?8 DECARM
    mouse_x10,          ///< ?9
    cursor_blinks,      ///< ?12
    cursor_visible,     ///< ?25 DECTCEM
    reverse_wrap,       ///< ?45
    application_keypad, ///< ?66 DECNKM, and DECKPAM
    backarrow,          ///< ?67 DECBKM
    margins,            ///< ?69 DECLRMM
    mouse_buttons,      ///< ?1000
    mouse_highlight,    ///< ?1001
    mouse_drags,        ///< ?1002
    mouse_all,          ///< ?1003
    focus,              ///< ?1004
    mouse_utf8,         ///< ?1005
    mouse_sgr,          ///< ?1006
    alternate_scroll,   ///< ?1007
    mouse_urxvt,        ///< ?1015
    mouse_sgr_pixels,   ///< ?1016
    alternate_screen,   ///< ?47, ?1047, ?1049
    bracketed_paste,    ///< ?2004
    synchronised,       ///< ?2026
    grapheme_clusters,  ///< ?2027
    theme_reports,      ///< ?2031
    reverse_wrap_far,   ///< ?1045
    size_reports,       ///< ?2048
    count
};

enum class mode_space : std::uint8_t { ansi, dec };

/// What DECRQM answers.
enum class mode_report : std::uint8_t { unknown = 0, set = 1, reset = 2, always_set = 3, always_reset = 4 };

class mode_set {
public:
    mode_set() noexcept;

    [[nodiscard]] bool is_set(mode m) const noexcept { return bits_[static_cast<std::size_t>(m)]; }
    /// At most one of the mouse modes 9 to 1003 is set, and at most one of the encodings 1005 to 1016.
    void set(mode m, bool on) noexcept;
    [[nodiscard]] std::uint64_t bits() const noexcept { return bits_.to_ullong(); }
    /// @returns false if a bit does not belong to a mode
    bool set_bits(std::uint64_t bits) noexcept;

    [[nodiscard]] static std::optional<mode> find(mode_space space, int number) noexcept;
    [[nodiscard]] mode_report report(mode_space space, int number) const noexcept;

private:
    std::bitset<static_cast<std::size_t>(mode::count)> bits_;
};

} // namespace mux::vt
