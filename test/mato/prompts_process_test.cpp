// SPDX-License-Identifier: MIT
// Prompts and outputs of a real shell that marks them: going there and copying, with any size, after a flood and a crash.
#include "support/outer_terminal.hpp"

#include "view/clipboard.hpp"

using namespace support;
using namespace std::chrono_literals;

namespace {

const std::string prefix = "\x1c";

/// bash with the marks of its integration for terminals.
void open_shell(const mato_world& world) {
    world.must({"new", "-d", "-n", "bash", "-e", R"(PS1=\[\e]133;A\a\]$ \[\e]133;B\a\])", "-e", R"(PS0=\e]133;C\a)", "-e",
                R"(PROMPT_COMMAND=printf "\033]133;D;%s\a" $?)", "--", "bash", "--norc", "--noprofile"});
    REQUIRE(wait_until([&] { return contains(world.must({"capture", "bash"}), "$"); }));
}

/// Runs a line and waits for the text that it writes last.
void run(const mato_world& world, const std::string& line, const std::string& last) {
    world.must({"send", "bash", line, "Enter"});
    REQUIRE(wait_until([&] { return contains(world.must({"capture", "bash"}), last + "\n$"); }));
}

} // namespace

TEST_CASE("the last output is copied by one key, and prompts are gone to", "[mato][prompts]") {
    const std::string path = GENERATE("direct", "relayed", "read-only");
    CAPTURE(path);
    mato_world world;
    open_shell(world);
    std::vector<std::string> words{"attach", "bash"};
    if (path == "relayed") words.push_back("--relay");
    if (path == "read-only") words.insert(words.begin() + 1, "-r");
    run(world, "seq 3", "3");
    run(world, "printf 'a  \\nend\\n'", "end");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_show("end"));
    user.type(prefix + "y");
    CHECK(user.client().wait_for(mux::set_clipboard("a\nend\n")));
    CHECK(user.comes_to_show("copied 2 lines"));
    user.type(prefix + "{");
    REQUIRE(user.comes_to_show("{ } prompts"));
    user.type("{o");
    CHECK(user.comes_to_show("select  3 lines"));
    user.type("y");
    CHECK(user.client().wait_for(mux::set_clipboard("1\n2\n3\n")));
    user.type("{{");
    CHECK(user.comes_to_show("no prompt above"));
    user.type("q");
    CHECK(user.comes_to_agree("bash"));
    CHECK(contains(world.must({"capture", "bash"}), "end\n$")); // none of it was typed
}

TEST_CASE("outputs are found after a flood, a resize and the death of the daemon's process", "[mato][prompts]") {
    mato_world world;
    open_shell(world);
    run(world, "seq 2", "2");
    run(world, "seq 4000", "4000");
    outer_terminal user(world, {"attach", "bash"});
    REQUIRE(user.comes_to_show("4000"));
    user.resize(33, 9);
    REQUIRE(user.comes_to_agree("bash"));
    kill_worker(world.daemon_pid());
    REQUIRE(user.comes_to_agree("bash"));
    user.type(prefix + "{");
    REQUIRE(user.comes_to_show("$ seq 4000"));
    user.type("{oy");
    CHECK(user.client().wait_for(mux::set_clipboard("1\n2\n")));
    user.type("q" + prefix + "y");
    std::string all;
    for (int i = 1; i <= 4000; ++i) all += std::to_string(i) + "\n";
    CHECK(user.client().wait_for(mux::set_clipboard(all)));
}

TEST_CASE("in a tab whose shell marks nothing the keys say so", "[mato][prompts]") {
    mato_world world;
    world.must({"new", "-d", "-n", "plain", "--", "echo ready; exec cat"});
    outer_terminal user(world, {"attach", "plain"});
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + "y");
    CHECK(user.comes_to_show("does not mark its prompts"));
    user.type("\x1b" + prefix + "{");
    CHECK(user.comes_to_show("does not mark its prompts"));
    user.type("q");
    CHECK(user.comes_to_agree("plain"));
}
