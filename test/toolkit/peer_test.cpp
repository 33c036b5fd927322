// SPDX-License-Identifier: MIT
/// @file peer_test.cpp: the kernel's credentials of a peer, and policies that refuse in doubt.
#include <mato/peer.hpp>

#include <mato/unique_fd.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"

using mato::peer_credentials;

#include <fcntl.h>
#include <grp.h>
#include <sched.h>

namespace {
struct pair {
    mato::unique_fd one, other;
    pair() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        one = mato::unique_fd(ends[0]);
        other = mato::unique_fd(ends[1]);
    }
};

peer_credentials of(uid_t uid) { return {uid, 0, 1}; }
constexpr uid_t other_user = 65534;
} // namespace

// ---- the contract ----

TEST_CASE("the credentials come from the kernel", "[peer]") {
    const pair sockets;
    mato::failure why;
    const auto peer = mato::credentials_of(sockets.one.get(), why);
    CHECK_FALSE(why);
    CHECK(peer.uid == ::geteuid());
    CHECK(peer.gid == ::getegid());
    CHECK(peer.pid == ::getpid());
}

TEST_CASE("same_user allows the own user, and not root", "[peer]") {
    const mato::same_user policy;
    CHECK(policy.allows(of(::geteuid())));
    CHECK_FALSE(policy.allows(of(::geteuid() + 1)));
    CHECK_FALSE(policy.allows({}));
    if (!support::is_root()) {
        CHECK_FALSE(policy.allows(of(0)));
        return;
    }
    CHECK(support::in_child(
              [&] { return support::become_nobody() && policy.allows(of(other_user)) && !policy.allows(of(0)) ? 0 : 1; }) == 0);
}

TEST_CASE("same_user_or_root allows the own user and root", "[peer]") {
    const mato::same_user_or_root policy;
    CHECK(policy.allows(of(::geteuid())));
    CHECK(policy.allows(of(0)));
    CHECK_FALSE(policy.allows(of(::geteuid() + 1)));
    CHECK_FALSE(policy.allows({}));
}

TEST_CASE("uid_set allows the listed users, and root only if listed", "[peer]") {
    const mato::uid_set policy{{7, 9}};
    CHECK(policy.allows(of(7)));
    CHECK(policy.allows(of(9)));
    CHECK_FALSE(policy.allows(of(8)));
    CHECK_FALSE(policy.allows(of(0)));
    CHECK_FALSE(policy.allows({}));
    CHECK_FALSE(mato::uid_set{}.allows(of(::geteuid()))); // an empty list allows no user
}

TEST_CASE("gid_set allows the listed effective groups", "[peer]") {
    const peer_credentials member{1000, 50, 1};
    CHECK(mato::gid_set{{49, 50}}.allows(member));
    CHECK_FALSE(mato::gid_set{{49}}.allows(member));
    CHECK_FALSE(mato::gid_set{}.allows(member));
}

TEST_CASE("group_member allows the effective and the supplementary groups", "[peer]") {
    const peer_credentials peer{1000, 50, 1};
    const mato::peer_groups groups{{50, 60}};
    CHECK(mato::group_member{50}.allows(peer, groups));
    CHECK(mato::group_member{60}.allows(peer, groups));
    CHECK_FALSE(mato::group_member{0}.allows(peer, groups));
    CHECK_FALSE(mato::group_member{}.allows(peer, groups));
    CHECK_FALSE(mato::group_member{}.allows(peer, {{static_cast<gid_t>(-1)}})); // the default allows no process
}

TEST_CASE("either allows what one of its policies allows, nested too", "[peer]") {
    using mato::either;
    const either<mato::uid_set, mato::gid_set> plain{{{1}}, {{50}}};
    CHECK(plain.allows({1, 2, 1}));
    CHECK(plain.allows({2, 50, 1}));
    CHECK_FALSE(plain.allows({2, 2, 1}));
    const either<either<mato::uid_set, mato::group_member>, mato::group_member> nested{{{{1}}, {50}}, {60}};
    CHECK(nested.allows({1, 2, 1}, {}));
    CHECK(nested.allows({2, 2, 1}, {{50}}));
    CHECK(nested.allows({2, 2, 1}, {{60}}));
    CHECK_FALSE(nested.allows({2, 2, 1}, {{70}}));
    CHECK(either<mato::same_user, mato::uid_set>::checks);
    CHECK_FALSE(either<mato::any_peer, mato::uid_set>::checks);
}

