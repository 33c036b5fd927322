// SPDX-License-Identifier: MIT
/// @file client_test.cpp: frames to a daemon and back; no wait exceeds its deadline. Starting a daemon:
/// client_start_test.cpp.
#include <mato/client.hpp>

#include "support/bare_server.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/framed.hpp"
#include "support/temp_directory.hpp"

#include <thread>

using namespace std::chrono_literals;
using mato::client;
using mato::deadline;
using mato::errc;
using support::bare_server;
using support::contains;
using support::framed;
using support::temp_directory;

namespace {

void put(const mato::unique_fd& to, std::string_view bytes) {
    CHECK(::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

/// A client and the bare other end of its socket.
struct pair {
    temp_directory directory;
    bare_server server{directory / "s"};
    client near;
    mato::unique_fd far;
    mato::failure why;
    pair() {
        near = client::connect(mato::owned_path(directory / "s"), deadline::in(10s), why);
        CHECK_FALSE(why);
        far = server.accept();
    }
};

} // namespace

// ---- the contract ----

TEST_CASE("a client connects, sends and receives", "[client]") {
    pair all;
    CHECK(all.near);
    CHECK(all.near.server().uid == ::geteuid());
    all.near.send("question", deadline::in(10s), all.why);
    REQUIRE_FALSE(all.why);
    char buffer[64];
    CHECK(::recv(all.far.get(), buffer, sizeof buffer, 0) == 12);
    CHECK(std::string_view(buffer, 12) == framed("question"));
    put(all.far, framed("answer"));
    const auto got = all.near.receive(deadline::in(10s), all.why);
    REQUIRE(got);
    CHECK(*got == "answer");
    CHECK_FALSE(all.why);
}

TEST_CASE("frames are returned one by one, however the bytes arrived", "[client]") {
    pair all;
    put(all.far, framed("one") + framed("") + framed("three"));
    for (const char* expected : {"one", "", "three"}) CHECK(all.near.receive(deadline::in(10s), all.why) == expected);
    const std::string large(700'000, 'x');
    support::child_process writer([&] {
        const std::string bytes = framed(large) + framed("last");
        for (std::size_t at = 0; at < bytes.size();) {
            const ssize_t sent =
                ::send(all.far.get(), bytes.data() + at, std::min<std::size_t>(bytes.size() - at, 9973), MSG_NOSIGNAL);
            if (sent > 0) at += static_cast<std::size_t>(sent);
            pollfd room{all.far.get(), POLLOUT, 0};
            if (::poll(&room, 1, 10'000) != 1) return 1;
        }
        return 0;
    });
    const auto got = all.near.receive(deadline::in(20s), all.why);
    REQUIRE(got);
    CHECK(*got == large);
    CHECK(all.near.receive(deadline::in(10s), all.why) == "last");
    CHECK(writer.wait() == 0);
}

TEST_CASE("sending waits until everything is accepted by the kernel", "[client]") {
    pair all;
    const std::string large(1'000'000, 'x');
    support::child_process reader([&] {
        std::size_t got = 0;
        char buffer[10'000];
        while (got < large.size() + 4) {
            if (!support::await_readable(all.far.get())) return 1;
            const ssize_t size = ::recv(all.far.get(), buffer, sizeof buffer, 0);
            if (size <= 0) return 2;
            got += static_cast<std::size_t>(size);
        }
        return got == large.size() + 4 ? 0 : 3;
    });
    all.near.send(large, deadline::in(20s), all.why);
    CHECK_FALSE(all.why);
    CHECK(all.near.queued_bytes() == 0);
    CHECK(reader.wait() == 0);
}

TEST_CASE("queueing never blocks, and flush sends the rest", "[client]") {
    pair all;
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        const std::string payload = std::to_string(i) + std::string(9'000, 'x');
        all.near.queue(payload, all.why);
        REQUIRE_FALSE(all.why);
        expected += framed(payload);
    }
    CHECK(all.near.queued_bytes() > 0);
    std::string got;
    while (got.size() < expected.size()) {
        REQUIRE(support::await_readable(all.far.get()));
        char buffer[50'000];
        const ssize_t size = ::recv(all.far.get(), buffer, sizeof buffer, 0);
        REQUIRE(size > 0);
        got.append(buffer, static_cast<std::size_t>(size));
        all.near.flush(all.why);
        REQUIRE_FALSE(all.why);
    }
    CHECK(got == expected);
    CHECK(all.near.queued_bytes() == 0);
}

TEST_CASE("fill reads once and never waits", "[client]") {
    pair all;
    CHECK_FALSE(all.near.fill(all.why));
    CHECK_FALSE(all.why);
    CHECK_FALSE(all.near.next(all.why));
    put(all.far, framed("x").substr(0, 3));
    CHECK(all.near.fill(all.why));
    CHECK_FALSE(all.near.next(all.why));
    put(all.far, framed("x").substr(3));
    CHECK(all.near.fill(all.why));
    CHECK(all.near.next(all.why) == "x");
    CHECK_FALSE(all.near.next(all.why));
}

// ---- the refusals ----

TEST_CASE("without a listener the error is not_running", "[client]") {
    const temp_directory directory;
    mato::failure why;
    CHECK_FALSE(client::connect(mato::owned_path(directory / "none"), deadline::in(10s), why));
    CHECK(why.code == mato::cond::not_running);
    CHECK(contains(why.message(), (directory / "none").native()));
    {
        const mato::unique_fd dead(mato::sys::unix_socket(mato::sys::waiting::nonblocking));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, (directory / "dead").c_str());
        REQUIRE(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    CHECK_FALSE(client::connect(mato::owned_path(directory / "dead"), deadline::in(10s), why));
    CHECK(why.code == mato::cond::not_running);
    CHECK(std::filesystem::exists(directory / "dead")); // a client removes nothing
}

TEST_CASE("a full backlog is waited for, but not longer than the deadline", "[client]") {
    const temp_directory directory;
    bare_server server(directory / "s", 0);
    std::vector<mato::unique_fd> waiting;
    for (;;) {
        std::error_code busy;
        auto socket = mato::owned_path(directory / "s").connect(busy);
        if (busy == mato::cond::busy) break;
        REQUIRE(waiting.size() < 100);
        waiting.push_back(std::move(socket));
    }
    mato::failure why;
    const auto before = mato::clock::now();
    CHECK_FALSE(client::connect(mato::owned_path(directory / "s"), deadline::in(60ms), why));
    CHECK(why.code == errc::timed_out);
    CHECK(contains(why.message(), (directory / "s").native()));
    CHECK(mato::clock::now() - before >= 60ms);
    CHECK(mato::clock::now() - before < 5s);

    const support::mailbox<int> trying;
    support::child_process patient([&] {
        trying.put(1);
        mato::failure refused;
        return client::connect(mato::owned_path(directory / "s"), deadline::in(10s), refused) ? 0 : 1;
    });
    REQUIRE(trying.take());
    for (std::size_t i = 0; i < waiting.size() + 1; ++i) server.accept();
    CHECK(patient.wait() == 0);
}

TEST_CASE("waiting for a silent peer ends at the deadline", "[client]") {
    pair all;
    const auto before = mato::clock::now();
    CHECK_FALSE(all.near.receive(deadline::in(30ms), all.why));
    CHECK(all.why.code == errc::timed_out);
    CHECK(mato::clock::now() - before >= 30ms);
    put(all.far, framed("late").substr(0, 6));
    CHECK_FALSE(all.near.receive(deadline::in(0ms), all.why));
    CHECK(all.why.code == errc::timed_out);
    put(all.far, framed("late").substr(6));
    CHECK(all.near.receive(deadline::in(0ms), all.why) == "late"); // a frame that has arrived needs no time
}

TEST_CASE("a send to a peer that does not read ends at the deadline", "[client]") {
    pair all;
    all.near.send(std::string(1'000'000, 'x'), deadline::in(30ms), all.why);
    CHECK(all.why.code == errc::timed_out);
    CHECK(all.near.queued_bytes() > 0);
}

TEST_CASE("receiving sends what is queued: a request longer than the kernel's buffer is answered", "[client]") {
    pair all;
    const std::string request(1'000'000, 'x');
    all.near.queue(request, all.why);
    REQUIRE_FALSE(all.why);
    REQUIRE(all.near.queued_bytes() > 0);
    std::thread server([&] {
        std::string got(request.size() + 4, '\0');
        std::size_t size = 0;
        for (ssize_t part; size < got.size() && (part = ::recv(all.far.get(), got.data() + size, got.size() - size, 0)) != 0;)
            if (part > 0)
                size += static_cast<std::size_t>(part);
            else
                static_cast<void>(support::await_readable(all.far.get()));
        static_cast<void>(!::send(all.far.get(), framed("answer").data(), framed("answer").size(), MSG_NOSIGNAL));
    });
    const auto answer = all.near.receive(deadline::in(10s), all.why);
    server.join();
    CHECK(answer == "answer");
    CHECK(all.near.queued_bytes() == 0);
}

TEST_CASE("a frame with descriptors arrives completely or not at all", "[client]") {
    pair all;
    const std::vector<int> nine(9, 0), eight(8, 0);
    all.near.send_with("nine", nine, deadline::in(10s), all.why);
    CHECK(all.why.code.value() == E2BIG);
    CHECK(contains(all.why.message(), "9 descriptors in one message"));
    CHECK(all.near.queued_bytes() == 0);
    all.near.send_with("eight", eight, deadline::in(10s), all.why);
    CHECK_FALSE(all.why);
    const int size = 1;
    ::setsockopt(all.near.native_handle(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    std::string fill = framed("eight"), text;
    for (bool taken = true; taken;) { // one frame after another, until the kernel accepts no more
        const auto frame = framed(std::string(100, 'f'));
        taken = ::send(all.near.native_handle(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
        if (taken) fill += frame;
    }
    all.near.send_with("late", eight, deadline::in(30ms), all.why);
    CHECK(all.why.code == errc::timed_out);
    CHECK(all.near.queued_bytes() == 0); // otherwise it would be sent without its descriptors
    std::vector<mato::unique_fd> came;
    char buffer[4096];
    const auto take = [&] {
        for (mato::failure why; !why;) {
            const auto got = mato::receive_descriptors(all.far.get(), buffer, came, why);
            if (got == 0) return;
            text.append(buffer, got);
        }
    };
    take();
    all.near.send("next", deadline::in(10s), all.why);
    CHECK_FALSE(all.why);
    take();
    CHECK(text == fill + framed("next"));
    CHECK(came.size() == 8);
    all.near.send_with(std::string((1 << 20) + 1, 'x'), eight, deadline::in(10s), all.why);
    CHECK(all.why.code == errc::frame_too_large);
    CHECK(all.near.queued_bytes() == 0);
}

TEST_CASE("every call of a client that could not connect reports why", "[client]") {
    const temp_directory directory;
    mato::failure why;
    auto none = client::connect(mato::owned_path(directory / "none"), deadline::in(10s), why);
    const std::string reason = why.message();
    CHECK(why.code == std::errc::no_such_file_or_directory);
    none.send("x", deadline::in(10s), why);
    CHECK(why.message() == reason);
    CHECK_FALSE(none.receive(deadline::in(10s), why));
    CHECK(why.message() == reason);
    none.queue("x", why);
    none.send_with("x", {}, deadline::in(10s), why);
    none.flush(why);
    CHECK_FALSE(none.fill(why));
    CHECK(why.message() == reason);
    client unconnected;
    CHECK_FALSE(unconnected.receive(deadline::in(10s), why));
    CHECK(why.code == std::errc::not_connected);
}

TEST_CASE("a chain of calls with first_failure reports the call that failed first", "[client]") {
    const temp_directory directory;
    mato::first_failure any;
    auto none = client::connect(mato::owned_path(directory / "none"), deadline::in(10s), any);
    none.send("x", deadline::in(10s), any);
    CHECK_FALSE(none.receive(deadline::in(10s), any));
    CHECK(any.why().step == "connect");
    CHECK(any.why().code == mato::cond::not_running);
    pair all;
    mato::first_failure late;
    all.near.send("question", deadline::in(10s), late);
    CHECK_FALSE(late);
    CHECK_FALSE(all.near.receive(deadline::in(20ms), late));
    all.near.queue(std::string((1 << 20) + 1, 'x'), late);
    all.near.flush(late);
    CHECK(late.why().code == errc::timed_out);
}

TEST_CASE("the end of the stream is errc::closed, after the frames before it", "[client]") {
    pair all;
    put(all.far, framed("last") + framed("cut").substr(0, 5));
    all.far.reset();
    CHECK(all.near.receive(deadline::in(10s), all.why) == "last");
    CHECK_FALSE(all.near.receive(deadline::in(10s), all.why));
    CHECK(all.why.code == errc::closed);
    all.near.queue("x", all.why);
    CHECK(all.why.code == std::errc::broken_pipe); // and no SIGPIPE
}

TEST_CASE("frames too large are refused both ways", "[client]") {
    pair all;
    all.near.queue(std::string(mato::length_prefixed<>::max_frame_bytes + 1, 'x'), all.why);
    CHECK(all.why.code == errc::frame_too_large);
    CHECK(all.near.queued_bytes() == 0);
    put(all.far, "\xff\xff\xff\xff");
    CHECK_FALSE(all.near.receive(deadline::in(10s), all.why));
    CHECK(all.why.code == errc::frame_too_large);
}

TEST_CASE("bytes that the framing does not allow are malformed", "[client]") {
    struct lines : mato::default_policies {
        using framing = mato::line<>;
    };
    const temp_directory directory;
    bare_server server(directory / "s");
    mato::failure why;
    auto near = mato::basic_client<lines>::connect(mato::owned_path(directory / "s"), deadline::in(10s), why);
    near.queue("two\nlines", why);
    CHECK(why.code == errc::malformed);
    near.queue("a line", why);
    CHECK_FALSE(why);
}

TEST_CASE("another user's listener under our path is not trusted, and is sent nothing", "[client]") {
    if (!support::is_root()) {
        WARN("only root can be another user; left out");
        return;
    }
    const temp_directory directory;
    ::chmod(directory.path().c_str(), 0777);
    const support::mailbox<int> listening;
    support::child_process stranger([&] {
        if (!support::become_nobody()) return 1;
        const mato::unique_fd door(mato::sys::unix_socket(mato::sys::waiting::nonblocking));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, (directory / "s").c_str());
        if (::bind(door.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1) return 2;
        if (::listen(door.get(), 5) == -1) return 3;
        listening.put(1);
        if (!support::await_readable(door.get())) return 4;
        const mato::unique_fd victim(mato::sys::accept(door.get()));
        char byte = 0;
        if (!support::await_readable(victim.get())) return 5;
        return ::recv(victim.get(), &byte, 1, 0) == 0 ? 0 : 6; // end-of-file without a byte
    });
    REQUIRE(listening.take());
    mato::failure why;
    CHECK_FALSE(client::connect(mato::owned_path(directory / "s"), deadline::in(10s), why));
    CHECK(why.code == errc::server_not_trusted);
    CHECK(contains(why.message(), "65534"));
    CHECK(stranger.wait() == 0);
}

// ---- the promises about absence ----

TEST_CASE("neither success nor failure leaks a descriptor", "[client]") {
    const auto before = support::open_descriptors();
    {
        pair all;
        all.near.send("x", deadline::in(10s), all.why);
        client moved = std::move(all.near);
        CHECK(moved);
        CHECK_FALSE(all.near);
        const temp_directory empty;
        CHECK_FALSE(client::connect_or_start(
            mato::daemon_paths::in(empty.path()), deadline::in(10s),
            [] {
                return support::launch_outcome{false, {errc::busy, "start", {}, {}}};
            },
            all.why));
        CHECK(all.why.code == errc::busy);
        CHECK(empty.names().empty());
    }
    CHECK(support::open_descriptors() == before);
}

static_assert(!std::is_copy_constructible_v<client> && std::is_nothrow_default_constructible_v<client>);

TEST_CASE("a client that sends after the end still receives the daemon's last words", "[client]") {
    for (const bool sends_first : {false, true}) { // a daemon that closes with unread bytes resets the connection
        INFO(sends_first);
        pair all;
        if (sends_first) all.near.send("before", deadline::in(10s), all.why);
        put(all.far, framed("no more than one client"));
        all.far.reset();
        all.near.send("hello", deadline::in(10s), all.why);
        CHECK_FALSE(all.why);
        CHECK(all.near.queued_bytes() == 0);
        CHECK(all.near.receive(deadline::in(10s), all.why) == "no more than one client");
        CHECK_FALSE(all.near.receive(deadline::in(10s), all.why));
        CHECK(all.why);
        all.near.send("again", deadline::in(10s), all.why);
        CHECK(all.why.code == std::errc::broken_pipe);
    }
    pair all; // a program that never reads learns of the end by its second call
    put(all.far, framed("last words"));
    all.far.reset();
    all.near.queue("one", all.why);
    CHECK_FALSE(all.why);
    all.near.queue("two", all.why);
    CHECK(all.why.code == std::errc::broken_pipe);
    pair silent; // without last words the first call reports it
    silent.far.reset();
    silent.near.send("hello", deadline::in(10s), silent.why);
    CHECK(silent.why.code == std::errc::broken_pipe);
}
