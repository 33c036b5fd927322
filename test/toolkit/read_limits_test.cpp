// SPDX-License-Identifier: MIT
/// @file read_limits_test.cpp: a connection that stops reading, by hand or at a limit, loses nothing and continues.
#include <mato/read_limits.hpp>

#include <mato/connection.hpp>

#include "support/catch.hpp"
#include "support/joined_connection.hpp"

#include <deque>

using namespace std::chrono_literals;
using mato::errc;
using support::framed;
using support::plain;
using support::run_ready;
using support::run_until;
using support::unbounded;

namespace {

std::string numbered(int from, int to) {
    std::string bytes;
    for (int i = from; i <= to; ++i) bytes += framed(std::to_string(i));
    return bytes;
}

bool has_all(const std::vector<std::string>& frames, int count) {
    if (frames.size() != static_cast<std::size_t>(count)) return false;
    for (int i = 1; i <= count; ++i)
        if (frames[static_cast<std::size_t>(i - 1)] != std::to_string(i)) return false;
    return true;
}

} // namespace

// ---- the gate alone ----

TEST_CASE("replies shut the gate above the limit, and open it at half of it", "[read_limits]") {
    mato::detail::read_gate gate;
    gate.queued(std::size_t{1} << 40);
    CHECK_FALSE(gate.is_shut()); // no limits are set
    gate.set_limits({.unread_bytes = 100});
    gate.queued(100);
    CHECK_FALSE(gate.is_shut());
    gate.queued(101);
    CHECK(gate.is_shut());
    gate.sent(51);
    CHECK(gate.is_shut());
    gate.queued(60); // below the limit again, but not yet at half of it
    CHECK(gate.is_shut());
    gate.sent(50);
    CHECK_FALSE(gate.is_shut());
}

TEST_CASE("tickets shut the gate at the number of frames or bytes, and a single frame always passes", "[read_limits]") {
    mato::detail::read_gate gate;
    gate.set_limits({.unanswered_frames = 2, .unanswered_bytes = 100});
    gate.held(1);
    CHECK_FALSE(gate.is_shut());
    gate.held(1);
    CHECK(gate.is_shut());
    gate.answered(1);
    CHECK_FALSE(gate.is_shut());
    gate.held(99);
    CHECK(gate.is_shut());
    gate.answered(1), gate.answered(99);
    gate.held(1'000'000); // larger than the limit: it was delivered alone
    CHECK(gate.is_shut());
    gate.answered(1'000'000);
    CHECK_FALSE(gate.is_shut());
    gate.set_limits({.unanswered_frames = 0, .unanswered_bytes = 0});
    CHECK_FALSE(gate.is_shut()); // 0 is the same as 1: otherwise no frame would ever be read
    gate.held(0);
    CHECK(gate.is_shut());
}

// ---- by hand ----

TEST_CASE("a paused connection delivers nothing, and everything in order when it continues", "[read_limits]") {
    plain all;
    const bool from_start = GENERATE(true, false);
    if (from_start) all.near->pause_reading();
    all.start();
    run_ready(all.context);
    all.near->pause_reading();
    all.near->pause_reading();
    CHECK(all.near->is_reading_paused());
    const std::string bytes = numbered(1, 500);
    CHECK(all.far.put(bytes.substr(0, 1001)) == 1001); // ends inside a frame
    run_ready(all.context);
    CHECK(all.frames.empty());
    all.near->resume_reading();
    all.near->resume_reading();
    CHECK_FALSE(all.near->is_reading_paused());
    all.far.put(bytes.substr(1001));
    CHECK(run_until(all.context, [&] { return all.frames.size() == 500; }));
    CHECK(has_all(all.frames, 500));
}

TEST_CASE("a pause inside on_frame keeps the frames that were read with it", "[read_limits]") {
    plain all;
    all.start([&](std::string_view) { all.near->pause_reading(); });
    all.far.put(numbered(1, 50));
    for (int i = 1; i <= 50; ++i) {
        CAPTURE(i);
        REQUIRE(run_until(all.context, [&] { return all.frames.size() == static_cast<std::size_t>(i); }));
        run_ready(all.context);
        run_ready(all.context);
        CHECK(all.frames.size() == static_cast<std::size_t>(i));
        all.near->resume_reading();
    }
    CHECK(has_all(all.frames, 50));
    all.near->resume_reading();
    all.far.close();
    CHECK(all.ended());
    CHECK(all.ends[0].code == errc::closed);
}

