// SPDX-License-Identifier: MIT
/// @file kept_test.cpp: what a worker gives to its keeper, and what the next worker finds.
#include <mato/kept.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/kept_workers.hpp"

#include <sys/resource.h>

using namespace std::chrono_literals;
using namespace support;

namespace {

/// In a worker: ends it with the number of the line that does not hold.
#define HOLDS(fact)                                                                                                            \
    if (!(fact)) return __LINE__ % 200 + support::first_failure

struct pipe_ends {
    int ends[2];
    pipe_ends() { REQUIRE(::pipe2(ends, O_CLOEXEC) == 0); }
    ~pipe_ends() { close_reader(), close_writer(); }
    void close_reader() { ::close(std::exchange(ends[0], -1)); }
    void close_writer() { ::close(std::exchange(ends[1], -1)); }
};

} // namespace

// ---- the contract ----

TEST_CASE("a kept descriptor outlives the worker, and is taken once", "[kept]") {
    pipe_ends pipe;
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        if (side.number().number == 1) {
            HOLDS(side.take_all().empty());
            side.keep("writer", pipe.ends[1], why);
            HOLDS(!why && side.has("writer") && !side.has("reader"));
            HOLDS(side.take_all().empty()); // this generation gave it
            side.say_serving();
            die_of(SIGKILL);
        }
        auto items = side.take_all();
        HOLDS(items.size() == 1 && items[0].name == "writer" && items[0].child == 0 && !items[0].status);
        HOLDS(::fcntl(items[0].descriptor.get(), F_GETFD) == FD_CLOEXEC);
        HOLDS(side.take_all().empty());
        HOLDS(::write(items[0].descriptor.get(), side.number().number == 2 ? "2" : "3", 1) == 1);
        side.say_serving();
        if (side.number().number == 2) die_of(SIGSEGV);
        side.drop("writer");
        return 0;
    });
    CHECK(keeper.wait() == 0);
    pipe.close_writer();
    char got[4];
    CHECK(::read(pipe.ends[0], got, sizeof got) == 2);
    CHECK(std::string_view(got, 2) == "23");
    CHECK(::read(pipe.ends[0], got, 1) == 0); // dropped: no process has it
}

TEST_CASE("after a drop the keeper has no copy: the other end sees end-of-file", "[kept]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        int ends[2]; // made here, so that the keeper has only what it is given
        HOLDS(::pipe2(ends, O_CLOEXEC) == 0);
        side.keep("writer", ends[1], why);
        HOLDS(!why);
        ::close(ends[1]);
        HOLDS(!support::await_readable(ends[0], 0ms));
        side.drop("writer");
        char byte;
        HOLDS(support::await_readable(ends[0]) && ::read(ends[0], &byte, 1) == 0);
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("memory goes on where the dead worker left it", "[kept]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        auto memory = side.memory("count", 4096, why);
        HOLDS(!why && memory.size() == 4096);
        HOLDS(memory.bytes()[0] == static_cast<char>(side.number().number - 1)); // zeroes at first
        memory.bytes()[0] = static_cast<char>(side.number().number);
        HOLDS(!side.memory("count", 4096, why) && why.code == std::errc::file_exists);
        HOLDS(side.take_all().empty()); // memory files are had by name alone
        side.say_serving();
        if (side.number().number < 20) die_of(SIGKILL);
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("memory of another size, and a name that is a descriptor, are refused", "[kept]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        if (side.number().number == 1) {
            HOLDS(side.memory("state", 100, why) && !why);
            side.keep("null", ::open("/dev/null", O_RDONLY | O_CLOEXEC), why);
            side.say_serving();
            die_of(SIGKILL);
        }
        HOLDS(!side.memory("state", 101, why) && why.code == std::errc::invalid_argument);
        HOLDS(why.message().find("100 bytes") != std::string::npos);
        HOLDS(!side.memory("null", 100, why) && why.code == std::errc::file_exists);
        HOLDS(side.memory("state", 100, why) && !why); // the refusal has not lost it
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("a kept name gets a new descriptor; the next worker finds that one", "[kept]") {
    pipe_ends first, second;
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        if (side.number().number == 1) {
            side.keep("x", first.ends[1], why);
            HOLDS(!why);
            side.keep("x", second.ends[1], why);
            HOLDS(!why);
            side.say_serving();
            die_of(SIGKILL);
        }
        auto items = side.take_all();
        HOLDS(items.size() == 1 && ::write(items[0].descriptor.get(), "x", 1) == 1);
        return 0;
    });
    CHECK(keeper.wait() == 0);
    CHECK(support::await_readable(second.ends[0], 0ms));
    CHECK_FALSE(support::await_readable(first.ends[0], 0ms));
}

