// SPDX-License-Identifier: MIT
/// @file connection_end_test.cpp: the end of a connection is reported once with its reason, and its queue is bounded.
#include <mato/connection.hpp>

#include <mato/broadcast.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/joined_connection.hpp"

#include <type_traits>

using namespace std::chrono_literals;
using mato::errc;
using support::bound;
using support::framed;
using support::joined;
using support::plain;
using support::run_ready;
using support::run_until;
using support::unbounded;

// ---- the contract: closing and aborting ----

TEST_CASE("closing sends what is queued, then ends with the reason given", "[connection]") {
    plain all;
    support::shrink_buffers(all.near->native_handle());
    all.start();
    const std::string payload(300'000, 'x');
    all.near->send(payload);
    all.near->close({errc::stopping, "stop", {}, {}}, 10s);
    CHECK_FALSE(all.near->is_open());
    all.near->send("too late");
    CHECK(all.near->queued_bytes() == payload.size() + 4);
    REQUIRE(run_until(all.context, [&] { return all.far.take(1000), all.far.ended; }));
    CHECK(all.far.text == framed(payload));
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == errc::stopping);
    CHECK(all.ends[0].step == "stop");
    CHECK(all.drained == 0);
}

TEST_CASE("closing with an empty queue ends immediately", "[connection]") {
    plain all;
    all.start();
    all.near->close({errc::stopping, "stop", {}, {}}, 1h);
    REQUIRE(all.ended());
    all.far.take();
    CHECK(all.far.ended);
}

