// SPDX-License-Identifier: MIT
/// @file raw_tab_process_test.cpp: any number of clients on a tab without emulator: the same bytes, and a replay for slow ones.
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

#include <memory>
#include <vector>

using namespace support;

namespace {

std::string open_raw(const mato_world& world, const std::string& program) {
    std::string id = world.must({"new", "-d", "--emulator", "raw", "--", program});
    id.pop_back();
    return id;
}

/// The text between the two words, without them.
std::string between(const std::string& text, const std::string& first, const std::string& last) {
    const auto from = text.find(first), to = text.find(last, from);
    return from == std::string::npos || to == std::string::npos ? "not there" : text.substr(from, to - from);
}

} // namespace

TEST_CASE("all viewers get the same bytes: direct, relayed, read-only", "[mato][raw]") {
    mato_world world;
    const std::string id = open_raw(world, "stty -echo -opost; printf ready; read go; printf BEGIN; seq 1 10000; "
                                           "printf '\\377\\200\\033[1m END'; read more");
    std::vector<std::unique_ptr<pty_client>> all;
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"--relay"}, {"-r"}, {"-r", "--relay"}, {}, {"--relay"}}) {
        std::vector<std::string> command{"attach"};
        command.insert(command.end(), options.begin(), options.end());
        command.push_back(id);
        all.push_back(std::make_unique<pty_client>(world, command));
        REQUIRE(all.back()->wait_for("ready"));
    }
    all[2]->type("\r"); // read-only: the program does not begin
    all[3]->type("\r");
    CHECK_FALSE(all[2]->wait_for("BEGIN", 100ms));
    all[0]->type("\r");
    std::string wanted = "BEGIN";
    for (int n = 1; n <= 10'000; ++n) wanted += std::to_string(n) + "\n";
    wanted += "\377\200\033[1m ";
    for (auto& each : all) {
        REQUIRE(each->wait_for("END"));
        CHECK((between(each->shown(), "BEGIN", "END") == wanted));
    }
    all[1]->type("\r");
    for (auto& each : all) CHECK(each->wait() == 0);
}

TEST_CASE("a viewer that does not read delays no other, and continues from a replay", "[mato][raw]") {
    mato_world world;
    const std::string id = open_raw(world, "stty -echo -opost; printf ready; read go; seq 1 300000; printf ' END'; read more");
    const std::vector<std::string> path = GENERATE(std::vector<std::string>{}, std::vector<std::string>{"--relay"});
    std::vector<std::string> command{"attach"};
    command.insert(command.end(), path.begin(), path.end());
    command.push_back(id);
    pty_client stalled(world, command), reader(world, {"attach", id});
    REQUIRE(stalled.wait_for("ready"));
    REQUIRE(reader.wait_for("ready"));
    const long before = memory_kib(world.serving_pid());
    reader.type("\r");
    REQUIRE(reader.wait_for("300000\n END")); // it may have been too slow, too
    if (!sanitized) CHECK(memory_kib(world.serving_pid(), "VmHWM") - before < 2048);
    const std::size_t seen = stalled.shown().size();
    REQUIRE(stalled.wait_for("300000\n END"));
    const std::string late = stalled.shown().substr(seen);
    CHECK(late.size() < 600'000); // of two million
    const auto replay = late.rfind("\033[H\033[2J");
    REQUIRE(replay != std::string::npos);
    const std::string kept = late.substr(replay + 7, late.find(" END", replay) - replay - 7);
    std::string wanted;
    for (int n = std::stoi(kept); n <= 300'000; ++n) wanted += std::to_string(n) + "\n";
    CHECK((kept == wanted)); // whole lines, without a gap
    CHECK_FALSE(contains(world.must({"status", "--json"}), "\"resyncs\": 0"));
    reader.type("\r");
    CHECK(reader.wait() == 0);
    CHECK(stalled.wait() == 0);
}

TEST_CASE("a replay sends no query and sets no clipboard; later queries of the program are sent", "[mato][raw]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    const std::string id =
        open_raw(world, "stty raw -echo; printf 'first\033[c\033]11;?\007\033]52;c;b2xk\007\033P+q4d73\033\\\\second'; "
                        "read -r x; printf 'third\033[6n\033]52;c;bmV3\007fourth'; exec sleep 600");
    std::vector<std::string> words{"attach", id};
    if (path == "relayed") words.push_back("--relay");
    pty_client first(world, words); // it is shown everything written after its attach
    REQUIRE(first.wait_for("second"));
    pty_client early(world, words);
    REQUIRE(early.wait_for("firstsecond"));
    early.type("\n");
    REQUIRE(early.wait_for("third\033[6n\033]52;c;bmV3\afourth"));
    pty_client late(world, words);
    REQUIRE(late.wait_for("firstsecondthirdfourth"));
    early.command('?'); // the list of keys, and back: everything is shown again
    REQUIRE(early.wait_for("Esc back"));
    early.type("\x1b"); // Escape alone is known after a moment
    REQUIRE(early.wait_for("firstsecondthirdfourth"));
}

TEST_CASE("queries of a new tab's program before its viewer attaches are sent to that viewer", "[mato][raw]") {
    mato_world world;
    world.configure("emulator = \"raw\"\n");
    pty_client client(world, {"new", "--", "printf 'asks\033[6n\033]11;?\033\\\\ '; exec sleep 600"});
    CHECK(client.wait_for("asks\033[6n\033]11;?\033\\ "));
}
