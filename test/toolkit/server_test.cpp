// SPDX-License-Identifier: MIT
/// @file server_test.cpp: how clients are accepted, and for how long. Which are refused: server_refusal_test.cpp.
#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/server_world.hpp"

#include <set>

using namespace std::chrono_literals;
using mato::errc;
using support::connect_to;
using support::framed;
using support::run_ready;
using support::run_until;
using support::temp_directory;
using support::world;
using proof = support::held_proof;

// ---- the contract ----

TEST_CASE("a client is accepted, its frames are answered, and its end is reported", "[server]") {
    world all;
    auto far = all.admitted();
    REQUIRE(all.all.size() == 1);
    CHECK(all.opened[0]->peer().uid == ::geteuid());
    CHECK(all.opened[0]->peer().pid == ::getpid());
    far.put(framed("one") + framed("two"));
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 2; }));
    CHECK(all.frames[0] == std::pair<std::uint64_t, std::string>{1, "one"});
    all.opened[0]->send("answer");
    REQUIRE(run_until(all.context, [&] { return far.take(), far.text == framed("answer"); }));
    far.close();
    REQUIRE(run_until(all.context, [&] { return !all.closed.empty(); }));
    CHECK(all.closed[0].first == 1);
    CHECK(all.closed[0].second.code == errc::closed);
    CHECK(all.all.size() == 0);
}

TEST_CASE("a hello sent with the connect is read when the client is accepted", "[server]") {
    world all;
    auto far = all.client();
    far.put(framed("hello"));
    all.context.run_one();
    REQUIRE(all.frames.size() == 1);
    CHECK(all.opened.at(0)->is_established());
}

TEST_CASE("a client that connects between publishing and accepting waits, and is then accepted with its frames", "[server]") {
    world all(world<>::published);
    auto early = all.client();
    early.put(framed("hello"));
    run_ready(all.context);
    CHECK(all.opened.empty());
    all.all.start_accepting();
    all.all.start_accepting(); // one wait for any number of calls
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 1; }));
    CHECK(all.opened.size() == 1);
    auto late = all.admitted();
    CHECK(all.opened.size() == 2);
}

TEST_CASE("clients of a name published again before accepting began are accepted", "[server]") {
    world all(world<>::published);
    ::unlink(all.path().c_str());
    mato::failure why;
    all.all.republish(proof{}, {}, why);
    CHECK_FALSE(why);
    all.all.start_accepting();
    static_cast<void>(all.admitted());
    CHECK(all.opened.size() == 1);
}

TEST_CASE("accepting stopped before it began does not begin", "[server]") {
    world all(world<>::published);
    auto early = all.client();
    all.all.stop_accepting();
    all.all.start_accepting();
    CHECK(all.sees_end(early));
    CHECK(all.opened.empty());
    CHECK_FALSE(std::filesystem::exists(all.path()));
}

TEST_CASE("a server destroyed before its first iteration accepts no client", "[server]") {
    for (const bool accepting : {false, true}) {
        std::optional<world<>> all(std::in_place, world<>::published);
        auto early = all->client();
        if (accepting) all->all.start_accepting();
        asio::io_context& context = all->context;
        std::optional<world<>::server> gone(std::in_place, context);
        mato::failure why;
        gone->publish(mato::owned_path(all->directory / "t.sock"), {}, proof{}, {}, why);
        gone->on.on_opened = [](const auto&) { FAIL("let in by a server that is gone"); };
        auto other = connect_to(all->directory / "t.sock");
        if (accepting) gone->start_accepting();
        gone.reset();
        run_ready(context);
        other.take();
        CHECK(other.ended);
    }
}

TEST_CASE("ids are never reused", "[server]") {
    world all({.clients = 3});
    std::set<std::uint64_t> seen;
    for (int round = 0; round < 5; ++round) {
        std::vector<support::far_end> some;
        for (int i = 0; i < 3; ++i) some.push_back(all.admitted());
        auto refused = all.client(); // one too many: its id is not reused
        CHECK(all.sees_end(refused));
        for (const auto& each : all.opened) CHECK(seen.insert(each->id()).second);
        all.opened.clear();
        some.clear();
        REQUIRE(run_until(all.context, [&] { return all.all.size() == 0; }));
    }
    CHECK(*seen.begin() >= 1);
}

