// SPDX-License-Identifier: MIT
/// @file peer_refusal_test.cpp: processes of another user, at both ends of a reachable socket.
#include <mato/peer.hpp>

#include <mato/endpoint.hpp>
#include <mato/listener.hpp>
#include <mato/lock.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

using support::child_process;
using support::temp_directory;

namespace {

constexpr uid_t other_user = 65534;
constexpr auto check_peer = [](int socket, const auto& policy, mato::error_out out) {
    return mato::require_peer(socket, policy, mato::errc::peer_rejected, out);
};

bool needs_root() {
    if (!support::is_root()) WARN("skipped: a process of another user needs root");
    return !support::is_root();
}

// Published privately, then opened to all, so that only the peer check protects it.
template <class Peer> struct reachable_server {
    temp_directory directory;
    mato::instance_lock lock = mato::instance_lock::acquire(directory / "lock");
    mato::basic_listener<mato::owned_path, Peer> listener;
    explicit reachable_server(Peer policy) {
        mato::failure why;
        listener = mato::basic_listener<mato::owned_path, Peer>::open(mato::owned_path(directory / "socket"), std::move(policy),
                                                                      lock, mato::publish_options{.mode = 0777}, why);
        REQUIRE_FALSE(why);
        REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
    }
};

// In a child of another user: connects, sends, and counts the received bytes. The exit status: 200 could not connect.
int bytes_told(const std::filesystem::path& socket, const support::mailbox<int>& connected) {
    if (!support::become_nobody()) return 201;
    std::error_code why;
    const auto client = mato::owned_path(socket).connect(why);
    connected.put(client ? 1 : 0);
    if (!client) return 200;
    static_cast<void>(mato::sys::send(client.get(), "let me in", 9));
    int told = 0;
    for (;;) {
        char buffer[64];
        if (!support::await_readable(client.get())) return 202;
        const ssize_t got = mato::sys::recv(client.get(), buffer, sizeof buffer);
        if (got <= 0) return told;
        told += static_cast<int>(got);
    }
}

// One client of uid 65534 connects under `policy`; an allowed client gets one greeting.
template <class Peer> int told_under(Peer policy, mato::failure& refusal) {
    const auto before = support::open_descriptors();
    int told = -1;
    {
        reachable_server<Peer> server(std::move(policy));
        const support::mailbox<int> connected;
        child_process client([&] { return bytes_told(server.directory / "socket", connected); });
        REQUIRE(connected.take() == 1);
        REQUIRE(support::await_readable(server.listener.native_handle()));
        mato::failure why;
        {
            const auto got = server.listener.try_accept(check_peer, why);
            REQUIRE(got);
            CHECK_FALSE(why);
            CHECK(got->peer.uid == other_user);
            CHECK(got->peer.pid == client.pid());
            refusal = got->why;
            if (!got->why) CHECK(mato::sys::send(got->socket.get(), "welcome", 7) == 7);
        }
        told = client.wait();
    }
    CHECK(support::open_descriptors() == before);
    return told;
}

} // namespace

TEST_CASE("a process of another user is refused, and gets no byte", "[peer][process]") {
    if (needs_root()) return;
    mato::failure refusal;
    CHECK(told_under(mato::same_user{}, refusal) == 0);
    CHECK(refusal.code == mato::errc::peer_rejected);
    CHECK(refusal.step == "check peer");
    CHECK(support::contains(refusal.message(), "uid 65534"));
    CHECK(told_under(mato::same_user_or_root{}, refusal) == 0);
    CHECK(refusal.code == mato::errc::peer_rejected);
    CHECK(told_under(mato::uid_set{{0, 1, 1000}}, refusal) == 0);
    CHECK(refusal.code == mato::errc::peer_rejected);
}

TEST_CASE("a process of a listed user is allowed", "[peer][process]") {
    if (needs_root()) return;
    mato::failure refusal;
    CHECK(told_under(mato::uid_set{{other_user}}, refusal) == 7);
    CHECK_FALSE(refusal);
    CHECK(told_under(mato::any_peer{}, refusal) == 7);
    CHECK_FALSE(refusal);
}

TEST_CASE("a private directory prevents another user from connecting", "[peer][process]") {
    if (needs_root()) return;
    reachable_server server(mato::same_user{});
    REQUIRE(::chmod(server.directory.path().c_str(), 0700) == 0);
    const support::mailbox<int> connected;
    CHECK(child_process([&] { return bytes_told(server.directory / "socket", connected); }).wait() == 200);
    mato::failure why;
    CHECK_FALSE(server.listener.try_accept(check_peer, why));
}

TEST_CASE("a private socket in an open directory prevents another user from connecting", "[peer][process]") {
    if (needs_root()) return;
    reachable_server server(mato::same_user{});
    REQUIRE(::chmod((server.directory / "socket").c_str(), 0700) == 0);
    const support::mailbox<int> connected;
    CHECK(child_process([&] { return bytes_told(server.directory / "socket", connected); }).wait() == 200);
}

TEST_CASE("root is refused by same_user, and allowed by same_user_or_root", "[peer][process]") {
    if (needs_root()) return;
    const temp_directory directory;
    REQUIRE(::chown(directory.path().c_str(), other_user, other_user) == 0);
    const auto serve = [&](auto policy) {
        const support::mailbox<int> published;
        child_process server([&] { // 0: allowed, 1: refused
            if (!support::become_nobody()) return 100;
            mato::failure why;
            const auto lock = mato::instance_lock::acquire(directory / "lock", why);
            auto listener = mato::basic_listener<mato::owned_path, decltype(policy)>::open(
                mato::owned_path(directory / "socket"), policy, lock, mato::publish_options{}, why);
            published.put(1);
            if (why || !support::await_readable(listener.native_handle())) return 101;
            const auto got = listener.try_accept(check_peer, why);
            return !got || why ? 102 : got->why ? 1 : 0;
        });
        REQUIRE(published.take());
        std::error_code why;
        const auto client = mato::owned_path(directory / "socket").connect(why);
        CHECK(client);
        // The other direction: root does not trust a server of another user, and sends no byte.
        mato::failure distrust;
        const auto peer = mato::require_peer(client.get(), mato::same_user{}, mato::errc::server_not_trusted, distrust);
        CHECK(distrust.code == mato::errc::server_not_trusted);
        CHECK(peer.uid == other_user);
        CHECK(peer.pid == server.pid());
        return server.wait();
    };
    CHECK(serve(mato::same_user{}) == 1);
    CHECK(serve(mato::same_user_or_root{}) == 0);
}
