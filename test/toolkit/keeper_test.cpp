// SPDX-License-Identifier: MIT
/// @file keeper_test.cpp: a keeper's workers: which deaths are followed by the next one, which end it, and when it rests.
#include <mato/keeper.hpp>

#include "support/catch.hpp"
#include "support/kept_workers.hpp"

#include <thread>

using namespace std::chrono_literals;
using mato::detail::restart_schedule;
using namespace support;

namespace {

const mato::clock::time_point start{std::chrono::hours(1)};
std::chrono::milliseconds wait_of(restart_schedule& schedule, mato::clock::time_point now) {
    const auto next = schedule.died(now);
    return next ? std::chrono::duration_cast<std::chrono::milliseconds>(*next - now) : std::chrono::milliseconds(-1);
}

} // namespace

// ---- the schedule ----

TEST_CASE("two deaths are followed at once, later ones after longer waits, the eighth in a minute by none", "[keeper]") {
    restart_schedule schedule({});
    const std::chrono::milliseconds expected[] = {0ms, 0ms, 100ms, 1s, 5s, 5s, 5s, -1ms, -1ms};
    auto now = start;
    for (const auto each : expected) CHECK(wait_of(schedule, now += 1s) == each);
    CHECK(wait_of(schedule, now + 61s) == 0ms); // all of them are old
}

TEST_CASE("deaths older than the window do not count", "[keeper]") {
    restart_schedule schedule({});
    for (int death = 0; death < 200; ++death) CHECK(wait_of(schedule, start + death * 61s) == 0ms);
    restart_schedule often({});
    for (int death = 0; death < 200; ++death) CHECK(wait_of(often, start + death * 9s) >= (death > 6 ? 5s : 0s)); // 7 a minute
}

TEST_CASE("limits of a schedule: none at all, only one death, no wait", "[keeper]") {
    restart_schedule never_rests({mato::unlimited, mato::never, 0ms});
    for (int death = 0; death < 1000; ++death) CHECK(wait_of(never_rests, start + death * 1ms) == 0ms);
    restart_schedule first_is_last({1, 60s, 5s});
    CHECK(wait_of(first_is_last, start) == -1ms);
    restart_schedule none({0, 60s, 5s});
    CHECK(wait_of(none, start) == -1ms);
    restart_schedule no_window({8, 0ms, 5s});
    for (int death = 0; death < 20; ++death) CHECK(wait_of(no_window, start) == 0ms);
}

// ---- workers ----

TEST_CASE("a worker that exits by itself ends the keeper with its code", "[keeper]") {
    const int code = GENERATE(0, 1, 42);
    const bool serves = GENERATE(true, false);
    auto keeper = keeper_of([=](mato::kept& side) {
        if (serves) side.say_serving();
        return code;
    });
    CHECK(keeper.wait() == code);
}

TEST_CASE("a worker that a signal ends is followed by the next generation, which knows the signal", "[keeper]") {
    const int signal = GENERATE(SIGKILL, SIGSEGV, SIGABRT);
    const mailbox<mato::generation> told;
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        told.put(side.number());
        side.say_serving();
        if (side.number().number < 4) die_of(signal);
        return 7;
    });
    CHECK(keeper.wait() == 7);
    for (std::uint32_t number = 1; number <= 4; ++number) {
        const auto got = told.take();
        REQUIRE(got);
        CHECK(got->number == number);
        CHECK(got->reason == (number == 1 ? mato::generation::why::first : mato::generation::why::crashed));
        CHECK(got->last_signal == (number == 1 ? 0 : signal));
        CHECK(got->gap >= 0ms);
    }
}

TEST_CASE("a first worker that dies before it serves is a start that failed", "[keeper]") {
    const mailbox<int> started;
    auto keeper = keeper_of([&](mato::kept&) -> int {
        started.put(1);
        die_of(SIGKILL);
    });
    CHECK(keeper.wait() == 1);
    CHECK(started.take());
    CHECK_FALSE(started.take(0ms));
}

TEST_CASE("a later worker that exits or dies before it serves is followed by another", "[keeper]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        if (side.number().number == 1) {
            side.say_serving();
            die_of(SIGKILL);
        }
        if (side.number().number == 2) return 3;
        if (side.number().number == 3) die_of(SIGSEGV);
        return side.say_serving(), 9;
    });
    CHECK(keeper.wait() == 9);
}

