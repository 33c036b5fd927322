// SPDX-License-Identifier: MIT
/// @file server_test.cpp: which clients are accepted, for how long, and how others are refused.
#include <mato/server.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/framed.hpp"
#include "support/io_loop.hpp"
#include "support/stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <set>
#include <sys/resource.h>

using namespace std::chrono_literals;
using mato::errc;
using support::run_ready;
using support::run_until;
using support::temp_directory;
using proof = support::held_proof;
using support::framed;
using support::nobody_at_all;

namespace {

support::far_end connect_to(const std::filesystem::path& path) {
    std::error_code why;
    auto socket = mato::owned_path(path).connect(why);
    CHECK_FALSE(why);
    return support::far_end(std::move(socket));
}

/// A server in its own directory, and all its reports.
template <class Peer = mato::same_user> struct world {
    using server = mato::basic_server<mato::owned_path, Peer>;
    using session_ptr = typename server::session_ptr;

    temp_directory directory;
    asio::io_context context;
    server all;
    std::vector<session_ptr> opened;
    std::vector<std::pair<std::uint64_t, mato::failure>> closed;
    std::vector<std::pair<std::uint64_t, std::string>> frames;
    std::vector<mato::failure> refused;
    std::optional<std::string> last_words;
    int paused = 0;

    enum start { published, accepting };
    explicit world(start how) : world(mato::server_limits{}, how) {}
    explicit world(mato::server_limits limits = {}, start how = accepting) : all(context, limits) {
        all.on.on_opened = [this](const session_ptr& each) { opened.push_back(each); };
        all.on.on_closed = [this](const session_ptr& each, const mato::failure& why) { closed.emplace_back(each->id(), why); };
        all.on.on_frame = [this](const session_ptr& each, std::string_view payload) {
            frames.emplace_back(each->id(), payload);
            if (payload == "hello") each->established();
        };
        all.on.on_refused = [this](const mato::peer_credentials&, const mato::failure& why) {
            refused.push_back(why);
            return last_words;
        };
        all.on.on_accept_paused = [this](const mato::failure&) { ++paused; };
        mato::failure why;
        if (how == accepting)
            all.listen(mato::owned_path(path()), Peer{}, proof{}, mato::publish_options{}, why);
        else
            all.publish(mato::owned_path(path()), Peer{}, proof{}, mato::publish_options{}, why);
        CHECK_FALSE(why);
    }
    [[nodiscard]] std::filesystem::path path() const { return directory / "s.sock"; }
    support::far_end client() { return connect_to(path()); }
    /// A client whose handshake is complete.
    support::far_end admitted() {
        const auto before = opened.size();
        auto far = client();
        CHECK(run_until(context, [&] { return opened.size() > before; }));
        return far;
    }
    support::far_end established() {
        auto far = admitted();
        far.put(framed("hello"));
        const auto last = opened.back();
        CHECK(run_until(context, [&] { return last->is_established(); }));
        return far;
    }
    bool sees_end(support::far_end& far) {
        return run_until(context, [&] { return far.take(), far.ended; });
    }
};

} // namespace

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