TEST_CASE("many clients at a time are accepted in several iterations", "[server]") {
    world all;
    std::vector<support::far_end> some;
    for (int i = 0; i < 100; ++i) some.push_back(all.client());
    REQUIRE(run_until(all.context, [&] { return all.all.size() == 100; }));
    CHECK(all.opened.size() == 100);
}

TEST_CASE("a removed name is published again; sessions stay open", "[server]") {
    world all;
    auto old = all.established();
    std::filesystem::remove(all.path());
    mato::failure why;
    all.all.republish(proof{}, {}, why);
    REQUIRE_FALSE(why);
    auto fresh = all.established();
    old.put(framed("still here"));
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 3; }));
    CHECK(all.frames.back().second == "still here");
    CHECK(all.all.size() == 2);
    all.all.republish(proof{}, {}, why); // also when nothing was removed
    CHECK_FALSE(why);
    auto again = all.established();
    CHECK(all.all.size() == 3);
}

TEST_CASE("sessions stay open after accepting stops", "[server]") {
    world all;
    auto far = all.established();
    all.all.stop_accepting();
    all.all.stop_accepting();
    CHECK_FALSE(std::filesystem::exists(all.path()));
    far.put(framed("still here"));
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 2; }));
    all.opened[0]->send("answer");
    REQUIRE(run_until(all.context, [&] { return far.take(), far.text == framed("answer"); }));
}

TEST_CASE("a client in the backlog of a stopping server sees end-of-file", "[server]") {
    world all;
    auto far = all.client();
    all.all.stop_accepting();
    CHECK(all.sees_end(far));
    CHECK(all.opened.empty());
}

