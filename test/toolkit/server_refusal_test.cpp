// SPDX-License-Identifier: MIT
/// @file server_refusal_test.cpp: which clients a server refuses or closes, and what it does without descriptors.
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/server_world.hpp"

#include <sys/resource.h>

using namespace std::chrono_literals;
using mato::errc;
using support::framed;
using support::nobody_at_all;
using support::run_ready;
using support::run_until;
using support::temp_directory;
using support::world;
using proof = support::held_proof;

// ---- the refusals ----

TEST_CASE("a client above the limit gets the reason, and the others stay", "[server]") {
    world all({.clients = 2});
    all.last_words = "too many";
    auto one = all.established(), two = all.established();
    auto third = all.client();
    CHECK(all.sees_end(third));
    CHECK(third.text == framed("too many"));
    REQUIRE(all.refused.size() == 1);
    CHECK(all.refused[0].code == errc::too_many_clients);
    CHECK(all.refused[0].detail.find("limit is 2") != std::string::npos);
    CHECK(all.all.size() == 2);
    CHECK(all.closed.empty()); // it was never a session
    one.close();
    REQUIRE(run_until(all.context, [&] { return all.all.size() == 1; }));
    all.established();
    all.all.set_limits({.clients = 1});
    auto fourth = all.client();
    CHECK(all.sees_end(fourth));
}

TEST_CASE("clients without a complete handshake have their own limit", "[server]") {
    world all({.unestablished = 2});
    all.last_words = "say hello";
    auto one = all.admitted(), two = all.admitted();
    auto third = all.client();
    CHECK(all.sees_end(third));
    CHECK(third.text == framed("say hello"));
    CHECK(all.refused[0].code == errc::too_many_clients);
    one.put(framed("hello"));
    REQUIRE(run_until(all.context, [&] { return all.opened[0]->is_established(); }));
    all.established(); // room again
    CHECK(all.all.size() == 3);
}

TEST_CASE("clients of one user have an optional limit", "[server]") {
    world all({.clients_per_uid = 1});
    all.last_words = "one each";
    auto one = all.established();
    auto two = all.client();
    CHECK(all.sees_end(two));
    CHECK(two.text == framed("one each"));
    CHECK(all.refused[0].detail.find("uid") != std::string::npos);
}

TEST_CASE("0 means none and immediately, the largest value means no limit and never", "[server]") {
    world all({.clients_per_uid = 0});
    auto refused = all.client();
    CHECK(all.sees_end(refused));
    all.all.set_limits({.handshake = 0ms});
    auto late = all.admitted();
    CHECK(all.sees_end(late)); // its hello had to arrive with the connection
    auto early = all.client();
    early.put(framed("hello"));
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 1; }));
    const auto met = all.opened.back();
    all.all.set_limits({.clients = mato::unlimited,
                        .unestablished = mato::unlimited,
                        .clients_per_uid = mato::unlimited,
                        .handshake = mato::never,
                        .accept_pause = mato::never});
    auto silent = all.admitted();
    auto other = all.established(); // after a complete exchange the silent client is still connected
    silent.take();
    CHECK_FALSE(silent.ended);
    CHECK(met->is_open());
    met->send(std::string(900'000, 'x')); // more than the kernel's buffer
    met->close({}, mato::never);
    run_ready(all.context);
    CHECK(run_until(all.context, [&] { return early.take(), early.text.size() == 900'004 && early.ended; }));
}

TEST_CASE("the server counts accepted and refused clients", "[server]") {
    world all({.clients = 1});
    auto one = all.admitted(), two = all.client(), three = all.client();
    CHECK(all.sees_end(two));
    CHECK(all.sees_end(three));
    CHECK(all.all.counters().accepted == 1);
    CHECK(all.all.counters().refused == 2);
    CHECK(all.all.counters().pauses == 0);
}

TEST_CASE("without a last payload a refused client only sees end-of-file", "[server]") {
    world all({.clients = 0});
    auto far = all.client();
    CHECK(all.sees_end(far));
    CHECK(far.text.empty());
    CHECK(all.refused.size() == 1);
}

TEST_CASE("a peer refused by the policy is sent nothing", "[server]") {
    world<nobody_at_all> all;
    all.last_words = "a secret";
    auto far = all.client();
    far.put(framed("hello"));
    CHECK(all.sees_end(far));
    CHECK(far.text.empty());
    REQUIRE(all.refused.size() == 1);
    CHECK(all.refused[0].code == errc::peer_rejected);
    CHECK(all.opened.empty());
    CHECK(all.frames.empty());
}

TEST_CASE("a client that sends nothing is closed at the handshake deadline", "[server]") {
    world all({.handshake = 40ms});
    const auto before = mato::clock::now();
    auto silent = all.admitted();
    auto speaking = all.established();
    CHECK(all.sees_end(silent));
    CHECK(mato::clock::now() - before >= 40ms);
    REQUIRE(run_until(all.context, [&] { return all.closed.size() == 1; }));
    CHECK(all.closed[0].second.code == errc::handshake_timeout);
    speaking.put(framed("still here"));
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 2; }));
    CHECK(all.all.size() == 1);
}

TEST_CASE("an incomplete frame is no handshake", "[server]") {
    world all({.handshake = 40ms});
    auto far = all.admitted();
    far.put(framed("hello").substr(0, 6));
    CHECK(all.sees_end(far));
    CHECK(all.frames.empty());
}

TEST_CASE("a hostile length closes only that client", "[server]") {
    world all;
    auto good = all.established(), hostile = all.admitted();
    hostile.put("\xff\xff\xff\xff");
    CHECK(all.sees_end(hostile));
    REQUIRE(run_until(all.context, [&] { return all.closed.size() == 1; }));
    CHECK(all.closed[0].second.code == errc::frame_too_large);
    good.put(framed("still here"));
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 2; }));
}