#if MATO_HAS_PEERGROUPS
TEST_CASE("the groups of a peer come from the kernel, as many as there are", "[peer]") {
    const pair sockets;
    mato::failure why;
    const auto own = mato::groups_of(sockets.one.get(), why);
    CHECK_FALSE(why);
    CHECK(own.has(::getegid()));
    CHECK_FALSE(mato::groups_of(-1, why).has(0));
    CHECK(why);
    if (!support::is_root()) {
        WARN("skipped: other groups need root");
        return;
    }
    for (const int count : {0, 1, 31, 32, 33, 1000, 65536}) {
        CAPTURE(count);
        CHECK(support::in_child([&] {
                  std::vector<gid_t> groups;
                  for (int i = 0; i < count; ++i) groups.push_back(static_cast<gid_t>(100'000 + i));
                  if (::setgroups(groups.size(), groups.data()) == -1) return 1;
                  int ends[2];
                  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) return 2;
                  const mato::unique_fd one(ends[0]), other(ends[1]);
                  mato::failure failed;
                  const auto got = mato::groups_of(one.get(), failed);
                  if (failed || got.gids.size() != groups.size() + 1 || !got.has(::getegid())) return 3;
                  if (count > 0 && !got.has(groups.back())) return 4;
                  mato::require_peer(one.get(), mato::group_member{static_cast<gid_t>(100'000 + count)},
                                     mato::errc::peer_rejected, failed);
                  return failed.code == mato::errc::peer_rejected ? 0 : 5;
              }) == 0);
    }
}
#else
TEST_CASE("without the groups of a peer a policy that needs them refuses", "[peer]") {
    const pair sockets;
    mato::failure why;
    mato::require_peer(sockets.one.get(), mato::group_member{::getegid()}, mato::errc::peer_rejected, why);
    CHECK(why.code == std::errc::not_supported);
}
#endif

TEST_CASE("any_peer declares that it does not check", "[peer]") {
    static_assert(!mato::any_peer::checks);
    static_assert(mato::same_user::checks && mato::same_user_or_root::checks && mato::uid_set::checks);
    CHECK(mato::any_peer().allows({}));
}

TEST_CASE("require_peer returns the credentials of an allowed peer", "[peer]") {
    const pair sockets;
    mato::failure why;
    const auto peer = mato::require_peer(sockets.one.get(), mato::same_user{}, mato::errc::peer_rejected, why);
    CHECK_FALSE(why);
    CHECK(peer.pid == ::getpid());
}

// ---- the refusals ----

TEST_CASE("server and client refuse with their own error and the peer's uid", "[peer]") {
    const pair sockets;
    for (const auto refusal : {mato::errc::peer_rejected, mato::errc::server_not_trusted}) {
        mato::failure why;
        const auto peer = mato::require_peer(sockets.one.get(), mato::uid_set{}, refusal, why);
        CHECK(why.code == refusal);
        CHECK(why.code == mato::cond::not_permitted);
        CHECK(why.step == "check peer");
        CHECK(peer.uid == ::geteuid()); // returned, although refused
        CHECK(support::is_root() == (peer.uid == 0));
        CHECK(why.detail.find("uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid)) != std::string::npos);
    }
}

TEST_CASE("a socket without credentials is an error, and no user's", "[peer]") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd read_end(ends[0]), write_end(ends[1]);
    for (const int fd : {read_end.get(), -1}) {
        mato::failure why;
        const auto peer = mato::require_peer(fd, mato::any_peer{}, mato::errc::peer_rejected, why);
        CHECK(why);
        CHECK(why.code != mato::errc::peer_rejected);
        CHECK(why.step == "read peer credentials");
        CHECK_FALSE(mato::same_user{}.allows(peer));
        CHECK_FALSE(mato::same_user_or_root{}.allows(peer));
    }
}

// ---- the edges ----

TEST_CASE("credentials stay those of the connecting process", "[peer]") {
    const pair sockets;
    const support::mailbox<int> done;
    support::child_process child([&] {
        done.put(1);
        return ::pause();
    });
    REQUIRE(done.take());
    mato::failure why;
    CHECK(mato::credentials_of(sockets.one.get(), why).pid == ::getpid()); // although a child has a copy too
}

// ---- the promises about absence ----

TEST_CASE("reading credentials opens no descriptor", "[peer]") {
    const pair sockets;
    const auto before = support::open_descriptors();
    mato::failure why;
    for (int i = 0; i < 10; ++i) static_cast<void>(mato::credentials_of(sockets.one.get(), why));
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a pidfd of a peer's process can be opened, and its end can be waited for", "[peer]") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const mato::unique_fd one(ends[0]), other(ends[1]);
    mato::failure why;
    const auto process = mato::process_of(one.get(), why);
#if MATO_HAS_PEERPIDFD
    if (why.code == std::errc::no_protocol_option) return; // Linux before 6.5
    INFO(why.message());
    REQUIRE(process);
    CHECK((::fcntl(process.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(mato::sys::pidfd_send_signal(process.get(), 0) == (MATO_HAS_PIDFD ? 0 : -1));
    CHECK_FALSE(support::await_readable(process.get(), std::chrono::milliseconds(0))); // it runs
#else
    CHECK_FALSE(process);
    CHECK(why.code == std::errc::not_supported);
#endif
    CHECK_FALSE(mato::process_of(-1, why));
    CHECK(why.step == "open peer process");
}

#if MATO_HAS_PROC
TEST_CASE("the uid of unmapped users in a user namespace is refused", "[peer]") {
    // In a namespace that maps no user this process has the overflow uid too, which same_user would allow.
    const int result = support::in_child([] {
        if (::unshare(CLONE_NEWUSER) == -1) return 77;
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) return 1;
        const mato::unique_fd one(ends[0]), other(ends[1]);
        mato::failure why;
        const auto peer = mato::require_peer(one.get(), mato::same_user{}, mato::errc::peer_rejected, why);
        if (peer.uid != ::geteuid()) return 2;
        if (why.code != mato::errc::peer_rejected || why.detail.find("does not map") == std::string::npos) return 3;
        mato::require_peer(one.get(), mato::uid_set{{peer.uid}}, mato::errc::server_not_trusted, why);
        if (why.code != mato::errc::server_not_trusted) return 4;
        mato::require_peer(one.get(), mato::any_peer{}, mato::errc::peer_rejected, why); // allows every client
        return why ? 5 : 0;
    });
    if (result == 77) {
        WARN("skipped: this system makes no user namespaces");
        return;
    }
    CHECK(result == 0);
}

TEST_CASE("the gid of unmapped groups in a user namespace matches no group", "[peer]") {
    const int result = support::in_child([] {
        const auto user = ::geteuid();
        if (::unshare(CLONE_NEWUSER) == -1) return 77;
        const mato::unique_fd map(::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC)); // this user only, and no group
        const std::string line = "0 " + std::to_string(user) + " 1";
        if (!map || ::write(map.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) return 77;
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) return 1;
        const mato::unique_fd one(ends[0]), other(ends[1]);
        mato::failure why;
        const auto peer = mato::require_peer(one.get(), mato::same_user{}, mato::errc::peer_rejected, why);
        if (why || peer.gid != ::getegid()) return 2;
        mato::require_peer(one.get(), mato::gid_set{{peer.gid}}, mato::errc::peer_rejected, why);
        if (why.code != mato::errc::peer_rejected) return 3;
        mato::require_peer(one.get(), mato::group_member{peer.gid}, mato::errc::peer_rejected, why);
        return why.code != mato::errc::peer_rejected && why.code != std::errc::not_supported ? 4 : 0;
    });
    if (result == 77) {
        WARN("skipped: this system makes no user namespaces");
        return;
    }
    CHECK(result == 0);
}

TEST_CASE("if every user is mapped, the overflow uid is an ordinary user", "[peer]") {
    if (!support::is_root()) {
        WARN("skipped: changing the user needs root");
        return;
    }
    CHECK(support::in_child([] {
              if (!support::become_nobody()) return 1;
              int ends[2];
              if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) return 2;
              const mato::unique_fd one(ends[0]), other(ends[1]);
              mato::failure why;
              mato::require_peer(one.get(), mato::same_user{}, mato::errc::peer_rejected, why);
              return why ? 3 : 0;
          }) == 0);
}
#endif
