// SPDX-License-Identifier: MIT
// expect: this length type cannot express the largest frame
#include <mato/framing.hpp>

#ifdef FIXED
constexpr auto largest = mato::length_prefixed<std::uint8_t, 255>::max_frame_bytes;
#else
constexpr auto largest = mato::length_prefixed<std::uint8_t, 256>::max_frame_bytes;
#endif
