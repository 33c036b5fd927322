// SPDX-License-Identifier: MIT
/// @file endpoint_models_test.cpp: abstract names, and sockets that a service manager passed.
#include <mato/endpoint.hpp>

#include <mato/peer.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/fake_manager.hpp"
#include "support/stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <netinet/in.h>

using mato::activated;
using mato::activated_or_owned;
using mato::unique_fd;
using support::temp_directory;
using proof = support::held_proof;

namespace {
/// A socket as a manager creates it: bound, listening, blocking.
unique_fd passed_at(const std::filesystem::path& path, int type = SOCK_STREAM, bool listening = true) {
    unique_fd fd(support::bound_socket(type, path.native()));
    if (listening) REQUIRE(::listen(fd.get(), 16) == 0);
    return fd;
}

template <class Endpoint> unique_fd publish(Endpoint& endpoint, mato::failure& why, bool held = true) {
    return endpoint.publish(proof{held}, mato::publish_options{}, why);
}
template <class Endpoint> unique_fd published(Endpoint& endpoint) {
    mato::failure why;
    auto fd = publish(endpoint, why);
    INFO(why.message());
    REQUIRE(fd);
    return fd;
}

template <class Endpoint> bool reaches(const Endpoint& from, const unique_fd& socket) {
    mato::failure why;
    const auto client = from.connect(why);
    const unique_fd server(client ? mato::sys::accept(socket.get()) : -1);
    return client && server && mato::sys::send(client.get(), "x", 1) == 1;
}

bool is_listening_nonblocking_cloexec(const unique_fd& fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    return ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening == 1 &&
           (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) && (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC);
}
} // namespace

// ---- activated ----

TEST_CASE("a passed socket is used, and clients find it by its path", "[endpoint][activated]") {
    const temp_directory directory;
    activated endpoint(directory / "s", passed_at(directory / "s"));
    CHECK(endpoint.was_passed());
    const auto socket = published(endpoint);
    CHECK(is_listening_nonblocking_cloexec(socket));
    CHECK(reaches(activated(directory / "s"), socket));
    CHECK(endpoint.describe() == (directory / "s").native());
}

TEST_CASE("the manager's socket outlives the daemon, and clients wait in it for the next daemon", "[endpoint][activated]") {
    const temp_directory directory;
    const auto managers_own = passed_at(directory / "s");
    {
        activated endpoint(directory / "s", unique_fd(::fcntl(managers_own.get(), F_DUPFD_CLOEXEC, 3)));
        const auto socket = published(endpoint);
        endpoint.withdraw();
        CHECK(directory.names() == std::vector<std::string>{"s"});
    }
    mato::failure why;
    const auto early = activated(directory / "s").connect(why);
    REQUIRE(early);
    activated next(directory / "s", unique_fd(::fcntl(managers_own.get(), F_DUPFD_CLOEXEC, 3)));
    const auto socket = published(next);
    CHECK(unique_fd(mato::sys::accept(socket.get())));
}

TEST_CASE("publishing a passed socket again returns the same socket", "[endpoint][activated]") {
    const temp_directory directory;
    activated endpoint(directory / "s", passed_at(directory / "s"));
    auto socket = published(endpoint);
    const auto again = published(endpoint);
    socket.reset();
    CHECK(reaches(endpoint, again));
}

TEST_CASE("a descriptor that is not a listening Unix stream socket is refused, with an error for each kind",
          "[endpoint][activated]") {
    const temp_directory directory;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const unique_fd other_end(ends[1]);
    struct {
        unique_fd fd;
        int error;
    } cases[] = {{unique_fd(ends[0]), ENOTSOCK},
                 {unique_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), EAFNOSUPPORT},
                 {passed_at(directory / "datagram", SOCK_DGRAM, false), EPROTOTYPE},
                 {passed_at(directory / "packet", SOCK_SEQPACKET), EPROTOTYPE},
                 {passed_at(directory / "deaf", SOCK_STREAM, false), EINVAL},
                 {unique_fd(), ENOENT}};
    for (auto& each : cases) {
        activated endpoint(directory / "s", std::move(each.fd));
        mato::failure why;
        CHECK_FALSE(publish(endpoint, why));
        CHECK(why.code == std::error_code(each.error, std::system_category()));
        CHECK(why.step == "take the passed socket");
        CHECK(why.path == directory / "s");
    }
}

TEST_CASE("a passed socket is not used without the lock", "[endpoint][activated]") {
    const temp_directory directory;
    activated endpoint(directory / "s", passed_at(directory / "s"));
    mato::failure why;
    CHECK_FALSE(publish(endpoint, why, false));
    CHECK(why.code == mato::errc::lock_not_held);
}

