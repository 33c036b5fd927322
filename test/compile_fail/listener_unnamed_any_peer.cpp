// SPDX-License-Identifier: MIT
// expect: this endpoint has no file permissions, so the peer policy must check
#include <mato/endpoint.hpp>
#include <mato/listener.hpp>
#include <mato/peer.hpp>

struct nameless : mato::owned_path {
    static constexpr bool named = false;
};
#ifdef FIXED
mato::basic_listener<nameless, mato::same_user> listener;
#else
mato::basic_listener<nameless, mato::any_peer> listener;
#endif
