// SPDX-License-Identifier: MIT
// The log of a daemon whose clients disconnect in any way: no noise, and never more than its limit.
#include "support/pty_client.hpp"

#include <mato/endpoint.hpp>
#include <mato/framing.hpp>

#include "protocol/messages.hpp"

using namespace support;

namespace {

/// Clients that disconnect in every possible way: killed during a flood, with unread answers, with their reader gone.
void come_and_go(const mato_world& world) {
    world.must({"new", "-d", "-n", "flood", "--", "exec yes"});
    for (const char* way : {"direct", "relayed"}) {
        std::vector<std::string> words{"attach", "flood"};
        if (std::string(way) == "relayed") words.push_back("--relay");
        pty_client client(world, words);
        REQUIRE(client.wait_for("y"));
        client.signal(SIGKILL);
        client.wait();
    }
    for (const char* command : {"events", "control"}) {
        auto reader = world.start({command}, {.input = command == std::string("control") ? "wait flood --exit\n" : ""});
        REQUIRE(reader.wait_for_output("snapshot"));
        reader.signal(SIGKILL);
        reader.wait();
    }
    auto recording = world.start({"record", "flood", "-"});
    REQUIRE(recording.wait_for_output("y"));
    recording.signal(SIGKILL);
    recording.wait();
    for (int n = 0; n < 3; ++n) { // the answer goes to a closed socket, or is never read
        std::error_code why;
        auto socket = mato::owned_path(world.socket()).connect(why);
        REQUIRE_FALSE(why);
        std::string hello;
        mato::failure never;
        mato::length_prefixed<>::append(hello, mux::encode<mux::message::hello>(1, mux::hello()), never);
        mato::length_prefixed<>::append(hello, mux::encode<mux::message::status>(2), never);
        CHECK(mato::sys::send(socket.get(), hello.data(), hello.size()) == static_cast<ssize_t>(hello.size()));
    }
    world.must({"kill", "flood"});
}

} // namespace

TEST_CASE("broken connections are logged at debug level, and otherwise the log is as after normal ends", "[mato][log]") {
    const std::string level = GENERATE("info", "debug");
    mato_world world;
    world.configure("exit_empty = false\n[log]\nlevel = \"" + level + "\"\n");
    come_and_go(world);
    REQUIRE(wait_until([&] { return world.connected() == 0; })); // all are closed
    const std::string log = world.log();
    INFO(log);
    CHECK_FALSE(contains(log, " warning: "));
    CHECK_FALSE(contains(log, " error: "));
    if (level == "info") CHECK_FALSE(contains(log, "closed client"));
    if (level == "debug") CHECK(count_of(log, " debug: closed client") >= 8);
}

TEST_CASE("the log stays within its limit, whatever happens", "[mato][log]") {
    mato_world world;
    world.configure("exit_empty = false\n[log]\nlevel = \"debug\"\nmax_bytes = 4096\nkeep = 2\n");
    world.open_tab();
    std::string commands;
    for (int n = 0; n < 500; ++n) commands += "reload\n";
    world.must({"control"}, {.input = commands});
    for (int n = 0; n < 20; ++n) world.must({"has", "1"});
    std::size_t files = 0;
    for (const auto& each : std::filesystem::directory_iterator(world.state())) {
        const std::string name = each.path().filename().native();
        if (!name.starts_with("daemon.log")) continue;
        ++files;
        INFO(name);
        CHECK(each.file_size() <= 4096);
        CHECK(each.file_size() > 0);
        if (name != "daemon.log") std::filesystem::remove(each.path()); // the test's world knows only that one
    }
    CHECK(files == 3);
}