TEST_CASE("signals of the keeper's are passed on, each once", "[keeper]") {
    const mailbox<int> told;
    auto keeper = keeper_of([&](mato::kept& side) {
        side.say_serving();
        told.put(0);
        for (;;) {
            const auto event = await_event(side, event_kind::signal);
            told.put(event ? event->signal : -1);
            if (!event || event->signal == SIGTERM) return 5;
        }
    });
    REQUIRE(told.take() == 0);
    for (const int signal : {SIGHUP, SIGUSR1, SIGHUP, SIGTERM}) {
        keeper.signal(signal);
        CHECK(told.take() == signal);
    }
    CHECK(keeper.wait() == 5);
}

TEST_CASE("a worker that dies while it stops is followed by one that is to stop; its death ends the keeper", "[keeper]") {
    const bool dies_again = GENERATE(true, false);
    const mailbox<int> told;
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        side.say_serving();
        told.put(side.must_stop());
        if (!side.must_stop()) static_cast<void>(await_event(side, event_kind::signal));
        if (!side.must_stop() || dies_again) die_of(SIGKILL);
        return 6;
    });
    CHECK(told.take() == 0);
    keeper.signal(SIGTERM);
    CHECK(told.take() == 1);
    CHECK(keeper.wait() == (dies_again ? 1 : 6));
    CHECK_FALSE(told.take(0ms));
}

TEST_CASE("a third stop request ends a worker that does not act on the first two", "[keeper]") {
    const mailbox<pid_t> told;
    auto keeper = keeper_of([&](mato::kept& side) {
        side.say_serving();
        told.put(::getpid());
        for (;;) {
            if (const auto event = await_event(side, event_kind::signal)) told.put(event->signal);
        }
        return 0;
    });
    const auto worker = told.take();
    REQUIRE(worker);
    for (int request = 0; request < 2; ++request) {
        keeper.signal(SIGTERM);
        CHECK(told.take() == SIGTERM);
    }
    CHECK(support::is_running(*worker));
    keeper.signal(SIGTERM);
    CHECK(keeper.wait() == 1);
    CHECK_FALSE(support::is_running(*worker));
}

TEST_CASE("after too many deaths the keeper rests, and a stop ends it", "[keeper]") {
    const mailbox<std::uint32_t> told;
    auto keeper = keeper_of(
        [&](mato::kept& side) -> int {
            side.say_serving();
            told.put(side.number().number);
            die_of(SIGKILL);
        },
        {3, 60s, 0ms});
    for (std::uint32_t number = 1; number <= 3; ++number) CHECK(told.take() == number);
    CHECK(support::wait_until([&] { return support::children_of(keeper.pid()).empty(); }));
    CHECK_FALSE(told.take(50ms));
    keeper.signal(SIGTERM);
    CHECK(keeper.wait() == 1);
}

TEST_CASE("orphans of a worker become the keeper's, and are reaped", "[keeper]") {
    const mailbox<pid_t> told;
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        side.say_serving();
        if (side.number().number == 1) {
            for (int child = 0; child < 3; ++child) {
                const pid_t pid = ::fork();
                if (pid == 0) ::_exit(0);
                told.put(pid);
            }
            die_of(SIGKILL);
        }
        static_cast<void>(await_event(side, event_kind::signal));
        return 0;
    });
    for (int child = 0; child < 3; ++child) {
        const auto pid = told.take();
        REQUIRE(pid);
        CHECK(support::wait_until([&] { return support::process_state(*pid) == 'X'; }));
    }
    keeper.signal(SIGTERM);
    CHECK(keeper.wait() == 0);
}

TEST_CASE("a worker has no descriptor of the keeper's own but its end of their socket", "[keeper]") {
    const mailbox<int> told;
    const auto outside = support::descriptor_count(::getpid());
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        side.say_serving();
        told.put(static_cast<int>(support::descriptor_count(::getpid())));
        if (side.number().number < 3) die_of(SIGKILL);
        return 0;
    });
    CHECK(keeper.wait() == 0);
    const auto first = told.take();
    REQUIRE(first);
    CHECK(*first <= static_cast<int>(outside) + 3); // socket, report, and the blocked signals' descriptor
    CHECK(told.take() == first);                    // no generation has more than the one before
    CHECK(told.take() == first);
}

// ---- the refusals ----

TEST_CASE("a keeper refuses to start among threads", "[keeper]") {
    const support::mailbox<int> told;
    CHECK(support::in_child([&] {
              const support::mailbox<char> end;
              std::thread other([&] { static_cast<void>(end.take(30s)); });
              mato::keeper_process keeper({});
              mato::failure why;
              keeper.open(mato::make_signal_set({SIGTERM}), why);
              end.put('x');
              other.join();
              return why.code == mato::errc::not_single_threaded && why.step == "start the keeper" ? 0 : 1;
          }) == 0);
}
