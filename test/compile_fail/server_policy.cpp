// SPDX-License-Identifier: MIT
// expect: policies::server is not a peer policy, see peer.hpp
#include <mato/policies.hpp>

struct own_server {
    static constexpr bool checks = true;
#ifdef FIXED
    bool allows(const mato::peer_credentials&, const mato::peer_groups&) const { return true; }
#endif
};
struct policies : mato::default_policies {
    using server = own_server;
};
template struct mato::detail::require_policies<policies>;
