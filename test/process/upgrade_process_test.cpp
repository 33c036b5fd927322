// SPDX-License-Identifier: MIT
/// @file upgrade_process_test.cpp: a daemon is replaced by a new program while it serves, or goes on when that fails.
#include <mato/client.hpp>

#include "support/answered_clients.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/launched_daemon.hpp"
#include "support/launched_program.hpp"
#include "support/process_facts.hpp"
#include "support/temp_directory.hpp"

#include <algorithm>
#include <fstream>
#include <random>
#include <sys/stat.h>

using namespace std::chrono_literals;
using support::contains;
using support::launched;
using support::temp_directory;
using names = std::vector<std::string>;

namespace {

/// The attempts to upgrade whose end is not in the log.
std::size_t attempts_without_end(const names& log) {
    std::size_t open = 0;
    bool is_open = false;
    for (const std::string& line : log) {
        const bool begins = contains(line, "upgrade: the new program starts");
        const bool ends = contains(line, "the new program takes over") || contains(line, "upgrade is rolled back") ||
                          (contains(line, "error") && contains(line, " upgrade: "));
        if (begins && is_open) ++open;
        is_open = begins || (is_open && !ends);
    }
    return open + (is_open ? 1 : 0);
}

std::string copy_of(const std::string& program, const temp_directory& directory, mode_t mode) {
    const auto copy = (directory / "program").native();
    std::filesystem::copy_file(program, copy);
    ::chmod(copy.c_str(), mode);
    return copy;
}

} // namespace

// ---- it takes over ----

TEST_CASE("an upgrade replaces the process: count, socket, lock and pid file go on, and nothing is left at the end",
          "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    const auto socket = support::inode_of(daemon.options().paths.socket);
    const auto lock = support::read_file(daemon.options().paths.lock);
    CHECK(daemon.ask("x") == "1 of 1");
    for (int generation = 2; generation <= 4; ++generation) {
        const auto before = daemon.workers();
        auto client = daemon.connect();
        CHECK(daemon.upgrade(client).empty()); // end-of-file: the old process has ended
        CHECK(daemon.ask("x") == std::to_string(generation) + " of " + std::to_string(generation));
        CHECK(support::wait_until([&] { return daemon.workers().size() == 1; })); // the program is also checked as a keeper
        CHECK(daemon.workers() != before);
        CHECK(support::inode_of(daemon.options().paths.socket) == socket);
        CHECK(support::read_file(daemon.options().paths.lock) == lock);
        CHECK(support::read_file(daemon.options().paths.pid) == std::to_string(daemon.keeper()) + "\n");
    }
    CHECK(daemon.ask("extra") == "yes");
    CHECK(daemon.stop() == 0);
    CHECK(daemon.directory.names() == names{"daemon.log"});
}

