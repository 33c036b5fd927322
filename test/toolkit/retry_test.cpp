// SPDX-License-Identifier: MIT
/// @file retry_test.cpp: only transient errors are retried, with growing waits and a time limit.
#include <mato/retry.hpp>

#include "support/catch.hpp"

#include <cerrno>
#include <set>
#include <vector>

using mato::milliseconds;
using namespace std::chrono_literals;

namespace {

/// A clock that advances only by sleeping, and records the sleeps.
struct fake_time {
    mato::clock::time_point at{};
    std::vector<milliseconds> slept{};
};

struct fake_sleeper {
    fake_time* time;
    [[nodiscard]] mato::clock::time_point now() const { return time->at; }
    void wait(milliseconds span) const {
        time->slept.push_back(span);
        time->at += span;
    }
};

std::error_code os(int number) { return {number, std::system_category()}; }

/// Always fails with `why`, and counts the calls.
int attempts_for(std::error_code why, fake_time& time, mato::failure& out) {
    int attempts = 0;
    mato::retry(
        [&](mato::error_out failed) {
            failed.set(why, "ask", "/p", "text");
            return ++attempts;
        },
        out, mato::exponential_backoff({}, 1), fake_sleeper{&time});
    return attempts;
}

} // namespace

TEST_CASE("a success is returned immediately, without wait or error", "[retry]") {
    fake_time time;
    mato::failure why{os(EIO), "before"};
    CHECK(mato::retry([](mato::error_out) { return 7; }, why, mato::exponential_backoff(), fake_sleeper{&time}) == 7);
    CHECK_FALSE(why);
    CHECK(time.slept.empty());
}

TEST_CASE("a transient error is retried until success, and is then not reported", "[retry]") {
    fake_time time;
    mato::failure why;
    int attempts = 0;
    const int got = mato::retry(
        [&](mato::error_out out) {
            if (++attempts < 5) out.set(os(EAGAIN), "connect");
            return attempts * 10;
        },
        why, mato::exponential_backoff({}, 1), fake_sleeper{&time});
    CHECK(got == 50);
    CHECK_FALSE(why);
    CHECK(time.slept.size() == 4);
}

TEST_CASE("every transient error is retried, and then the last error is reported", "[retry]") {
    for (const auto& code : {os(EAGAIN), os(ENOBUFS), os(EINTR), os(ENFILE), os(EMFILE), os(ECONNABORTED), os(ECONNRESET),
                             os(ETIMEDOUT), make_error_code(mato::errc::busy)}) {
        fake_time time;
        mato::failure why;
        INFO(code.message());
        CHECK(attempts_for(code, time, why) > 10);
        CHECK(why.code == code);
        CHECK(why.step == "ask");
        CHECK(why.path == "/p");
        CHECK(why.detail == "text");
    }
}

TEST_CASE("other errors are not retried", "[retry]") {
    for (const auto& code : {os(EACCES), os(ENOENT), os(ECONNREFUSED), os(ENOSPC), os(EPERM),
                             make_error_code(mato::errc::unsafe_directory), make_error_code(mato::errc::version_mismatch),
                             make_error_code(mato::errc::timed_out), std::error_code(EAGAIN, mato::mato_category())}) {
        fake_time time;
        mato::failure why;
        INFO(code.message());
        CHECK(attempts_for(code, time, why) == 1);
        CHECK(time.slept.empty());
        CHECK(why.code == code);
    }
}

TEST_CASE("another error after a transient one ends the retries", "[retry]") {
    fake_time time;
    std::error_code why;
    int attempts = 0;
    mato::retry(
        [&](mato::error_out out) {
            out.set(os(++attempts < 3 ? EAGAIN : EACCES), "connect");
            return attempts;
        },
        why, mato::exponential_backoff({}, 1), fake_sleeper{&time});
    CHECK(attempts == 3);
    CHECK(why == mato::cond::not_permitted);
}

