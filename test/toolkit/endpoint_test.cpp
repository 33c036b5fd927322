// SPDX-License-Identifier: MIT
/// @file endpoint_test.cpp: a socket is complete and private when its name appears, and only the own socket is removed.
#include <mato/endpoint.hpp>

#include <mato/lock.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <atomic>
#include <thread>

using mato::owned_path;
using support::temp_directory;
using proof = support::held_proof;

namespace {
// A published socket and its name.
struct published {
    owned_path endpoint;
    mato::unique_fd socket;
    explicit published(const std::filesystem::path& path, const mato::publish_options& options = {}) : endpoint(path) {
        mato::failure why;
        socket = endpoint.publish(proof{}, options, why);
        INFO(why.message());
        CHECK_FALSE(why);
        CHECK(socket);
    }
};

bool answers(const std::filesystem::path& path) {
    std::error_code why;
    return static_cast<bool>(owned_path(path).connect(why)) && !why;
}

mato::failure directory_refusal(const std::filesystem::path& directory) {
    mato::failure checked, made;
    mato::check_private_directory(directory, checked);
    mato::make_private_directory(directory, made);
    CHECK(checked.message() == made.message());
    CHECK(made.step == "check directory");
    return made;
}

// A socket that its owner left without removing it.
void leave_stale_socket(const std::filesystem::path& path) {
    published gone(path);
    CHECK(support::in_child([&] {
              gone.endpoint.withdraw(); // not the publisher: no effect
              return 0;
          }) == 0);
    std::filesystem::rename(path, path.native() + ".kept");
    gone.endpoint.withdraw();
    std::filesystem::rename(path.native() + ".kept", path);
}
} // namespace

// ---- the contract ----

TEST_CASE("a private directory is created with mode 0700, with its parents, under any umask", "[endpoint]") {
    for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0277}, mode_t{0777}}) {
        const temp_directory directory;
        const support::umask_scope masked(mask);
        mato::failure why;
        mato::make_private_directory(directory / "a" / "b" / "c", why);
        CHECK_FALSE(why);
        for (const char* made : {"a", "a/b", "a/b/c"}) CHECK(support::mode_of(directory / made) == 0700);
        mato::make_private_directory(directory / "a" / "b" / "", why); // it exists; a final slash has no effect
        CHECK_FALSE(why);
        mato::make_private_directory(directory / "d" / "", why);
        CHECK_FALSE(why);
        CHECK(support::mode_of(directory / "d") == 0700);
    }
}

TEST_CASE("a directory that its owner cannot use, created under umask 0277, gets mode 0700", "[endpoint]") {
    const temp_directory directory;
    for (const mode_t left : {mode_t{0}, mode_t{0500}, mode_t{0300}}) {
        std::filesystem::create_directories(directory / "left");
        REQUIRE(::chmod((directory / "left").c_str(), left) == 0);
        mato::failure why;
        mato::make_private_directory(directory / "left", why);
        CHECK_FALSE(why);
        CHECK(support::mode_of(directory / "left") == 0700);
    }
}

