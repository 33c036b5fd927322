// SPDX-License-Identifier: MIT
/// @file async_client_test.cpp: every request completes once, with its answer or an error. Tokens and threads:
/// async_client_tokens_test.cpp; starting and reconnecting: async_client_start_test.cpp.
#include <mato/async_client.hpp>

#include "support/async_client_world.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/descriptor_census.hpp"
#include "support/framed.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include <optional>

using namespace std::chrono_literals;
using mato::deadline;
using mato::errc;
using support::numbered_client;
using support::outcome;
using support::run_ready;
using support::run_until;
using world = support::async_client_world;

namespace {

const std::error_code aborted = asio::error::operation_aborted;

} // namespace

// ---- answers ----

TEST_CASE("the first request connects, and its handler gets the answer", "[async_client]") {
    world all;
    outcome got;
    all.client->async_request("hello", got.handler());
    CHECK(got.calls == 0); // never inside the call
    REQUIRE(all.until([&] { return got.calls > 0; }));
    CHECK((!got.why && got.answer == "hello" && all.client->is_connected() && all.client->server().pid == ::getpid()));
    outcome second;
    all.client->async_request("", second.handler());
    REQUIRE(all.until([&] { return second.calls > 0; }));
    CHECK((!second.why && second.answer.empty() && all.server.opened == 1 && all.client->size() == 0));
}

TEST_CASE("answers in any order reach their requests", "[async_client]") {
    world all;
    std::vector<outcome> got(50);
    for (std::size_t i = 0; i < got.size(); ++i) all.client->async_request("keep " + std::to_string(i), got[i].handler());
    REQUIRE(all.until([&] { return all.server.kept.size() == got.size(); }));
    for (std::size_t i = 0; i < got.size(); ++i) all.server.answer(all.server.kept[(i * 17 + 5) % got.size()]);
    REQUIRE(all.until([&] { return all.client->size() == 0; }));
    for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i].calls == 1);
        CHECK(got[i].answer == "keep " + std::to_string(i));
    }
}

