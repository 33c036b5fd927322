// SPDX-License-Identifier: MIT
/// @file connection_test.cpp: every frame whole and in order, one end told once, and a bound that holds.
#include <mato/connection.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/io_loop.hpp"

#include <random>
#include <stdexcept>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using mato::errc;
using support::run_ready;
using support::run_until;

namespace {

/// No bound: for tests of order.
struct keep_all {
    static mato::overflow_verdict on_queued(std::size_t, mato::clock::time_point) noexcept {
        return mato::overflow_verdict::keep;
    }
    static void on_drained(std::size_t) noexcept {}
};

template <class Framing = mato::length_prefixed<>> std::string framed(std::string_view payload) {
    std::string bytes;
    std::error_code why;
    Framing::append(bytes, payload, why);
    CHECK_FALSE(why);
    return bytes;
}

template <class Overflow, class Framing = mato::length_prefixed<>> struct joined {
    using connection = mato::basic_connection<Framing, Overflow>;
    asio::io_context context;
    support::far_end far;
    std::shared_ptr<connection> near;
    std::vector<std::string> frames;
    std::vector<mato::failure> ends;
    int drained = 0;
    bool inside = false; // a callback runs

    explicit joined(int type = SOCK_STREAM, Overflow overflow = {}) : joined(support::socket_pair(type), overflow) {}
    joined(std::pair<mato::unique_fd, mato::unique_fd> ends_of_it, Overflow overflow)
        : far(std::move(ends_of_it.second)),
          near(std::make_shared<connection>(context, std::move(ends_of_it.first), overflow)) {}
    joined(const joined&) = delete;
    ~joined() {
        if (near) near->forget_callbacks();
    }

    void start() {
        start([](std::string_view) {});
    }
    template <class OnFrame> void start(OnFrame on_frame) {
        near->start({[this, on_frame](std::string_view payload) {
                         frames.emplace_back(payload);
                         inside = true;
                         on_frame(payload);
                         inside = false;
                     },
                     [this](const mato::failure& why) {
                         CHECK_FALSE(inside);
                         ends.push_back(why);
                     },
                     [this] { ++drained; }});
    }
    [[nodiscard]] bool ended() {
        const bool came = run_until(context, [&] { return !ends.empty(); });
        run_ready(context);
        CHECK(ends.size() <= 1);
        return came && ends.size() == 1;
    }
};

using plain = joined<mato::disconnect>;
using unbounded = joined<keep_all>;

mato::disconnect bound(std::size_t bytes) {
    mato::disconnect policy;
    policy.hard = policy.soft = bytes;
    return policy;
}

std::string noise(std::mt19937& random, std::size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
}

} // namespace

// ---- the contract ----

