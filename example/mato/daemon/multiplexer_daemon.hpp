// SPDX-License-Identifier: MIT
/// @file multiplexer_daemon.hpp: the toolkit's daemon with the policies of this program.
#pragma once

#include "protocol/policies.hpp"

#include <mato/daemon.hpp>

namespace mux {

using multiplexer_daemon = mato::basic_daemon<policies>;

} // namespace mux
