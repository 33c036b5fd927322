// SPDX-License-Identifier: MIT
// expect: policies::peer is not a peer policy
#include <mato/client.hpp>

struct policies : mato::default_policies {
#ifdef FIXED
    using peer = mato::same_user_or_root;
#else
    using peer = int;
#endif
};
mato::basic_client<policies> client;