TEST_CASE("a directory is created below one's own or root's, never below another user's", "[endpoint]") {
    if (!support::is_root()) {
        WARN("skipped: another's directory needs root");
        return;
    }
    const temp_directory directory;
    const auto make_as_nobody = [](const std::filesystem::path& path) {
        return support::in_child([&] {
            mato::failure why;
            if (!support::become_nobody()) return 1;
            mato::make_private_directory(path, why);
            return !why ? 0 : why.code == mato::errc::unsafe_directory ? 2 : 3;
        });
    };
    REQUIRE(::chmod(directory.path().c_str(), 0711) == 0);
    std::filesystem::create_directory(directory / "home");
    REQUIRE(::chown((directory / "home").c_str(), 65534, 65534) == 0);
    std::filesystem::create_directory_symlink(directory / "home", directory / "link"); // root's link to another's directory
    for (const auto& below : {directory / "home" / "a", directory / "home" / "a" / "b", directory / "link" / "a"}) {
        mato::failure why;
        mato::make_private_directory(below, why);
        INFO(why.message());
        CHECK(why.code == mato::errc::unsafe_directory);
        CHECK(why.detail.find("belongs to uid 65534, this process runs as uid 0") != std::string::npos);
        CHECK(std::filesystem::is_empty(directory / "home"));
    }
    CHECK(make_as_nobody(directory / "home" / "a" / "b") == 0);
    std::filesystem::create_directory(directory / "shared"); // like /tmp: owned by root, and open to all
    REQUIRE(::chmod((directory / "shared").c_str(), 01777) == 0);
    CHECK(make_as_nobody(directory / "shared" / "own" / "below") == 0);
    REQUIRE(::chown((directory / "shared").c_str(), 4242, 4242) == 0);
    CHECK(make_as_nobody(directory / "shared" / "again") == 2);
    CHECK_FALSE(std::filesystem::exists(directory / "shared" / "again"));
}

