// SPDX-License-Identifier: MIT
// expect: this system has no child subreapers, as Linux has; use no_handover
#define MATO_HAS_SUBREAPER 0
#include <mato/keeper.hpp>
#include <mato/policies.hpp>

struct policies : mato::default_policies {
#ifdef FIXED
    using handover = mato::no_handover;
#else
    using handover = mato::keeper;
#endif
};
template struct mato::detail::require_policies<policies>;
