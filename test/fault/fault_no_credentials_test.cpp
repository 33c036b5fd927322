// SPDX-License-Identifier: MIT
/// @file fault_no_credentials_test.cpp: on a system without peer credentials every client is refused.
#define MATO_HAS_PEERCRED 0
#include <mato/peer.hpp>

#include <mato/unique_fd.hpp>

#include "support/catch.hpp"

TEST_CASE("without peer credentials every check is an error, under every policy", "[peer][fault]") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const mato::unique_fd one(ends[0]), other(ends[1]);
    const auto refuses = [&](const auto& policy) {
        mato::failure why;
        const auto peer = mato::require_peer(one.get(), policy, mato::errc::peer_rejected, why);
        CHECK(why.code.value() == ENOTSUP);
        CHECK(why.step == "read peer credentials");
        CHECK(peer.uid == static_cast<uid_t>(-1));
    };
    refuses(mato::same_user{});
    refuses(mato::same_user_or_root{});
    refuses(mato::uid_set{{::geteuid()}});
    refuses(mato::any_peer{});
}
