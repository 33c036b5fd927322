// SPDX-License-Identifier: MIT
// expect: the peer policy needs `checks` and `bool allows(const peer_credentials&) const`
#include <mato/peer.hpp>

mato::peer_credentials who(int socket, mato::error_out out) {
#ifdef FIXED
    return mato::require_peer(socket, mato::same_user(), mato::errc::peer_rejected, out);
#else
    return mato::require_peer(socket, 1000, mato::errc::peer_rejected, out); // a uid is not a policy
#endif
}
