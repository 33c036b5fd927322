// SPDX-License-Identifier: MIT
/// @file broadcast_test.cpp: one frame to many connections, encoded once; a slow subscriber does not affect others.
#include <mato/broadcast.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/framed.hpp"
#include "support/io_loop.hpp"

#include <vector>

using namespace std::chrono_literals;
using mato::errc;
using support::framed;
using support::run_ready;
using support::run_until;

namespace {

struct member {
    support::far_end far;
    std::shared_ptr<mato::connection> near;
    std::vector<mato::failure> ends;

    explicit member(asio::io_context& context, mato::disconnect overflow = {})
        : member(context, support::socket_pair(), overflow) {}
    member(asio::io_context& context, std::pair<mato::unique_fd, mato::unique_fd> pair, mato::disconnect overflow)
        : far(std::move(pair.second)), near(std::make_shared<mato::connection>(context, std::move(pair.first), overflow)) {
        near->start({{}, [this](const mato::failure& why) { ends.push_back(why); }, {}});
    }
    member(const member&) = delete;
    ~member() {
        if (near) near->forget_callbacks();
    }
};

mato::disconnect bound(std::size_t bytes) {
    mato::disconnect policy;
    policy.hard = policy.soft = bytes;
    return policy;
}

/// Counts how often a payload is encoded.
struct counting {
    static inline int encoded = 0;
    static constexpr std::size_t max_frame_bytes = mato::length_prefixed<>::max_frame_bytes;
    static constexpr bool keeps_boundaries = true;
    static auto split(std::string_view bytes, mato::error_out out) { return mato::length_prefixed<>::split(bytes, out); }
    static void append(std::string& to, std::string_view payload, mato::error_out out) {
        ++encoded;
        mato::length_prefixed<>::append(to, payload, out);
    }
};

} // namespace

// ---- the contract ----

TEST_CASE("every subscriber gets every frame, in order", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    std::vector<std::unique_ptr<member>> all;
    for (int i = 0; i < 20; ++i) hub.subscribe(all.emplace_back(std::make_unique<member>(context))->near);
    CHECK(hub.size() == 20);
    std::string expected;
    for (int i = 0; i < 50; ++i) {
        hub.publish("frame " + std::to_string(i));
        expected += framed("frame " + std::to_string(i));
    }
    for (const auto& each : all) {
        CHECK(run_until(context, [&] { return each->far.take(), each->far.text.size() >= expected.size(); }));
        CHECK(each->far.text == expected);
    }
}

TEST_CASE("a frame is encoded and stored once for all subscribers", "[broadcast]") {
    using connection = mato::basic_connection<counting>;
    asio::io_context context;
    mato::basic_broadcast<connection> hub(context);
    std::vector<std::shared_ptr<connection>> all;
    std::vector<mato::unique_fd> far;
    for (int i = 0; i < 10; ++i) {
        auto [one, other] = support::socket_pair();
        far.push_back(std::move(other));
        hub.subscribe(all.emplace_back(std::make_shared<connection>(context, std::move(one))));
    }
    counting::encoded = 0;
    hub.publish("payload");
    CHECK(counting::encoded == 1);
    for (const auto& each : all) CHECK(each->queued_bytes() == framed("payload").size());
}

TEST_CASE("subscribing twice has the effect of subscribing once", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    member one(context);
    hub.subscribe(one.near);
    hub.subscribe(one.near);
    CHECK(hub.size() == 1);
    hub.publish("x");
    CHECK(one.near->queued_bytes() == framed("x").size());
    hub.unsubscribe(one.near.get());
    CHECK(hub.size() == 0);
    hub.publish("y");
    CHECK(one.near->queued_bytes() == framed("x").size());
    hub.unsubscribe(one.near.get());
    hub.subscribe(one.near);
    CHECK(hub.size() == 1);
}

TEST_CASE("a frame is sent to those that subscribed before it was published", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    member early(context), late(context);
    hub.subscribe(early.near);
    hub.publish("first");
    hub.subscribe(late.near);
    hub.publish("second");
    REQUIRE(run_until(context, [&] { return early.far.take(), early.far.text == framed("first") + framed("second"); }));
    REQUIRE(run_until(context, [&] { return late.far.take(), late.far.text == framed("second"); }));
}