TEST_CASE("listening without the lock is refused", "[server]") {
    const temp_directory directory;
    asio::io_context context;
    mato::server all(context);
    mato::failure why;
    all.listen(mato::owned_path(directory / "s"), {}, proof{false}, {}, why);
    CHECK(why.code == errc::lock_not_held);
    CHECK(directory.names().empty());
}

TEST_CASE("after a failed republish the old socket works", "[server]") {
    world all;
    mato::failure why;
    all.all.republish(proof{false}, {}, why);
    CHECK(why.code == errc::lock_not_held);
    all.established();
    CHECK(all.all.size() == 1);
}

namespace {
/// Allows this process no more descriptors, or as many as usual.
void set_room(bool room) {
    const int lowest = ::fcntl(0, F_DUPFD, 3);
    const rlimit limit{room ? 1024 : static_cast<rlim_t>(lowest), 4096};
    if (lowest != -1) ::close(lowest);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}
} // namespace

TEST_CASE("without descriptors accepting pauses without spinning, and then continues", "[server]") {
    CHECK(support::in_child([] {
              world all({.accept_pause = 30ms});
              auto first = all.established();
              auto waiting = all.client();
              set_room(false);
              const auto before = mato::clock::now();
              if (!run_until(all.context, [&] { return all.paused == 4; })) return 1;
              if (mato::clock::now() - before < 3 * 30ms) return 2;
              first.put(framed("still served"));
              if (!run_until(all.context, [&] { return all.frames.size() == 2; })) return 3;
              set_room(true);
              if (!run_until(all.context, [&] { return all.opened.size() == 2; })) return 4;
              waiting.put(framed("hello"));
              return run_until(all.context, [&] { return all.opened[1]->is_established(); }) ? 0 : 5;
          }) == 0);
}

TEST_CASE("publishing again during such a pause does not wait twice afterwards", "[server]") {
    CHECK(support::in_child([] {
              world all({.accept_pause = 300ms});
              auto lost = all.client(); // in the backlog of the replaced socket
              set_room(false);
              if (!run_until(all.context, [&] { return all.paused == 1; })) return 1;
              set_room(true);
              mato::failure why;
              all.all.republish(proof{}, {}, why);
              if (why) return 2;
              bool passed = false;
              asio::steady_timer pause_is_over(all.context, 400ms);
              pause_is_over.async_wait([&](std::error_code) { passed = true; });
              if (!run_until(all.context, [&] { return passed; })) return 3;
              auto waiting = all.client();
              set_room(false);
              if (!run_until(all.context, [&] { return all.paused > 1; })) return 4;
              run_ready(all.context);
              return all.paused == 2 ? 0 : 5; // one wait reports one pause
          }) == 0);
}
