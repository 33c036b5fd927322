// SPDX-License-Identifier: MIT
/// @file control_sequence.hpp: where a sequence from a terminal ends, and the numbers in it.
/// Pure.  Test: test/mato/input_reader_test.cpp.
/// Source: ECMA-48 5.4; xterm ctlseqs "C1 (8-Bit) Control Characters" (seven-bit forms only: eight-bit ones are UTF-8 here).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace mux {

/// A CSI sequence, cut into its parts. Views into the bytes it was read from.
struct control_sequence {
    char leader = 0; ///< one of < = > ? or 0
    std::string_view parameters;
    std::string_view intermediates;
    char final = 0;
};

/// The end of a sequence: `length` bytes belong to it. Cut: more are needed. Broken: the first `length` bytes are no sequence,
/// and what follows them begins anew.
struct sequence_end {
    enum class state : unsigned char { complete, cut, broken } state;
    std::size_t length;
};

/// @pre bytes begin with ESC [ ; a sequence longer than `limit` is broken
[[nodiscard]] sequence_end end_of_control_sequence(std::string_view bytes, std::size_t limit) noexcept;
/// @pre bytes begin with ESC and one of ] P _ ; the string ends in ESC \ or, after ESC ], in BEL
[[nodiscard]] sequence_end end_of_string(std::string_view bytes, std::size_t limit) noexcept;
/// @pre end_of_control_sequence says that `bytes` are complete
[[nodiscard]] control_sequence parse_control_sequence(std::string_view bytes) noexcept;

/// The first fields of a sequence's parameters, each with its first subparameters: "a:b;c" is {a, b}, {c}. Absent: -1.
struct parameter_fields {
    static constexpr std::size_t width = 3;  ///< fields, and subparameters of a field: no key or answer read here has more
    static constexpr int largest = 0x10ffff; ///< larger numbers are this one: a Unicode scalar value is the largest meant
    std::array<std::array<int, width>, width> at;
    std::size_t count = 0; ///< fields in all, those beyond `width` too

    [[nodiscard]] int get(std::size_t field, std::size_t sub, int absent) const noexcept {
        return at[field][sub] < 0 ? absent : at[field][sub];
    }
};

/// @returns nothing if there is anything but digits, ';' and ':'
[[nodiscard]] std::optional<parameter_fields> parse_fields(std::string_view parameters) noexcept;

} // namespace mux