TEST_CASE("the total time is used completely, to the millisecond", "[retry]") {
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
        fake_time time;
        std::error_code why;
        const milliseconds total{1 + seed * 7};
        mato::retry(
            [&](mato::error_out out) {
                out.set(os(EAGAIN), "ask");
                return 0;
            },
            why, mato::exponential_backoff({.total = total}, seed), fake_sleeper{&time});
        REQUIRE(why == mato::cond::busy);
        REQUIRE(time.at - mato::clock::time_point{} == total);
    }
}

TEST_CASE("slow attempts count towards the total", "[retry]") {
    fake_time time;
    std::error_code why;
    int attempts = 0;
    mato::retry(
        [&](mato::error_out out) {
            ++attempts;
            time.at += 2s;
            out.set(os(EAGAIN), "ask");
            return 0;
        },
        why, mato::exponential_backoff({.first = 1ms, .longest = 1ms, .total = 5s}, 1), fake_sleeper{&time});
    CHECK(attempts == 4); // failed at 2 s (the total starts), 4 s, 6 s and 8 s: after 7 s there is no other attempt
}

TEST_CASE("each wait is within its doubling cap, and the complete range is used", "[retry]") {
    const std::vector<milliseconds> caps{2ms, 4ms, 8ms, 16ms, 32ms, 64ms, 128ms, 250ms, 250ms, 250ms};
    std::vector<std::set<milliseconds>> seen(caps.size());
    for (std::uint32_t seed = 0; seed < 2000; ++seed) {
        mato::exponential_backoff policy({.total = 1h}, seed * 7919 + 1);
        for (std::size_t i = 0; i < caps.size(); ++i) {
            const auto wait = policy.next({});
            REQUIRE(wait.has_value());
            REQUIRE(*wait >= 0ms);
            REQUIRE(*wait <= caps[i]);
            seen[i].insert(*wait);
        }
    }
    for (std::size_t i = 0; i < caps.size(); ++i) {
        CHECK(*seen[i].begin() <= caps[i] / 10);
        CHECK(*seen[i].rbegin() >= caps[i] * 9 / 10);
    }
}

TEST_CASE("a policy gives up exactly at its total, and shortens the last wait", "[retry]") {
    mato::exponential_backoff policy({.first = 100s, .longest = 100s, .total = 10ms}, 3);
    const mato::clock::time_point start{5s};
    REQUIRE(policy.next(start).has_value());
    for (int i = 0; i < 50; ++i) {
        const auto wait = policy.next(start + 9ms);
        REQUIRE(wait.has_value());
        REQUIRE(*wait <= 1ms);
    }
    CHECK(policy.next(start + 10ms - 1ns) <= 1ms);
    CHECK_FALSE(policy.next(start + 10ms));
    CHECK_FALSE(policy.next(start + 1h));
}

TEST_CASE("limits: a total of zero is one attempt; caps of zero do not wait", "[retry]") {
    mato::exponential_backoff once({.total = 0ms}, 1);
    CHECK_FALSE(once.next({}));
    mato::exponential_backoff eager({.first = 0ms, .longest = 0ms, .total = 1s}, 1);
    for (int i = 0; i < 10; ++i) CHECK(eager.next({}) == 0ms);
}

TEST_CASE("the real sleeper sleeps for the given time", "[retry]") {
    const mato::thread_sleeper sleeper;
    const auto before = sleeper.now();
    sleeper.wait(5ms);
    CHECK(sleeper.now() - before >= 5ms);
    sleeper.wait(-1ms);
}

TEST_CASE("no value of an option overflows", "[retry]") {
    const auto now = mato::clock::now();
    mato::exponential_backoff patient({.first = 1ms, .longest = mato::never, .total = mato::never}, 1);
    for (int i = 0; i < 200; ++i) {
        const auto wait = patient.next(now);
        REQUIRE(wait);
        CHECK(*wait >= 0ms);
    }
    mato::exponential_backoff largest({.first = mato::never, .longest = mato::never, .total = 1s}, 1);
    CHECK(largest.next(now).value() <= 1s);
    mato::exponential_backoff negative({.first = mato::milliseconds::min(), .longest = 2ms, .total = 1s}, 1);
    CHECK(negative.next(now) == 0ms);
}
