// SPDX-License-Identifier: MIT
/// @file connection_test.cpp: every frame arrives complete and in order, in both directions.
#include <mato/connection.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/joined_connection.hpp"

#include <random>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using mato::errc;
using support::bound;
using support::framed;
using support::joined;
using support::keep_all;
using support::plain;
using support::run_ready;
using support::run_until;
using support::unbounded;

namespace {

std::string noise(std::mt19937& random, std::size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
}

} // namespace

// ---- the contract ----

TEST_CASE("frames of any size, split anywhere, arrive complete and in order, in both directions", "[connection]") {
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
    run_ready(all.context); // the kernel has the bytes; the write's handler has not run yet
    CHECK(all.frames == sent);
    CHECK(all.far.text == stream); // the echo: the same frames, in the same order
    CHECK(all.near->queued_bytes() == 0);
    CHECK(all.near->sent_bytes() == stream.size());
}

TEST_CASE("frames sent during a write do not change it", "[connection]") {
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

TEST_CASE("frames sent in one iteration of the loop are sent with one write", "[connection]") {
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

TEST_CASE("replies to the frames of one read are sent with one write, in the same iteration", "[connection]") {
    joined<mato::disconnect> all(SOCK_SEQPACKET);
    all.start([&](std::string_view payload) { all.near->send(payload); });
    all.far.put(framed("one") + framed("two"));
    all.context.run_one();
    all.far.take();
    CHECK(all.far.text == framed("one") + framed("two"));
    CHECK(all.far.reads == 1);
}

TEST_CASE("start_now reads received bytes, and replies before it returns", "[connection]") {
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

TEST_CASE("frames that a callback sent before it threw are sent, then the connection ends with the reason", "[connection]") {
    plain all;
    all.start([&](std::string_view payload) {
        all.near->send(payload);
        throw std::runtime_error("a fault of the program's");
    });
    all.far.put(framed("one") + framed("two"));
    all.context.run_one();
    all.inside = false;
    CHECK(run_until(all.context, [&] { return all.far.take(), all.far.ended; }));
    CHECK(all.far.text == framed("one"));
    REQUIRE(run_until(all.context, [&] { return !all.ends.empty(); }));
    CHECK(all.ends[0].message() == "on_frame: a fault of the program's");
}

TEST_CASE("a connection whose on_exception passes the exception on continues to read", "[connection]") {
    plain all;
    all.near->start({[&](std::string_view payload) {
                         all.frames.emplace_back(payload);
                         if (payload == "throw") throw 5;
                         all.near->send(payload);
                     },
                     {},
                     {},
                     [](const mato::failure&) { throw; }});
    all.far.put(framed("throw") + framed("one"));
    CHECK_THROWS_AS(all.context.run_one(), int);
    all.far.put(framed("two"));
    CHECK(run_until(all.context, [&] { return all.far.take(), all.far.text == framed("one") + framed("two"); }));
}

TEST_CASE("shared frames and own frames are sent together, in the order of the calls", "[connection]") {
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

TEST_CASE("on_drained is called when the queue is empty, and only then", "[connection]") {
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

TEST_CASE("nothing is read before the start, and nothing is lost", "[connection]") {
    plain all;
    all.far.put(framed("early"));
    run_ready(all.context);
    CHECK(all.frames.empty());
    all.start();
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 1; }));
    CHECK(all.frames[0] == "early");
}

TEST_CASE("other framings work too", "[connection]") {
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

TEST_CASE("a frame that is too large to send is refused and the connection continues", "[connection]") {
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

TEST_CASE("a refused frame leaves no empty chunk in the queue", "[connection]") {
    plain all(SOCK_SEQPACKET);
    all.start();
    std::error_code why;
    all.near->send(std::string(mato::length_prefixed<>::max_frame_bytes + 1, 'x'), why);
    CHECK(why == errc::frame_too_large);
    CHECK(all.near->queued_bytes() == 0);
    run_ready(all.context);
    all.near->close({errc::stopping, {}, {}, {}}, 1h); // nothing queued: immediately
    CHECK(all.ended());
}

TEST_CASE("an invalid descriptor is refused with the step", "[connection]") {
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

TEST_CASE("a payload in two parts is one frame, with a framing that can append both and with one that cannot", "[connection]") {
    const auto check = [](auto& all, const std::string& expected) {
        all.start();
        std::error_code why;
        all.near->send("he", "ad", why);
        all.near->send("", "rest", why);
        all.near->send("alone", "", why);
        CHECK_FALSE(why);
        REQUIRE(run_until(all.context, [&] { return all.far.take(), all.far.text.size() >= expected.size(); }));
        CHECK(all.far.text == expected);
    };
    plain prefixed;
    check(prefixed, framed("head") + framed("rest") + framed("alone"));
    support::joined<mato::disconnect, mato::line<>> lines;
    check(lines, "head\nrest\nalone\n");
    std::error_code why;
    prefixed.near->send(std::string(mato::length_prefixed<>::max_frame_bytes, 'x'), "y", why);
    CHECK(why == errc::frame_too_large);
    CHECK(prefixed.near->queued_bytes() == 0);
}
