// SPDX-License-Identifier: MIT
/// @file text_origin.hpp: where a text begins that a command reads or searches.
/// Pure.
#pragma once

#include "protocol/bodies/text.hpp"

#include <cstdint>

namespace mux {

struct text_origin {
    text_begin from = text_begin::oldest;
    std::uint64_t line = 0, column = 0;
};

} // namespace mux
