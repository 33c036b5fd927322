// SPDX-License-Identifier: MIT
/// @file limits.hpp: limits that the client and the daemon both act on.
#pragma once

#include <cstddef>

namespace mux {

/// A read of this many bytes from a terminal may be incomplete: Linux keeps one byte more of its input (N_TTY_BUF_SIZE in
/// tty.h).
inline constexpr std::size_t full_terminal_bytes = 4095;

} // namespace mux
