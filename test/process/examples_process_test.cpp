// SPDX-License-Identifier: MIT
/// @file examples_process_test.cpp: the example programs, as a user would run them.
#include <mato/client.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_directory.hpp"

#include <csignal>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
const std::string examples = EXAMPLES_DIRECTORY;

int run(const std::string& program, const std::filesystem::path& directory, const char* word = nullptr) {
    return support::in_child([&] {
        ::execl((examples + "/" + program).c_str(), program.c_str(), directory.c_str(), word, nullptr);
        return 127;
    });
}

/// Ends the daemon of `directory` politely and waits until its socket's name is gone and its lock is free.
void stop(const std::filesystem::path& directory) {
    const auto paths = mato::daemon_paths::in(directory);
    mato::failure why;
    auto client = mato::client::connect(mato::owned_path(paths.socket), mato::deadline::in(10s), why);
    REQUIRE_FALSE(why);
    REQUIRE(mato::instance_lock::signal_holder(paths.lock, SIGTERM, why) > 0);
    while (client.receive(mato::deadline::in(10s), why)) {
    }
    CHECK(why.code == mato::errc::closed); // last of all: everything else is gone
    CHECK_FALSE(std::filesystem::exists(paths.socket));
    CHECK_FALSE(std::filesystem::exists(paths.pid));
    CHECK_FALSE(std::filesystem::exists(paths.lock));
}

} // namespace

TEST_CASE("the echo daemon serves when its start returns, starts once, echoes, and leaves nothing", "[examples]") {
    const support::temp_directory directory;
    REQUIRE(run("01_echo_daemon", directory.path()) == mato::exit_code::ok);
    CHECK(run("01_echo_daemon", directory.path()) == mato::exit_code::already_running);

    mato::failure why;
    const auto until = mato::deadline::in(10s);
    auto client = mato::client::connect(mato::owned_path(directory.path() / "daemon.sock"), until, why);
    REQUIRE_FALSE(why);
    client.send("to and fro", until, why);
    CHECK(client.receive(until, why).value_or("") == "to and fro");
    CHECK_FALSE(why);
    stop(directory.path());
}

TEST_CASE("the echo daemon tells its starter why it cannot start", "[examples]") {
    const support::temp_directory directory;
    std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
    CHECK(run("01_echo_daemon", directory.path()) == mato::exit_code::not_permitted);
    std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
    CHECK(run("01_echo_daemon", directory.path() / std::string(120, 'x')) == mato::exit_code::unavailable); // name too long
}

TEST_CASE("many clients at once start one daemon between them", "[examples]") {
    const support::temp_directory directory;
    std::vector<support::child_process> clients;
    for (int i = 0; i < 20; ++i)
        clients.emplace_back([&] {
            ::execl((examples + "/02_connect_or_start").c_str(), "02_connect_or_start", directory.path().c_str(), "word",
                    nullptr);
            return 127;
        });
    for (auto& each : clients) CHECK(each.wait() == 0);
    stop(directory.path());
}
