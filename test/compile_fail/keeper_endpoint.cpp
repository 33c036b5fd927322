// SPDX-License-Identifier: MIT
// expect: with this handover policy the endpoint needs `adopt` and `published`
#include <mato/keeper.hpp>
#include <mato/policies.hpp>

struct own_endpoint {
    static constexpr bool named = true;
    mato::unique_fd connect(mato::error_out) const { return {}; }
    std::string describe() const { return {}; }
    void withdraw() {}
#ifdef FIXED
    mato::unique_fd adopt(mato::unique_fd socket, const mato::published_name&, mato::error_out) { return socket; }
    mato::published_name published() const { return {}; }
#endif
};
struct policies : mato::default_policies {
    using endpoint = own_endpoint;
    using handover = mato::keeper;
};
template struct mato::detail::require_policies<policies>;
