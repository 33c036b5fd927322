// SPDX-License-Identifier: MIT
/// @file async_client_start_test.cpp: an async client connects again, starts the daemon once, and checks its user.
#include <mato/async_client.hpp>
#include <mato/child.hpp>

#include "support/bare_server.hpp"
#include "support/child_process.hpp"
#include "support/fake_manager.hpp"
#include "support/numbered_server.hpp"
#include "support/temp_directory.hpp"

#include <algorithm>
#include <optional>
#include <sys/prctl.h>

using namespace std::chrono_literals;
using mato::deadline;
using mato::errc;
using support::numbered_client;
using support::outcome;
using support::run_ready;
using support::run_until;

namespace {

/// Waits for a minute, so that a slow machine does not end the attempts of a test.
struct patient_policies : support::numbered_policies {
    struct backoff : mato::exponential_backoff {
        backoff() : mato::exponential_backoff({.total = std::chrono::minutes(1)}) {}
    };
};
using patient_client = mato::basic_async_client<patient_policies>;
/// Gives up at once.
struct hasty_policies : support::numbered_policies {
    struct backoff {
        std::optional<mato::milliseconds> next(mato::clock::time_point) { return std::nullopt; }
    };
};
using hasty_client = mato::basic_async_client<hasty_policies>;

/// An echoing server in a process of its own, which ends with its parent.
support::child_process server_process(const std::filesystem::path& socket) {
    return support::child_process([&] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        asio::io_context context;
        support::numbered_server server(context, socket);
        context.run();
        return 0;
    });
}

} // namespace

TEST_CASE("requests wait for a server that starts later", "[async_client_start]") {
    support::temp_directory directory;
    asio::io_context context;
    patient_client client(context, mato::owned_path(directory / "s"));
    outcome got;
    client.async_request("early", got.handler());
    context.run_for(30ms); // attempts fail
    CHECK(got.calls == 0);
    support::numbered_server server(context, directory / "s");
    REQUIRE(run_until(context, [&] { return got.calls == 1; }));
    CHECK((got.answer == "early" && server.opened == 1));
}

TEST_CASE("when the back-off policy gives up, the waiting requests get the reason, and the next request tries again",
          "[async_client_start]") {
    support::temp_directory directory;
    asio::io_context context;
    hasty_client client(context, mato::owned_path(directory / "s"));
    std::vector<std::error_code> ends;
    client.on.on_disconnected = [&](const mato::failure& why) {
        CHECK_FALSE(why.message().empty());
        ends.push_back(why.code);
    };
    outcome first, second, third;
    std::optional<std::error_code> connected;
    client.async_request("1", first.handler());
    client.async_request("2", second.handler());
    client.async_connect([&](std::error_code why) { connected = why; });
    REQUIRE(run_until(context, [&] { return connected.has_value(); }));
    CHECK((first.calls == 1 && second.calls == 1 && first.why == mato::cond::not_running && *connected == first.why));
    CHECK((ends.size() == 1 && client.size() == 0 && client.queued_bytes() == 0));
    support::numbered_server server(context, directory / "s");
    client.async_request("3", third.handler());
    REQUIRE(run_until(context, [&] { return third.calls == 1; }));
    CHECK(third.answer == "3");
}

TEST_CASE("a full backlog is waited for", "[async_client_start]") {
    support::temp_directory directory;
    support::bare_server busy(directory / "s", 0);
    std::vector<mato::unique_fd> fill;
    std::error_code full;
    for (auto next = busy.endpoint.connect(full); !full; next = busy.endpoint.connect(full)) fill.push_back(std::move(next));
    REQUIRE((full == mato::cond::busy && !fill.empty()));
    asio::io_context context;
    patient_client client(context, mato::owned_path(directory / "s"));
    std::optional<std::error_code> connected;
    client.async_connect([&](std::error_code why) { connected = why; });
    context.run_for(20ms);
    CHECK_FALSE(connected.has_value());
    for (std::size_t i = 0; i < fill.size(); ++i) static_cast<void>(busy.accept());
    REQUIRE(run_until(context, [&] { return connected.has_value(); }));
    CHECK_FALSE(*connected);
}