TEST_CASE("publishing, subscribing and closing inside a callback is safe", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    std::vector<std::unique_ptr<member>> all;
    for (int i = 0; i < 8; ++i) all.push_back(std::make_unique<member>(context));
    member speaker(context);
    int heard = 0;
    speaker.near->start({[&](std::string_view) {
                             ++heard;
                             hub.publish("inside " + std::to_string(heard));
                             if (heard == 2) {
                                 hub.unsubscribe(all[0]->near.get());
                                 all[1]->near->abort({errc::stopping, "told", {}, {}});
                                 all[2]->near->close({errc::stopping, "told", {}, {}});
                                 hub.subscribe(all[7]->near);
                                 hub.publish("after");
                             }
                         },
                         {},
                         {}});
    for (int i = 0; i < 7; ++i) hub.subscribe(all[static_cast<std::size_t>(i)]->near);
    hub.subscribe(speaker.near);
    speaker.far.put(framed("a") + framed("b"));
    REQUIRE(run_until(context, [&] { return heard == 2; }));
    run_ready(context);
    for (const auto& each : all) each->far.take();
    const auto both = framed("inside 1") + framed("inside 2");
    CHECK(all[0]->far.text == both);
    CHECK(all[1]->far.ended);
    CHECK(all[1]->far.text.size() <= both.size()); // aborted: bytes not yet accepted by the kernel are lost
    CHECK(all[2]->far.text == both);               // closed: queued frames are sent
    CHECK(all[2]->far.ended);
    for (std::size_t i = 3; i < 7; ++i) CHECK(all[i]->far.text == both + framed("after"));
    CHECK(all[7]->far.text == framed("after"));
    CHECK(hub.size() == 6); // four, the one that joined late, and the one that published
}

