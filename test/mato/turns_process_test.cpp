// SPDX-License-Identifier: MIT
// Output of few bytes and much work: other tabs' keys come first, and no output is lost.
#include "support/asciicast_reader.hpp"
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

using namespace support;

namespace {

/// A shell command that prints `sequence` for ever. `sequence` is printf's format.
std::string floods(const std::string& sequence) { return "s=$(printf '" + sequence + "'); exec yes \"$s$s$s$s$s$s$s$s\""; }

} // namespace

TEST_CASE("while tabs flood with sequences that each cost a whole screen, keys in another tab are echoed", "[mato][turns]") {
    const auto flood = GENERATE(as<std::string>(), "\\033#8", "A\\033[65535b", "\\033[88;1;1;9999;9999$x",
                                "\\033[1;1;1;1;9999;9999*y", "\\033[?69h\\033[2;499s\\033[S", "\\033[4hA\\033[9999b");
    INFO(flood);
    mato_world world;
    for (int n = 0; n < 3; ++n) world.must({"new", "-d", "-x", "500", "-y", "150", "--", floods(flood)});
    world.must({"new", "-d", "-n", "quiet", "-x", "80", "-y", "24", "--", "stty raw -echo; printf ready; exec cat"});
    pty_client client(world, {"attach", "quiet"});
    REQUIRE(client.wait_for("ready"));
    for (const char key : std::string_view("abcdefghij")) {
        client.type(std::string(1, key));
        REQUIRE(client.wait_for_bytes(1));
    }
    CHECK(wait_until([&] { return contains(world.must({"capture", "quiet"}), "readyabcdefghij"); }));
    CHECK(count_of(world.must({"ls"}), "running") == 4);
}

TEST_CASE("all output of a program is shown, although it ended with much work left", "[mato][turns]") {
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += "\033#8";
    write_file(world.home() / "costly", bytes + "\033[2J\033[Hthe last line");
    world.must({"new", "-d", "-x", "500", "-y", "150", "--", "read go; cat costly; exit 7"});
    world.must({"send", "1", "Enter"});
    CHECK(world.run({"wait", "1", "--exit"}).exit_code == 7);
    CHECK(contains(world.must({"capture", "1"}), "the last line"));
}

TEST_CASE("a recording of costly output is complete and in order, begun in the middle, and a kill ends it", "[mato][turns]") {
    mato_world world;
    std::string bytes;
    for (int i = 0; i < 400; ++i) bytes += "\033#8\033[2;5Hx\033[400b\033[65;3;3;9;9$x" + std::to_string(i) + "\r\n";
    write_file(world.home() / "costly", bytes + "\033[Hend");
    world.must(
        {"new", "-d", "-x", "200", "-y", "60", "--", "stty -opost; read go; cat costly; exec yes \"$(printf '\\033#8')\""});
    const std::string file = (world.home() / "cast").native();
    running_program recording = world.start({"record", "1", file, "--exact"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(file) && contains(read_file(file), "\\u001b"); }));
    world.must({"send", "1", "Enter"});
    REQUIRE(wait_until([&] { return contains(asciicast::read(read_file(file)).output(), "\033[Hend"); }));
    CHECK(contains(asciicast::read(read_file(file)).output(), bytes));
    CHECK(world.run({"kill", "1"}).exit_code == 0);
    CHECK(recording.wait().exit_code == 0);
}
