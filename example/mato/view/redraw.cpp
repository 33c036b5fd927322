// SPDX-License-Identifier: MIT
#include "redraw.hpp"

#include "frame.hpp"

namespace mux {

std::string redraw(const vt::terminal& screen, colour_depth colours) {
    terminal_features any;
    any.colours = colours;
    any.strings = true;
    frame_composer drawn(screen.size(), any);
    drawn.forget();
    std::string bytes = screen.entry();
    drawn.compose(screen, {.readonly = true}, bytes);
    return bytes += screen.drawing_state();
}

} // namespace mux
