// SPDX-License-Identifier: MIT
/// @file child_test.cpp: a child's end is reported once, restarts back off, and no process is left.
#include <mato/child.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/io_loop.hpp"
#include "support/process_facts.hpp"
#include "support/temp_directory.hpp"

#include <cstdio>

using namespace std::chrono_literals;
using mato::child;
using mato::child_status;
using kind = mato::child_restart::kind;
using support::run_ready;
using support::run_until;

namespace {

mato::spawn_options shell(const std::string& script) { return {.program = "/bin/sh", .arguments = {"-c", script}}; }
bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }
bool no_child_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

/// A child and everything that it reports.
struct world {
    asio::io_context context;
    std::optional<child> one;
    std::vector<child_status> ends;
    std::vector<std::optional<mato::milliseconds>> waits;
    std::vector<pid_t> pids;
    std::vector<mato::failure> gave_up;
    mato::failure why;

    explicit world(mato::spawn_options what, mato::child_restart again = {}) {
        one.emplace(context, std::move(what), again);
        one->on.on_started = [this](pid_t pid) { pids.push_back(pid); };
        one->on.on_ended = [this](const child_status& how, std::optional<mato::milliseconds> wait) {
            ends.push_back(how);
            waits.push_back(wait);
        };
        one->on.on_gave_up = [this](const mato::failure& failed) { gave_up.push_back(failed); };
    }
    void start() {
        one->start(why);
        INFO(why.message());
        REQUIRE_FALSE(why);
    }
    bool ended(std::size_t count = 1) {
        return run_until(context, [&] { return ends.size() >= count; });
    }
};

} // namespace

TEST_CASE("the end of a child is reported once, with its exit code or its signal", "[child]") {
    const auto before = support::open_descriptors();
    {
        world exits(shell("exit 7"));
        exits.start();
        REQUIRE(exits.ended());
        CHECK(exits.ends[0] == child_status{7, 0});
        CHECK(exits.pids.size() == 1);
        CHECK_FALSE(exits.waits[0]);
        CHECK_FALSE(exits.one->is_running());
        CHECK(exits.one->pid() == 0);
        run_ready(exits.context);
        CHECK(exits.ends.size() == 1);
        world dies(shell("kill -9 $$"));
        dies.start();
        REQUIRE(dies.ended());
        CHECK(dies.ends[0] == child_status{-1, SIGKILL});
        CHECK(dies.gave_up.empty());
    }
    CHECK(no_child_left());
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a child that cannot be started is an error of start", "[child]") {
    world all({.program = "/no/such/program"}, {.when = kind::always});
    all.one->start(all.why);
    CHECK(all.why.code == std::errc::no_such_file_or_directory);
    CHECK_FALSE(all.one->is_running());
    run_ready(all.context);
    CHECK(all.ends.empty());
    all.one->signal(SIGTERM, all.why);
    CHECK(all.why.code == std::errc::no_such_process);
}

TEST_CASE("starting a running child has no effect", "[child]") {
    world all(shell("exec sleep 1000"));
    all.start();
    const pid_t pid = all.one->pid();
    all.start();
    CHECK(all.one->pid() == pid);
    CHECK(all.one->starts() == 1);
}

TEST_CASE("two hundred children that end together are all reported, and a child of the program stays its own", "[child]") {
    asio::io_context context;
    const pid_t own = ::fork();
    if (own == 0) ::_exit(42);
    std::vector<std::unique_ptr<child>> many;
    int ended = 0, right = 0;
    for (int i = 0; i < 200; ++i) {
        many.push_back(std::make_unique<child>(context, shell("exit " + std::to_string(i))));
        many.back()->on.on_ended = [&, i](const child_status& how, auto) {
            ++ended;
            right += how == child_status{i, 0};
        };
        mato::failure why;
        many.back()->start(why);
        REQUIRE_FALSE(why);
    }
    CHECK(run_until(context, [&] { return ended == 200; }));
    CHECK(right == 200);
    int status = 0;
    CHECK(::waitpid(own, &status, 0) == own);
    CHECK(WEXITSTATUS(status) == 42);
}

