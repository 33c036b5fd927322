// SPDX-License-Identifier: MIT
/// @file byte_range.hpp: a part of a text, by its bytes.
/// Pure.
#pragma once

#include <cstdint>

namespace mux {

/// Bytes [begin, end) of a text.
struct byte_range {
    std::uint64_t begin = 0, end = 0;
    void fields(auto& f) { f(begin, end); }
    friend bool operator==(const byte_range&, const byte_range&) = default;
};

} // namespace mux
