// SPDX-License-Identifier: MIT
/// @file multiplexer_daemon.hpp: the toolkit's daemon with the policies of this program.
#pragma once

#include <mato/daemon.hpp>

namespace mux {

struct policies : mato::default_policies {
    using detach = mato::double_fork;
    using endpoint = mato::activated_or_owned;
};
using multiplexer_daemon = mato::basic_daemon<policies>;

} // namespace mux
