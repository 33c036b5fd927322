// SPDX-License-Identifier: MIT
/// @file keeper_renewal_process_test.cpp: after an upgrade the keeper becomes the new program too, or stays when that fails.
#include "support/launched_program.hpp"

#include <algorithm>
#include <sys/stat.h>

using namespace std::chrono_literals;
using support::contains;
using support::launched;
using support::wait_until;

namespace {

std::string program_of(pid_t process) {
    std::error_code gone;
    return std::filesystem::read_symlink("/proc/" + std::to_string(process) + "/exe", gone).native();
}

std::string copy_in(const support::temp_directory& directory, const std::string& name) {
    const auto copy = (directory / name).native();
    std::filesystem::copy_file(UPGRADABLE_DAEMON, copy);
    ::chmod(copy.c_str(), 0700);
    return copy;
}

void upgrade_to(const launched& daemon, const std::string& program) {
    auto client = daemon.connect();
    CHECK(daemon.upgrade(client, program).empty());
}

/// Kills the process that serves, and waits for its end.
void kill_worker(const launched& daemon) {
    REQUIRE(wait_until([&] { return daemon.workers().size() == 1; }));
    const pid_t victim = daemon.workers().front();
    ::kill(victim, SIGKILL);
    REQUIRE(wait_until([&] { return !support::is_running(victim); }));
}

bool has_logged(const launched& daemon, std::string_view text) {
    return std::ranges::any_of(daemon.log(), [&](const std::string& line) { return contains(line, text); });
}

} // namespace

TEST_CASE("upgrade_keeper_renews: the keeper becomes the new program, with all that it holds", "[upgrade][renewal]") {
    const support::temp_directory elsewhere;
    launched daemon;
    REQUIRE(daemon.is_ready);
    const auto lock = support::read_file(daemon.options().paths.lock);
    CHECK(daemon.ask("x") == "1 of 1");
    for (int round = 1; round <= 3; ++round) {
        const std::string copy = copy_in(elsewhere, "program" + std::to_string(round));
        upgrade_to(daemon, copy);
        REQUIRE(wait_until([&] { return program_of(daemon.keeper()) == copy; }));
        CHECK(daemon.ask("x") == std::to_string(2 * round) + " of " + std::to_string(2 * round));
        kill_worker(daemon); // the renewed keeper starts the next one
        CHECK(daemon.ask("x") == std::to_string(2 * round + 1) + " of " + std::to_string(2 * round + 1));
        CHECK(daemon.ask("extra") == "yes"); // a kept descriptor
        CHECK(support::read_file(daemon.options().paths.lock) == lock);
    }
    const mato::unique_fd second = mato::unique_fd(::open(daemon.options().paths.lock.c_str(), O_RDWR | O_CLOEXEC));
    CHECK(::flock(second.get(), LOCK_EX | LOCK_NB) == -1); // the lock is held
    CHECK_FALSE(has_logged(daemon, "the keeper stays"));
    CHECK(daemon.stop() == 0);
    CHECK(daemon.directory.names() == std::vector<std::string>{"daemon.log"});
}

TEST_CASE("a check of an upgrade renews no keeper, and a rolled back one does not either", "[upgrade][renewal]") {
    const support::temp_directory elsewhere;
    launched daemon;
    REQUIRE(daemon.is_ready);
    const std::string before = program_of(daemon.keeper()), copy = copy_in(elsewhere, "program");
    auto client = daemon.connect();
    CHECK(daemon.check(client, copy) == "it could");
    daemon.let_next("setup throws");
    CHECK_FALSE(daemon.upgrade(client, copy).empty());
    CHECK(wait_until([&] { return daemon.workers().size() == 1; }));
    CHECK(program_of(daemon.keeper()) == before);
    CHECK(daemon.stop() == 0);
}

TEST_CASE("a program that cannot be the keeper serves all the same: the keeper stays", "[upgrade][renewal]") {
    const std::string behaviour = GENERATE("cannot be the keeper", "knows no renewal", "hangs as the keeper");
    INFO(behaviour);
    const support::temp_directory elsewhere;
    launched daemon;
    REQUIRE(daemon.is_ready);
    const std::string before = program_of(daemon.keeper()), copy = copy_in(elsewhere, "program");
    daemon.let_next(behaviour);
    upgrade_to(daemon, copy);
    CHECK(daemon.ask("x") == "1 of 2");
    REQUIRE(wait_until([&] { return has_logged(daemon, "the keeper stays"); }, 30s));
    CHECK(program_of(daemon.keeper()) == before);
    kill_worker(daemon);
    CHECK(daemon.ask("x") == "2 of 3"); // of the new program
    REQUIRE(wait_until([&] { return daemon.workers().size() == 1; }));
    CHECK(program_of(daemon.workers().front()) == copy);
    daemon.let_next("");
    upgrade_to(daemon, copy); // the next upgrade renews it
    CHECK(wait_until([&] { return program_of(daemon.keeper()) == copy; }));
    CHECK(daemon.ask("x") == "3 of 4");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("a keeper that dies when it has become the new program ends nothing: the worker goes on", "[upgrade][renewal]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    const auto old = daemon.workers();
    daemon.let_next("dies as the keeper");
    upgrade_to(daemon, {});
    REQUIRE(wait_until([&] { return !support::is_running(daemon.keeper()); }));
    CHECK(daemon.ask("x") == "1 of 2");
    CHECK(wait_until([&] { return has_logged(daemon, "the keeper died"); }));
    const pid_t worker = std::atoi(support::read_file(daemon.options().paths.lock).c_str());
    CHECK(worker != daemon.keeper());
    ::kill(worker, SIGTERM);
    CHECK(wait_until([&] { return daemon.directory.names() == std::vector<std::string>{"behaviour", "daemon.log"}; }));
}

TEST_CASE("requests, signals and deaths while the keeper becomes the new program are not lost", "[upgrade][renewal]") {
    launched daemon;
    REQUIRE(daemon.is_ready);
    int count = 0;
    for (int round = 0; round < 15; ++round) {
        upgrade_to(daemon, {});
        if (round % 3 == 0) {
            const auto all = daemon.workers(); // the worker, and perhaps the one that checks
            if (!all.empty()) ::kill(all[static_cast<std::size_t>(round) % all.size()], SIGKILL);
        }
        if (round % 3 == 1) ::kill(daemon.keeper(), SIGHUP);
        CHECK(daemon.ask("x").starts_with(std::to_string(++count) + " of "));
    }
    CHECK(daemon.ask("extra") == "yes");
    CHECK(daemon.stop() == 0);
    CHECK(daemon.directory.names() == std::vector<std::string>{"daemon.log"});
}
