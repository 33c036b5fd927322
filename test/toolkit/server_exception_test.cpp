// SPDX-License-Identifier: MIT
/// @file server_exception_test.cpp: exceptions of callbacks, failed allocations, and a server that is destroyed inside a
/// call.
#include <mato/broadcast.hpp>
#include <mato/server.hpp>

#include "support/catch.hpp"
#include "support/framed.hpp"
#include "support/io_loop.hpp"
#include "support/replaced_new.hpp"
#include "support/stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <cstdlib>
#include <map>
#include <new>
#include <stdexcept>
#include <sys/resource.h>

using mato::errc;
using support::framed;
using support::run_ready;
using support::run_until;
using support::temp_directory;
using proof = support::held_proof;

namespace {
long allocations_left = -1; // until one fails; negative: none fails
bool failed_once = false;

void fail_when_due(std::size_t) {
    if (allocations_left >= 0 && allocations_left-- == 0) {
        failed_once = true;
        throw std::bad_alloc();
    }
}
const bool sees_allocations = (support::before_allocation = fail_when_due) != nullptr;

struct strange {}; // not derived from std::exception

/// A server whose callbacks throw as the test says, and a record of its reports.
struct world {
    temp_directory directory;
    asio::io_context context;
    std::unique_ptr<mato::server> all = std::make_unique<mato::server>(context);
    std::string throws_in;
    int what = 0;
    std::uint64_t throws_for = 1;
    int opened = 0;
    std::map<std::uint64_t, mato::failure> closed;
    std::vector<std::string> heard;

    world() {
        all->on.on_opened = [this](const auto& each) {
            ++opened;
            each->established();
            throw_in("on_opened", each->id());
        };
        all->on.on_frame = [this](const auto& each, std::string_view payload) {
            heard.emplace_back(payload);
            if (payload == "throw") throw_in("on_frame", each->id());
            each->send(payload);
        };
        all->on.on_closed = [this](const auto& each, const mato::failure& why) {
            closed[each->id()] = why;
            throw_in("on_closed", each->id());
        };
        all->on.on_drained = [this](const auto& each) { throw_in("on_drained", each->id()); };
        mato::failure why;
        all->listen(mato::owned_path(path()), {}, proof{}, {}, why);
        REQUIRE_FALSE(why);
    }
    [[nodiscard]] std::filesystem::path path() const { return directory / "s.sock"; }
    void throw_in(std::string_view where, std::uint64_t id) const {
        if (where != throws_in || id != throws_for) return;
        switch (what) {
        case 0: throw std::runtime_error("the database is locked");
        case 1: throw strange();
        case 2: throw 5;
        case 3: throw mato::error({errc::frame_too_large, "frame", {}, "a frame of 9 bytes, the limit is 8"});
        default: throw std::bad_alloc();
        }
    }
    support::far_end client(std::string_view says = {}) {
        std::error_code why;
        support::far_end far(mato::owned_path(path()).connect(why));
        CHECK_FALSE(why);
        if (!says.empty()) far.put(framed(says));
        return far;
    }
    bool answers(support::far_end& far, std::string_view text) {
        return run_until(
            context, [&] { return far.take(), far.text == framed(text); }, std::chrono::seconds(5));
    }
    /// Checks that a new client is served.
    bool serves() {
        auto far = client("hello");
        return answers(far, "hello");
    }
};

} // namespace

// ---- exceptions of callbacks ----

TEST_CASE("an exception of a callback ends only its session, with the reason", "[server][exception]") {
    world all;
    all.what = GENERATE(0, 1, 2, 3, 4);
    all.throws_in = GENERATE("on_opened", "on_frame", "on_drained");
    all.throws_for = 2;
    auto witness = all.client("hello");
    REQUIRE(all.answers(witness, "hello"));
    auto far = all.client("throw");
    REQUIRE(run_until(all.context, [&] { return far.take(), far.ended && all.closed.contains(2); }));
    const mato::failure why = all.closed[2];
    INFO(why.message());
    CHECK(why.step.starts_with(all.throws_in));
    if (all.what == 0) CHECK(why.message() == all.throws_in + ": the database is locked");
    if (all.what == 0 || all.what == 1 || all.what == 2) CHECK(why.code == errc::callback_threw);
    if (all.what == 3) CHECK(why.code == errc::frame_too_large);
    if (all.what == 4) CHECK(why.code == std::errc::not_enough_memory);
    CHECK(all.closed.size() == 1);
    witness.text.clear();
    witness.put(framed("still"));
    CHECK(all.answers(witness, "still"));
    CHECK(all.serves());
}

