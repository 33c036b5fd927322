// SPDX-License-Identifier: MIT
/// @file policies.hpp: the toolkit's policies that client and daemon of this program share.
#pragma once

#include <mato/policies.hpp>

namespace mux {

struct policies : mato::default_policies {
    using endpoint = mato::activated_or_owned;
};

} // namespace mux
