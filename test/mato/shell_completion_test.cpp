// SPDX-License-Identifier: MIT
/// @file shell_completion_test.cpp: what the last word of a command line may become.
#include "client/completion.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <set>

using namespace mux;

namespace {

const live_names names{.tabs = {{"work/build", "make"}, {"1", "work/build"}, {"my task/log", "tail"}, {"12", "my task/log"}},
                       .tasks = {{"work", {}}, {"my task", {}}},
                       .clients = {{"4", "/dev/pts/1"}}};

std::vector<std::string> after(const std::vector<std::string>& words) {
    std::vector<std::string> found;
    for (const completion& each : completions_of(completion_place_of(words), names)) found.push_back(each.word);
    return found;
}

bool has(const std::vector<std::string>& found, const std::string& word) { return std::ranges::count(found, word) == 1; }

using words = std::vector<std::string>;

} // namespace

TEST_CASE("a command is completed", "[completion]") {
    CHECK(after({"att"}) == words{"attach"});
    CHECK(after({"-N", "att"}) == words{"attach"});
    CHECK(after({"-L", "other", "re"}) == words{"respawn", "resize", "rename", "read", "record", "restart", "reload"});
    CHECK(after({"nonsense"}).empty());
    CHECK(after({"nonsense", ""}).empty()); // what follows a wrong word is not known
    CHECK(after({}) == after({""}));
    const auto all = after({""});
    for (const command_entry& each : command_table()) CHECK(has(all, std::string(each.name)));
    CHECK(has(all, "--socket"));
}

TEST_CASE("options of a command are completed, and those before it", "[completion]") {
    CHECK(after({"ls", "--"}) == words{"--ended", "--json"});
    CHECK(after({"wait", "--t"}) == words{"--text", "--timeout"});
    CHECK(has(after({"new", "-"}), "-d"));
    CHECK(has(after({"new", "-"}), "--"));
    CHECK_FALSE(has(after({"ls", "-"}), "--"));
    CHECK(after({"--so"}) == words{"--socket"});
    CHECK(after({"send", "--", "-"}).empty()); // after "--" nothing is an option
    for (const command_entry& each : command_table()) {
        CAPTURE(each.name);
        const auto found = after({std::string(each.name), "-"});
        for (const option& one : each.options) CHECK(has(found, one.spelling()));
    }
}

TEST_CASE("names of tabs, tasks and clients are completed", "[completion]") {
    CHECK(after({"attach", "w"}) == words{"work/build"});
    CHECK(after({"attach", "1"}) == words{"1", "12"});
    CHECK(after({"attach", "my t"}) == words{"my task/log"});
    CHECK(after({"detach", "-c", "4"}) == words{"4"});
    CHECK(after({"new", "-t", ""}) == words{"work", "my task"});
    CHECK(after({"new", "-dt", "wo"}) == words{"work"});
    CHECK(after({"move", "1", "wo"}) == words{"work"});
    CHECK(after({"move", "1", "work", ""}).empty());
    CHECK(after({"-L", "attach", "kill", "-t", "wo"}) == words{"work"}); // "attach" is the label
    CHECK(after({"notice", "--tab=wo"}) == words{"--tab=work/build"});
    CHECK(after({"notice", "--tab", "=", "wo"}) == words{"work/build"}); // as bash splits it
    CHECK(after({"notice", "--tab", "="}) == after({"notice", "--tab", ""}));
    CHECK(after({"wait", "--timeout", "1s", "--exit", "wo"}) == words{"work/build"});
}

TEST_CASE("words that a command knows are completed", "[completion]") {
    CHECK(after({"state", "1", "b"}) == words{"blocked"});
    CHECK(after({"state", "b"}) == words{"blocked"}); // its TAB may be left out
    CHECK(after({"state", "wo"}) == words{"work/build", "working"});
    CHECK(after({"completion", ""}) == words{"bash", "zsh", "fish", "words"});
    CHECK(after({"resize", "1", ""}) == words{"auto"});
    CHECK(after({"new", "--emulator", ""}) == words{"vt", "raw"});
    CHECK(after({"help", "wa"}) == words{"wait"});
}

TEST_CASE("a shell is told to complete names of files and programs", "[completion]") {
    const auto lines = [](const words& typed) {
        const completion_place place = completion_place_of(typed);
        return completion_lines(place, completions_of(place, names));
    };
    CHECK(lines({"record", "1", "fi"}) == ":files\n");
    CHECK(lines({"new", "-c", "di"}) == ":directories\n");
    CHECK(lines({"new", "--", "ma"}) == ":programs\n");
    CHECK(lines({"new", "--", "make", "ch"}) == ":files\n");
    CHECK(lines({"new", "make", "ch"}) == ":files\n");
    CHECK(lines({"-S", "da"}) == ":files\n");
    CHECK(lines({"attach", "wor"}) == "work/build\tmake\n");
}

TEST_CASE("the daemon that is meant is known", "[completion]") {
    CHECK(completion_place_of(words{"-L", "other", "attach", ""}).paths.label == "other");
    CHECK(completion_place_of(words{"--socket=/tmp/x", "attach", ""}).paths.socket == "/tmp/x");
    CHECK(completion_place_of(words{"--socket", "=", "/tmp/x", "attach", ""}).paths.socket == "/tmp/x");
    CHECK(completion_place_of(words{"attach", ""}).paths.label.empty());
}

TEST_CASE("names with control characters do not reach the shell as such", "[completion]") {
    const std::vector<completion> bad{{"a\nb\x1b[m", "x\ty\x7f"}};
    CHECK(completion_lines({}, bad) == "ab[m\txy\n");
}

TEST_CASE("there is a script for bash, zsh and fish, and for no other word", "[completion]") {
    for (const char* const shell : {"bash", "zsh", "fish"})
        CHECK(completion_script(shell).find(" completion words -- ") != std::string_view::npos);
    CHECK(completion_script("words").empty());
    CHECK(completion_script("sh").empty());
}