TEST_CASE("ten thousand requests are in flight on one connection, and each is answered once", "[async_client]") {
    world all;
    std::vector<outcome> got(10'000);
    for (std::size_t i = 0; i < got.size(); ++i) all.client->async_request("keep " + std::to_string(i), got[i].handler());
    REQUIRE(all.until([&] { return all.server.kept.size() == got.size(); }));
    CHECK(all.client->size() == got.size());
    for (const auto& each : all.server.kept) all.server.answer(each);
    REQUIRE(all.until([&] { return all.client->size() == 0; }));
    std::size_t right = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
        right += got[i].calls == 1 && !got[i].why && got[i].answer == "keep " + std::to_string(i);
    CHECK(right == got.size());
    CHECK(all.server.opened == 1);
}

TEST_CASE("two thousand requests of any size to a server that echoes get two thousand answers", "[async_client]") {
    world all;
    std::vector<outcome> got(2'000);
    std::size_t asked = 0, running = 0;
    const auto text = [](std::size_t i) { return std::string(i * 7919 % 3000, static_cast<char>('a' + i % 26)); };
    const auto ask_more = [&] {
        for (; running < 100 && asked < got.size(); ++asked, ++running)
            all.client->async_request(text(asked), [&, i = asked](std::error_code why, std::string answer) {
                got[i].handler()(why, std::move(answer));
                --running;
            });
    };
    REQUIRE(all.until([&] { return ask_more(), asked == got.size() && running == 0; }));
    std::size_t right = 0;
    for (std::size_t i = 0; i < got.size(); ++i) right += got[i].calls == 1 && !got[i].why && got[i].answer == text(i);
    CHECK(right == got.size());
}

TEST_CASE("with in_order, answers belong to requests in their order, and a late answer is dropped", "[async_client]") {
    support::temp_directory directory;
    asio::io_context context;
    mato::server server(context);
    std::vector<std::string> asked;
    mato::server::session_ptr session;
    server.on.on_frame = [&](const mato::server::session_ptr& from, std::string_view frame) {
        from->established();
        session = from;
        asked.emplace_back(frame);
    };
    mato::failure why;
    server.listen(mato::owned_path(directory / "s"), mato::same_user{}, support::held_proof{}, mato::publish_options{}, why);
    REQUIRE_FALSE(why);
    mato::async_client client(context, mato::owned_path(directory / "s"));
    std::vector<std::string> events;
    client.on.on_frame = [&](std::string_view payload) { events.emplace_back(payload); };
    outcome first, second, third;
    client.async_request("one", first.handler());
    client.async_request("two", deadline::in(50ms), second.handler());
    client.async_request("three", third.handler());
    REQUIRE(run_until(context, [&] { return asked.size() == 3 && second.calls == 1; }));
    CHECK((second.why == errc::timed_out && first.calls == 0 && client.size() == 3));
    for (const char* answer : {"1", "2", "3", "unasked"}) session->send(answer);
    REQUIRE(run_until(context, [&] { return third.calls == 1 && events.size() == 1; }));
    CHECK((first.answer == "1" && third.answer == "3" && second.calls == 1 && events[0] == "unasked"));
    CHECK(client.size() == 0);
}

TEST_CASE("an answer of several parts calls on_part for each but the last", "[async_client]") {
    world all;
    std::string parts;
    outcome got, other;
    const auto add = [&](std::string_view part) { parts += part; };
    all.client->async_stream("parts 5", deadline::never(), add, got.handler());
    all.client->async_request("parts 3", other.handler()); // without on_part only the last one counts
    REQUIRE(all.until([&] { return got.calls == 1 && other.calls == 1; }));
    CHECK((parts == "01234" && got.answer == "end" && other.answer == "end"));
}

TEST_CASE("frames that answer no request go to on_frame, and one-way frames are sent", "[async_client]") {
    world all;
    std::error_code none;
    all.client->send("too early", none);
    CHECK(none == errc::closed);
    std::vector<std::string> events;
    all.client->on.on_frame = [&](std::string_view payload) { events.emplace_back(payload); };
    all.connect();
    REQUIRE(all.until([&] { return all.server.last != nullptr; }));
    all.server.last->send(mato::numbered::answer(0, "event"));
    all.server.last->send(mato::numbered::answer(123456789, "for a request that does not exist"));
    all.client->send("one-way", none);
    CHECK_FALSE(none);
    REQUIRE(all.until([&] { return !events.empty() && !all.server.texts.empty(); }));
    outcome got;
    all.client->async_request("after", got.handler());
    REQUIRE(all.until([&] { return got.calls == 1; }));
    CHECK((events == std::vector<std::string>{"event"} && all.server.texts[0] == "one-way" && got.answer == "after"));
}

// ---- giving up ----

TEST_CASE("each request has its own deadline, and a late answer is dropped", "[async_client]") {
    world all;
    outcome soon, later, answered, usual;
    all.client->async_request("keep a", deadline::in(200ms), later.handler());
    all.client->async_request("keep b", deadline::in(20ms), soon.handler());
    all.client->async_request("c", deadline::in(20s), answered.handler());
    all.client->async_request("keep d", usual.handler());
    REQUIRE(all.until([&] { return soon.calls == 1; }));
    CHECK(soon.why == errc::timed_out);
    REQUIRE(all.until([&] { return later.calls == 1; }));
    CHECK(later.why == errc::timed_out);
    CHECK((answered.calls == 1 && answered.answer == "c" && usual.calls == 0));
    for (const auto& each : all.server.kept) all.server.answer(each);
    REQUIRE(all.until([&] { return usual.calls == 1; }));
    CHECK((usual.answer == "keep d" && soon.calls == 1 && later.calls == 1));
}

TEST_CASE("a deadline that has passed, and one that never does, are both valid", "[async_client]") {
    world all;
    outcome past, never;
    all.client->async_request("keep", deadline(mato::clock::time_point::min()), past.handler());
    all.client->async_request("x", deadline::never(), never.handler());
    REQUIRE(all.until([&] { return past.calls == 1 && never.calls == 1; }));
    CHECK((past.why == errc::timed_out && never.answer == "x"));
}

TEST_CASE("a request is cancelled through its slot, before and after it was sent", "[async_client]") {
    world all;
    asio::cancellation_signal first, second;
    outcome waiting, sent, other;
    all.client->async_request("keep 1", asio::bind_cancellation_slot(first.slot(), waiting.handler()));
    first.emit(asio::cancellation_type::terminal);
    CHECK(waiting.calls == 0); // never inside the call
    all.client->async_request("keep 2", asio::bind_cancellation_slot(second.slot(), sent.handler()));
    all.client->async_request("keep 3", other.handler());
    REQUIRE(all.until([&] { return all.server.kept.size() == 2; }));
    CHECK((waiting.calls == 1 && waiting.why == aborted));
    second.emit(asio::cancellation_type::total);
    second.emit(asio::cancellation_type::total);
    for (const auto& each : all.server.kept) all.server.answer(each);
    REQUIRE(all.until([&] { return other.calls == 1; }));
    CHECK((sent.calls == 1 && sent.why == aborted && other.answer == "keep 3" && all.client->size() == 0));
    second.emit(asio::cancellation_type::total); // the request has ended
    run_ready(all.context);
    CHECK(sent.calls == 1);
}

TEST_CASE("cancel ends all requests and keeps the connection; close ends both", "[async_client]") {
    world all;
    std::vector<outcome> got(20);
    for (auto& each : got) all.client->async_request("keep", each.handler());
    REQUIRE(all.until([&] { return all.server.kept.size() == got.size(); }));
    all.client->cancel();
    run_ready(all.context);
    for (const auto& each : got) CHECK((each.calls == 1 && each.why == aborted));
    outcome next;
    all.client->async_request("next", next.handler());
    REQUIRE(all.until([&] { return next.calls == 1; }));
    CHECK(all.server.opened == 1);

    outcome last, again;
    std::error_code why;
    all.client->send("goodbye", why);
    all.client->async_request("keep", last.handler());
    all.client->close();
    CHECK((last.calls == 0 && !all.client->is_connected()));
    all.client->async_request("again", again.handler());
    REQUIRE(all.until([&] { return again.calls == 1; }));
    CHECK((last.calls == 1 && last.why == aborted && again.answer == "again" && all.server.opened == 2));
    CHECK(std::ranges::count(all.server.texts, "goodbye") == 1); // what was queued is sent
}

TEST_CASE("the limits of requests and bytes refuse with busy, and nothing else is affected", "[async_client]") {
    world all({.requests = 3, .queued_bytes = 1000});
    std::vector<outcome> got(5);
    for (auto& each : got) all.client->async_request("keep", each.handler());
    CHECK(all.client->size() == 3);
    run_ready(all.context);
    CHECK((got[3].calls == 1 && got[3].why == errc::busy && got[4].why == errc::busy && got[2].calls == 0));
    REQUIRE(all.until([&] { return all.server.kept.size() == 3; }));
    all.server.answer(all.server.kept[0]);
    REQUIRE(all.until([&] { return got[0].calls == 1; }));
    all.client->cancel();
    run_ready(all.context);

    outcome large, small, beyond;
    all.client->async_request(std::string(5000, 'x'), large.handler()); // alone it may be larger than the limit
    all.client->async_request("y", beyond.handler());
    REQUIRE(all.until([&] { return large.calls == 1 && beyond.calls == 1; }));
    CHECK((!large.why && large.answer.size() == 5000 && beyond.why == errc::busy));
    all.client->async_request("z", small.handler());
    REQUIRE(all.until([&] { return small.calls == 1; }));
    CHECK((small.answer == "z" && all.client->queued_bytes() == 0));
}

TEST_CASE("requests that wait for a connection count towards the limit of bytes", "[async_client]") {
    support::temp_directory directory;
    asio::io_context context;
    numbered_client client(context, mato::owned_path(directory / "none"), {.queued_bytes = 1000});
    outcome first, second, third;
    client.async_request(std::string(600, 'x'), first.handler());
    client.async_request(std::string(600, 'y'), second.handler());
    client.async_request(std::string(400, 'z'), third.handler());
    CHECK(client.queued_bytes() == 1000);
    run_ready(context);
    CHECK((second.calls == 1 && second.why == errc::busy && first.calls == 0));
    client.close();
    CHECK(client.queued_bytes() == 0);
    run_ready(context);
    CHECK((first.why == aborted && third.why == aborted));
}

TEST_CASE("a request that the framing does not allow is refused, before and after connecting", "[async_client]") {
    world all;
    const std::string large(2 << 20, 'x');
    outcome early, late, next;
    all.client->async_request(large, early.handler());
    REQUIRE(all.until([&] { return early.calls == 1; }));
    all.client->async_request(large, late.handler());
    all.client->async_request("next", next.handler());
    REQUIRE(all.until([&] { return next.calls == 1; }));
    CHECK((early.why == errc::frame_too_large && late.why == errc::frame_too_large && late.calls == 1));
    CHECK((next.answer == "next" && all.server.opened == 1));
}

// ---- lifetimes ----

TEST_CASE("destroying the client completes its requests with operation_aborted", "[async_client]") {
    world all;
    outcome sent, waiting;
    all.client->async_request("keep", sent.handler());
    REQUIRE(all.until([&] { return all.server.kept.size() == 1; }));
    all.client->close();
    all.client->async_request("keep", waiting.handler());
    all.client.reset();
    CHECK((sent.calls == 0 && waiting.calls == 0));
    run_ready(all.context);
    CHECK((sent.calls == 1 && sent.why == aborted && waiting.calls == 1 && waiting.why == aborted));
}

TEST_CASE("handlers and callbacks may destroy the client", "[async_client]") {
    for (const char* where : {"answer", "part", "event", "connected", "disconnected"}) {
        INFO(where);
        world all;
        const std::string at = where;
        int calls = 0;
        const auto end = [&] {
            ++calls;
            all.client.reset();
        };
        if (at == "connected") all.client->on.on_connected = end;
        if (at == "event") all.client->on.on_frame = [&](std::string_view) { end(); };
        if (at == "disconnected") all.client->on.on_disconnected = [&](const mato::failure&) { end(); };
        outcome other;
        const auto done = [&, at](std::error_code, const std::string&) {
            if (at == "answer") end();
        };
        all.client->async_stream(
            at == "part"     ? "parts 3"
            : at == "answer" ? "x"
                             : "keep",
            deadline::in(20s), [&](std::string_view) { end(); }, done);
        if (all.client) all.client->async_request("keep", other.handler());
        if (at == "event" || at == "disconnected") {
            REQUIRE(all.until([&] { return all.server.last && !all.server.kept.empty(); }));
            if (at == "event")
                all.server.last->send(mato::numbered::answer(0, "x"));
            else
                all.server.last->abort({errc::stopping, "test", {}, {}});
        }
        REQUIRE(all.until([&] { return other.calls == 1; }));
        CHECK((calls == 1 && other.why == (at == "disconnected" ? make_error_code(errc::closed) : aborted)));
    }
}

TEST_CASE("the loop may be destroyed before the client and with requests in flight", "[async_client]") {
    const auto token = std::make_shared<int>(1);
    support::temp_directory directory;
    std::optional<numbered_client> client;
    outcome after;
    {
        asio::io_context context;
        support::numbered_server server(context, directory / "s");
        client.emplace(context, mato::owned_path(directory / "s"));
        for (int i = 0; i < 10; ++i)
            client->async_request("keep",
                                  [token](std::error_code, const std::string&) { FAIL("called after the loop's end"); });
        REQUIRE(run_until(context, [&] { return server.kept.size() == 10; }));
        client->close();
        client->async_request("waiting", [token](std::error_code, const std::string&) { FAIL("called after the loop's end"); });
    }
    CHECK(token.use_count() == 1); // the handlers were destroyed
    client.reset();
}

TEST_CASE("an exception from a handler leaves run, and the other requests are answered", "[async_client]") {
    world all;
    outcome before, after;
    all.client->async_request("a", before.handler());
    all.client->async_request("b", [](std::error_code, const std::string&) { throw std::runtime_error("mine"); });
    all.client->async_request("c", after.handler());
    int thrown = 0;
    REQUIRE(all.until([&] {
        try {
            all.context.poll();
        } catch (const std::runtime_error& mine) {
            CHECK(std::string(mine.what()) == "mine");
            ++thrown;
        }
        return after.calls == 1;
    }));
    CHECK((thrown == 1 && before.answer == "a" && after.answer == "c" && all.server.opened == 1));

    all.client->on.on_connected = [&] { throw std::runtime_error("from on_connected"); };
    all.client->close();
    outcome again;
    all.client->async_request("d", again.handler());
    REQUIRE(all.until([&] {
        try {
            all.context.poll();
        } catch (const std::runtime_error&) {
            ++thrown;
        }
        return again.calls == 1;
    }));
    CHECK((thrown == 2 && again.answer == "d"));
}

TEST_CASE("a client that is created and destroyed leaks no descriptor", "[async_client]") {
    asio::io_context context;
    support::temp_directory directory;
    support::numbered_server server(context, directory / "s");
    const auto before = support::open_descriptors();
    for (int i = 0; i < 20; ++i) {
        numbered_client client(context, mato::owned_path(directory / "s"));
        outcome got;
        client.async_request("x", got.handler());
        REQUIRE(run_until(context, [&] { return got.calls == 1; }));
    }
    server.last.reset();
    REQUIRE(run_until(context, [&] { return server.all.size() == 0; }));
    run_ready(context);
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("the coarse time of deadlines does not run ahead of the clock, and follows it", "[async_client]") {
    const auto first = mato::detail::coarse_now();
    CHECK(first <= mato::clock::now());
    CHECK(mato::clock::now() - first < std::chrono::minutes(1));
    CHECK(support::wait_until([&] { return mato::detail::coarse_now() > first; }));
}

TEST_CASE("the usual deadline of a request is kept, whether it is short or long", "[async_client]") {
    for (const auto usual : {40ms, 1100ms}) {
        world all({.answer = usual});
        all.connect();
        outcome got;
        const auto begin = mato::clock::now();
        all.client->async_request("keep", got.handler());
        REQUIRE(all.until([&] { return got.calls > 0; }));
        CHECK(got.why == errc::timed_out);
        CHECK(mato::clock::now() - begin >= usual - 10ms); // the time of a tick that was late
    }
}