TEST_CASE("after an upgrade a killed worker is followed by the new program, also when its file is gone", "[upgrade]") {
    const int signal = GENERATE(SIGKILL, SIGABRT); // AddressSanitizer handles SIGSEGV and exits
    launched daemon;
    REQUIRE(daemon.is_ready);
    const auto copy = copy_of(UPGRADABLE_DAEMON, daemon.directory, 0700);
    auto client = daemon.connect();
    CHECK(daemon.upgrade(client, copy).empty());
    CHECK(daemon.ask("x") == "1 of 2");
    std::filesystem::remove(copy);
    for (int generation = 3; generation <= 6; ++generation) {
        REQUIRE(support::wait_until([&] { return daemon.workers().size() == 1; }));
        const auto before = daemon.workers();
        CHECK(contains(std::filesystem::read_symlink("/proc/" + std::to_string(before.front()) + "/exe").native(), copy));
        ::kill(before.front(), signal);
        REQUIRE(support::wait_until([&] { return !support::is_running(before.front()); }));
        CHECK(daemon.ask("x") == std::to_string(generation - 1) + " of " + std::to_string(generation));
    }
    CHECK(daemon.ask("extra") == "yes");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("after the commit and before any client the new program is told, and may write", "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    CHECK(daemon.ask("has taken over") == "no");
    auto client = daemon.connect();
    CHECK(daemon.upgrade(client).empty());
    CHECK(daemon.ask("has taken over") == "yes");
    daemon.let_next("throws once it has taken over");
    auto again = daemon.connect();
    CHECK(daemon.upgrade(again).empty());
    CHECK(daemon.ask("x") == "1 of 4"); // started again, as after a crash
    CHECK(std::ranges::any_of(daemon.log(), [](const std::string& line) { return contains(line, "the disk is full"); }));
    CHECK(daemon.stop() == 0);
}

// ---- it is only checked ----

TEST_CASE("a check says whether the new program could take over, and this process continues", "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    const auto before = daemon.workers();
    auto client = daemon.connect();
    for (int round = 1; round <= 3; ++round) {
        CHECK(daemon.check(client) == "it could");
        CHECK(support::ask(client, "thaws") == std::to_string(round));
        CHECK(support::wait_until([&] { return daemon.workers() == before; }));
    }
    daemon.let_next("setup throws");
    CHECK(contains(daemon.check(client), "format 7 is not known"));
    daemon.let_next("hangs");
    CHECK(contains(daemon.check(client, {}, 300ms), "did not take over in time"));
    daemon.let_next("setup keeps and throws");
    CHECK(contains(daemon.check(client), "after it kept"));
    CHECK(support::ask(client, "extra") == "yes");
    CHECK(support::ask(client, "x") == "1 of 1");
    daemon.let_next("");
    CHECK(daemon.upgrade(client).empty());
    CHECK(daemon.ask("x") == "2 of 2");
    CHECK(daemon.stop() == 0);
}

// ---- it is rolled back ----

TEST_CASE("a new program that fails before the commit changes nothing: session, count and kept items are there", "[upgrade]") {
    struct failing {
        const char* behaviour;
        const char* answer;
        const char* thaws;
    };
    const auto [behaviour, answer, thaws] = GENERATE(
        failing{"exits", "exited with 3", "0"}, failing{"dies", "died of signal 9", "0"},
        failing{"knows no upgrade", "exited with 75", "0"}, failing{"hangs", "did not take over in time", "0"},
        failing{"setup throws", "restore /state: format 7 is not known", "1"}, failing{"setup dies", "died of signal 9", "1"},
        failing{"setup hangs", "did not take over in time", "1"}, failing{"setup keeps and throws", "after it kept", "1"},
        failing{"setup replaces", "keep extra: Device or resource busy", "1"}, failing{"old refuses", "freeze: not now", "1"});
    INFO(behaviour);
    launched daemon;
    REQUIRE(daemon.is_ready);
    const auto before = daemon.workers();
    auto client = daemon.connect();
    CHECK(support::ask(client, "x") == "1 of 1");
    daemon.let_next(behaviour);
    const bool hangs = contains(behaviour, "hangs");
    for (int round = 1; round <= 2; ++round) { // a rollback leaves nothing that hinders the next upgrade
        CHECK(contains(daemon.upgrade(client, {}, hangs ? 300ms : 20s), answer));
        CHECK(support::ask(client, "x") == std::to_string(round + 1) + " of 1");
        CHECK(support::ask(client, "thaws") == (std::string(thaws) == "0" ? "0" : std::to_string(round)));
        CHECK(support::ask(client, "extra") == "yes");
        CHECK(support::wait_until([&] { return daemon.workers() == before; }));
    }
    daemon.let_next("");
    CHECK(daemon.upgrade(client).empty());
    CHECK(daemon.ask("x") == "4 of 2");
    CHECK(daemon.ask("extra") == "yes");
    CHECK(daemon.stop() == 0);
    CHECK(daemon.directory.names() == names{"behaviour", "daemon.log"});
}

TEST_CASE("a file that is no program for this user is refused, and the daemon goes on", "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    auto client = daemon.connect();
    const auto copy = copy_of(UPGRADABLE_DAEMON, daemon.directory, 0600);
    CHECK(contains(daemon.upgrade(client, copy), "not executable"));
    ::chmod(copy.c_str(), 0707);
    CHECK(contains(daemon.upgrade(client, copy), "every user may write"));
    CHECK(contains(daemon.upgrade(client, "/"), "not a regular file"));
    CHECK(contains(daemon.upgrade(client, "/no/such/file"), "upgrade"));
    std::filesystem::remove(copy);
    std::ofstream(copy) << "no program";
    ::chmod(copy.c_str(), 0700);
    CHECK(contains(daemon.upgrade(client, copy), "execute the new program: Exec format error"));
    CHECK(support::ask(client, "x") == "1 of 1");
}

// ---- deaths in the middle ----

TEST_CASE("the old worker dies while it freezes, or while the new program restores: a crash, and the new program is ended",
          "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    const auto old = daemon.workers();
    REQUIRE(old.size() == 1);
    auto client = daemon.connect();
    CHECK(support::ask(client, "x") == "1 of 1");
    const bool freezes = GENERATE(true, false);
    daemon.let_next(freezes ? "old dies" : "setup hangs");
    mato::failure why;
    client.send("upgrade 20000 " UPGRADABLE_DAEMON, mato::deadline::in(10s), why);
    REQUIRE_FALSE(why);
    if (freezes) {
        REQUIRE(support::wait_until([&] { return !support::is_running(old.front()); }));
    } else {
        REQUIRE(support::wait_until([&] { return daemon.workers().size() == 2; }));
        ::kill(old.front(), SIGKILL);
    }
    CHECK(daemon.ask("x") == "2 of 2");
    CHECK(support::wait_until([&] { return daemon.workers().size() == 1; }));
    CHECK(daemon.ask("extra") == "yes");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("the new program dies after the commit: it is started again, as after a crash", "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    auto client = daemon.connect();
    daemon.let_next("dies after the commit");
    CHECK(daemon.upgrade(client).empty());
    CHECK(daemon.ask("x") == "1 of 3");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("the keeper dies while the new program restores: the old worker goes on, and the new program ends", "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    auto client = daemon.connect();
    CHECK(support::ask(client, "x") == "1 of 1");
    const auto old = daemon.workers();
    daemon.let_next("setup hangs");
    mato::failure why;
    client.send("upgrade 20000 " UPGRADABLE_DAEMON, mato::deadline::in(10s), why);
    REQUIRE(support::wait_until([&] { return daemon.workers().size() == 2; }));
    const auto both = daemon.workers();
    ::kill(daemon.keeper(), SIGKILL);
    const auto answer = client.receive(mato::deadline::in(20s), why);
    REQUIRE(answer);
    CHECK(contains(*answer, "keeper"));
    CHECK(support::ask(client, "x") == "2 of 1");
    for (const pid_t each : both) ::kill(each, SIGKILL);
}

TEST_CASE("the keeper dies at any moment of an upgrade: exactly one of the two workers serves, and stops clean", "[upgrade]") {
    for (int pause = 0; pause < 12; ++pause) {
        INFO(pause << " ms");
        launched daemon;
        REQUIRE(daemon.is_ready);
        auto client = daemon.connect();
        CHECK(support::ask(client, "x") == "1 of 1");
        mato::failure why;
        client.send("upgrade 20000 " UPGRADABLE_DAEMON, mato::deadline::in(10s), why);
        REQUIRE_FALSE(why);
        ::poll(nullptr, 0, pause); // the moment is the test's input, not a wait for a fact
        ::kill(daemon.keeper(), SIGKILL);
        const std::string answer = daemon.ask("x");
        CHECK((answer == "2 of 1" || answer == "2 of 2"));
        CHECK(support::wait_until([&] {
            const auto holder = std::atoi(support::read_file(daemon.options().paths.lock).c_str());
            return holder > 1 && holder != daemon.keeper() && ::kill(holder, SIGTERM) == 0;
        }));
        CHECK(support::wait_until([&] { return daemon.directory.names() == names{"daemon.log"}; }));
        CHECK(support::wait_until([&] { return std::ranges::none_of(support::children_of(::getpid()), support::is_running); }));
    }
}

TEST_CASE("a stop during an upgrade ends the new program and stops the daemon", "[upgrade]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    auto client = daemon.connect();
    daemon.let_next(GENERATE("setup hangs", "hangs"));
    mato::failure why;
    client.send("upgrade 20000 " UPGRADABLE_DAEMON, mato::deadline::in(10s), why);
    REQUIRE(support::wait_until([&] { return daemon.workers().size() == 2; }));
    CHECK(daemon.stop() == 0);
    CHECK(daemon.directory.names() == names{"behaviour", "daemon.log"});
}

// ---- many ----

TEST_CASE("killed and upgraded under connecting clients: none is refused, and the count never goes back", "[upgrade]") {
    const char* const wanted = std::getenv("MATO_TEST_ROUNDS"); // 1: 50 kills, 20 upgrades, 46 000 connects
    const int rounds = wanted ? std::atoi(wanted) : 0;
    const int kills = rounds > 0 ? 50 * rounds : 10, upgrades = rounds > 0 ? 20 * rounds : 5;
    const std::uint64_t least = rounds > 0 ? 46'000u * static_cast<std::uint64_t>(rounds) : 0;
    launched daemon(HOT_RESTART);
    REQUIRE(daemon.is_ready);
    const support::mailbox<int> done;
    support::child_process disturber([&] {
        std::mt19937 random(7);
        int left_kills = kills, left_upgrades = upgrades;
        // the moments are the test's input, not waits for facts
        const auto pause = [&](unsigned most) { ::poll(nullptr, 0, static_cast<int>(random() % most)); };
        const auto kill_one = [&] {
            const auto victims = daemon.workers();
            if (victims.empty()) return;
            ::kill(victims[random() % victims.size()], SIGKILL);
            --left_kills;
        };
        while (left_kills > 0 || left_upgrades > 0) {
            pause(30);
            if (left_kills > 0 && static_cast<int>(random() % static_cast<unsigned>(kills + upgrades)) < kills) {
                kill_one();
                continue;
            }
            if (left_upgrades == 0) continue;
            mato::failure why;
            auto client = support::connect_to(daemon.options(), why);
            if (why) return 1;
            client.send("upgrade " HOT_RESTART, mato::deadline::in(20s), why);
            --left_upgrades;
            if (left_kills > 0 && random() % 2 == 0) { // during the upgrade: the old one or the new one
                pause(10);
                kill_one();
            }
            if (!why) static_cast<void>(client.receive(mato::deadline::in(20s), why));
        }
        done.put(1);
        return 0;
    });
    bool is_done = false;
    const auto [connects, answers, refused, back] =
        support::ask_one_after_the_other(daemon.options(), [&](std::uint64_t so_far) {
            is_done = is_done || done.take(0ms).has_value();
            return is_done && so_far >= least;
        });
    CHECK(refused == 0);
    CHECK(back == 0);
    CHECK(answers > 0);
    CHECK(disturber.wait() == 0);
    std::size_t took_over = 0;
    for (const std::string& line : daemon.log()) took_over += contains(line, "the new program takes over") ? 1 : 0;
    CHECK(took_over > 0);
    CHECK(took_over + static_cast<std::size_t>(kills) >= static_cast<std::size_t>(upgrades)); // each other one was killed
    std::string all;
    for (const std::string& line : daemon.log()) all += line + "\n";
    INFO(all);
    CHECK(attempts_without_end(daemon.log()) == 0);
    WARN(connects << " connects, " << answers << " answers, " << took_over << " of " << upgrades << " upgrades took over, "
                  << kills << " kills");
    CHECK(daemon.stop() == 0);
    CHECK(daemon.directory.names() == names{"daemon.log"});
}
