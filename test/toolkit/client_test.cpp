// SPDX-License-Identifier: MIT
/// @file client_test.cpp: one daemon is found or started, whoever asks at once; no wait is longer than its deadline.
#include <mato/client.hpp>

#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/served_daemon.hpp"

using namespace std::chrono_literals;
using mato::client;
using mato::deadline;
using mato::errc;
using support::contains;
using support::echo;
using support::end_launched;
using support::options_in;
using support::reaper;
using support::temp_directory;
using names = std::vector<std::string>;

namespace {

struct proof {
    [[nodiscard]] static bool is_held() noexcept { return true; }
};

std::string framed(std::string_view payload) {
    std::string bytes;
    std::error_code why;
    mato::length_prefixed<>::append(bytes, payload, why);
    return bytes;
}

/// A listening socket with nobody behind it but the test.
struct bare_server {
    explicit bare_server(const std::filesystem::path& path, int backlog = 128) : endpoint(path) {
        mato::failure why;
        mato::publish_options options;
        options.backlog = backlog;
        listening = endpoint.publish(proof{}, options, why);
        CHECK_FALSE(why);
    }
    mato::unique_fd accept() {
        CHECK(support::await_readable(listening.get()));
        return mato::unique_fd(mato::sys::accept(listening.get()));
    }
    mato::owned_path endpoint;
    mato::unique_fd listening;
};

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

/// What a launch function returns, without a daemon behind it.
struct outcome {
    bool ok = false;
    mato::failure why{};
    [[nodiscard]] explicit operator bool() const noexcept { return ok; }
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

TEST_CASE("frames come out one by one, however they arrived", "[client]") {
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

TEST_CASE("sending waits until all is taken", "[client]") {
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

TEST_CASE("queueing never blocks, and what is left is sent by flush", "[client]") {
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

TEST_CASE("looking once reads what is there and never waits", "[client]") {
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

TEST_CASE("a running daemon is found without starting one", "[client]") {
    const temp_directory directory;
    bare_server server(directory / "daemon.sock");
    mato::failure why;
    int launches = 0;
    const auto found = client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(10s), [&] { return ++launches, outcome{}; }, why);
    CHECK_FALSE(why);
    CHECK(found);
    CHECK(launches == 0);
}

TEST_CASE("with no daemon one is started, once, and served", "[client]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory / "made" / "for it");
    mato::failure why;
    int launches = 0;
    const auto start = [&] { return ++launches, mato::daemon::launch(options, echo); };
    auto one = client::connect_or_start(options.paths, deadline::in(20s), start, why);
    INFO(why.message());
    REQUIRE(one);
    CHECK(launches == 1);
    CHECK(support::mode_of(options.paths.directory()) == 0700);
    auto two = client::connect_or_start(options.paths, deadline::in(20s), start, why);
    CHECK(launches == 1);
    for (auto* each : {&one, &two}) {
        each->send("x", deadline::in(10s), why);
        CHECK(each->receive(deadline::in(10s), why) == "x");
    }
    CHECK(end_launched(options) == mato::exit_code::ok);
}

TEST_CASE("of many that ask at once exactly one starts it, and all are served", "[client]") {
    const reaper adopt;
    for (int round = 0; round < 3; ++round) {
        constexpr int count = 24;
        const temp_directory directory;
        const auto options = options_in(directory.path());
        const support::mailbox<int> launches;
        support::gate go;
        std::vector<support::child_process> all;
        for (int i = 0; i < count; ++i)
            all.emplace_back([&] {
                go.pass();
                mato::failure why;
                auto self = client::connect_or_start(
                    options.paths, deadline::in(30s),
                    [&] {
                        launches.put(1);
                        return mato::daemon::launch(options, echo);
                    },
                    why);
                if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), 1;
                self.send("x", deadline::in(20s), why);
                return self.receive(deadline::in(20s), why) == "x" ? 0 : 2;
            });
        go.open();
        for (auto& each : all) CHECK(each.wait(40s) == 0);
        CHECK(launches.take(0ms) == 1);
        CHECK_FALSE(launches.take(0ms));
        CHECK(end_launched(options) == mato::exit_code::ok);
        CHECK(directory.names() == names{"daemon.log"}); // the start lock left nothing
    }
}

// ---- the refusals ----

TEST_CASE("nobody there is not running", "[client]") {
    const temp_directory directory;
    mato::failure why;
    CHECK_FALSE(client::connect(mato::owned_path(directory / "none"), deadline::in(10s), why));
    CHECK(why.code == mato::cond::not_running);
    CHECK(contains(why.message(), (directory / "none").native()));
    {
        const mato::unique_fd dead(mato::sys::unix_socket(true));
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

TEST_CASE("a daemon that takes no clients is not taken for a dead one", "[client]") {
    const temp_directory directory;
    bare_server server(directory / "daemon.sock", 0);
    std::vector<mato::unique_fd> waiting;
    for (std::error_code busy; busy != mato::cond::busy && waiting.size() < 100;)
        waiting.push_back(mato::owned_path(directory / "daemon.sock").connect(busy));
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(50ms), [&] { return ++launches, outcome{}; }, why));
    CHECK(why.code == errc::timed_out);
    CHECK(launches == 0);
    CHECK(std::filesystem::exists(directory / "daemon.sock"));
}

TEST_CASE("silence ends with the deadline", "[client]") {
    pair all;
    const auto before = mato::clock::now();
    CHECK_FALSE(all.near.receive(deadline::in(30ms), all.why));
    CHECK(all.why.code == errc::timed_out);
    CHECK(mato::clock::now() - before >= 30ms);
    put(all.far, framed("late").substr(0, 6));
    CHECK_FALSE(all.near.receive(deadline::in(0ms), all.why));
    CHECK(all.why.code == errc::timed_out);
    put(all.far, framed("late").substr(6));
    CHECK(all.near.receive(deadline::in(0ms), all.why) == "late"); // what is there needs no time
}

TEST_CASE("a peer that does not read ends a send with the deadline", "[client]") {
    pair all;
    all.near.send(std::string(1'000'000, 'x'), deadline::in(30ms), all.why);
    CHECK(all.why.code == errc::timed_out);
    CHECK(all.near.queued_bytes() > 0);
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

TEST_CASE("bytes that no framing allows are malformed", "[client]") {
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

TEST_CASE("the failure of the start is told in the daemon's own words", "[client]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    mato::failure why;
    int launches = 0;
    const auto start = [&] {
        ++launches;
        return mato::daemon::launch(options, [](mato::daemon&) {
            throw mato::error({errc::invalid_config, "read", "/c.toml", "c.toml:3:4: no such key"});
        });
    };
    CHECK_FALSE(client::connect_or_start(options.paths, deadline::in(10s), start, why));
    CHECK(why.code == errc::invalid_config);
    CHECK(why.message() == "read /c.toml: c.toml:3:4: no such key");
    CHECK(launches == 1);
}

TEST_CASE("somebody who holds the lock and never listens is waited for until the deadline", "[client]") {
    const temp_directory directory;
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(80ms),
        [&] {
            return ++launches, outcome{false, {errc::already_running, "lock", "/l", "already running, pid 1"}};
        },
        why));
    CHECK(why.code == errc::not_ready);
    CHECK(contains(why.message(), "already running, pid 1"));
    CHECK(launches >= 1);
    CHECK(directory.names().empty());
}

TEST_CASE("a start that says ready and is not is no success", "[client]") {
    const temp_directory directory;
    mato::failure why;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(50ms),
        [] {
            return outcome{true, {}};
        },
        why));
    CHECK(why.code == errc::not_ready);
}

TEST_CASE("while another starts, nobody starts a second, and the wait has its end", "[client]") {
    const temp_directory directory;
    const support::mailbox<int> held;
    support::gate release;
    support::child_process starter([&] {
        std::error_code why;
        const auto lock = mato::instance_lock::acquire_directory(directory.path(), deadline::in(10s), why);
        held.put(why ? 1 : 0);
        return release.pass() ? 0 : 1;
    });
    REQUIRE(held.take() == 0);
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(120ms), [&] { return ++launches, outcome{}; }, why));
    CHECK(why.code == errc::not_ready);
    CHECK(launches == 0);
    release.open();
    CHECK(starter.wait() == 0);
}