TEST_CASE("publishing gives a listening, non-blocking, close-on-exec socket under a 0700 name", "[endpoint]") {
    for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0777}}) {
        const temp_directory directory;
        const support::umask_scope masked(mask);
        const published server(directory / "socket");
        CHECK(support::mode_of(directory / "socket") == 0700);
        CHECK((::fcntl(server.socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((::fcntl(server.socket.get(), F_GETFL) & O_NONBLOCK) != 0);
        CHECK(directory.names() == std::vector<std::string>{"socket"});
        CHECK(answers(directory / "socket"));
    }
}

TEST_CASE("the name gets the requested mode", "[endpoint]") {
    const temp_directory directory;
    const support::umask_scope masked(077);
    const published server(directory / "socket", {.backlog = 1, .mode = 0766});
    CHECK(support::mode_of(directory / "socket") == 0766);
}

TEST_CASE("connecting gives a non-blocking, close-on-exec socket", "[endpoint]") {
    const temp_directory directory;
    const published server(directory / "socket");
    mato::failure why;
    const auto client = server.endpoint.connect(why);
    CHECK_FALSE(why);
    CHECK((::fcntl(client.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(client.get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("the holder of the lock replaces a stale socket", "[endpoint]") {
    const temp_directory directory;
    leave_stale_socket(directory / "socket");
    REQUIRE(std::filesystem::is_socket(directory / "socket"));
    REQUIRE_FALSE(answers(directory / "socket"));
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    owned_path endpoint(directory / "socket");
    mato::failure why;
    const auto socket = endpoint.publish(lock, {}, why);
    CHECK_FALSE(why);
    CHECK(answers(directory / "socket"));
}

TEST_CASE("a hidden name left by a killed daemon is replaced", "[endpoint]") {
    const temp_directory directory;
    leave_stale_socket(directory / "socket~");
    const published server(directory / "socket");
    CHECK(directory.names() == std::vector<std::string>{"socket"});
}

TEST_CASE("publishing again replaces the own socket without a moment between", "[endpoint]") {
    const temp_directory directory;
    published server(directory / "socket");
    const auto first = support::inode_of(directory / "socket");
    mato::failure why;
    const auto second = server.endpoint.publish(proof{}, {}, why);
    CHECK_FALSE(why);
    CHECK(support::inode_of(directory / "socket") != first);
    server.socket.reset(); // the first socket has no name any more
    CHECK(answers(directory / "socket"));
    server.endpoint.withdraw();
    CHECK(directory.names().empty());
}

TEST_CASE("only the own socket is withdrawn, and only by its publisher", "[endpoint]") {
    const temp_directory directory;
    published server(directory / "socket");
    CHECK(support::in_child([&] {
              server.endpoint.withdraw();
              const auto inherited = std::move(server.endpoint);
              return 0;
          }) == 0);
    CHECK(answers(directory / "socket"));
    const published successor(directory / "socket");
    server.endpoint.withdraw();
    CHECK(answers(directory / "socket")); // the socket of the next daemon
    owned_path stranger(directory / "socket");
    stranger.withdraw();
    CHECK(answers(directory / "socket"));
}

TEST_CASE("the peer sees the publisher's pid, so publish after the last fork", "[endpoint]") {
    const temp_directory directory;
    const published server(directory / "socket");
    std::error_code why;
    const auto client = server.endpoint.connect(why);
    ucred peer{};
    socklen_t size = sizeof peer;
    REQUIRE(::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0);
    CHECK(peer.pid == ::getpid());
}

TEST_CASE("two names in one directory are independent", "[endpoint]") {
    const temp_directory directory;
    std::atomic<int> wrong = 0;
    const auto serve = [&](const std::string& name, int backlog) {
        for (int i = 0; i < 300; ++i) {
            std::error_code why;
            owned_path endpoint(directory / name);
            const auto socket = endpoint.publish(proof{}, {.backlog = backlog}, why);
            const auto client = endpoint.connect(why);
            // A client that connected to this name is in this socket's backlog.
            const mato::unique_fd accepted(mato::sys::accept(socket.get()));
            wrong += why || !accepted;
        }
    };
    std::thread other([&] { serve("daemon-1", 3); });
    serve("daemon-2", 4);
    other.join();
    CHECK(wrong == 0);
    CHECK(directory.names().empty());
}

// ---- the refusals ----

TEST_CASE("nothing is published without the lock", "[endpoint]") {
    const temp_directory directory;
    const published server(directory / "socket");
    const auto inode = support::inode_of(directory / "socket");
    owned_path intruder(directory / "socket");
    mato::failure why;
    CHECK_FALSE(intruder.publish(proof{false}, {}, why));
    CHECK(why.code == mato::errc::lock_not_held);
    CHECK(why.step == "publish socket");
    CHECK(why.path == directory / "socket");
    CHECK_FALSE(intruder.publish(mato::instance_lock(), {}, why));
    CHECK(why.code == mato::errc::lock_not_held);
    CHECK(support::inode_of(directory / "socket") == inode);
    CHECK(answers(directory / "socket"));
}

TEST_CASE("an unsafe directory is refused, with a reason for each kind", "[endpoint]") {
    const temp_directory directory;
    std::vector<std::string> texts;
    const auto refused = [&](const std::filesystem::path& path) {
        const auto why = directory_refusal(path);
        CHECK(why.code == mato::errc::unsafe_directory);
        CHECK(why.code == mato::cond::not_permitted);
        CHECK_FALSE(why.detail.empty());
        CHECK(std::find(texts.begin(), texts.end(), why.detail) == texts.end());
        texts.push_back(why.detail);
        owned_path endpoint(path / "socket");
        mato::failure published;
        CHECK_FALSE(endpoint.publish(proof{}, {}, published));
        CHECK(published.code == mato::errc::unsafe_directory);
        CHECK(published.path == path);
    };
    mato::failure why;
    mato::make_private_directory(directory / "real", why);
    std::filesystem::create_directory_symlink(directory / "real", directory / "link");
    refused(directory / "link");
    support::write_file(directory / "file", "");
    refused(directory / "file");
    std::filesystem::create_directory(directory / "open");
    REQUIRE(::chmod((directory / "open").c_str(), 0750) == 0);
    refused(directory / "open");
    if (support::is_root()) {
        mato::make_private_directory(directory / "foreign", why);
        REQUIRE(::chown((directory / "foreign").c_str(), 65534, 65534) == 0);
        refused(directory / "foreign");
    } else {
        WARN("skipped: another's directory needs root");
    }
    CHECK(std::filesystem::is_empty(directory / "real"));
}

TEST_CASE("a final slash does not hide a symlink, and a dangling one is refused too", "[endpoint]") {
    const temp_directory directory;
    mato::failure why;
    mato::make_private_directory(directory / "real", why);
    std::filesystem::create_directory_symlink(directory / "real", directory / "link");
    CHECK(directory_refusal(directory / "link" / "").code == mato::errc::unsafe_directory);
    std::filesystem::create_directory_symlink(directory / "nowhere", directory / "dangling");
    CHECK(directory_refusal(directory / "dangling").code == mato::errc::unsafe_directory);
    mato::make_private_directory(directory / "link" / "below", why); // the parent exists: only the last component is checked
    mato::make_private_directory(directory / "dangling" / "below", why);
    CHECK(why.code == mato::errc::unsafe_directory);
    CHECK(why.path == directory / "dangling");
    CHECK_FALSE(std::filesystem::exists(directory / "nowhere"));
}

TEST_CASE("every single bit for group or others makes a directory unsafe", "[endpoint]") {
    const temp_directory directory;
    for (const mode_t bit : {040u, 020u, 010u, 04u, 02u, 01u}) {
        REQUIRE(::chmod(directory.path().c_str(), 0700 | bit) == 0);
        CHECK(directory_refusal(directory.path()).code == mato::errc::unsafe_directory);
        CHECK(support::mode_of(directory.path()) == (0700 | bit)); // the mode is not changed
    }
    REQUIRE(::chmod(directory.path().c_str(), 0700) == 0);
}

TEST_CASE("publishing in a missing directory, or below a file, is an error", "[endpoint]") {
    const temp_directory directory;
    mato::failure why;
    owned_path endpoint(directory / "absent" / "socket");
    CHECK_FALSE(endpoint.publish(proof{}, {}, why));
    CHECK(why.code.value() == ENOENT);
    CHECK(why.path == directory / "absent");
    mato::check_private_directory(directory / "absent", why);
    CHECK(why.code.value() == ENOENT);
    support::write_file(directory / "file", "");
    mato::make_private_directory(directory / "file" / "below", why);
    CHECK(why.code.value() == ENOTDIR);
    mato::make_private_directory("", why);
    CHECK(why);
}

TEST_CASE("after a failed publication the old socket works", "[endpoint]") {
    const temp_directory directory;
    published server(directory / "socket");
    const auto inode = support::inode_of(directory / "socket");
    const auto census = support::open_descriptors();
    std::filesystem::create_directory(directory / "socket~"); // has the hidden name
    mato::failure why;
    CHECK_FALSE(server.endpoint.publish(proof{}, {}, why));
    CHECK(why.code == std::errc::address_in_use);
    CHECK(why.step == "bind");
    CHECK(why.path == directory / "socket");
    CHECK(support::inode_of(directory / "socket") == inode);
    CHECK(answers(directory / "socket"));
    CHECK(support::open_descriptors() == census);
    std::filesystem::remove(directory / "socket~");
    server.endpoint.withdraw(); // still removes its own
    CHECK(directory.names().empty());
}

TEST_CASE("a directory under the socket's name is an error, and stays", "[endpoint]") {
    const temp_directory directory;
    std::filesystem::create_directory(directory / "socket");
    owned_path endpoint(directory / "socket");
    mato::failure why;
    CHECK_FALSE(endpoint.publish(proof{}, {}, why));
    CHECK(why.step == "rename socket");
    CHECK(why.code.value() == EISDIR);
    CHECK(directory.names() == std::vector<std::string>{"socket"});
}

TEST_CASE("connecting without a listener is not_running, for each kind of absence", "[endpoint]") {
    const temp_directory directory;
    mato::failure why;
    CHECK_FALSE(owned_path(directory / "socket").connect(why));
    CHECK(why.code == mato::cond::not_running);
    CHECK(why.step == "connect");
    CHECK(why.path == directory / "socket");
    leave_stale_socket(directory / "socket");
    CHECK_FALSE(owned_path(directory / "socket").connect(why));
    CHECK(why.code.value() == ECONNREFUSED);
    CHECK(why.code == mato::cond::not_running);
    CHECK(std::filesystem::is_socket(directory / "socket")); // a client removes nothing
}

TEST_CASE("a full backlog is busy, and nothing is unlinked", "[endpoint]") {
    const temp_directory directory;
    const published server(directory / "socket", {.backlog = 1});
    const auto inode = support::inode_of(directory / "socket");
    std::vector<mato::unique_fd> waiting;
    mato::failure why;
    while (!why && waiting.size() < 100) waiting.push_back(server.endpoint.connect(why));
    CHECK(why.code == mato::cond::busy);
    CHECK(why.code != mato::cond::not_running);
    CHECK(why.step == "connect");
    CHECK(waiting.size() < 100);
    CHECK(support::inode_of(directory / "socket") == inode);
    const mato::unique_fd accepted(mato::sys::accept(server.socket.get()));
    CHECK(accepted);
    CHECK(answers(directory / "socket")); // room again
}

// ---- the edges ----

TEST_CASE("107 bytes of path are served, 108 are refused with both numbers", "[endpoint]") {
    static_assert(owned_path::max_path_bytes == sizeof(sockaddr_un::sun_path) - 1);
    const temp_directory directory;
    const auto of_length = [&](std::size_t length) {
        return directory / std::string(length - directory.path().native().size() - 1, 's');
    };
    for (const std::size_t length : {owned_path::max_path_bytes - 1, owned_path::max_path_bytes}) {
        const published server(of_length(length));
        CHECK(answers(of_length(length)));
        CHECK(directory.names().size() == 1);
    }
    const auto long_path = of_length(owned_path::max_path_bytes + 1);
    const auto long_refusal = [&](const mato::failure& why) {
        CHECK(why.code == std::errc::filename_too_long);
        CHECK(why.path == long_path);
        CHECK(support::contains(why.message(), std::to_string(owned_path::max_path_bytes + 1)));
        CHECK(support::contains(why.message(), std::to_string(owned_path::max_path_bytes)));
    };
    mato::failure why;
    owned_path endpoint(long_path);
    CHECK_FALSE(endpoint.publish(proof{}, {}, why));
    long_refusal(why);
    CHECK_FALSE(endpoint.connect(why));
    long_refusal(why);
    CHECK(directory.names().empty());
}

TEST_CASE("an empty path is an error", "[endpoint]") {
    mato::failure why;
    CHECK_FALSE(owned_path().publish(proof{}, {}, why));
    CHECK(why);
    CHECK_FALSE(owned_path().connect(why));
    CHECK(why);
}

TEST_CASE("a name that ends like a hidden name works too", "[endpoint]") {
    const temp_directory directory;
    const published server(directory / "socket~");
    CHECK(answers(directory / "socket~"));
    const auto longest =
        directory / (std::string(owned_path::max_path_bytes - directory.path().native().size() - 2, 's') + "~");
    const published other(longest);
    CHECK(answers(longest));
}

// ---- the promises about absence ----

TEST_CASE("an endpoint leaks neither name nor descriptor", "[endpoint]") {
    static_assert(!std::is_copy_constructible_v<owned_path>);
    static_assert(std::is_nothrow_move_constructible_v<owned_path>);
    const temp_directory directory;
    const auto before = support::open_descriptors();
    {
        published first(directory / "socket");
        owned_path moved(std::move(first.endpoint));
        first.endpoint.withdraw(); // owns nothing
        CHECK(answers(directory / "socket"));
        CHECK(moved.describe() == (directory / "socket").native());
        auto& same = moved;
        moved = std::move(same);
        CHECK(answers(directory / "socket"));
        moved = owned_path();
        CHECK(directory.names().empty());
    }
    CHECK(support::open_descriptors() == before);
}