TEST_CASE("a thousand items, in several generations, all with the right descriptor", "[kept]") {
    constexpr int many = 800; // of the usual 1 024 descriptors
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        if (side.number().number == 1) {
            for (int i = 0; i < many; ++i) {
                auto memory = mato::memory_file::create("x", 8, why);
                HOLDS(!why);
                std::memcpy(memory.bytes().data(), &i, sizeof i);
                side.keep("item " + std::to_string(i), memory.native_handle(), why);
                HOLDS(!why);
            }
            side.say_serving();
            die_of(SIGKILL);
        }
        auto items = side.take_all();
        HOLDS(items.size() == many);
        for (auto& each : items) {
            int number = -1;
            HOLDS(::pread(each.descriptor.get(), &number, sizeof number, 0) == sizeof number);
            HOLDS(each.name == "item " + std::to_string(number));
            if (side.number().number == 3) side.drop(each.name);
        }
        side.say_serving();
        if (side.number().number == 2) die_of(SIGKILL);
        HOLDS(!side.has("item 0"));
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

// ---- children ----

TEST_CASE("items that are given together are all kept, whatever their number", "[kept]") {
    const std::size_t count = GENERATE(std::size_t{0}, std::size_t{1}, mato::kept::most_unanswered,
                                       mato::kept::most_unanswered + 1, std::size_t{100});
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        const auto name_of = [](std::size_t i) { return "item/" + std::to_string(i); };
        if (side.number().number == 1) {
            std::vector<std::string> names;
            std::vector<pipe_ends> pipes(count);
            std::vector<mato::keep_request> items;
            for (std::size_t i = 0; i < count; ++i) names.push_back(name_of(i));
            for (std::size_t i = 0; i < count; ++i) {
                const char content = static_cast<char>('a' + i % 26);
                HOLDS(::write(pipes[i].ends[1], &content, 1) == 1);
                items.push_back({names[i], pipes[i].ends[0]});
            }
            side.keep(items, why);
            HOLDS(!why);
            for (const std::string& each : names) HOLDS(side.has(each));
            side.say_serving();
            die_of(SIGKILL);
        }
        const auto items = side.take_all();
        HOLDS(items.size() == count);
        for (std::size_t i = 0; i < count; ++i) {
            char content = 0;
            HOLDS(items[i].name == name_of(i));
            HOLDS(::read(items[i].descriptor.get(), &content, 1) == 1 && content == static_cast<char>('a' + i % 26));
        }
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("of items that are given together those before a refused one are kept, and the refusal is told", "[kept]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        pipe_ends pipe, other;
        const auto refused = [&](std::vector<mato::keep_request> items, std::error_code expected) {
            side.keep(items, why);
            return why.code == expected;
        };
        HOLDS(refused({{"a", pipe.ends[0]}, {"", pipe.ends[1]}, {"b", pipe.ends[1]}},
                      std::make_error_code(std::errc::invalid_argument)));
        HOLDS(side.has("a") && !side.has("b"));
        HOLDS(refused({{"b", -1}}, std::make_error_code(std::errc::invalid_argument)));
        HOLDS(refused({{"c", pipe.ends[1]}, {"d", 10'000}}, {EBADF, std::system_category()}));
        HOLDS(side.has("c") && !side.has("d"));
        const std::vector<mato::keep_request> again{{"a", pipe.ends[1]}, {"a", other.ends[1]}, {"e", other.ends[0]}};
        side.keep(again, why); // a name that is kept gets the new descriptor
        HOLDS(!why && side.has("e"));
        side.drop("a"), side.drop("c"), side.drop("e");
        HOLDS(!side.has("a") && !side.has("c") && !side.has("e"));
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("a child that ends while no worker lives, or under the next one, leaves its status", "[kept]") {
    const bool before_the_death = GENERATE(true, false);
    const int signal = GENERATE(0, SIGUSR2);
    pipe_ends gate;
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        if (side.number().number == 1) {
            const pid_t child = ::fork();
            if (child == 0) {
                char byte;
                if (::read(gate.ends[0], &byte, 1) != 1) ::_exit(1);
                if (signal != 0) die_of(signal);
                ::_exit(42);
            }
            side.keep("child", -1, {.child = child}, why);
            HOLDS(!why);
            side.say_serving();
            if (before_the_death) {
                HOLDS(::write(gate.ends[1], "x", 1) == 1);
                siginfo_t ended{};
                HOLDS(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
            }
            die_of(SIGKILL);
        }
        auto items = side.take_all();
        HOLDS(items.size() == 1 && items[0].child > 1 && !items[0].descriptor);
        side.say_serving();
        mato::child_status status;
        if (items[0].status) {
            status = *items[0].status;
        } else {
            HOLDS(::write(gate.ends[1], "x", 1) == 1);
            const auto event = await_event(side, event_kind::child);
            HOLDS(event && event->name == "child");
            status = event->status;
        }
        HOLDS(status == (signal != 0 ? mato::child_status{-1, signal} : mato::child_status{42, 0}));
        if (side.number().number == 2) die_of(SIGKILL);
        HOLDS(items[0].status); // told to the one before, and still there until it is dropped
        side.drop("child");
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("a descriptor and its child are kept together", "[kept]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        mato::failure why;
        if (side.number().number == 1) {
            const pid_t child = ::fork();
            if (child == 0)
                for (;;) ::pause();
            side.keep("both", ::open("/dev/null", O_RDONLY | O_CLOEXEC), {.child = child}, why);
            HOLDS(!why);
            side.say_serving();
            die_of(SIGKILL);
        }
        auto items = side.take_all();
        HOLDS(items.size() == 1);
        HOLDS(items[0].descriptor && items[0].child > 1);
        HOLDS(!items[0].status);
        HOLDS(support::is_running(items[0].child));
        ::kill(items[0].child, SIGKILL);
        const auto event = await_event(side, event_kind::child);
        HOLDS(event && event->status == (mato::child_status{-1, SIGKILL}));
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

// ---- the refusals ----

TEST_CASE("names and items that cannot be kept are refused, and the keeper is unharmed", "[kept]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        mato::failure why;
        for (const std::string& name : {std::string(), std::string(64, 'n'), std::string("a\0b", 3)}) {
            side.keep(name, null, why);
            HOLDS(why.code == std::errc::invalid_argument && why.step == "keep");
            HOLDS(!side.memory(name, 8, why) && why);
        }
        side.keep("nothing", -1, why);
        HOLDS(why.code == std::errc::invalid_argument);
        side.keep("closed", 987, why);
        HOLDS(why.code == std::errc::bad_file_descriptor && side.keeper() != 0);
        side.keep(std::string(63, 'n'), null, why);
        HOLDS(!why);
        side.drop("unknown");
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("a keeper without a free descriptor says so, and goes on when there is one", "[kept]") {
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct rlimit limit { // 16 of them stay free for the next worker
            36, 36
        };
        HOLDS(::prlimit(side.keeper(), RLIMIT_NOFILE, &limit, nullptr) == 0);
        mato::failure why;
        int kept = 0;
        for (; kept < 100 && !why; ++kept) side.keep(std::to_string(kept), null, why);
        HOLDS(why.code == std::errc::too_many_files_open && kept > 2 && kept < 21);
        HOLDS(!side.has(std::to_string(kept - 1)));
        side.drop("0");
        side.keep("again", null, why);
        HOLDS(!why);
        return 0;
    });
    CHECK(keeper.wait() == 0);
}

TEST_CASE("a keeper that is killed is told once; what comes after fails with a reason", "[kept]") {
    const mailbox<int> told;
    auto keeper = keeper_of([&](mato::kept& side) -> int {
        const auto body = [&]() -> int {
            const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
            mato::failure why;
            side.keep("x", null, why);
            HOLDS(!why);
            side.say_serving();
            told.put(::getpid());
            const auto event = await_event(side, event_kind::keeper_lost);
            HOLDS(event && side.keeper() == 0);
            HOLDS(!side.next());
            side.keep("y", null, why);
            HOLDS(why.code == mato::errc::not_running && why.message().find("restart") != std::string::npos);
            HOLDS(!side.memory("z", 8, why) && why.code == mato::errc::not_running);
            side.drop("x");
            side.stopped();
            return 0;
        };
        told.put(body());
        return 0;
    });
    REQUIRE(told.take());
    keeper.signal(SIGKILL);
    CHECK(told.take() == 0);
}
