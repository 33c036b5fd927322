// SPDX-License-Identifier: MIT
/// @file input_sequence.hpp: the end of a sequence from a terminal, and its numbers.
/// Pure.  Test: test/mato/input_reader_test.cpp.
/// Source: ECMA-48 5.4; xterm ctlseqs "C1 (8-Bit) Control Characters" (seven-bit forms only: eight-bit ones are UTF-8 here).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace mux {

/// A CSI sequence, split into its parts. The views refer to the bytes it was read from.
struct input_sequence {
    char leader = 0; ///< one of < = > ? or 0
    std::string_view parameters;
    std::string_view intermediates;
    char final = 0;
};

/// The end of a sequence: its first `length` bytes. Cut: more bytes are needed. Broken: the first `length` bytes are not a
/// sequence, and another one may begin after them.
struct sequence_end {
    enum class state : unsigned char { complete, cut, broken } state;
    std::size_t length;
};

/// @pre bytes begin with ESC [ ; a sequence longer than `limit` is broken
[[nodiscard]] sequence_end end_of_input_sequence(std::string_view bytes, std::size_t limit) noexcept;
/// @pre bytes begin with ESC and one of ] P _ ; the string ends in ESC \ or, after ESC ], in BEL
[[nodiscard]] sequence_end end_of_string(std::string_view bytes, std::size_t limit) noexcept;
/// @pre end_of_input_sequence says that `bytes` are complete
[[nodiscard]] input_sequence parse_input_sequence(std::string_view bytes) noexcept;

/// The first fields of a sequence's parameters, each with its first subparameters: "a:b;c" is {a, b}, {c}. Missing: -1.
struct parameter_fields {
    static constexpr std::size_t width =
        3; ///< fields, and subparameters of a field: no key or answer that is read here has more
    static constexpr int largest = 0x10ffff; ///< larger numbers become this one: the largest Unicode scalar value
    std::array<std::array<int, width>, width> at;
    std::size_t count = 0; ///< all fields, including those beyond `width`

    [[nodiscard]] int get(std::size_t field, std::size_t sub, int absent) const noexcept {
        return at[field][sub] < 0 ? absent : at[field][sub];
    }
};

/// @returns nothing if there is anything except digits, ';' and ':'
[[nodiscard]] std::optional<parameter_fields> parse_fields(std::string_view parameters) noexcept;

} // namespace mux