TEST_CASE("draining ends when every queue is empty, and sessions stay open", "[server]") {
    world all;
    auto far = all.established();
    bool done = false;
    all.all.drain(10s, [&] { done = true; });
    CHECK(done); // nothing to wait for
    done = false;
    all.opened[0]->send(std::string(900'000, 'x'));
    all.all.drain(20s, [&] { done = true; });
    run_ready(all.context);
    CHECK_FALSE(done);
    REQUIRE(run_until(all.context, [&] { return far.take(50'000), done; }));
    CHECK(all.opened[0]->queued_bytes() == 0);
    CHECK(all.opened[0]->is_open());
    far.take();
    CHECK_FALSE(far.ended);
    CHECK(far.text.size() == 900'004);
}

TEST_CASE("draining waits at most its linger for a client that does not read", "[server]") {
    world all;
    auto far = all.established();
    all.opened[0]->send(std::string(900'000, 'x'));
    bool done = false;
    all.all.drain(30ms, [&] { done = true; });
    REQUIRE(run_until(
        all.context, [&] { return done; }, 10s));
    CHECK(all.opened[0]->queued_bytes() > 0);
    done = false;
    all.all.drain(0ms, [&] { done = true; });
    CHECK(done);
}

TEST_CASE("several calls of drain each complete, after their own linger", "[server]") {
    world all;
    auto far = all.established();
    all.opened[0]->send(std::string(900'000, 'x'));
    std::string told;
    all.all.drain(20s, [&] { told += "patient "; });
    all.all.drain(20ms, [&] { told += "hurried "; });
    REQUIRE(run_until(
        all.context, [&] { return !told.empty(); }, 10s));
    CHECK(told == "hurried ");
    all.all.stop_accepting();
    REQUIRE(run_until(all.context, [&] { return far.take(), told == "hurried patient "; }));
}

TEST_CASE("closing all sessions reports the reason for each", "[server]") {
    world all;
    auto one = all.established(), two = all.established();
    all.opened[0]->send("last");
    all.all.close_all({errc::stopping, "stop", {}, {}});
    CHECK(all.sees_end(one));
    CHECK(all.sees_end(two));
    CHECK(one.text == framed("last"));
    REQUIRE(run_until(all.context, [&] { return all.closed.size() == 2; }));
    CHECK(all.closed[0].second.code == errc::stopping);
    CHECK(all.all.size() == 0);
}

TEST_CASE("sessions can be iterated while they open and close", "[server]") {
    world all;
    auto one = all.established(), two = all.established();
    for (const auto& each : all.all.sessions()) {
        each->abort({errc::stopping, {}, {}, {}});
        run_ready(all.context);
    }
    CHECK(all.all.size() == 0);
}

TEST_CASE("a session may be closed in on_opened", "[server]") {
    world all;
    all.all.on.on_opened = [](const auto& each) {
        each->send("go away");
        each->close({errc::busy, "too busy", {}, {}});
    };
    auto far = all.client();
    CHECK(all.sees_end(far));
    CHECK(far.text == framed("go away"));
    REQUIRE(run_until(all.context, [&] { return all.closed.size() == 1; }));
    CHECK(all.closed[0].second.code == errc::busy);
    CHECK(all.all.size() == 0);
}

TEST_CASE("a session keeps the program's data until it is destroyed", "[server]") {
    struct counted {
        std::shared_ptr<int> alive = std::make_shared<int>(0);
        int frames = 0;
    };
    std::weak_ptr<int> alive;
    world all;
    all.all.on.on_frame = [&](const auto& each, std::string_view) {
        each->established();
        auto& mine = each->template data<counted>();
        alive = mine.alive;
        each->send(std::to_string(++mine.frames));
    };
    int at_the_end = 0;
    all.all.on.on_closed = [&](const auto& each, const mato::failure&) { at_the_end = each->template data<counted>().frames; };
    auto one = all.client(), other = all.client();
    other.put(framed("x"));
    one.put(framed("a") + framed("b") + framed("c"));
    REQUIRE(
        run_until(all.context, [&] { return one.take(), other.take(), one.text.ends_with("3") && other.text.ends_with("1"); }));
    REQUIRE_FALSE(alive.expired());
    CHECK_THROWS_AS(all.opened.at(0)->data<int>(), mato::error);
    other.close(), one.close();
    REQUIRE(run_until(all.context, [&] { return all.all.size() == 0; }));
    CHECK(at_the_end > 0);
    all.opened.clear();
    CHECK(alive.expired());
}

TEST_CASE("a session that sends nothing for the idle time is closed, one that sends is not", "[server]") {
    world all({.idle = 1s}); // long enough for a busy machine to send in between
    auto silent = all.established();
    auto busy = all.established();
    auto paused = all.established();
    all.opened[2]->pause_reading();
    const auto begin = mato::clock::now();
    CHECK(run_until(all.context, [&] {
        busy.put(framed("again"));
        silent.take(), busy.take(), paused.take();
        return silent.ended && !all.closed.empty();
    }));
    CHECK(mato::clock::now() - begin >= 900ms);
    REQUIRE(all.closed.size() == 1);
    CHECK(all.closed[0].first == 1);
    CHECK(all.closed[0].second.code == errc::timed_out);
    CHECK(all.closed[0].second.detail == "no frame came for 1000 ms");
    CHECK_FALSE(busy.ended);
    CHECK_FALSE(paused.ended);                                              // the server does not read it
    CHECK(run_until(all.context, [&] { return busy.take(), busy.ended; })); // it is silent now
    world unlimited;
    auto patient = unlimited.established();
    run_ready(unlimited.context);
    CHECK(unlimited.opened[0]->is_open());
}

// ---- the promises about absence ----

TEST_CASE("destroying the server closes every session without callbacks", "[server]") {
    const auto before = support::open_descriptors();
    {
        const temp_directory directory;
        asio::io_context context;
        std::vector<support::far_end> some;
        int calls = 0;
        {
            mato::server all(context);
            all.on.on_closed = [&](const auto&, const auto&) { ++calls; };
            all.on.on_frame = [&](const auto&, auto) { ++calls; };
            std::error_code why;
            all.listen(mato::owned_path(directory / "s"), {}, proof{}, {}, why);
            REQUIRE_FALSE(why);
            for (int i = 0; i < 3; ++i) some.push_back(connect_to(directory / "s"));
            REQUIRE(run_until(context, [&] { return all.size() == 3; }));
            some[0].put(framed("unheard"));
            all.sessions()[1]->send("lost");
        }
        CHECK(directory.names().empty());
        run_ready(context);
        for (auto& each : some) {
            each.take();
            CHECK(each.ended);
        }
        CHECK(calls == 0);
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("ended sessions are freed", "[server]") {
    world all;
    std::weak_ptr<mato::server::session> watched;
    {
        auto far = all.established();
        watched = all.opened[0];
        all.opened.clear();
    }
    REQUIRE(run_until(all.context, [&] { return watched.expired(); }));
}

static_assert(!std::is_copy_constructible_v<mato::server> && !std::is_move_constructible_v<mato::server>);
