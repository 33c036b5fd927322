// SPDX-License-Identifier: MIT
/// @file samples_daemon_test.cpp: the samples of the reference for headers with asio. documents_test compares them with the
/// headers.
#include <mato/async_client.hpp>
#include <mato/broadcast.hpp>
#include <mato/client.hpp>
#include <mato/connection.hpp>
#include <mato/daemon.hpp>
#include <mato/listener.hpp>
#include <mato/server.hpp>

#include "support/catch.hpp"
#include "support/io_loop.hpp"
#include "support/temp_directory.hpp"

#include <string>
#include <string_view>

using support::temp_directory;

TEST_CASE("the sample of a connection", "[samples]") {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    mato::unique_fd socket(fds[0]), far(fds[1]);
    asio::io_context context;
    std::string ended;
    auto connection = std::make_shared<mato::connection>(context, std::move(socket));
    connection->start({.on_frame = [&](std::string_view payload) { connection->send(payload); },
                       .on_closed = [&](const mato::failure& why) { ended = why.message(); }});
    connection->send("hello");
    context.run_for(std::chrono::milliseconds(1));
    connection->close({mato::errc::stopping, "stop", {}, {}}); // sends queued frames first
    context.run_for(std::chrono::seconds(10));
    CHECK(ended == "stop: stopping");
}

TEST_CASE("the samples of a listener, a server and a broadcast", "[samples]") {
    const temp_directory directory;
    const auto paths = mato::daemon_paths::in(directory.path().native());
    const auto lock = mato::instance_lock::acquire(paths.lock);
    mato::failure why;
    {
        auto listener = mato::basic_listener<mato::owned_path, mato::same_user>::open(
            mato::owned_path(paths.file("other.sock")), {}, lock, mato::publish_options{}, why);
        const auto check = [](int socket, const mato::same_user& policy, mato::error_out out) {
            return mato::require_peer(socket, policy, mato::errc::peer_rejected, out);
        };
        const auto next = listener.try_accept(check, why);
        if (next && !next->why) std::printf("pid %d connected\n", static_cast<int>(next->peer.pid));
        CHECK((!why && !next));
    }
    asio::io_context context;
    mato::server server(context, {.clients = 100});
    server.on.on_frame = [](const mato::server::session_ptr& session, std::string_view frame) {
        session->established(); // the first frame completes the handshake
        session->send(frame);
    };
    server.listen(mato::owned_path(paths.socket), {}, lock, {}, why);
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
    CHECK_FALSE(why);

    mato::basic_broadcast<mato::server::session, mato::drop_oldest> news(context, 1 << 20);
    news.on.gap = [](const mato::frame_gap& lost) { return std::to_string(lost.count()) + " lost"; };
    server.on.on_opened = [&](const mato::server::session_ptr& session) {
        session->established();
        news.subscribe(session, mato::drop_oldest{.bytes = 1 << 16}, mato::join_at::last(10));
    };
    news.publish("one frame for all subscribers");
    CHECK(news.status().published == 1);

    std::string answer;
    const mato::unique_fd client = mato::owned_path(paths.socket).connect(why);
    const bool came = support::run_until(context, [&] {
        char bytes[64];
        const ssize_t got = mato::sys::recv(client.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) answer.append(bytes, static_cast<std::size_t>(got));
        return answer.size() >= 33;
    });
    CHECK((came && support::contains(answer, "one frame for all subscribers")));
}

TEST_CASE("the sample of a client", "[samples]") {
    const temp_directory directory;
    const auto paths = mato::daemon_paths::in(directory.path().native());
    mato::failure why;
    const auto until = mato::deadline::in(std::chrono::seconds(5));
    auto client = mato::client::connect(mato::owned_path(paths.socket), until, why);
    if (!why) client.send("ping", until, why);
    const auto answer = why ? std::nullopt : client.receive(until, why);
    if (answer) std::printf("%s\n", std::string(*answer).c_str());
    if (why.code == mato::cond::not_running) std::printf("no daemon runs\n");
    CHECK(why.code == mato::cond::not_running);
}

TEST_CASE("the samples of an async client and of its server", "[samples]") {
    const temp_directory directory;
    const auto paths = mato::daemon_paths::in(directory.path().native());
    asio::io_context context;
    mato::server server(context);
    server.on.on_frame = [](const mato::server::session_ptr& session, std::string_view frame) {
        session->established();
        std::error_code malformed;
        const auto asked = mato::numbered::read(frame, malformed);
        session->send(mato::numbered::answer(asked.number, "the first part", mato::answer_part::more_follow));
        session->send(mato::numbered::answer(asked.number, asked.body));
        session->send(mato::numbered::answer(0, "an event for every client"));
    };
    struct numbered_policies : mato::default_policies {
        using correlation = mato::numbered;
    };
    mato::failure why;
    const auto lock = mato::instance_lock::acquire(paths.lock);
    server.listen(mato::owned_path(paths.socket), {}, lock, {}, why);
    REQUIRE_FALSE(why);
    std::string got;
    {
        mato::basic_async_client<numbered_policies> client(context, mato::owned_path(paths.socket));
        client.on.on_frame = [&](std::string_view event) { got += event; };
        const auto add = [&](std::string_view part) { got += part; };
        client.async_stream("status", mato::deadline::never(), add,
                            [&](std::error_code, const std::string& answer) { got += ", " + answer + ", "; });
        CHECK(support::run_until(context, [&] { return support::contains(got, "client"); }));
    }
    CHECK(got == "the first part, status, an event for every client");

    mato::async_client client(context, mato::owned_path(paths.socket));
    client.async_request("status", [&](std::error_code failed, const std::string& answer) {
        std::printf("%s\n", failed ? failed.message().c_str() : answer.c_str());
        client.close(); // an open connection keeps run() from returning
    });
    CHECK(support::run_until(context, [&] { return client.size() == 0; }));
}