TEST_CASE("an exception of on_closed does not affect other sessions", "[server][exception]") {
    world all;
    all.throws_in = "on_closed";
    auto far = all.client("hello");
    REQUIRE(all.answers(far, "hello"));
    far.close();
    REQUIRE(run_until(all.context, [&] { return all.closed.contains(1); }));
    CHECK(all.all->size() == 0);
    CHECK(all.serves());
}

TEST_CASE("after an exception of on_refused the client is refused anyway, and accepting continues", "[server][exception]") {
    world all;
    int asked = 0;
    all.all->on.on_refused = [&](const auto&, const mato::failure&) -> std::optional<std::string> {
        ++asked;
        throw strange();
    };
    all.all->set_limits({.clients = 0});
    auto far = all.client();
    REQUIRE(run_until(all.context, [&] { return far.take(), far.ended; }));
    CHECK(asked == 1);
    all.all->set_limits({});
    CHECK(all.serves());
}

TEST_CASE("an exception of on_accept_paused does not end accepting", "[server][exception]") {
    world all;
    all.all->set_limits({.accept_pause = mato::milliseconds(5)});
    int paused = 0;
    rlimit before{}, none{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    all.all->on.on_accept_paused = [&](const mato::failure&) {
        ++paused;
        throw std::runtime_error("no log");
    };
    auto far = all.client("hello");
    none = {static_cast<rlim_t>(far.fd() + 1), before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const bool was_told = run_until(all.context, [&] { return paused >= 2; });
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(was_told);
    CHECK(all.answers(far, "hello"));
}

TEST_CASE("with on_exception the session continues with the remaining frames", "[server][exception]") {
    world all;
    all.throws_in = "on_frame";
    std::vector<std::string> told;
    all.all->on.on_exception = [&](const auto& whose, const mato::failure& why) {
        told.push_back(std::to_string(whose->id()) + " " + why.message());
    };
    auto far = all.client();
    far.put(framed("one") + framed("throw") + framed("two"));
    CHECK(run_until(all.context, [&] { return far.take(), far.text == framed("one") + framed("two"); }));
    CHECK(told == std::vector<std::string>{"1 on_frame: the database is locked"});
    CHECK(all.closed.empty());
}

TEST_CASE("an exception that is passed on leaves run(), and every session and the listener work after it",
          "[server][exception]") {
    world all;
    all.what = GENERATE(0, 1);
    all.throws_in = GENERATE("on_opened", "on_frame", "on_closed");
    int told = 0, thrown = 0;
    all.all->on.on_exception = [&](const auto&, const mato::failure&) {
        ++told;
        throw;
    };
    auto far = all.client();
    far.put(framed("throw") + framed("after")); // the rest of one read
    const auto run = [&](auto fact) {
        return run_until(all.context, [&] {
            try {
                run_ready(all.context);
            } catch (...) {
                ++thrown;
            }
            return fact();
        });
    };
    if (all.throws_in == "on_closed") far.close();
    const std::size_t closed = all.throws_in == "on_closed" ? 1 : 0;
    CHECK(run([&] { return all.heard.size() == 2 && all.closed.size() == closed && thrown == 1; }));
    CHECK(told == 1);
    CHECK(all.serves());
}

TEST_CASE("an exception of another handler on the same loop changes nothing", "[server][exception]") {
    world all;
    auto early = all.client("hello");
    REQUIRE(all.answers(early, "hello"));
    asio::post(all.context, [] { throw strange(); });
    CHECK_THROWS_AS(all.context.run(), strange);
    early.text.clear();
    early.put(framed("still"));
    CHECK(all.answers(early, "still"));
    CHECK(all.serves());
}

// ---- failed allocations ----

TEST_CASE("whichever allocation fails, later clients are served and earlier ones are served or closed", "[server][exception]") {
    for (long which = 0; which < 200; ++which) {
        world all;
        mato::basic_broadcast<mato::server::session, mato::drop_oldest> news(all.context, 64 << 10);
        news.on.gap = [](const auto&) { return std::optional<std::string>("gap"); };
        all.all->on.on_opened = [&](const auto& each) {
            ++all.opened;
            each->established();
            news.subscribe(each);
        };
        all.all->on.on_frame = [&](const auto& each, std::string_view payload) {
            each->send(payload);
            news.publish("news");
        };
        int escaped = 0;
        const auto turn = [&] {
            try {
                run_ready(all.context);
            } catch (...) {
                ++escaped;
            }
        };
        auto far = all.client("one");
        failed_once = false;
        allocations_left = which;
        for (int n = 0; n < 4; ++n) turn();
        far.put(framed("two"));
        for (int n = 0; n < 4; ++n) turn();
        allocations_left = -1;
        INFO("allocation " << which);
        CHECK(escaped == 0);
        const std::string whole = framed("one") + framed("news") + framed("two") + framed("news");
        CHECK(run_until(
            all.context, [&] { return far.take(), far.ended || far.text == whole; }, std::chrono::seconds(2)));
        far.close();
        auto next = all.client("after");
        CHECK(run_until(all.context, [&] { return next.take(), next.text == framed("after") + framed("news"); }));
        next.close();
        CHECK(run_until(all.context, [&] { return all.all->size() == 0; }));
        CHECK(static_cast<int>(all.closed.size()) >= all.opened - 1);
        if (!failed_once) {
            CHECK(which > 5); // number of failed allocations
            return;
        }
    }
    FAIL("the scenario allocates without end");
}

// ---- destroying the server and replacing handlers ----

TEST_CASE("a server may be destroyed inside each of its own callbacks", "[server][lifetime]") {
    const std::string where = GENERATE("on_opened", "on_frame", "on_closed", "on_drained", "on_refused", "on_exception");
    const bool throws = GENERATE(false, true);
    world all;
    const auto destroy = [&](std::string_view here) {
        if (here != where) return;
        all.all.reset();
        if (throws) throw strange();
    };
    all.all->on.on_opened = [&, held = std::make_shared<int>(7)](const auto&) {
        destroy("on_opened");
        CHECK(*held == 7);
    };
    all.all->on.on_frame = [&, held = std::make_shared<int>(7)](const auto& each, std::string_view payload) {
        if (where == "on_exception") throw 5;
        each->send(payload);
        destroy("on_frame");
        CHECK(*held == 7);
        CHECK(payload == "hello");
    };
    all.all->on.on_closed = [&, held = std::make_shared<int>(7)](const auto&, const auto&) {
        destroy("on_closed");
        CHECK(*held == 7);
    };
    all.all->on.on_drained = [&](const auto&) { destroy("on_drained"); };
    all.all->on.on_refused = [&](const auto&, const auto&) -> std::optional<std::string> {
        destroy("on_refused");
        return "no";
    };
    all.all->on.on_exception = [&](const auto&, const auto&) { destroy("on_exception"); };
    if (where == "on_refused") all.all->set_limits({.clients = 0});
    auto far = all.client("hello");
    if (where == "on_closed") far.close();
    int thrown = 0;
    CHECK(run_until(all.context, [&] {
        try {
            run_ready(all.context);
        } catch (const strange&) {
            ++thrown;
        }
        return !all.all;
    }));
    run_ready(all.context);
    CHECK(thrown == (throws && where == "on_exception" ? 1 : 0)); // only it may pass exceptions on
    CHECK_FALSE(std::filesystem::exists(all.path()));
}

TEST_CASE("each callback may be replaced inside itself", "[server][lifetime]") {
    world all;
    int replaced = 0;
    all.all->on.on_opened = [&, held = std::make_shared<int>(7)](const auto&) {
        all.all->on.on_opened = {};
        replaced += *held;
    };
    all.all->on.on_frame = [&, held = std::make_shared<int>(7)](const auto& each, std::string_view payload) {
        all.all->on.on_frame = [&](const auto& later, std::string_view) { later->send("other"); };
        each->send(payload);
        replaced += *held;
    };
    auto far = all.client();
    far.put(framed("one") + framed("two"));
    CHECK(run_until(all.context, [&] { return far.take(), far.text == framed("one") + framed("other"); }));
    CHECK(replaced == 14);
}

TEST_CASE("kept sessions outlive the server, and its loop", "[server][lifetime]") {
    const bool established = GENERATE(false, true);
    const bool ended = GENERATE(false, true);
    const bool loop_lives = GENERATE(false, true);
    const std::size_t queued_bytes =
        GENERATE(std::size_t{24}, std::size_t{900'000}); // fewer and more than the socket's buffer takes
    std::optional<asio::io_context> context(std::in_place);
    std::vector<mato::server::session_ptr> kept;
    {
        mato::server all(*context);
        const temp_directory directory;
        all.on.on_opened = [&](const auto& each) {
            kept.push_back(each);
            if (established) each->established();
        };
        mato::failure why;
        all.listen(mato::owned_path(directory / "s.sock"), {}, proof{}, {}, why);
        support::far_end far(mato::owned_path(directory / "s.sock").connect(why)),
            second(mato::owned_path(directory / "s.sock").connect(why));
        REQUIRE(run_until(*context, [&] { return kept.size() == 2; }));
        kept[1]->send(std::string(queued_bytes, 'x'));
        if (ended) all.end({errc::stopping, "test", {}, {}});
    }
    if (!loop_lives) context.reset();
    for (const auto& each : kept) {
        CHECK_FALSE(each->is_open());
        if (!loop_lives) CHECK(each->native_handle() == -1);
        each->established();
        each->send("x");
        each->close({});
        each->abort({});
    }
    kept.clear(); // last: after the loop
}

TEST_CASE("a session that is kept alone outlives the destroyed loop of its server", "[server][lifetime]") {
    mato::server::session_ptr kept;
    {
        asio::io_context context;
        auto [one, other] = support::socket_pair();
        kept =
            std::make_shared<mato::server::session>(context, std::move(one), mato::disconnect{}, 1, mato::peer_credentials{});
        kept->start({});
        run_ready(context);
    }
    CHECK_FALSE(kept->is_open());
    kept->established();
}

TEST_CASE("end reports every session's end before it returns, and peers see end-of-file when the server is destroyed",
          "[server][lifetime]") {
    world all;
    auto one = all.client("hello"), two = all.client("hello");
    REQUIRE(all.answers(one, "hello"));
    REQUIRE(all.answers(two, "hello"));
    all.throws_in = "on_closed"; // for the first; the second is reported anyway
    all.all->end({errc::stopping, "stop", {}, {}});
    CHECK(all.closed.size() == 2);
    CHECK(all.closed[2].code == errc::stopping);
    CHECK(all.all->size() == 0);
    run_ready(all.context);
    one.take();
    CHECK_FALSE(one.ended);
    all.all.reset();
    one.take(), two.take();
    CHECK(one.ended);
    CHECK(two.ended);
    CHECK(all.closed.size() == 2); // once each
}

// ---- handlers of a stream ----

TEST_CASE("an exception of a stream's handler closes only that subscriber", "[broadcast][exception]") {
    const bool in_snapshot = GENERATE(false, true);
    world all;
    mato::basic_broadcast<mato::server::session, mato::any_overflow> news(all.context, 64 << 10);
    news.on.gap = [](const auto&) -> std::optional<std::string> { throw std::runtime_error("no gap"); };
    news.on.snapshot = [](auto) -> std::string { throw strange(); };
    news.on.last_words = [](const auto&) -> std::optional<std::string> { throw 5; };
    all.all->on.on_opened = [&](const auto& each) {
        each->established();
        if (each->id() == 1) return news.subscribe(each);
        if (in_snapshot) return news.subscribe(each, mato::resync{1000}, mato::join_at::snapshot());
        support::shrink_buffers(each->native_handle());
        news.subscribe(each, mato::drop_oldest{1000});
    };
    auto witness = all.client(), victim = all.client();
    REQUIRE(run_until(all.context, [&] { return news.size() == 2; }));
    std::string whole;
    for (int n = 0; n < 100 && !all.closed.contains(2); ++n) {
        whole += framed(std::string(900, 'x'));
        news.publish(std::string(900, 'x'));
        REQUIRE(run_until(all.context, [&] { return witness.take(), witness.text == whole; }));
    }
    victim.take();
    REQUIRE(run_until(all.context, [&] { return victim.take(), all.closed.contains(2); }));
    CHECK(all.closed[2].code == errc::callback_threw);
    CHECK(all.closed[2].step == (in_snapshot ? "snapshot" : "gap"));
    CHECK(all.closed.size() == 1);
}
