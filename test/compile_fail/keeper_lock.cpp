// SPDX-License-Identifier: MIT
// expect: with this handover policy the lock needs `static constexpr bool shared_by_copies = true`
#include <mato/keeper.hpp>
#include <mato/policies.hpp>

struct own_lock {
    static int try_lock(int) noexcept { return 0; }
    static int probe(int) noexcept { return 0; }
    static void unlock(int) noexcept {}
#ifdef FIXED
    static constexpr bool shared_by_copies = true;
#endif
};
struct policies : mato::default_policies {
    using lock = own_lock;
    using handover = mato::keeper;
};
template struct mato::detail::require_policies<policies>;