TEST_CASE("a directory open to others is refused, and nothing is started", "[client]") {
    const temp_directory directory;
    ::chmod(directory.path().c_str(), 0770);
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(10s), [&] { return ++launches, outcome{}; }, why));
    CHECK(why.code == errc::unsafe_directory);
    CHECK(launches == 0);
}

TEST_CASE("another user's listener under our path is not trusted, and told nothing", "[client]") {
    if (!support::is_root()) {
        WARN("only root can be another user; left out");
        return;
    }
    const temp_directory directory;
    ::chmod(directory.path().c_str(), 0777);
    const support::mailbox<int> listening;
    support::child_process stranger([&] {
        if (!support::become_nobody()) return 1;
        const mato::unique_fd door(mato::sys::unix_socket(true));
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
        return ::recv(victim.get(), &byte, 1, 0) == 0 ? 0 : 6; // the end, and not a byte before
    });
    REQUIRE(listening.take());
    mato::failure why;
    CHECK_FALSE(client::connect(mato::owned_path(directory / "s"), deadline::in(10s), why));
    CHECK(why.code == errc::server_not_trusted);
    CHECK(contains(why.message(), "65534"));
    CHECK(stranger.wait() == 0);
}

// ---- the promises about absence ----

TEST_CASE("neither success nor failure leaves a descriptor", "[client]") {
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
                return outcome{false, {errc::busy, "start", {}, {}}};
            },
            all.why));
        CHECK(all.why.code == errc::busy);
        CHECK(empty.names().empty());
    }
    CHECK(support::open_descriptors() == before);
}

static_assert(!std::is_copy_constructible_v<client> && std::is_nothrow_default_constructible_v<client>);