TEST_CASE("a failed child is started again after waits that double, and a successful one is not", "[child]") {
    world all(shell("exit 1"), {.when = kind::after_failure, .first = 1ms, .longest = 5ms});
    all.start();
    REQUIRE(all.ended(6));
    std::vector<long> waits;
    for (std::size_t i = 0; i < 6; ++i) waits.push_back(all.waits[i] ? static_cast<long>(all.waits[i]->count()) : -1);
    CHECK(waits == std::vector<long>{1, 2, 4, 5, 5, 5});
    CHECK(all.one->starts() >= 6);
    CHECK(all.gave_up.empty());
    world done(shell("exit 0"), {.when = kind::after_failure, .first = 0ms});
    done.start();
    REQUIRE(done.ended());
    CHECK_FALSE(done.waits[0]);
    world again(shell("exit 0"), {.when = kind::always, .first = 0ms});
    again.start();
    CHECK(again.ended(3));
}

TEST_CASE("after too many starts in a row a child is given up", "[child]") {
    world all(shell("exit 1"), {.when = kind::always, .first = 0ms, .most = 3});
    all.start();
    REQUIRE(run_until(all.context, [&] { return !all.gave_up.empty(); }));
    CHECK(all.ends.size() == 4);
    CHECK_FALSE(all.waits.back());
    CHECK(all.gave_up[0].code == mato::errc::busy);
    CHECK(all.gave_up[0].message() == "start /bin/sh: it ended 4 times in a row; it is not started again");
    CHECK_FALSE(all.one->is_running());
}

TEST_CASE("a stable run begins the waits again", "[child]") {
    world all(shell("exit 1"), {.when = kind::always, .first = 1ms, .longest = 1s, .stable = 0ms, .most = 1});
    all.start();
    REQUIRE(all.ended(4)); // each run is stable, so `most` is never reached
    for (std::size_t i = 0; i < 4; ++i) CHECK(all.waits[i] == mato::milliseconds(1));
}

TEST_CASE("a program that is gone at a restart is given up with the reason", "[child]") {
    const support::temp_directory directory;
    const auto program = directory / "program";
    support::write_file(program, "#!/bin/sh\nexit 1\n");
    REQUIRE(::chmod(program.c_str(), 0700) == 0);
    world all({.program = program}, {.when = kind::always, .first = 1ms});
    all.start();
    std::filesystem::remove(program);
    REQUIRE(run_until(all.context, [&] { return !all.gave_up.empty(); }));
    CHECK(all.gave_up[0].code == std::errc::no_such_file_or_directory);
    CHECK(all.gave_up[0].path == program);
}

TEST_CASE("stopping is SIGTERM, and SIGKILL for who ignores it; done is called once, after on_ended", "[child]") {
    const bool polite = GENERATE(true, false);
    const support::temp_directory directory;
    world all(shell((polite ? "trap 'exit 3' TERM" : "trap '' TERM") + std::string("; : >\"$0\"; while :; do sleep 1; done")),
              {.when = kind::always, .first = 0ms});
    auto what =
        shell((polite ? "trap 'exit 3' TERM" : "trap '' TERM") + std::string("; : >ready; while :; do sleep 0.01; done"));
    what.directory = directory.path();
    all.one->set_options(what);
    all.start();
    REQUIRE(run_until(all.context, [&] { return std::filesystem::exists(directory / "ready"); }));
    std::string told;
    all.one->stop(polite ? 20s : 30ms, [&] { told += all.ends.size() == 1 ? "first " : "early "; });
    all.one->stop(polite ? 20s : 30ms, [&] { told += "second "; });
    CHECK(told.empty());
    REQUIRE(run_until(all.context, [&] { return told == "first second "; }));
    CHECK(all.ends[0] == (polite ? child_status{3, 0} : child_status{-1, SIGKILL}));
    CHECK_FALSE(all.waits[0]); // it is not started again
    run_ready(all.context);
    CHECK_FALSE(all.one->is_running());
    all.one->stop(1s, [&] { told += "third"; });
    CHECK(told == "first second ");
    run_ready(all.context);
    CHECK(told == "first second third");
    all.start(); // it may be started again
    CHECK(all.one->is_running());
}

