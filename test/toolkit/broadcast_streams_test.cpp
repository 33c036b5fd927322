// SPDX-License-Identifier: MIT
/// @file broadcast_streams_test.cpp: one connection with several broadcasts, and with filters.
#include <mato/broadcast.hpp>

#include "support/catch.hpp"
#include "support/framed.hpp"
#include "support/io_loop.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using mato::errc;
using support::framed;
using support::run_ready;
using support::run_until;

namespace {

using hub = mato::basic_broadcast<mato::connection, mato::any_overflow>;

struct client {
    support::far_end far;
    std::shared_ptr<mato::connection> near;
    std::vector<mato::failure> ends{};
    std::size_t parsed = 0;

    explicit client(asio::io_context& context) : client(context, support::socket_pair()) {}
    client(asio::io_context& context, std::pair<mato::unique_fd, mato::unique_fd> pair)
        : far(std::move(pair.second)), near(std::make_shared<mato::connection>(context, std::move(pair.first))) {
        near->start({{}, [this](const mato::failure& why) { ends.push_back(why); }, {}, {}});
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() { near->forget_callbacks(); }

    /// The payloads that came since the last call.
    std::vector<std::string> payloads() {
        far.take();
        std::vector<std::string> got;
        std::error_code why;
        while (const auto next = mato::length_prefixed<>::split(std::string_view(far.text).substr(parsed), why)) {
            got.emplace_back(next->payload);
            parsed += next->consumed;
        }
        return got;
    }
};

using texts = std::vector<std::string>;

texts of_kind(const texts& all, char kind) {
    texts some;
    std::ranges::copy_if(all, std::back_inserter(some), [&](const std::string& each) { return each[0] == kind; });
    return some;
}

texts numbered(char kind, int first, int last, int step = 1) {
    texts all;
    for (int n = first; n <= last; n += step) all.push_back(kind + std::to_string(n));
    return all;
}

bool is_even(std::string_view payload) { return (payload.back() - '0') % 2 == 0; }

} // namespace

// ---- several broadcasts ----

TEST_CASE("a second subscription adds: both streams come, each in order", "[broadcast]") {
    asio::io_context context;
    hub rain(context), sun(context);
    client one(context);
    rain.subscribe(one.near);
    sun.subscribe(one.near);
    CHECK(rain.is_subscribed(one.near.get()));
    CHECK(sun.is_subscribed(one.near.get()));
    for (int n = 1; n <= 9; ++n) {
        rain.publish("r" + std::to_string(n));
        sun.publish("s" + std::to_string(n));
        if (n % 3 == 0) run_ready(context);
    }
    run_ready(context);
    const texts got = one.payloads();
    CHECK(got.size() == 18);
    CHECK(of_kind(got, 'r') == numbered('r', 1, 9));
    CHECK(of_kind(got, 's') == numbered('s', 1, 9));
    CHECK(rain.status(one.near.get())->delivered == 9);
    CHECK(sun.status(one.near.get())->delivered == 9);
}

TEST_CASE("a reply comes after the frames of all streams that were published before it, and before later ones", "[broadcast]") {
    asio::io_context context;
    hub rain(context), sun(context);
    client one(context);
    rain.subscribe(one.near);
    sun.subscribe(one.near);
    rain.publish("r1");
    sun.publish("s1");
    one.near->send("reply 1");
    sun.publish("s2");
    one.near->send("reply 2");
    rain.publish("r2");
    run_ready(context);
    CHECK(one.payloads() == texts{"r1", "s1", "reply 1", "s2", "reply 2", "r2"});
}

TEST_CASE("one subscription ends and the other continues: unsubscribed, or its broadcast destroyed", "[broadcast]") {
    asio::io_context context;
    auto rain = std::make_unique<hub>(context);
    hub sun(context);
    client one(context);
    const bool first_ends = GENERATE(true, false), destroys = GENERATE(true, false);
    if (first_ends) rain->subscribe(one.near);
    sun.subscribe(one.near);
    if (!first_ends) rain->subscribe(one.near);
    rain->publish("r1");
    sun.publish("s1");
    one.near->send("reply");
    if (destroys)
        rain.reset();
    else
        rain->unsubscribe(one.near.get());
    sun.publish("s2");
    if (rain) rain->publish("r2");
    run_ready(context);
    texts got = one.payloads();
    CHECK(of_kind(got, 'r') == texts{"r1", "reply"});
    CHECK(of_kind(got, 's') == numbered('s', 1, 2));
    hub snow(context); // takes the place that is free
    snow.subscribe(one.near);
    snow.publish("n1");
    sun.publish("s3");
    run_ready(context);
    got = one.payloads();
    CHECK(of_kind(got, 'n') == texts{"n1"});
    CHECK(of_kind(got, 's') == texts{"s3"});
}

TEST_CASE("streams take turns when the client reads slowly", "[broadcast]") {
    asio::io_context context;
    hub rain(context, 8 << 20), sun(context, 8 << 20);
    client one(context);
    const std::size_t size =
        GENERATE(std::size_t{100}, std::size_t{10'000}, std::size_t{60'000}); // the largest is sent partially
    const std::size_t count = (std::size_t{2} << 20) / size;
    mato::disconnect patient;
    patient.hard = patient.soft = mato::unlimited;
    rain.subscribe(one.near, patient);
    sun.subscribe(one.near, patient);
    for (std::size_t n = 0; n < count; ++n) {
        rain.publish('r' + std::string(size, 'x'));
        sun.publish('s' + std::string(size, 'x'));
    }
    texts got;
    std::size_t furthest = 0;
    while (got.size() < 2 * count) {
        const auto before = got.size();
        REQUIRE(run_until(context, [&] {
            one.far.take(20'000);
            std::error_code why;
            while (const auto next = mato::length_prefixed<>::split(std::string_view(one.far.text).substr(one.parsed), why)) {
                got.emplace_back(next->payload.substr(0, 1));
                one.parsed += next->consumed;
            }
            return got.size() > before;
        }));
        const auto rains = of_kind(got, 'r').size(), suns = got.size() - rains;
        furthest = std::max(furthest, (std::max(rains, suns) - std::min(rains, suns)) * size);
    }
    CHECK(one.ends.empty());
    CHECK(furthest < 2 * mato::gathered_write::most_bytes + 4 * size); // never more than some writes ahead of the other
}

TEST_CASE("a slow client loses frames of the stream that has too many, and none of the other", "[broadcast]") {
    asio::io_context context;
    hub rain(context, 1 << 20), sun(context, 1 << 20);
    rain.on.gap = sun.on.gap = [](const mato::frame_gap& lost) { return "g" + std::to_string(lost.count()); };
    client one(context);
    support::shrink_buffers(one.near->native_handle());
    rain.subscribe(one.near, mato::drop_oldest{.bytes = 10'000});
    sun.subscribe(one.near, mato::drop_oldest{.bytes = 10'000});
    for (int n = 1; n <= 500; ++n) {
        rain.publish('r' + std::string(100, 'x'));
        if (n % 50 == 0) sun.publish("s" + std::to_string(n / 50));
        run_ready(context);
    }
    texts got;
    REQUIRE(run_until(context, [&] {
        for (auto& each : one.payloads()) got.push_back(std::move(each));
        return one.near->queued_bytes() == 0;
    }));
    for (auto& each : one.payloads()) got.push_back(std::move(each));
    std::size_t lost = 0;
    for (const auto& each : of_kind(got, 'g')) lost += std::stoul(each.substr(1));
    CHECK(of_kind(got, 's') == numbered('s', 1, 10));
    CHECK(lost > 0);
    CHECK(of_kind(got, 'r').size() + lost == 500);
}

TEST_CASE("a connection has a limited number of subscriptions", "[broadcast]") {
    asio::io_context context;
    client one(context);
    std::vector<std::unique_ptr<hub>> all;
    for (std::size_t i = 0; i <= mato::outbox::most_streams; ++i) all.push_back(std::make_unique<hub>(context, 1024));
    for (std::size_t i = 0; i < mato::outbox::most_streams; ++i) all[i]->subscribe(one.near);
    mato::failure why;
    all.back()->subscribe(one.near, {}, {}, why);
    CHECK(why.code == errc::busy);
    CHECK(all.back()->size() == 0);
    all[7]->unsubscribe(one.near.get());
    all.back()->subscribe(one.near, {}, {}, why);
    CHECK_FALSE(why);
    for (const auto& each : all) each->publish("x");
    run_ready(context);
    CHECK(one.payloads() == texts(mato::outbox::most_streams, "x"));
}

TEST_CASE("a handler of one stream may subscribe to another and end its own", "[broadcast]") {
    asio::io_context context;
    hub rain(context, 8192), sun(context, 8192);
    client one(context);
    support::shrink_buffers(one.near->native_handle());
    rain.on.gap = [&](const mato::frame_gap&) -> std::optional<std::string> {
        sun.subscribe(one.near);
        rain.unsubscribe(one.near.get());
        sun.publish("sun");
        return "gap";
    };
    rain.subscribe(one.near, mato::drop_oldest{.bytes = 1000});
    for (int n = 0; n < 200; ++n) {
        rain.publish(std::string(100, 'r'));
        run_ready(context);
    }
    REQUIRE(run_until(context, [&] { return one.far.take(), one.near->queued_bytes() == 0; }));
    const texts got = one.payloads();
    CHECK(std::ranges::count(got, "gap") == 1);
    CHECK(std::ranges::count(got, "sun") == 1);
    CHECK_FALSE(rain.is_subscribed(one.near.get()));
    CHECK(sun.is_subscribed(one.near.get()));
}

// ---- filters ----

TEST_CASE("a filter selects frames: those published later, and those that are in the ring", "[broadcast]") {
    asio::io_context context;
    hub all(context, 1024); // it wraps
    for (int n = 0; n < 95; ++n) all.publish("n" + std::to_string(n));
    client some(context), every(context);
    all.subscribe(some.near, {}, mato::join_at::last(5), is_even);
    all.subscribe(every.near, {}, mato::join_at::last(5));
    for (int n = 95; n < 99; ++n) all.publish("n" + std::to_string(n));
    run_ready(context);
    CHECK(some.payloads() == numbered('n', 90, 98, 2));
    CHECK(every.payloads() == numbered('n', 90, 98));
    const auto its = all.status(some.near.get());
    CHECK(its->delivered == 5);
    CHECK(its->filtered == 4);
    CHECK(its->lag == 0);
    CHECK(some.near->queued_bytes() == 0);
}

TEST_CASE("frames that the filter refuses do not count towards the limit, and are not lost", "[broadcast]") {
    asio::io_context context;
    hub all(context, 4096);
    all.on.gap = [](const mato::frame_gap& lost) { return "lost " + std::to_string(lost.count()); };
    mato::disconnect strict;
    strict.hard = strict.soft = 300;
    const mato::any_overflow policy = GENERATE_COPY(mato::any_overflow(mato::drop_oldest{300}), mato::any_overflow(strict));
    client slow(context);
    support::shrink_buffers(slow.near->native_handle());
    all.subscribe(slow.near, policy, {}, is_even);
    hub filler(context);
    filler.subscribe(slow.near);
    filler.publish(std::string(50'000, 'f'));
    run_ready(context);
    all.publish("a0");
    for (int n = 0; n < 1000; ++n) { // ten times the ring
        all.publish("b" + std::string(40, 'x') + '1');
        run_ready(context);
    }
    all.publish("a2");
    texts got;
    REQUIRE(run_until(context, [&] {
        for (auto& each : slow.payloads()) got.push_back(each.substr(0, 6));
        return slow.near->queued_bytes() == 0 || !slow.ends.empty();
    }));
    for (auto& each : slow.payloads()) got.push_back(each.substr(0, 6));
    if (policy.kind() == mato::overflow_kind::drop_oldest) { // the ring dropped the first one
        CHECK(got == texts{"ffffff", "lost 1", "a2"});
        CHECK(all.status(slow.near.get())->dropped == 1);
        CHECK(all.status(slow.near.get())->filtered == 1000);
    } else { // a subscriber that must not lose frames is closed when the ring has overtaken it
        REQUIRE(slow.ends.size() == 1);
        CHECK(slow.ends[0].code == errc::slow_consumer);
    }
}

TEST_CASE("a subscriber whose filter refuses everything never lags, however little it reads", "[broadcast]") {
    asio::io_context context;
    hub all(context, 4096), filler(context);
    client one(context);
    support::shrink_buffers(one.near->native_handle());
    filler.subscribe(one.near);
    filler.publish(std::string(50'000, 'f'));
    mato::disconnect strict;
    strict.hard = strict.soft = 10;
    all.subscribe(one.near, strict, {}, [](std::string_view) { return false; });
    for (int n = 0; n < 1000; ++n) {
        all.publish(std::string(100, 'x'));
        run_ready(context);
    }
    CHECK(one.ends.empty());
    CHECK(all.status(one.near.get())->lag == 0);
    CHECK(all.status(one.near.get())->filtered == 1000);
}

TEST_CASE("a filter that throws closes its own subscriber with the text of the exception", "[broadcast]") {
    asio::io_context context;
    hub all(context);
    client bad(context), good(context);
    const auto filter = [](std::string_view payload) -> bool {
        if (payload == "2") throw std::runtime_error("no idea");
        return true;
    };
    all.subscribe(bad.near, {}, {}, filter);
    all.subscribe(good.near);
    for (const char* each : {"1", "2", "3"}) all.publish(each);
    REQUIRE(run_until(context, [&] { return !bad.ends.empty(); }));
    CHECK(bad.ends[0].message() == "filter: no idea");
    CHECK(good.payloads() == texts{"1", "2", "3"});
    CHECK(all.size() == 1);
    client late(context);
    mato::failure why;
    all.subscribe(late.near, {}, mato::join_at::last(3), filter, why);
    CHECK(why.message() == "subscribe: the filter failed: no idea");
    CHECK(all.size() == 1);
}

TEST_CASE("a filter cannot publish, and may unsubscribe its own connection", "[broadcast]") {
    asio::io_context context;
    hub all(context);
    client one(context), two(context);
    std::error_code refused;
    all.subscribe(one.near, {}, {}, [&](std::string_view payload) {
        if (payload == "1") all.publish("inside", refused);
        if (payload == "2") all.unsubscribe(one.near.get());
        return payload != "2";
    });
    all.subscribe(two.near);
    for (const char* each : {"1", "2", "3"}) all.publish(each);
    run_ready(context);
    CHECK(refused == errc::busy);
    CHECK(one.payloads() == texts{"1"});
    CHECK(two.payloads() == texts{"1", "2", "3"});
}