TEST_CASE("a pause and its end inside one callback change nothing", "[read_limits]") {
    plain all;
    all.start([&](std::string_view) {
        all.near->pause_reading();
        all.near->resume_reading();
    });
    all.far.put(numbered(1, 100));
    CHECK(run_until(all.context, [&] { return all.frames.size() == 100; }));
    CHECK(has_all(all.frames, 100));
}

TEST_CASE("the peer's end is noticed when reading continues, after its frames", "[read_limits]") {
    plain all;
    all.start();
    all.near->pause_reading();
    all.far.put(numbered(1, 3));
    all.far.close();
    run_ready(all.context);
    CHECK(all.ends.empty());
    all.near->resume_reading();
    CHECK(all.ended());
    CHECK(has_all(all.frames, 3));
}

TEST_CASE("a pause does not count against the deadline of an incomplete frame", "[read_limits]") {
    plain all;
    all.near->set_frame_deadline(30ms);
    all.start();
    all.far.put(framed("whole").substr(0, 6));
    run_ready(all.context);
    all.near->pause_reading();
    const auto begin = mato::clock::now();
    CHECK(run_until(all.context, [&] { return mato::clock::now() - begin > 90ms; }));
    CHECK(all.ends.empty());
    all.far.put(framed("whole").substr(6));
    all.near->resume_reading();
    CHECK(run_until(all.context, [&] { return !all.frames.empty() || !all.ends.empty(); }));
    CHECK(all.frames == std::vector<std::string>{"whole"});
}

TEST_CASE("an exception that is passed on while reading is paused loses no frame", "[read_limits]") {
    plain all;
    all.near->start({[&](std::string_view payload) {
                         all.frames.emplace_back(payload);
                         if (payload != "1") return;
                         all.near->pause_reading();
                         throw std::runtime_error("first");
                     },
                     {},
                     {},
                     [](const mato::failure&) { throw; }});
    all.far.put(numbered(1, 10));
    CHECK_THROWS_AS(run_until(all.context, [&] { return all.frames.size() == 10; }), std::runtime_error);
    run_ready(all.context);
    CHECK(all.frames.size() == 1);
    all.near->resume_reading();
    CHECK(run_until(all.context, [&] { return all.frames.size() == 10; }));
    CHECK(has_all(all.frames, 10));
    all.near->forget_callbacks();
}

TEST_CASE("closing and destroying a paused connection works as usual", "[read_limits]") {
    plain all;
    all.start();
    all.near->pause_reading();
    all.far.put(numbered(1, 3));
    run_ready(all.context);
    all.near->send("last");
    all.near->close({errc::stopping, {}, {}, {}});
    all.near->resume_reading();
    CHECK(all.ended());
    CHECK(all.frames.empty());
    all.far.take();
    CHECK(all.far.text == framed("last"));
}

// ---- replies ----

