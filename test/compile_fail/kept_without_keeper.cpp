// SPDX-License-Identifier: MIT
// expect: kept() needs a handover policy that survives, `using handover = mato::keeper;`
#include <mato/daemon.hpp>
#include <mato/keeper.hpp>

struct policies : mato::default_policies {
#ifdef FIXED
    using handover = mato::keeper;
#endif
};

void drop(mato::basic_daemon<policies>& daemon) { daemon.kept().drop("job"); }
