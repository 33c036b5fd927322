// SPDX-License-Identifier: MIT
// expect: this endpoint has no file permissions, so the peer policy must check
#include <mato/daemon.hpp>

struct policies : mato::default_policies {
    using endpoint = mato::activated;
#ifdef FIXED
    using peer = mato::same_user;
#else
    using peer = mato::any_peer;
#endif
};

void serve() {
    mato::basic_daemon<policies>::run({}, [](mato::basic_daemon<policies>&) {});
}