TEST_CASE("a subscriber may be closed by the end of another", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    member first(context), second(context), third(context);
    support::shrink_buffers(first.near->native_handle());
    first.near->start({{},
                       [&](const mato::failure& why) {
                           CHECK(why.code == errc::slow_consumer);
                           second.near->abort({errc::stopping, "because of it", {}, {}});
                           hub.publish("it is gone");
                       },
                       {}});
    hub.subscribe(first.near, bound(100));
    for (const auto* each : {&second, &third}) hub.subscribe(each->near);
    const std::string large(50'000, 'x');
    hub.publish(large);            // ends the first while the hub iterates
    CHECK(second.near->is_open()); // its callback is posted
    REQUIRE(run_until(context, [&] { return !second.ends.empty(); }));
    run_ready(context);
    third.far.take();
    CHECK(third.far.text == framed(large) + framed("it is gone"));
    CHECK(hub.size() == 1);
}

TEST_CASE("a subscriber that does not read is closed; the others get every frame", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    member slow(context), good(context), other(context);
    hub.subscribe(slow.near, bound(64 << 10));
    for (const auto* each : {&good, &other}) hub.subscribe(each->near);
    std::string expected;
    std::size_t most = 0;
    for (int i = 0; i < 3000; ++i) {
        const std::string payload = std::to_string(i) + std::string(1000, 'x');
        hub.publish(payload);
        expected += framed(payload);
        most = std::max(most, slow.near->queued_bytes());
        if (i % 10 == 0) {
            run_ready(context);
            good.far.take();
            other.far.take();
        }
    }
    for (auto* each : {&good, &other}) {
        REQUIRE(run_until(context, [&] { return each->far.take(), each->far.text.size() >= expected.size(); }));
        CHECK(each->far.text == expected);
        CHECK(each->ends.empty());
    }
    REQUIRE(slow.ends.size() == 1);
    CHECK(slow.ends[0].code == errc::slow_consumer);
    CHECK(most <= (64 << 10) + mato::gathered_write::most_bytes +
                      1100); // checked when enough for one write was published, or the iteration ends
    CHECK(hub.size() == 2);
}

// ---- the refusals ----

TEST_CASE("with kernel buffers smaller than a message no frame is cut", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    const int size = GENERATE(1, 20'000, 60'000); // Linux doubles it, and has a minimum
    auto pair = support::socket_pair();
    REQUIRE(::setsockopt(pair.first.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    member slow(context, std::move(pair), {});
    hub.subscribe(slow.near, bound(1 << 20));
    std::string expected;
    for (int i = 0; i < 60; ++i) {
        const std::string payload = std::to_string(i) + std::string(i % 7 == 0 ? 40'000 : 3'000, 'x');
        hub.publish(payload);
        expected += framed(payload);
        if (i % 3 == 0) slow.near->send("reply"); // between frames of the stream: needs its own buffer
        if (i % 3 == 0) expected += framed("reply");
    }
    REQUIRE(run_until(context, [&] { return slow.far.take(), slow.far.text.size() >= expected.size(); }));
    CHECK(slow.far.text == expected);
}

TEST_CASE("a frame that is too large is sent to no subscriber", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    member one(context);
    hub.subscribe(one.near);
    const std::string large(mato::length_prefixed<>::max_frame_bytes + 1, 'x');
    mato::failure why;
    hub.publish(large, why);
    CHECK(why.code == errc::frame_too_large);
    CHECK_THROWS_AS(hub.publish(large), mato::error);
    CHECK(one.near->queued_bytes() == 0);
    CHECK(hub.size() == 1);
}

// ---- the edges ----

TEST_CASE("publishing works without subscribers", "[broadcast]") {
    asio::io_context context;
    mato::broadcast hub(context);
    hub.publish("x");
    CHECK(hub.size() == 0);
    hub.unsubscribe(nullptr);
}

// ---- the promises about absence ----

TEST_CASE("the hub keeps no connection alive and forgets those that ended", "[broadcast]") {
    const auto before = support::open_descriptors();
    {
        asio::io_context context;
        mato::broadcast hub(context);
        auto gone = std::make_unique<member>(context);
        member stays(context);
        hub.subscribe(gone->near);
        hub.subscribe(stays.near);
        const std::weak_ptr<mato::connection> watched = gone->near;
        gone->far.close();
        REQUIRE(run_until(context, [&] { return !gone->ends.empty(); }));
        CHECK(hub.size() == 1);
        gone.reset();
        run_ready(context);
        CHECK(watched.expired());
        hub.publish("x");
        CHECK(hub.size() == 1);
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("any limit is allowed: the largest means no limit, and no frame in the ring is lost", "[broadcast]") {
    asio::io_context context;
    mato::basic_broadcast<mato::connection, mato::any_overflow> hub(context, 256 << 10);
    std::vector<mato::frame_gap> gaps;
    hub.on.gap = [&](const mato::frame_gap& lost) { return gaps.push_back(lost), std::nullopt; };
    hub.on.snapshot = [](auto) { return std::string("snapshot"); };
    constexpr auto most = mato::unlimited;
    mato::disconnect patient;
    patient.hard = patient.soft = most;
    patient.grace = mato::never;
    const mato::any_overflow policies[] = {mato::drop_newest{most},
                                           mato::drop_newest{most - 1},
                                           mato::drop_oldest{most},
                                           mato::conflate{most},
                                           mato::resync{most},
                                           mato::block_producer{most},
                                           patient};
    for (const auto& policy : policies) {
        member slow(context);
        support::shrink_buffers(slow.near->native_handle());
        hub.subscribe(slow.near, policy);
        std::string whole;
        for (int n = 0; n < 64; ++n) { // more than the kernel accepts, less than the ring
            const std::string text(1000, static_cast<char>('!' + n));
            hub.publish(text);
            whole += framed(text);
            run_ready(context);
        }
        CHECK(run_until(context, [&] { return slow.far.take(), slow.far.text == whole; }));
        CHECK(gaps.empty());
        CHECK(slow.ends.empty());
        slow.near->abort({});
        run_ready(context);
    }
    mato::failure why;
    member ahead(context);
    hub.subscribe(ahead.near, mato::disconnect{}, mato::join_at::after(~std::uint64_t{0}), why);
    CHECK_FALSE(why); // there is no newer frame yet; all later ones are newer
    hub.publish("next");
    CHECK(run_until(context, [&] { return ahead.far.take(), ahead.far.text == framed("next"); }));
}