TEST_CASE("a peer that does not read delays a closing connection at most for the linger", "[connection]") {
    plain all;
    support::shrink_buffers(all.near->native_handle());
    all.start();
    all.near->send(std::string(300'000, 'x'));
    const auto before = mato::clock::now();
    all.near->close({errc::stopping, "stop", {}, {}}, 30ms);
    REQUIRE(all.ended());
    CHECK(mato::clock::now() - before >= 30ms);
    CHECK(all.ends[0].code == errc::stopping);
    all.far.take();
    CHECK(all.far.ended);
    CHECK(all.far.text.size() < 300'000);
}

TEST_CASE("a closing connection reads no more", "[connection]") {
    plain all;
    support::shrink_buffers(all.near->native_handle());
    all.start();
    all.near->send(std::string(300'000, 'x'));
    all.near->close({errc::stopping, "stop", {}, {}}, 30ms);
    all.far.put(framed("ignored"));
    REQUIRE(all.ended());
    CHECK(all.frames.empty());
}

TEST_CASE("aborting loses what is queued", "[connection]") {
    plain all;
    all.start();
    all.near->send("lost");
    all.near->abort({errc::slow_consumer, "why", {}, {}});
    CHECK_FALSE(all.near->is_open());
    REQUIRE(all.ended());
    CHECK(all.ends[0].step == "why");
    all.far.take();
    CHECK(all.far.ended);
    CHECK(all.far.text.empty());
}

TEST_CASE("aborting a closing connection keeps the first reason", "[connection]") {
    plain all;
    support::shrink_buffers(all.near->native_handle());
    all.start();
    all.near->send(std::string(300'000, 'x'));
    all.near->close({errc::stopping, "first", {}, {}}, 1h);
    all.near->close({errc::stopping, "second", {}, {}}, 1h);
    all.near->abort({errc::closed, "third", {}, {}});
    all.near->abort({errc::closed, "fourth", {}, {}});
    REQUIRE(all.ended());
    CHECK(all.ends[0].step == "first");
}

TEST_CASE("callbacks may close, abort and send; what follows an end is not delivered", "[connection]") {
    const int deed = GENERATE(0, 1, 2);
    plain all;
    all.start([&](std::string_view payload) {
        if (payload != "now") return;
        all.near->send("answer");
        if (deed == 0) all.near->close({errc::stopping, "deed", {}, {}});
        if (deed == 1) all.near->abort({errc::stopping, "deed", {}, {}});
        if (deed == 2) {
            all.near->close({errc::stopping, "deed", {}, {}});
            all.near->abort({errc::stopping, "other", {}, {}});
            all.near->send("nothing");
        }
    });
    all.far.put(framed("one") + framed("now") + framed("after"));
    REQUIRE(all.ended());
    CHECK(all.frames == std::vector<std::string>{"one", "now"});
    CHECK(all.ends[0].step == "deed");
    all.far.take();
    CHECK(all.far.ended);
    CHECK(all.far.text == (deed == 0 ? framed("answer") : ""));
}

TEST_CASE("an end before the start is reported after it", "[connection]") {
    plain all;
    all.near->abort({errc::stopping, "early", {}, {}});
    all.start();
    CHECK(all.ends.empty());
    REQUIRE(all.ended());
    CHECK(all.ends[0].step == "early");
}

TEST_CASE("forgotten callbacks are not called, whatever happens", "[connection]") {
    plain all;
    all.start();
    all.far.put(framed("frame"));
    all.near->send("x");
    all.near->forget_callbacks();
    const std::weak_ptr<plain::connection> alive = all.near;
    all.near->abort({errc::closed, "end", {}, {}});
    all.near.reset();
    REQUIRE(run_until(all.context, [&] { return alive.expired(); }));
    CHECK(all.frames.empty());
    CHECK(all.ends.empty());
    CHECK(all.drained == 0);
}

// ---- the refusals ----

TEST_CASE("the peer's end is errc::closed, after the frames that came before it", "[connection]") {
    plain all;
    all.start();
    all.far.put(framed("last") + "\x09");
    all.far.close();
    REQUIRE(all.ended());
    CHECK(all.frames == std::vector<std::string>{"last"});
    CHECK(all.ends[0].code == errc::closed);
    CHECK(all.ends[0].step == "read");
}

TEST_CASE("a half-close by the peer ends the connection too", "[connection]") {
    plain all;
    all.start();
    all.far.shut_write();
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == errc::closed);
}

TEST_CASE("a length above the limit ends the connection without a frame and without memory", "[connection]") {
    plain all;
    all.start();
    all.far.put(framed("good") + "\xff\xff\xff\xff" + framed("never"));
    REQUIRE(all.ended());
    CHECK(all.frames == std::vector<std::string>{"good"});
    CHECK(all.ends[0].code == errc::frame_too_large);
}

TEST_CASE("a peer that does not read is closed as a slow consumer at the limit", "[connection]") {
    constexpr std::size_t hard = 200'000, frame = 1000;
    plain all(SOCK_STREAM, bound(hard));
    all.start();
    std::size_t most = 0;
    for (int i = 0; i < 10'000 && all.near->is_open(); ++i) {
        all.near->send(std::string(frame, 'x'));
        most = std::max(most, all.near->queued_bytes());
        run_ready(all.context);
    }
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == errc::slow_consumer);
    CHECK(all.ends[0].detail.find("the peer has not read ") != std::string::npos);
    CHECK(most <= hard);
    CHECK(most + frame + 4 > hard);
    CHECK(all.near->queued_bytes() == 0); // lost bytes do not count any more
    all.near->send("more");
    all.near->send_encoded(std::make_shared<const std::string>("more"));
    CHECK(all.near->queued_bytes() == 0);
}

TEST_CASE("shared frames count towards the same limit", "[connection]") {
    plain all(SOCK_STREAM, bound(50'000));
    all.start();
    const auto frame = std::make_shared<const std::string>(framed(std::string(10'000, 'x')));
    for (int i = 0; i < 1000 && all.near->is_open(); ++i) all.near->send_encoded(frame);
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == errc::slow_consumer);
}

TEST_CASE("a write to a peer that has gone ends with the system's reason", "[connection]") {
    plain all;
    all.near->send("x"); // not started: only the write can notice the end
    all.far.close();
    run_ready(all.context);
    CHECK_FALSE(all.near->is_open());
    all.start();
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == std::errc::broken_pipe);
    CHECK(all.ends[0].step == "write");
}

TEST_CASE("an incomplete frame has a deadline from its first byte; complete frames and an idle peer have none",
          "[connection]") {
    plain all;
    all.near->set_frame_deadline(1500ms);
    all.start();
    const auto send = [&](std::string_view bytes) {
        while (!bytes.empty()) {
            bytes.remove_prefix(all.far.put(bytes));
            run_ready(all.context);
        }
    };
    const std::string whole = framed("a whole frame");
    const std::string large = framed(std::string(100'000, 'x'));
    send(large.substr(0, 50'000)); // in parts, and in time
    run_ready(all.context);
    send(large.substr(50'000));
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 1; }));
    for (int n = 0; n < 3; ++n) { // together longer than the deadline
        const auto until = mato::deadline::in(600ms);
        REQUIRE(run_until(all.context, [&] { return until.passed(); }));
        send(whole.substr(0, 2));
        run_ready(all.context);
        send(whole.substr(2));
        REQUIRE(run_until(all.context, [&] { return all.frames.size() == 2u + static_cast<std::size_t>(n); }));
    }
    CHECK(all.ends.empty());
    const auto begin = mato::clock::now();
    send(whole + whole.substr(0, whole.size() - 1)); // a complete frame does not extend the time of the incomplete one after it
    REQUIRE(all.ended());
    CHECK(mato::clock::now() - begin >= 1490ms);
    CHECK(all.frames.size() == 5);
    CHECK(all.ends[0].code == mato::errc::timed_out);
    CHECK(all.ends[0].step == "read");
}

TEST_CASE("a byte now and then does not extend a frame's deadline", "[connection]") {
    plain all;
    all.near->set_frame_deadline(200ms);
    all.start();
    const std::string large = framed(std::string(1'000, 'x'));
    std::size_t sent = 0;
    const auto begin = mato::clock::now();
    REQUIRE(run_until(all.context, [&] {
        if (sent < large.size() / 2) sent += all.far.put(large.substr(sent, 1));
        return !all.ends.empty();
    }));
    CHECK(mato::clock::now() - begin < 5s);
    CHECK(all.ends[0].code == mato::errc::timed_out);
}

// ---- the promises about absence ----

TEST_CASE("a connection that ended keeps no descriptor, timer or callback", "[connection]") {
    const auto before = support::open_descriptors();
    {
        plain all;
        const auto token = std::make_shared<int>(1);
        all.near->start({[token](std::string_view) {}, [token](const mato::failure&) {}, [token] {}});
        const std::weak_ptr<plain::connection> alive = all.near;
        all.near->send("x");
        all.near->close({errc::stopping, {}, {}, {}});
        all.near.reset();
        REQUIRE(run_until(all.context, [&] { return alive.expired(); }));
        CHECK(token.use_count() == 1);
        all.context.restart();
        CHECK(all.context.run() == 0); // no handler is pending
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a context that is destroyed first destroys its connections", "[connection]") {
    const auto before = support::open_descriptors();
    {
        auto [one, other] = support::socket_pair();
        asio::io_context context;
        auto near = std::make_shared<mato::connection>(context, std::move(one));
        near->start({});
        near->send("x");
        near->close({errc::stopping, {}, {}, {}}, 1h);
        near.reset();
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a connection outlives its loop as a closed one, and calls nothing", "[connection][lifetime]") {
    const std::string state = GENERATE("never started", "waits for input", "waits for room", "closes", "has half a frame",
                                       "follows a stream", "is in its own callback");
    CAPTURE(state);
    const auto before = support::open_descriptors();
    {
        auto [one, other] = support::socket_pair();
        support::far_end far(std::move(other));
        auto context = std::make_unique<asio::io_context>();
        std::optional<mato::broadcast> news(std::in_place, *context);
        int called = 0;
        const auto near = std::make_shared<mato::connection>(*context, std::move(one));
        const mato::connection::handlers count{[&](std::string_view) { ++called; }, [&](const mato::failure&) { ++called; },
                                               [&] { ++called; }, [&](const mato::failure&) { ++called; }};
        const bool owns_itself = state == "is in its own callback";
        if (owns_itself) near->start({[near](std::string_view) {}});
        if (!owns_itself && state != "never started") near->start(count);
        if (state == "waits for room" || state == "closes") near->send(std::string(900'000, 'x'));
        if (state == "closes") near->close({errc::stopping, {}, {}, {}}, mato::never);
        if (state == "has half a frame") far.put(framed("whole, which is cut").substr(0, 9));
        if (state == "follows a stream") {
            news->subscribe(near);
            for (int i = 0; i < 40; ++i) news->publish(std::string(9'000, 'x'));
        }
        run_ready(*context);
        context.reset();
        news.reset();
        CHECK(called == 0);
        CHECK_FALSE(near->is_open());
        CHECK(near->queued_bytes() == 0);
        CHECK(near->native_handle() == -1);
        far.take();
        CHECK(far.ended);
        near->send("late");
        near->send_encoded(std::make_shared<const std::string>(framed("late")));
        near->flush();
        near->close({errc::stopping, {}, {}, {}});
        near->abort({errc::stopping, {}, {}, {}});
        near->fall_behind({errc::slow_consumer, {}, {}, {}}, "late");
        near->start(count);
        CHECK(called == 0);
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("connections that own each other end with their loop", "[connection][lifetime]") {
    auto [one, other] = support::socket_pair();
    const auto alive = std::make_shared<int>();
    {
        asio::io_context context;
        auto near = std::make_shared<mato::connection>(context, std::move(one));
        auto far = std::make_shared<mato::connection>(context, std::move(other));
        near->start({[far, alive](std::string_view) {}});
        far->start({[near, alive](std::string_view) {}});
        near.reset(), far.reset();
        run_ready(context);
    }
    CHECK(alive.use_count() == 1);
}

static_assert(!std::is_copy_constructible_v<mato::connection> && !std::is_move_constructible_v<mato::connection>);
