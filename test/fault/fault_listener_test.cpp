// SPDX-License-Identifier: MIT
/// @file fault_listener_test.cpp: faults while accepting and reading credentials. No client is allowed because of a fault.
#include "support/fault.hpp"
#include "support/stand_ins.hpp"

#include <mato/endpoint.hpp>
#include <mato/listener.hpp>
#include <mato/peer.hpp>

#include <sys/socket.h>

using proof = support::held_proof;

namespace {
constexpr auto check_peer = [](int socket, const auto& policy, mato::error_out out) {
    return mato::require_peer(socket, policy, mato::errc::peer_rejected, out);
};
using listener = mato::basic_listener<mato::owned_path, mato::same_user>;

struct scene {
    support::temp_directory directory;
    listener server;
    mato::unique_fd client;
    scene() {
        mato::failure why;
        server = listener::open(mato::owned_path(directory / "socket"), {}, proof{}, mato::publish_options{}, why);
        REQUIRE_FALSE(why);
        client = mato::owned_path(directory / "socket").connect(why);
        REQUIRE_FALSE(why);
    }
};
} // namespace

TEST_CASE("accepting survives every fault, and allows no client because of it", "[listener][fault]") {
    static_cast<void>(mato::detail::is_unknown_user(0)); // reads the ids of unmapped users and groups, once per process
    static_cast<void>(mato::detail::is_unknown_group(0));
    const int failed = fault::sweep(
        [](const std::filesystem::path&) {
            std::optional<scene> prepared;
            {
                const fault::paused while_preparing;
                prepared.emplace();
            }
            scene& at_the_door = *prepared;
            mato::failure why;
            auto got = at_the_door.server.try_accept(check_peer, why);
            if (why) {
                CHECK_FALSE(got);
                CHECK(why.step == "accept");
                CHECK(why.path == at_the_door.directory / "socket");
            }
            if (got && got->why) {
                CHECK(got->why.step == "read peer credentials");
                CHECK(got->peer.uid == static_cast<uid_t>(-1));
                why = got->why;
            }
            got.reset();
            const fault::paused while_tidying;
            prepared.reset();
            return why;
        },
        {.names_path = false});
    CHECK(failed >= 6);
}

TEST_CASE("EMFILE at accept is reported each time, and the client stays in the backlog", "[listener][fault]") {
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        scene at_the_door;
        for (int attempt = 0; attempt < 3; ++attempt) {
            fault::fail_all("accept4", error);
            mato::failure why;
            CHECK_FALSE(at_the_door.server.try_accept(check_peer, why));
            CHECK(why.code.value() == error);
            CHECK(why.step == "accept");
        }
        fault::start();
        mato::failure why;
        CHECK(at_the_door.server.try_accept(check_peer, why).has_value());
    }
}

TEST_CASE("a client that disconnects before it is accepted is no error", "[listener][fault]") {
    scene at_the_door;
    for (const int error : {ECONNABORTED, EAGAIN}) {
        fault::fail_all("accept4", error);
        mato::failure why;
        CHECK_FALSE(at_the_door.server.try_accept(check_peer, why));
        CHECK_FALSE(why);
    }
    fault::start();
}

TEST_CASE("a client whose credentials cannot be read is refused", "[peer][fault]") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const mato::unique_fd one(ends[0]), other(ends[1]);
    fault::fail_all("getsockopt", ENOPROTOOPT);
    mato::failure why;
    const auto peer = mato::require_peer(one.get(), mato::any_peer{}, mato::errc::peer_rejected, why);
    fault::start();
    CHECK(why.code.value() == ENOPROTOOPT);
    CHECK(why.step == "read peer credentials");
    CHECK_FALSE(mato::same_user{}.allows(peer));
}