TEST_CASE("a peer that reads no replies is not read above the limit, and gets every reply when it reads", "[read_limits]") {
    constexpr std::size_t limit = 100'000, reply = 1'000;
    unbounded all;
    all.near->set_read_limits({.unread_bytes = limit});
    std::size_t most = 0;
    all.start([&](std::string_view payload) {
        all.near->send(std::string(payload) + std::string(reply, '.'));
        most = std::max(most, all.near->queued_bytes());
    });
    const std::string requests = numbered(1, 5'000);
    std::size_t sent = 0;
    for (int i = 0; i < 2'000; ++i) {
        sent += all.far.put(std::string_view(requests).substr(sent));
        run_ready(all.context);
    }
    CHECK(most > limit);
    CHECK(most < limit + 2 * reply);
    const auto stopped_at = all.frames.size();
    CHECK(stopped_at < 1'000);
    run_ready(all.context);
    CHECK(all.frames.size() == stopped_at);
    CHECK(run_until(all.context, [&] {
        sent += all.far.put(std::string_view(requests).substr(sent));
        all.far.take();
        return all.frames.size() == 5'000 && all.near->queued_bytes() == 0;
    }));
    CHECK(most < limit + 2 * reply);
    CHECK(has_all(all.frames, 5'000));
    all.far.take();
    std::string expected;
    for (int i = 1; i <= 5'000; ++i) expected += framed(std::to_string(i) + std::string(reply, '.'));
    CHECK(all.far.text == expected);
    CHECK(all.ends.empty());
}

TEST_CASE("a peer that reads no reply for too long is closed, and one that reads a little is not", "[read_limits]") {
    const bool reads_a_little = GENERATE(false, true);
    CAPTURE(reads_a_little);
    unbounded all;
    all.near->set_read_limits({.unread_bytes = 10'000, .unread_for = reads_a_little ? 300ms : 60ms});
    all.start([&](std::string_view) { all.near->send(std::string(1'000, '.')); });
    all.far.put(numbered(1, 1'000));
    REQUIRE(run_until(all.context, [&] { return all.near->is_reading_paused(); }));
    const auto begin = mato::clock::now();
    if (reads_a_little) {
        CHECK(run_until(all.context, [&] {
            all.far.take(40'000); // the kernel takes more whenever a quarter of its buffer is free
            return all.frames.size() == 1'000;
        }));
        CHECK(all.ends.empty());
    } else {
        CHECK(all.ended());
        CHECK(all.ends[0].code == errc::slow_consumer);
        CHECK(all.ends[0].detail.find("bytes of its replies") != std::string::npos);
        CHECK(mato::clock::now() - begin >= 50ms);
        CHECK(all.near->queued_bytes() == 0);
    }
}

TEST_CASE("replies that exceed the limit during a pause by hand have the same deadline after it", "[read_limits]") {
    unbounded all;
    all.near->set_read_limits({.unread_bytes = 10'000, .unread_for = 50ms});
    all.start();
    all.near->pause_reading();
    all.far.put(numbered(1, 3));
    run_ready(all.context);
    all.near->send(std::string(900'000, '.'));
    all.near->resume_reading();
    CHECK(all.ended());
    CHECK(all.ends[0].code == errc::slow_consumer);
    CHECK(all.frames.empty());
}

TEST_CASE("without limits a connection that sends much goes on reading", "[read_limits]") {
    unbounded all;
    all.start();
    all.near->send(std::string(900'000, '.'));
    all.near->send(std::string(900'000, '.'));
    run_ready(all.context);
    all.far.put(numbered(1, 100));
    CHECK(run_until(all.context, [&] { return all.frames.size() == 100; }));
}

// ---- tickets ----

TEST_CASE("frames with a ticket are delivered up to the limit, and further ones when one is answered", "[read_limits]") {
    plain all;
    all.near->set_read_limits({.unanswered_frames = 4});
    std::deque<mato::frame_ticket> jobs;
    all.start([&](std::string_view) { jobs.push_back(all.near->hold_frame()); });
    all.far.put(numbered(1, 100));
    for (std::size_t answered = 0; answered + 4 <= 100; ++answered) {
        CAPTURE(answered);
        REQUIRE(run_until(all.context, [&] { return jobs.size() == 4; }));
        run_ready(all.context);
        CHECK(all.frames.size() == answered + 4);
        jobs.pop_front();
    }
    CHECK(has_all(all.frames, 100));
    CHECK(all.ends.empty());
}

TEST_CASE("the bytes of frames with a ticket are limited too, and copies of a ticket count once", "[read_limits]") {
    plain all;
    all.near->set_read_limits({.unanswered_bytes = 10'000});
    std::vector<mato::frame_ticket> jobs;
    all.start([&](std::string_view) {
        jobs.push_back(all.near->hold_frame());
        jobs.push_back(jobs.back());
    });
    std::string bytes;
    for (int i = 0; i < 20; ++i) bytes += framed(std::string(3'000, 'x'));
    all.far.put(bytes);
    REQUIRE(run_until(all.context, [&] { return all.frames.size() == 4; }));
    run_ready(all.context);
    CHECK(all.frames.size() == 4);
    jobs[0].done();
    run_ready(all.context);
    CHECK(all.frames.size() == 4);
    CHECK(all.near->is_reading_paused());
    jobs[1].done();
    CHECK(run_until(all.context, [&] { return all.frames.size() == 5; }));
    CHECK_FALSE(jobs[0]);
    CHECK(jobs[2]);
}

TEST_CASE("a ticket may outlive its connection and the loop", "[read_limits]") {
    mato::frame_ticket from_frame, from_elsewhere;
    {
        plain all;
        all.near->set_read_limits({.unanswered_frames = 1});
        all.start([&](std::string_view) { from_frame = all.near->hold_frame(); });
        all.far.put(numbered(1, 5));
        REQUIRE(run_until(all.context, [&] { return !all.frames.empty(); }));
        from_elsewhere = all.near->hold_frame();
        all.near->abort({errc::stopping, {}, {}, {}});
        CHECK(all.ended());
        if (GENERATE(true, false)) from_frame.done();
    }
    from_elsewhere.done();
}
