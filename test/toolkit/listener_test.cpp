// SPDX-License-Identifier: MIT
/// @file listener_test.cpp: which clients are accepted or refused and why; the name is withdrawn before the socket closes.
#include <mato/listener.hpp>

#include <mato/endpoint.hpp>
#include <mato/peer.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <sys/resource.h>

using support::temp_directory;
using proof = support::held_proof;
using support::nobody_at_all;

namespace {
template <class Peer = mato::same_user> using listener = mato::basic_listener<mato::owned_path, Peer>;

constexpr auto check_peer = [](int socket, const auto& policy, mato::error_out out) {
    return mato::require_peer(socket, policy, mato::errc::peer_rejected, out);
};

template <class Peer = mato::same_user> listener<Peer> open_at(const std::filesystem::path& path) {
    mato::failure why;
    auto opened = listener<Peer>::open(mato::owned_path(path), Peer{}, proof{}, mato::publish_options{}, why);
    CHECK_FALSE(why);
    return opened;
}

mato::unique_fd connect_to(const std::filesystem::path& path) {
    std::error_code why;
    auto client = mato::owned_path(path).connect(why);
    CHECK(client);
    return client;
}

// An endpoint that records whether its socket was still open when the name was removed.
struct watched_endpoint {
    static constexpr bool named = true;
    int socket = -1;
    std::vector<bool>* open_at_withdrawal = nullptr;

    watched_endpoint() = default;
    explicit watched_endpoint(std::vector<bool>& notes) : open_at_withdrawal(&notes) {}
    watched_endpoint(watched_endpoint&& other) noexcept { *this = std::move(other); }
    watched_endpoint& operator=(watched_endpoint&& other) noexcept {
        withdraw();
        socket = std::exchange(other.socket, -1);
        open_at_withdrawal = other.open_at_withdrawal;
        return *this;
    }
    ~watched_endpoint() { withdraw(); }
    template <class Lock, class Options> mato::unique_fd publish(const Lock&, const Options&, mato::error_out) {
        socket = mato::sys::unix_socket(mato::sys::waiting::nonblocking);
        return mato::unique_fd(socket);
    }
    void withdraw() noexcept {
        if (socket == -1) return;
        open_at_withdrawal->push_back(::fcntl(socket, F_GETFD) != -1);
        socket = -1;
    }
    [[nodiscard]] std::string describe() const { return "watched"; }
};
} // namespace

// ---- the contract ----