TEST_CASE("stopping ends a child that waits for its restart, and the children of a child", "[child]") {
    world waits(shell("exit 1"), {.when = kind::always, .first = 1h, .longest = 1h});
    waits.start();
    REQUIRE(waits.ended());
    bool done = false;
    waits.one->stop(1s, [&] { done = true; });
    REQUIRE(run_until(waits.context, [&] { return done; }));
    waits.context.restart();
    CHECK(waits.context.run() == 0); // no restart is pending

    const support::temp_directory directory;
    auto what = shell("trap '' TERM; sleep 1000 & trap 'exit 0' TERM; echo $! >pid; mv pid ready; while :; do wait; done");
    what.directory = directory.path();
    world all(what);
    all.start();
    REQUIRE(run_until(all.context, [&] { return std::filesystem::exists(directory / "ready"); }));
    const pid_t grandchild = std::atoi(support::read_file(directory / "ready").c_str());
    REQUIRE(grandchild > 1);
    done = false;
    all.one->stop(20s, [&] { done = true; });
    CHECK(run_until(all.context, [&] { return done; }));
    CHECK(run_until(all.context, [&] {
        const std::string state =
            support::read_file("/proc/" + std::to_string(grandchild) + "/stat"); // may be a zombie of init
        return !is_alive(grandchild) || state.find(") Z ") != std::string::npos;
    }));
}

TEST_CASE("destroying a child kills it and waits for it, also inside its own callbacks and with its loop", "[child]") {
    const auto before = support::open_descriptors();
    {
        world all(shell("trap '' TERM; exec sleep 1000"));
        all.start();
        const pid_t pid = all.one->pid();
        all.one.reset();
        CHECK_FALSE(is_alive(pid));
        CHECK(no_child_left());
        run_ready(all.context);
        CHECK(all.ends.empty());

        world inside(shell("exec sleep 1000"));
        inside.one->on.on_started = [&](pid_t) { inside.one.reset(); };
        inside.one->start(inside.why);
        CHECK(no_child_left());

        world at_end(shell("exit 1"), {.when = kind::always, .first = 0ms});
        bool is_done = false, has_ended = false;
        at_end.one->on.on_ended = [&](const child_status&, auto) {
            has_ended = true;
            at_end.one.reset();
        };
        at_end.start();
        at_end.one->stop(20s, [&] { is_done = true; });
        CHECK(run_until(at_end.context, [&] { return has_ended; }));
        run_ready(at_end.context);
        CHECK_FALSE(is_done);

        std::optional<child> outlives;
        {
            asio::io_context context;
            outlives.emplace(context, shell("exec sleep 1000"));
            mato::failure why;
            outlives->start(why);
            CHECK(outlives->is_running());
        }
        CHECK(no_child_left()); // the loop that watched it is gone
        CHECK_FALSE(outlives->is_running());
        mato::failure why;
        outlives->start(why);
        outlives->stop(1s, [] { FAIL("called"); });
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("an exception of a callback leaves run(), and the child goes on", "[child]") {
    world all(shell("exit 1"), {.when = kind::always, .first = 1ms});
    int thrown = 0;
    all.one->on.on_ended = [&](const child_status&, auto) {
        if (++thrown == 1) throw std::runtime_error("first");
    };
    all.start();
    CHECK_THROWS_AS(run_until(all.context, [&] { return thrown == 2; }), std::runtime_error);
    CHECK(run_until(all.context, [&] { return thrown == 3; }));
}

TEST_CASE("a child that another part of the program has waited for is reported without a status", "[child]") {
    world all(shell("exit 5"), {.when = kind::not_again});
    all.start();
    int status = 0;
    REQUIRE(::waitpid(all.one->pid(), &status, 0) == all.one->pid());
    REQUIRE(all.ended());
    CHECK(all.ends[0] == child_status{-1, 0});
}

TEST_CASE("the sample of a child", "[samples]") {
    asio::io_context context;
    mato::failure why;
    mato::child worker(context, {.program = "/bin/sh", .arguments = {"-c", "exit 3"}},
                       {.when = mato::child_restart::kind::after_failure, .first = std::chrono::milliseconds(1)});
    worker.on.on_ended = [&](const mato::child_status& how, std::optional<mato::milliseconds> again) {
        if (again) std::printf("exit code %d; it starts again in %ld ms\n", how.exit_code, static_cast<long>(again->count()));
    };
    worker.start(why);
    CHECK(run_until(context, [&] { return worker.starts() >= 3; }));
}
