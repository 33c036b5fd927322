// SPDX-License-Identifier: MIT
// expect: policies::server must check the daemon's user (any_peer does not)
#include <mato/policies.hpp>

struct policies : mato::default_policies {
    using endpoint = mato::activated;
#ifdef FIXED
    using server = mato::uid_set;
#else
    using server = mato::any_peer;
#endif
};
template struct mato::detail::require_policies<policies>;