TEST_CASE("an allowed client is returned with its credentials", "[listener]") {
    const temp_directory directory;
    auto server = open_at(directory / "socket");
    const auto client = connect_to(directory / "socket");
    CHECK(support::await_readable(server.native_handle()));
    mato::failure why;
    auto got = server.try_accept(check_peer, why);
    CHECK_FALSE(why);
    REQUIRE(got);
    CHECK_FALSE(got->why);
    CHECK(got->peer.uid == ::geteuid());
    CHECK(got->peer.gid == ::getegid());
    CHECK(got->peer.pid == ::getpid());
    CHECK((::fcntl(got->socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(got->socket.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK(mato::sys::send(client.get(), "x", 1) == 1);
    char byte = 0;
    CHECK(mato::sys::recv(got->socket.get(), &byte, 1) == 1);
    CHECK(server.endpoint().path() == directory / "socket");
}

TEST_CASE("without a waiting client the result is empty, without an error", "[listener]") {
    const temp_directory directory;
    auto server = open_at(directory / "socket");
    mato::failure why;
    CHECK_FALSE(server.try_accept(check_peer, why));
    CHECK_FALSE(why);
}

TEST_CASE("a client that has disconnected is accepted and reads as closed", "[listener]") {
    const temp_directory directory;
    auto server = open_at(directory / "socket");
    connect_to(directory / "socket").reset();
    mato::failure why;
    const auto got = server.try_accept(check_peer, why);
    REQUIRE(got);
    char byte = 0;
    CHECK(mato::sys::recv(got->socket.get(), &byte, 1) == 0);
}

TEST_CASE("republishing puts a new socket under a name that was removed", "[listener]") {
    const temp_directory directory;
    auto server = open_at(directory / "socket");
    REQUIRE(std::filesystem::remove(directory / "socket"));
    mato::failure why;
    server.republish(proof{}, mato::publish_options{}, why);
    CHECK_FALSE(why);
    const auto client = connect_to(directory / "socket");
    CHECK(server.try_accept(check_peer, why).has_value());
    server.close();
    CHECK(directory.names().empty());
}

TEST_CASE("close withdraws the name and disconnects the clients in the backlog", "[listener]") {
    const temp_directory directory;
    auto server = open_at(directory / "socket");
    const auto client = connect_to(directory / "socket");
    server.close();
    CHECK(directory.names().empty());
    CHECK(server.native_handle() == -1);
    CHECK(support::await_readable(client.get()));
    char byte = 0;
    CHECK(mato::sys::recv(client.get(), &byte, 1) <= 0);
}

TEST_CASE("the name is removed before the socket closes, however the listener ends", "[listener]") {
    using watched = mato::basic_listener<watched_endpoint, mato::same_user>;
    std::vector<bool> notes;
    std::error_code why;
    { const auto dropped = watched::open(watched_endpoint(notes), {}, proof{}, 0, why); }
    auto closed = watched::open(watched_endpoint(notes), {}, proof{}, 0, why);
    closed.close();
    auto replaced = watched::open(watched_endpoint(notes), {}, proof{}, 0, why);
    replaced = watched();
    CHECK(notes == std::vector<bool>{true, true, true});
}

// ---- the refusals ----

TEST_CASE("a refused client is reported, and is sent nothing", "[listener]") {
    const temp_directory directory;
    auto server = open_at<nobody_at_all>(directory / "socket");
    const auto client = connect_to(directory / "socket");
    mato::failure why;
    {
        const auto got = server.try_accept(check_peer, why);
        REQUIRE(got);
        CHECK_FALSE(why); // the listener itself has no error
        CHECK(got->why.code == mato::errc::peer_rejected);
        CHECK(got->why.step == "check peer");
        CHECK(support::contains(got->why.message(), "uid " + std::to_string(::geteuid())));
        CHECK(support::contains(got->why.message(), "pid " + std::to_string(::getpid())));
    }
    char byte = 0;
    CHECK(support::await_readable(client.get()));
    CHECK(mato::sys::recv(client.get(), &byte, 1) == 0);
}

TEST_CASE("without a free descriptor the client waits and the caller gets an error", "[listener]") {
    const temp_directory directory;
    CHECK(support::in_child([&] {
              std::error_code ignored;
              auto server =
                  listener<>::open(mato::owned_path(directory / "socket"), {}, proof{}, mato::publish_options{}, ignored);
              const auto client = mato::owned_path(directory / "socket").connect(ignored);
              rlimit before{};
              ::getrlimit(RLIMIT_NOFILE, &before);
              const rlimit full{static_cast<rlim_t>(client.get()) + 1, before.rlim_max};
              ::setrlimit(RLIMIT_NOFILE, &full);
              mato::failure why;
              const bool got = server.try_accept(check_peer, why).has_value();
              ::setrlimit(RLIMIT_NOFILE, &before);
              if (got || why.code.value() != EMFILE) return 1;
              if (why.step != "accept" || why.path != directory / "socket" || why.code != mato::cond::transient) return 2;
              return server.try_accept(check_peer, why) && !why ? 0 : 3; // it was still in the backlog
          }) == 0);
}

TEST_CASE("opening reports what publishing reports", "[listener]") {
    const temp_directory directory;
    mato::failure why;
    auto none = listener<>::open(mato::owned_path(directory / "socket"), {}, proof{false}, mato::publish_options{}, why);
    CHECK(why.code == mato::errc::lock_not_held);
    CHECK(none.native_handle() == -1);
    CHECK_FALSE(none.try_accept(check_peer, why));
    CHECK(why.code.value() == EBADF);
}

TEST_CASE("a failed republication keeps the old socket", "[listener]") {
    const temp_directory directory;
    auto server = open_at(directory / "socket");
    mato::failure why;
    server.republish(proof{false}, mato::publish_options{}, why);
    CHECK(why.code == mato::errc::lock_not_held);
    const auto client = connect_to(directory / "socket");
    CHECK(server.try_accept(check_peer, why).has_value());
}

// ---- the promises about absence ----

TEST_CASE("a listener leaks neither name nor descriptor", "[listener]") {
    static_assert(!std::is_copy_constructible_v<listener<>>);
    static_assert(std::is_move_constructible_v<listener<>>);
    const temp_directory directory;
    const auto before = support::open_descriptors();
    {
        auto first = open_at(directory / "socket");
        auto second = std::move(first);
        CHECK(first.native_handle() == -1);
        const auto client = connect_to(directory / "socket");
        auto& same = second;
        second = std::move(same);
        mato::failure why;
        CHECK(second.try_accept(check_peer, why).has_value());
    }
    CHECK(directory.names().empty());
    CHECK(support::open_descriptors() == before);
}
