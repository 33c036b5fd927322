// SPDX-License-Identifier: MIT
/// @file read_output_process_test.cpp: `read --output` and `read --follow`.
#include "support/marked_shell.hpp"

using namespace support;

namespace {

/// Runs a line in a shell with marks, until the next prompt.
void run_line(const mato_world& world, const std::string& id, const std::string& line) {
    world.must({"wait", id, "--prompt", "--timeout", "60s"}, {.limit = 90s});
    auto ended = world.start({"wait", id, "--command", "--timeout", "60s"}, {.limit = 90s});
    const std::string own = "\"pid\": " + std::to_string(ended.pid()) + ",";
    REQUIRE(wait_until([&] { return contains(world.must({"clients", "--json"}), own); }));
    world.must({"send", id, "-l", line + "\n"});
    CHECK(ended.wait().exit_code == 0);
    world.must({"wait", id, "--prompt", "--timeout", "60s"}, {.limit = 90s});
}

std::string output(const mato_world& world, const std::string& id, const std::string& back = {}) {
    std::vector<std::string> words{"read", id, "--output"};
    if (!back.empty()) words.push_back(back);
    return world.must(words);
}

} // namespace

TEST_CASE("the output of the last command, and of those before it", "[mato][read]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    const outcome none = world.run({"read", id, "--output"});
    CHECK(none.exit_code == 65);
    CHECK(contains(none.err, "the output of the last command is not kept, or there was none"));
    run_line(world, id, "echo one; echo two");
    CHECK(output(world, id) == "one\ntwo\n");
    run_line(world, id, "true");
    CHECK(output(world, id).empty());
    CHECK(output(world, id, "2") == "one\ntwo\n");
    run_line(world, id, "printf '\\033[31mred\\033[m\\n\\n'; printf 'no newline'; (exit 4)");
    CHECK(output(world, id) == "red\n\nno newline");
    CHECK(output(world, id, "3") == "one\ntwo\n");
    CHECK(world.must({"read", "--output", "3", id}) == "one\ntwo\n");
    CHECK(world.must({"read", "--output", id}) == "red\n\nno newline"); // the number names the tab
    CHECK(world.must({"read", "--output=2", id}).empty());
    CHECK(world.must({"read", id, "--output", "--json"}) ==
          R"({"tab": 1, "from": "6.0@1", "mark": "8.10@1", "exit_code": 4, "lines": ["red", "", "no newline"]})"
          "\n");
    CHECK(world.run({"read", id, "--output", "9"}).exit_code == 65);
    CHECK(world.run({"read", id, "--output", "0"}).exit_code == 64);
    CHECK(world.run({"read", id, "--output", "--all"}).exit_code == 64);
    CHECK(world.run({"read", world.open_tab(), "--output"}).exit_code == 65);

    world.must({"send", id, "echo begun; read -r x; echo $x", "Enter"}); // it has not ended
    world.must({"wait", id, "--text", "^begun$", "--timeout", "60s"}, {.limit = 90s});
    CHECK(output(world, id) == "red\n\nno newline");
}

TEST_CASE("an output of several answers is whole, and one whose begin was evicted is refused", "[mato][read]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    std::string wide;
    for (int i = 1; i <= 1000; ++i) wide += std::string(1000, 'x') + std::to_string(i) + "\n";
    write_file(world.home() / "wide", wide);
    run_line(world, id, "cat wide");
    CHECK(output(world, id) == wide);
    run_line(world, id, "seq 20000");
    CHECK(world.run({"read", id, "--output"}).exit_code == 65);
}

TEST_CASE("--follow prints lines as they end, until the program has ended", "[mato][read]") {
    mato_world world;
    const std::string program = "echo first; while read -r line; do echo \"<$line>\"; done; printf last";
    std::string id = world.must({"new", "-d", "--keep", "--", program});
    id.pop_back();
    auto all = world.start({"read", id, "--follow"});
    CHECK(all.wait_for_output("first\n"));
    auto rest = world.start({"read", id, "--follow", "--last", "2"});
    CHECK(rest.wait_for_output("first\n"));
    world.must({"send", id, "one", "Enter"});
    CHECK(all.wait_for_output("<one>\n"));
    CHECK(rest.wait_for_output("<one>\n"));
    const pid_t worker = world.serving_pid();
    ::kill(worker, SIGKILL);
    REQUIRE(wait_until([&] { return world.serving_pid() != worker && world.run({"status"}).exit_code == 0; }));
    world.must({"send", id, "two", "Enter", "C-d"});
    const outcome went = all.wait();
    CHECK(went.exit_code == 0);
    CHECK(went.out.starts_with("first\none\n<one>\ntwo\n<two>\n"));
    CHECK(contains(rest.wait().out, "one\n<one>\ntwo\n<two>\n"));
    const std::string closed = world.open_tab({program});
    auto cut = world.start({"read", closed, "--follow"});
    CHECK(cut.wait_for_output("first\n"));
    world.must({"send", closed, "one", "Enter", "C-d"}); // maybe its last lines are gone when they are to be read
    const outcome end = cut.wait();
    const bool is_whole = contains(end.out, "<one>\nlast");
    CHECK(end.exit_code == (is_whole ? 0 : 1));
    CHECK(contains(end.err, "was closed before its last lines were read") == !is_whole);
    CHECK(world.run({"read", "1", "--follow", "--json"}).exit_code == 64);
}

TEST_CASE("--follow ends by an interrupt, and changes nothing", "[mato][read]") {
    mato_world world;
    const std::string id = world.open_tab({"echo first; exec cat"});
    auto following = world.start({"read", id, "--follow", "--all"});
    REQUIRE(following.wait_for_output("first\n"));
    following.signal(SIGINT);
    CHECK(following.wait().exit_code == -SIGINT);
    CHECK(contains(world.must({"ls"}), "running"));
}
