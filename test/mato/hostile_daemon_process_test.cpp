// SPDX-License-Identifier: MIT
// A client that finds something unexpected on the daemon's socket.
#include "support/false_daemon.hpp"
#include "support/framed.hpp"

#include "protocol/messages.hpp"
#include <mato/framing.hpp>

using namespace support;
using mux::message;

namespace {

outcome meet(const mato_world& world, const false_daemon& there, const std::vector<std::string>& command,
             std::string_view bytes) {
    auto client = world.start(command);
    const auto held = there.answer(bytes);
    return client.wait();
}

const std::vector<std::vector<std::string>> commands = {{"ls"}, {"status"}, {"new", "-d"}, {"stop"}};

} // namespace

TEST_CASE("a daemon that supports no common version: its own message and exit code 3", "[mato][hostile]") {
    mato_world world;
    const false_daemon there(world.socket());
    for (const auto& command : commands) {
        const outcome went =
            meet(world, there, command,
                 framed(mux::encode<message::refused>(1, mux::refusal{3, "protocol versions differ: 7 to 9"})));
        INFO(command.front() << ": " << went.err);
        CHECK(went.exit_code == 3);
        CHECK(contains(went.err, "protocol versions differ: 7 to 9"));
    }
}

TEST_CASE("something else on the socket: exit code 3 for another program, an error for nonsense", "[mato][hostile]") {
    mato_world world;
    const false_daemon there(world.socket());
    for (const auto& command : commands) {
        const outcome stranger = meet(world, there, command, framed("220 mail.example.org ready"));
        INFO(command.front() << ": " << stranger.err);
        CHECK(stranger.exit_code == 3);
        CHECK(contains(stranger.err, "not a mato daemon"));
        const outcome huge = meet(world, there, command, "\xff\xff\xff\xff and much more");
        CHECK(huge.exit_code != 0);
        CHECK_FALSE(huge.err.empty());
    }
}

TEST_CASE("a daemon that greets and then is silent or gone", "[mato][hostile]") {
    mato_world world;
    const false_daemon there(world.socket());
    const std::string welcome = framed(mux::encode<message::welcome>(1, mux::welcome{}));
    const outcome silent = meet(world, there, {"status"}, welcome);
    CHECK(silent.exit_code == 2);
    CHECK(silent.took < (sanitized ? 3000ms : 1200ms));
    auto client = world.start({"send", "1", "text"});
    static_cast<void>(there.answer(welcome)); // and closed
    const outcome gone = client.wait();
    CHECK(gone.exit_code == 1);
    CHECK(contains(gone.err, "lost the connection"));
}
