// SPDX-License-Identifier: MIT
/// @file wait_process_test.cpp: `wait --text`: which text of a tab counts, and the limits of a search.
#include "support/mato_world.hpp"

using namespace support;

namespace {

/// A tab of a given size whose program prints `text` and stays.
std::string tab_showing(const mato_world& world, const std::string& text, const std::string& columns = "80",
                        const std::string& rows = "24") {
    write_file(world.home() / "text", text);
    std::string id = world.must({"new", "-d", "-x", columns, "-y", rows, "--", "cat text; touch shown; exec sleep 1000"});
    id.pop_back();
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "shown"); }));
    std::filesystem::remove(world.home() / "shown");
    return id;
}

int wait_for(const mato_world& world, const std::string& id, const std::string& pattern, const std::string& limit = "10s") {
    return world.run({"wait", id, "--text", pattern, "--timeout", limit}, {.limit = 60s}).exit_code;
}

} // namespace

TEST_CASE("blanks that were written before the cursor count", "[mato][wait]") {
    mato_world world;
    const std::string prompt = tab_showing(world, "done  \r\nprompt>  ", "40", "5");
    CHECK(wait_for(world, prompt, "^prompt>  $") == 0);
    CHECK(wait_for(world, prompt, "prompt> ") == 0);
    CHECK(wait_for(world, prompt, "prompt>") == 0);
    CHECK(wait_for(world, prompt, "^done$") == 0); // not the cursor's row
    CHECK(wait_for(world, prompt, "prompt>   ", "50ms") != 0);
    world.must({"send", prompt, "x"}); // echoed by the terminal
    CHECK(wait_for(world, prompt, "prompt>  x$") == 0);

    CHECK(wait_for(world, tab_showing(world, "ab   \033[2D", "40", "5"), "^ab $", "10s") == 0); // up to the cursor, which moved
    CHECK(wait_for(world, tab_showing(world, "ab\033[20C", "40", "5"), "^ab$") == 0);           // moving writes nothing
    CHECK(wait_for(world, tab_showing(world, "12345678 ", "9", "3"), "^12345678 $") == 0);      // a wrap is pending
    CHECK(wait_for(world, tab_showing(world, "123456789> ", "9", "3"), "^123456789> $") == 0);
    CHECK(world.must({"capture", prompt}).starts_with("done\nprompt>  x\n"));
}

TEST_CASE("one long line and a pattern that backtracks: found or not, within the time-out", "[mato][wait]") {
    mato_world world;
    for (const auto& [columns, rows] : {std::pair{300, 100}, std::pair{500, 150}}) {
        const std::string id = tab_showing(world, std::string(static_cast<std::size_t>(columns * rows - 1), 'a'),
                                           std::to_string(columns), std::to_string(rows));
        for (const char* pattern : {"a.*b", "(a|x)*y", "(a+)+$b", "(.?){300}b"}) {
            CAPTURE(columns, pattern);
            const outcome went = world.run({"wait", id, "--text", pattern, "--timeout", "300ms"}, {.limit = 60s});
            CHECK(went.exit_code == 124);
            CHECK(contains(went.err, "timed out before the condition was met"));
            CHECK(went.took < (sanitized ? 30s : 8s));
        }
        CHECK(wait_for(world, id, "^a+$") == 0);
    }
}

TEST_CASE("a costly search in control delays no other command", "[mato][wait][control]") {
    mato_world world;
    tab_showing(world, std::string(74'999, 'a'), "500", "150");
    auto control = world.start({"control"}, {.input = "wait 1 --text '(a?){900}b' --timeout 20s\nhas 1\n", .limit = 60s});
    CHECK(control.wait_for_output("{\"reply\": 2, \"ok\": true", 15s));
}

TEST_CASE("later text is found, and an invalid pattern is a usage error with its place", "[mato][wait]") {
    mato_world world;
    const std::string id = world.open_tab({"stty -echo; touch up; exec cat"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    auto waiting = world.start({"wait", id, "--text", "^ne+dle$", "--timeout", "20s"});
    world.must({"send", id, "hay", "Enter", "needle", "Enter"});
    CHECK(waiting.wait().exit_code == 0);

    const outcome wrong = world.run({"wait", id, "--text", "a(b"});
    CHECK(wrong.exit_code == 64);
    CHECK(wrong.err == "mato: --text 'a(b' is not a valid pattern: at byte 2, '(b': this '(' has no ')'\n");
    CHECK(world.run({"wait", id, "--text", std::string(5000, 'a')}).exit_code == 64);
    CHECK(world.run({"control"}, {.input = "wait 1 --text '[a'\n"}).out.find("\"exit_code\": 64") != std::string::npos);
}
