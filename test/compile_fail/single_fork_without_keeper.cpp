// SPDX-License-Identifier: MIT
// expect: with this detach policy the daemon leads its session
#include <mato/keeper.hpp>
#include <mato/policies.hpp>

struct policies : mato::default_policies {
    using detach = mato::single_fork;
#ifdef FIXED
    using handover = mato::keeper;
#endif
};
template struct mato::detail::require_policies<policies>;