TEST_CASE("frames arrive whole and in order, however they are cut and whatever their sizes, both ways", "[connection]") {
    std::mt19937 random(GENERATE(range(0u, 6u)));
    unbounded all;
    support::shrink_buffers(all.near->native_handle());
    support::shrink_buffers(all.far.fd());
    all.start([&](std::string_view payload) { all.near->send(payload); });
    std::string stream;
    std::vector<std::string> sent;
    for (int i = 0; i < 120; ++i) {
        const std::size_t size = random() % 20 == 0 ? random() % 200'000 : random() % 3 == 0 ? random() % 6000 : random() % 20;
        sent.push_back(noise(random, size));
        stream += framed(sent.back());
    }
    std::string_view rest = stream;
    REQUIRE(run_until(all.context, [&] {
        for (int turn = 0; turn < 50; ++turn) {
            rest.remove_prefix(all.far.put(rest.substr(0, 1 + random() % (random() % 4 == 0 ? 30'000 : 50))));
            if (random() % 3 == 0) all.far.take(random() % 20'000);
        }
        return all.far.text.size() == stream.size();
    }));
    run_ready(all.context); // the kernel has the bytes; the write has yet to hear of it
    CHECK(all.frames == sent);
    CHECK(all.far.text == stream); // the echo: the same frames, in the same order
    CHECK(all.near->queued_bytes() == 0);
    CHECK(all.near->sent_bytes() == stream.size());
}

TEST_CASE("what is sent while a write is under way never touches it", "[connection]") {
    std::mt19937 random(3);
    unbounded all;
    support::shrink_buffers(all.near->native_handle());
    all.start();
    std::string expected;
    for (int round = 0; round < 300; ++round) {
        for (int i = 0; i < 8; ++i) {
            const auto payload = noise(random, random() % 900);
            all.near->send(payload);
            expected += framed(payload);
        }
        run_ready(all.context); // a write now waits for room, holding the bytes so far
        if (round % 3 == 0) all.far.take(1 + random() % 3000);
    }
    REQUIRE(all.near->queued_bytes() > 100'000);
    CHECK(all.near->queued_bytes() + all.near->sent_bytes() == expected.size());
    REQUIRE(run_until(all.context, [&] { return all.far.take(), all.far.text.size() >= expected.size(); }));
    CHECK(all.far.text == expected);
}

TEST_CASE("all that one turn of the loop sends leaves in one write", "[connection]") {
    unbounded all(SOCK_SEQPACKET);
    all.start();
    std::string expected;
    for (int i = 0; i < 200; ++i) {
        all.near->send("frame " + std::to_string(i));
        expected += framed("frame " + std::to_string(i));
    }
    CHECK(all.near->queued_bytes() == expected.size());
    run_ready(all.context);
    all.far.take();
    CHECK(all.far.text == expected);
    CHECK(all.far.reads == 1);
}

TEST_CASE("what the frames of one read are answered with leaves in one write, in that turn", "[connection]") {
    joined<mato::disconnect> all(SOCK_SEQPACKET);
    all.start([&](std::string_view payload) { all.near->send(payload); });
    all.far.put(framed("one") + framed("two"));
    all.context.run_one();
    all.far.take();
    CHECK(all.far.text == framed("one") + framed("two"));
    CHECK(all.far.reads == 1);
}

TEST_CASE("start_now takes what has come already, and answers it before it returns", "[connection]") {
    plain all;
    all.far.put(framed("one") + framed("two"));
    all.near->start_now({[&](std::string_view payload) {
                             all.frames.emplace_back(payload);
                             all.near->send(payload);
                         },
                         {},
                         {}});
    CHECK(all.frames == std::vector<std::string>{"one", "two"});
    all.far.take();
    CHECK(all.far.text == framed("one") + framed("two"));
    all.far.put(framed("three"));
    CHECK(run_until(all.context, [&] { return all.frames.size() == 3; }));
}

TEST_CASE("what a callback sent before it threw still leaves", "[connection]") {
    plain all;
    all.start([&](std::string_view payload) {
        all.near->send(payload);
        throw std::runtime_error("a fault of the program's");
    });
    all.far.put(framed("one"));
    CHECK_THROWS(all.context.run_one());
    all.inside = false;
    CHECK(run_until(all.context, [&] { return all.far.take(), all.far.text == framed("one"); }));
}

TEST_CASE("shared frames are gathered with own ones, in the order of the calls", "[connection]") {
    unbounded all(SOCK_SEQPACKET);
    all.start();
    std::string expected;
    for (int i = 0; i < 40; ++i) {
        const auto bytes = framed("shared " + std::to_string(i));
        all.near->send_encoded(std::make_shared<const std::string>(bytes));
        all.near->send("own");
        expected += bytes + framed("own");
    }
    run_ready(all.context);
    all.far.take();
    CHECK(all.far.text == expected);
    CHECK(all.far.reads <= 6); // 80 chunks, 16 a write, and no write for each
    all.near->send_encoded(nullptr);
    all.near->send_encoded(std::make_shared<const std::string>());
    CHECK(all.near->queued_bytes() == 0);
}

TEST_CASE("a producer is told when the queue is empty, and only then", "[connection]") {
    plain all;
    support::shrink_buffers(all.near->native_handle());
    all.start();
    run_ready(all.context);
    CHECK(all.drained == 0);
    all.near->send(std::string(100'000, 'x'));
    run_ready(all.context);
    CHECK(all.drained == 0);
    CHECK(all.near->queued_bytes() > 0);
    REQUIRE(run_until(all.context, [&] { return all.far.take(), all.near->queued_bytes() == 0; }));
    CHECK(all.drained == 1);
}

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

TEST_CASE("closing with nothing queued ends at once", "[connection]") {
    plain all;
    all.start();
    all.near->close({errc::stopping, "stop", {}, {}}, 1h);
    REQUIRE(all.ended());
    all.far.take();
    CHECK(all.far.ended);
}

TEST_CASE("a peer that does not read holds a closing connection no longer than the linger", "[connection]") {
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

TEST_CASE("an end before the start is told after it", "[connection]") {
    plain all;
    all.near->abort({errc::stopping, "early", {}, {}});
    all.start();
    CHECK(all.ends.empty());
    REQUIRE(all.ended());
    CHECK(all.ends[0].step == "early");
}

TEST_CASE("nothing is read before the start, and nothing is lost by it", "[connection]") {
    plain all;
    all.far.put(framed("early"));
    run_ready(all.context);
    CHECK(all.frames.empty());
    all.start();
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 1; }));
    CHECK(all.frames[0] == "early");
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

TEST_CASE("other framings travel as well", "[connection]") {
    joined<keep_all, mato::line<>> lines;
    lines.start([&](std::string_view payload) { lines.near->send(payload); });
    lines.far.put("one\ntw");
    REQUIRE(run_until(lines.context, [&] { return lines.frames.size() == 1; }));
    lines.far.put("o\n");
    REQUIRE(run_until(lines.context, [&] { return lines.far.take(), lines.far.text == "one\ntwo\n"; }));
    joined<keep_all, mato::raw> raw;
    raw.start([&](std::string_view payload) { raw.near->send(payload); });
    raw.far.put("any bytes");
    REQUIRE(run_until(raw.context, [&] { return raw.far.take(), raw.far.text == "any bytes"; }));
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

TEST_CASE("a peer that only stops writing has left too", "[connection]") {
    plain all;
    all.start();
    all.far.shut_write();
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == errc::closed);
}

TEST_CASE("a length beyond the bound ends the connection; no frame and no memory comes of it", "[connection]") {
    plain all;
    all.start();
    all.far.put(framed("good") + "\xff\xff\xff\xff" + framed("never"));
    REQUIRE(all.ended());
    CHECK(all.frames == std::vector<std::string>{"good"});
    CHECK(all.ends[0].code == errc::frame_too_large);
}

TEST_CASE("a frame too large to send is refused and the connection goes on", "[connection]") {
    plain all(SOCK_STREAM, bound(8 << 20));
    all.start();
    all.near->send("before");
    const std::string large(mato::length_prefixed<>::max_frame_bytes + 1, 'x');
    mato::failure why;
    all.near->send(large, why);
    CHECK(why.code == errc::frame_too_large);
    CHECK_THROWS_AS(all.near->send(large), mato::error);
    CHECK(all.near->is_open());
    const std::string largest(mato::length_prefixed<>::max_frame_bytes, 'x');
    all.near->send(largest, why);
    CHECK_FALSE(why);
    all.near->send("", why);
    const auto expected = framed("before") + framed(largest) + framed("");
    REQUIRE(run_until(all.context, [&] { return all.far.take(), all.far.text.size() >= expected.size(); }));
    CHECK(all.far.text == expected);
}

TEST_CASE("a refused frame leaves no empty chunk behind", "[connection]") {
    plain all(SOCK_SEQPACKET);
    all.start();
    std::error_code why;
    all.near->send(std::string(mato::length_prefixed<>::max_frame_bytes + 1, 'x'), why);
    CHECK(why == errc::frame_too_large);
    CHECK(all.near->queued_bytes() == 0);
    run_ready(all.context);
    all.near->close({errc::stopping, {}, {}, {}}, 1h); // nothing queued: at once
    CHECK(all.ended());
}

TEST_CASE("a peer that does not read ends as a slow consumer, at the bound", "[connection]") {
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
    CHECK(all.ends[0].detail.find("bytes unread") != std::string::npos);
    CHECK(most <= hard);
    CHECK(most + frame + 4 > hard);
    CHECK(all.near->queued_bytes() == 0); // what is lost costs nothing any more
    all.near->send("more");
    all.near->send_encoded(std::make_shared<const std::string>("more"));
    CHECK(all.near->queued_bytes() == 0);
}

TEST_CASE("shared frames count against the same bound", "[connection]") {
    plain all(SOCK_STREAM, bound(50'000));
    all.start();
    const auto frame = std::make_shared<const std::string>(framed(std::string(10'000, 'x')));
    for (int i = 0; i < 1000 && all.near->is_open(); ++i) all.near->send_encoded(frame);
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == errc::slow_consumer);
}

TEST_CASE("a write to a peer that has gone ends with the system's reason", "[connection]") {
    plain all;
    all.near->send("x"); // not started: only the write can notice
    all.far.close();
    run_ready(all.context);
    CHECK_FALSE(all.near->is_open());
    all.start();
    REQUIRE(all.ended());
    CHECK(all.ends[0].code == std::errc::broken_pipe);
    CHECK(all.ends[0].step == "write");
}

TEST_CASE("what is no descriptor is refused with the step", "[connection]") {
    const auto before = support::open_descriptors();
    {
        asio::io_context context;
        try {
            const plain::connection none(context, mato::unique_fd());
            FAIL("it was adopted");
        } catch (const mato::error& why) {
            CHECK(why.why().step == "adopt socket");
            CHECK(why.code());
        }
    }
    CHECK(support::open_descriptors() == before);
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
        CHECK(all.context.run() == 0); // nothing is left to happen
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a context that goes first takes its connections along", "[connection]") {
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

static_assert(!std::is_copy_constructible_v<mato::connection> && !std::is_move_constructible_v<mato::connection>);
