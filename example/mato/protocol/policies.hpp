// SPDX-License-Identifier: MIT
/// @file policies.hpp: the toolkit's policies that this program chooses: its client and its daemon have to agree on them.
#pragma once

#include <mato/policies.hpp>

namespace mux {

struct policies : mato::default_policies {
    using detach = mato::double_fork;
    using endpoint = mato::activated_or_owned;
};

} // namespace mux
