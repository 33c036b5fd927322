// SPDX-License-Identifier: MIT
/// @file find_command_process_test.cpp: `find`: the lines of all tabs in which a pattern matches.
#include "support/mato_world.hpp"

using namespace support;

namespace {

/// A tab that has written what `script` writes.
std::string tab_after(const mato_world& world, const std::string& script, std::vector<std::string> options = {}) {
    std::vector<std::string> words{"new", "-d"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "sh", "-c", script + "; touch up; exec sleep 1000"});
    std::string id = world.must(words);
    id.pop_back();
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    std::filesystem::remove(world.home() / "up");
    return id;
}

} // namespace

TEST_CASE("find prints each line of all tabs in which the pattern matches, after its mark", "[mato][find]") {
    mato_world world;
    const std::string first = tab_after(world, "seq 1 3000; echo 'an Error: one error here'", {"-n", "one"});
    const std::string second = tab_after(world, "echo error two; echo fine; printf 'last error'", {"-t", "work", "-n", "two"});
    const std::string third = tab_after(world, "echo nothing", {"-t", "work", "-n", "three"});
    world.must({"wait", second, "--text", "last error", "--timeout", "20s"});
    world.must({"wait", first, "--text", "one error", "--timeout", "20s"});
    CHECK(world.must({"find", "error"}) ==
          "3001.14@" + first + " an Error: one error here\n1.0@" + second + " error two\n3.5@" + second + " last error\n");
    CHECK(world.must({"find", "-i", "^an e"}) == "3001.0@" + first + " an Error: one error here\n");
    CHECK(world.must({"find", "-t", "work", "error"}) == "1.0@" + second + " error two\n3.5@" + second + " last error\n");
    CHECK(world.must({"find", "--json", "^fine$"}) ==
          "{\"tab\": " + second + ", \"task\": \"work\", \"name\": \"two\", \"line\": 2, \"mark\": \"2.0@" + second +
              "\", \"text\": \"fine\"}\n");
    CHECK(world.must({"find", "^2999$"}) == "2999.0@" + first + " 2999\n");
    CHECK(world.must({"read", first, "--since", "3000.0@" + first}) == "3000\nan Error: one error here\n");
    CHECK(third == "3");
}

TEST_CASE("find ends with 1 if no line matches, and with a reason if it cannot search", "[mato][find]") {
    mato_world world;
    CHECK(world.run({"find", "x"}).exit_code == 69);
    tab_after(world, "echo text");
    const outcome nothing = world.run({"find", "no such text"});
    CHECK(nothing.exit_code == 1);
    CHECK(nothing.out.empty());
    CHECK(nothing.err.empty());
    const outcome wrong = world.run({"find", "a(b"});
    CHECK(wrong.exit_code == 64);
    CHECK(contains(wrong.err, "'a(b' is not a valid pattern: at byte 2"));
    const outcome unknown = world.run({"find", "-t", "absent", "text"});
    CHECK(unknown.exit_code == 1);
    CHECK(contains(unknown.err, "no task is named 'absent'"));
    tab_after(world, "echo text", {"--emulator", "raw"});
    const outcome raw = world.run({"find", "text"});
    CHECK(raw.exit_code == 0);
    CHECK(raw.out == "1.0@1 text\n");
    CHECK(contains(raw.err, "not searched, because the emulator is 'raw': 1 tab\n"));
}

TEST_CASE("find finds what grep finds", "[mato][find]") {
    mato_world world;
    std::string wanted;
    for (int tab = 1; tab <= 20; ++tab) {
        const std::string id = tab_after(world, "seq -f 'line %g of " + std::to_string(tab) + "' 1 2000");
        world.must({"wait", id, "--text", "line 2000", "--timeout", "20s"});
        for (int n = 1; n <= 2000; ++n)
            if (n % 10 == 7)
                wanted += std::to_string(n) + ".0@" + id + " line " + std::to_string(n) + " of " + std::to_string(tab) + "\n";
    }
    CHECK(world.must({"find", "^line [0-9]*7 of [0-9]+$"}) == wanted);
}