TEST_CASE("a killed server is connected again, and every request is answered or fails, once", "[async_client_start]") {
    support::temp_directory directory;
    asio::io_context context;
    patient_client client(context, mato::owned_path(directory / "s"));
    std::size_t connections = 0, losses = 0, sent = 0, running = 0, answered = 0, failed = 0, wrong = 0;
    client.on.on_connected = [&] { ++connections; };
    client.on.on_disconnected = [&](const mato::failure&) { ++losses; };
    constexpr std::size_t window = 64, rounds = 8;
    const auto ask = [&](auto& self) -> void {
        const std::string text = std::to_string(sent++);
        ++running;
        client.async_request(text, deadline::never(), [&, text](std::error_code why, const std::string& answer) {
            --running;
            answered += !why && answer == text;
            failed += why == errc::closed;
            wrong += why ? why != errc::closed : answer != text;
            if (connections <= rounds) self(self);
        });
    };
    for (std::size_t round = 0; round < rounds; ++round) {
        auto server = server_process(directory / "s");
        if (round == 0)
            for (std::size_t i = 0; i < window; ++i) ask(ask);
        const std::size_t before = answered;
        REQUIRE(run_until(context, [&] { return answered >= before + 200; }));
        server.signal(SIGKILL);
        server.wait();
        REQUIRE(run_until(context, [&] { return losses == round + 1; }));
    }
    auto server = server_process(directory / "s");
    REQUIRE(run_until(context, [&] { return running == 0; }));
    CHECK((connections == rounds + 1 && losses == rounds && wrong == 0));
    CHECK(answered + failed == sent);
    CHECK((client.size() == 0 && failed <= rounds * window));
}

TEST_CASE("requests made in on_connected are sent before those that waited", "[async_client_start]") {
    support::temp_directory directory;
    asio::io_context context;
    patient_client client(context, mato::owned_path(directory / "s"));
    outcome hello, waiting;
    client.on.on_connected = [&] { client.async_request("hello", hello.handler()); };
    client.async_request("waiting", waiting.handler());
    support::numbered_server server(context, directory / "s");
    REQUIRE(run_until(context, [&] { return waiting.calls == 1 && hello.calls == 1; }));
    CHECK(server.texts == std::vector<std::string>{"hello", "waiting"});
    server.last->abort({errc::stopping, "test", {}, {}});
    REQUIRE(run_until(context, [&] { return hello.calls == 2; })); // without a request that waits, too
    CHECK(server.opened == 2);
}

TEST_CASE("frames that are malformed end the connection, and the requests fail with the reason", "[async_client_start]") {
    support::temp_directory directory;
    asio::io_context context;
    support::numbered_server server(context, directory / "s");
    hasty_client client(context, mato::owned_path(directory / "s"));
    outcome got;
    client.async_request("keep", got.handler());
    REQUIRE(run_until(context, [&] { return server.kept.size() == 1; }));
    server.last->send("short");
    REQUIRE(run_until(context, [&] { return got.calls == 1; }));
    CHECK(got.why == errc::malformed);
}

TEST_CASE("a server that closes every connection is not asked without pauses", "[async_client_start]") {
    support::temp_directory directory;
    asio::io_context context;
    mato::server server(context);
    int opened = 0;
    server.on.on_opened = [&](const mato::server::session_ptr& each) {
        ++opened;
        each->abort({errc::stopping, "test", {}, {}});
    };
    mato::failure why;
    server.listen(mato::owned_path(directory / "s"), mato::same_user{}, support::held_proof{}, mato::publish_options{}, why);
    struct policies : support::numbered_policies {
        struct backoff { // three pauses
            int left = 3;
            std::optional<mato::milliseconds> next(mato::clock::time_point) {
                return left-- > 0 ? std::optional(mato::milliseconds(1)) : std::nullopt;
            }
        };
    };
    mato::basic_async_client<policies> client(context, mato::owned_path(directory / "s"));
    int ends = 0;
    client.on.on_disconnected = [&](const mato::failure&) { ++ends; };
    client.async_connect([](std::error_code) {});
    REQUIRE(run_until(context, [&] { return ends == 4; }));
    run_ready(context);
    CHECK(opened == 4);
}

TEST_CASE("another user's server is not trusted and gets no byte", "[async_client_start]") {
    if (!support::is_root()) {
        WARN("skipped: a process of another user needs root");
        return;
    }
    support::temp_directory directory;
    REQUIRE(::chmod(directory.path().c_str(), 0777) == 0);
    const support::mailbox<int> ready;
    support::child_process impostor([&] {
        if (!support::become_nobody()) return 1;
        const mato::unique_fd listening(support::bound_socket(SOCK_STREAM, (directory / "s").native()));
        if (::listen(listening.get(), 5) != 0) return 3;
        ready.put(1);
        if (!support::await_readable(listening.get())) return 4;
        const mato::unique_fd client(mato::sys::accept(listening.get()));
        char byte = 0;
        return support::await_readable(client.get()) && ::recv(client.get(), &byte, 1, 0) == 0 ? 0 : 2;
    });
    REQUIRE(ready.take(20s));
    asio::io_context context;
    numbered_client client(context, mato::owned_path(directory / "s"));
    outcome got;
    client.async_request("secret", got.handler());
    REQUIRE(run_until(context, [&] { return got.calls == 1; }));
    CHECK(got.why == errc::server_not_trusted);
    CHECK(impostor.wait() == 0);
}

// ---- starting the daemon ----

