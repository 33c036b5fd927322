// SPDX-License-Identifier: MIT
/// @file cursor.hpp: the cursor as a viewer sees it.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp.
/// Threads: values.   Blocks: never.
#pragma once

#include "geometry.hpp"

#include <cstdint>

namespace mux::vt {

/// DECSCUSR, without the blinking, which is a mode. `own`: the user's choice for the terminal, until a program sets another.
enum class cursor_shape : std::uint8_t { block, underline, bar, own };

struct cursor_view {
    position at;
    bool pending_wrap = false;
    bool visible = true;
    bool blinks = false; ///< mode 12 is set, by itself or by the shape
    cursor_shape shape{};
};

} // namespace mux::vt