TEST_CASE("activated_or_owned uses the passed socket, else its own path", "[endpoint][activated]") {
    const temp_directory directory;
    {
        activated_or_owned endpoint(directory / "s", passed_at(directory / "s"));
        const auto socket = published(endpoint);
        CHECK(reaches(activated_or_owned(directory / "s"), socket));
    }
    CHECK(directory.names() == std::vector<std::string>{"s"}); // the manager's
    {
        activated_or_owned endpoint(directory / "own");
        const auto socket = published(endpoint);
        CHECK(reaches(activated_or_owned(mato::owned_path(directory / "own")), socket));
    }
    CHECK(directory.names() == std::vector<std::string>{"s"}); // its own is gone
}

TEST_CASE("passed sockets leak no descriptor", "[endpoint][activated]") {
    static_assert(!activated::named && !activated_or_owned::named);
    static_assert(!std::is_copy_constructible_v<activated> && std::is_move_constructible_v<activated_or_owned>);
    const temp_directory directory;
    const auto before = support::open_descriptors();
    {
        activated endpoint(directory / "s", passed_at(directory / "s"));
        const auto socket = published(endpoint);
        const auto moved = std::move(endpoint);
    }
    CHECK(support::open_descriptors() == before);
}

// ---- abstract names ----

#if MATO_HAS_ABSTRACT_NAMES
using mato::abstract_name;

namespace {
std::string own_name(const char* word) { return "mato-test-" + std::to_string(::getpid()) + "-" + word; }
} // namespace

TEST_CASE("clients connect to an abstract name, and it leaves no file", "[endpoint][abstract]") {
    const temp_directory directory;
    const auto name = (directory / "daemon.sock").native(); // as a daemon's policies pass it
    abstract_name endpoint(name);
    const auto socket = published(endpoint);
    CHECK(is_listening_nonblocking_cloexec(socket));
    CHECK(reaches(abstract_name(name), socket));
    CHECK(endpoint.describe() == "@" + name);
    CHECK(directory.names().empty());
}

TEST_CASE("an abstract name is free when its owner has ended in any way", "[endpoint][abstract]") {
    const auto name = own_name("gone");
    CHECK(support::in_child([&] {
              abstract_name endpoint(name);
              std::error_code why;
              const auto socket = endpoint.publish(proof{}, mato::publish_options{}, why);
              ::kill(::getpid(), SIGKILL);
              return 1;
          }) == -SIGKILL);
    mato::failure why;
    CHECK_FALSE(abstract_name(name).connect(why));
    CHECK(why.code == mato::cond::not_running);
    abstract_name endpoint(name);
    auto socket = published(endpoint);
    endpoint.withdraw();
    socket.reset();
    CHECK_FALSE(abstract_name(name).connect(why));
}

TEST_CASE("a name of another process is an error; publishing the own name again returns the same socket",
          "[endpoint][abstract]") {
    const auto name = own_name("twice");
    abstract_name endpoint(name), other(name);
    auto socket = published(endpoint);
    mato::failure why;
    CHECK_FALSE(publish(other, why));
    CHECK(why.code == std::errc::address_in_use);
    CHECK(why.path == "@" + name);
    const auto again = published(endpoint);
    socket.reset();
    CHECK(reaches(endpoint, again));
}

TEST_CASE("another user can connect to an abstract name, so the peer policy must check", "[endpoint][abstract]") {
    if (!support::is_root()) return;
    const auto name = own_name("open");
    abstract_name endpoint(name);
    const auto socket = published(endpoint);
    const support::mailbox<int> done;
    support::child_process stranger([&] {
        if (!support::become_nobody()) return 1;
        std::error_code why;
        const auto client = abstract_name(name).connect(why);
        done.put(client ? 1 : 0);
        char byte = 0;
        return client && support::await_readable(client.get()) && ::recv(client.get(), &byte, 1, 0) == 0 ? 0 : 2;
    });
    REQUIRE(done.take() == 1);
    unique_fd client(mato::sys::accept(socket.get()));
    REQUIRE(client);
    mato::failure why;
    static_cast<void>(mato::require_peer(client.get(), mato::same_user{}, mato::errc::peer_rejected, why));
    CHECK(why.code == mato::errc::peer_rejected);
    client.reset();
    CHECK(stranger.wait() == 0);
}

TEST_CASE("names that are too long, and publishing without the lock, are refused", "[endpoint][abstract]") {
    mato::failure why;
    for (const auto size : {mato::unix_address::max_name_bytes + 1, std::size_t{0}}) {
        abstract_name endpoint(std::string(size, 'x'));
        CHECK_FALSE(publish(endpoint, why));
        CHECK(why.code == std::errc::filename_too_long);
        CHECK_FALSE(endpoint.connect(why));
        CHECK(why.code == std::errc::filename_too_long);
    }
    abstract_name endpoint(own_name("lock"));
    CHECK_FALSE(publish(endpoint, why, false));
    CHECK(why.code == mato::errc::lock_not_held);
}

static_assert(!abstract_name::named && !std::is_copy_constructible_v<abstract_name>);
#endif