TEST_CASE("the daemon is started once, by a child that the loop awaits", "[async_client_start]") {
    support::temp_directory directory;
    const auto paths = mato::daemon_paths::in(directory.path() / "made");
    asio::io_context context;
    std::optional<support::numbered_server> daemon;
    mato::child starter(context, {.program = "/bin/sh", .arguments = {"-c", "exit 0"}}); // stands for `daemon --background`
    std::vector<std::unique_ptr<patient_client>> clients;
    int launches = 0;
    std::vector<outcome> got(20);
    for (auto& each : got) {
        auto client = std::make_unique<patient_client>(context, mato::owned_path(paths.socket));
        client->start_with(paths, [&](mato::start_reply reply) {
            ++launches;
            starter.on.on_ended = [&, reply](const mato::child_status& how, auto) {
                daemon.emplace(context, paths.socket);
                mato::failure why;
                if (how.exit_code != 0) why = {errc::not_ready, "start the daemon", {}, {}};
                reply(why);
            };
            mato::failure why;
            starter.start(why);
            if (why) reply(why);
        });
        client->async_request("x", each.handler());
        clients.push_back(std::move(client));
    }
    REQUIRE(run_until(context, [&] { return std::ranges::all_of(got, [](const outcome& each) { return each.calls == 1; }); }));
    for (const auto& each : got) CHECK((!each.why && each.answer == "x"));
    CHECK(launches == 1);
    CHECK(support::mode_of(paths.directory()) == 0700);
}

TEST_CASE("a failed start is the reason of the waiting requests", "[async_client_start]") {
    const mato::failure no_disk{{ENOSPC, std::system_category()}, "write pid file", {}, {}};
    for (const char* how : {"reply", "throws", "drops", "throws an error"}) {
        INFO(how);
        const std::string kind = how;
        support::temp_directory directory;
        const auto paths = mato::daemon_paths::in(directory.path());
        asio::io_context context;
        patient_client client(context, mato::owned_path(paths.socket));
        int launches = 0;
        std::vector<std::string> told;
        client.on.on_disconnected = [&](const mato::failure& why) { told.push_back(why.message()); };
        client.start_with(paths, [&](const mato::start_reply& reply) {
            ++launches;
            if (kind == "throws") throw 7;
            if (kind == "throws an error") throw mato::error(no_disk);
            if (kind == "reply") reply(no_disk), reply({});
        });
        outcome got;
        client.async_request("x", got.handler());
        REQUIRE(run_until(context, [&] { return got.calls == 1; }));
        CHECK(launches == 1);
        CHECK(got.why == (kind == "throws"  ? make_error_code(errc::callback_threw)
                          : kind == "drops" ? make_error_code(errc::not_ready)
                                            : no_disk.code));
        CHECK(told.size() == 1);
        mato::failure free;
        const auto lock = mato::instance_lock::acquire_directory(paths.directory(), deadline::in(0ms), free);
        CHECK_FALSE(free); // the lock of the start was released
    }
}

TEST_CASE("while another client starts the daemon this one waits, and does not start it", "[async_client_start]") {
    support::temp_directory directory;
    const auto paths = mato::daemon_paths::in(directory.path());
    mato::failure why;
    auto other = std::make_optional(mato::instance_lock::acquire_directory(paths.directory(), deadline::in(10s), why));
    REQUIRE_FALSE(why);
    asio::io_context context;
    patient_client client(context, mato::owned_path(paths.socket));
    int launches = 0;
    std::optional<support::numbered_server> daemon;
    client.start_with(paths, [&](const mato::start_reply&) { ++launches; });
    outcome got, late;
    client.async_request("x", got.handler());
    client.async_request("late", deadline::in(20ms), late.handler());
    REQUIRE(run_until(context, [&] { return late.calls == 1; }));
    CHECK((late.why == errc::timed_out && got.calls == 0 && launches == 0));
    daemon.emplace(context, paths.socket);
    other.reset();
    REQUIRE(run_until(context, [&] { return got.calls == 1; }));
    CHECK((got.answer == "x" && launches == 0));
}

TEST_CASE("a client may be closed or destroyed while the daemon starts", "[async_client_start]") {
    for (const bool is_destroyed : {false, true}) {
        support::temp_directory directory;
        const auto paths = mato::daemon_paths::in(directory.path());
        asio::io_context context;
        auto client = std::make_unique<patient_client>(context, mato::owned_path(paths.socket));
        std::optional<mato::start_reply> reply;
        client->start_with(paths, [&](mato::start_reply how) { reply = std::move(how); });
        outcome got;
        client->async_request("x", got.handler());
        REQUIRE(run_until(context, [&] { return reply.has_value(); }));
        if (is_destroyed)
            client.reset();
        else
            client->close();
        (*reply)({});
        REQUIRE(run_until(context, [&] { return got.calls == 1; }));
        CHECK(got.why == asio::error::operation_aborted);
        mato::failure free;
        const auto lock = mato::instance_lock::acquire_directory(paths.directory(), deadline::in(0ms), free);
        CHECK_FALSE(free);
    }
}
