// SPDX-License-Identifier: MIT
/// @file daemon_exception_test.cpp: a daemon continues after exceptions of callbacks, and reports why if it does not.
#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/launched_daemon.hpp"
#include "support/served_daemon.hpp"
#include "support/temp_directory.hpp"

using namespace std::chrono_literals;
using mato::errc;
using support::ask;
using support::connect_to;
using support::contains;
using support::options_in;
using support::served;
using support::temp_directory;
using names = std::vector<std::string>;

namespace {

/// Replies, and throws on a client's request.
void faulty(mato::daemon& self) {
    self.server().on.on_frame = [&self](const auto& from, std::string_view payload) {
        from->established();
        if (payload == "throw") throw std::runtime_error("no such table");
        if (payload == "strange") throw 5;
        if (payload == "large") from->send(std::string((1 << 20) + 1, 'x'));
        if (payload == "post") asio::post(self.context(), [] { throw std::runtime_error("a handler of the program's own"); });
        if (payload == "setup") self.server().on.on_opened = [](const auto&) { throw 5; };
        from->send(payload);
    };
}

void check_goes_on(const mato::daemon_options& options) {
    mato::failure why;
    auto witness = connect_to(options, why);
    REQUIRE(ask(witness, "hello") == "hello");
    for (const char* const what : {"throw", "strange", "large"}) {
        auto client = connect_to(options, why);
        client.send(what, mato::deadline::in(10s), why);
        CHECK_FALSE(client.receive(mato::deadline::in(10s), why));
        CHECK(why.code == errc::closed);
    }
    CHECK(ask(witness, "still") == "still");
    CHECK(ask(options, "new") == "new");
    const auto log = support::read_file(options.paths.log);
    CHECK(contains(log, "client 2 (uid " + std::to_string(::geteuid())));
    CHECK(contains(log, "): on_frame: no such table"));
    CHECK(contains(log, "): on_frame: an exception that is not derived from std::exception"));
    CHECK(contains(log, "a frame has 1048577 bytes"));
}

} // namespace

TEST_CASE("a daemon logs exceptions of callbacks with the client, and serves the others", "[daemon][exception]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, faulty);
    check_goes_on(options);
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
}

TEST_CASE("so does a daemon in the background", "[daemon][exception]") {
    const support::reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    REQUIRE(mato::daemon::launch(options, faulty));
    check_goes_on(options);
    CHECK(support::end_launched(options) == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a server's on_exception can decide otherwise; the exception is logged anyway", "[daemon][exception]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        faulty(self);
        self.server().on.on_exception = [](const auto& whose, const mato::failure& why) { whose->send(why.detail); };
    });
    CHECK(ask(options, "throw") == "no such table");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(contains(support::read_file(options.paths.log), "): on_frame: no such table"));
}

TEST_CASE("an exception of another handler ends the daemon with its reason, and no file is left", "[daemon][exception]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const support::mailbox<int> told;
    served process(options, [&](mato::daemon& self) {
        faulty(self);
        self.on.on_force = [&] { told.put(1); };
        self.server().on.on_closed = [&](const auto&, const mato::failure& why) {
            told.put(why.code == errc::stopping ? 2 : -2);
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    client.send("post", mato::deadline::in(10s), why);
    CHECK(process.wait() == 100); // serve reported it
    CHECK(told.take() == 1);
    CHECK(told.take() == 2);
    CHECK(directory.names() == names{"daemon.log"});
    CHECK(contains(support::read_file(options.paths.log), "exception: run: a handler of the program's own"));
}

TEST_CASE("a background daemon that ends this way logs the reason", "[daemon][exception]") {
    const support::reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    REQUIRE(mato::daemon::launch(options, faulty));
    mato::failure why;
    auto client = connect_to(options, why);
    client.send("post", mato::deadline::in(10s), why);
    while (client.receive(mato::deadline::in(10s), why)) {
    }
    CHECK(why.code == errc::closed);
    CHECK(support::wait_until([&] { return directory.names() == names{"daemon.log"}; }));
    const auto log = support::read_file(options.paths.log);
    CHECK(contains(log, "exception: run: a handler of the program's own"));
    CHECK(contains(log, "the daemon ends"));
}

TEST_CASE("a daemon's on_exception can decide otherwise", "[daemon][exception]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const bool goes_on = GENERATE(true, false);
    served process(options, [&](mato::daemon& self) {
        faulty(self);
        self.on.on_exception = [goes_on](const mato::failure&) { return goes_on; };
        self.on.on_child = [] { throw std::runtime_error("no child of mine"); };
        self.on.on_reload = [](mato::error_out) { throw std::runtime_error("no reload"); };
    });
    process.signal(SIGHUP); // reported, whatever on_exception returns
    REQUIRE(
        support::wait_until([&] { return contains(support::read_file(options.paths.log), "no reload; nothing was changed"); }));
    if (goes_on) {
        CHECK(ask(options, "post") == "post");
        CHECK(ask(options, "still") == "still");
        process.signal(SIGCHLD);
        REQUIRE(
            support::wait_until([&] { return contains(support::read_file(options.paths.log), "on_child: no child of mine"); }));
        CHECK(ask(options, "still") == "still");
        process.signal(SIGTERM);
        CHECK(process.wait() == mato::exit_code::ok);
    } else {
        process.signal(SIGCHLD);
        CHECK(process.wait() == 100);
    }
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a stop whose on_stop throws ends with the grace period", "[daemon][exception]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        self.set_shutdown(mato::graceful_then_force(50ms));
        self.on.on_stop = [] { throw 5; };
        self.on.on_force = [] { throw 6; };
    });
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::forced);
    CHECK(directory.names() == names{"daemon.log"});
}
