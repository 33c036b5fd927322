// SPDX-License-Identifier: MIT
/// @file survive_paste_process_test.cpp: the daemon's process dies, is replaced, or loses the client in the middle of a paste.
/// The program gets the end of the paste, nothing of it twice, and none of it is taken for keys.
#include "support/daemon_worker.hpp"
#include "support/json_reader.hpp"
#include "support/outer_terminal.hpp"

#include <sstream>

using namespace support;

namespace {

const std::string begin = "\033[200~", end = "\033[201~";

/// Asks for marks around pastes, and reads more slowly than a terminal pastes.
std::string slow_reader(const std::string& got) {
    return "stty raw -echo; printf '\\033[?2004hready'; while :; do dd bs=1000 count=1 2>/dev/null; done >" + got;
}

/// Each number twice, in order, so that one of which a part was lost is noticed; near the end also the key that detaches.
std::string numbered_text(std::size_t bytes) {
    std::string text;
    for (int n = 1; text.size() < bytes; ++n) {
        text += std::to_string(n) + "-" + std::to_string(n) + " ";
        if (text.size() > bytes - 1000)
            text += "\x1c"
                    "d ";
    }
    return text;
}

/// Begins and ends alternate, and the last one is an end. @returns the text without them
std::string text_within_marks(std::string got) {
    std::string text;
    for (bool is_open = false;;) {
        const auto at = got.find("\033[20");
        text += got.substr(0, at);
        if (at == std::string::npos) {
            CHECK_FALSE(is_open);
            return text;
        }
        const std::string mark = got.substr(at, begin.size());
        CHECK(mark == (is_open ? end : begin));
        is_open = mark == begin;
        got.erase(0, at + begin.size());
    }
}

/// No number is there twice or out of order.
void check_order(const std::string& text) {
    std::istringstream words(text);
    int last = 0;
    for (std::string word; words >> word;) {
        const auto middle = word.find('-');
        if (middle == std::string::npos || word.substr(0, middle) != word.substr(middle + 1)) continue; // a part was lost
        const int number = std::atoi(word.c_str());
        INFO("after " << last << " came " << word);
        if (number <= last) FAIL("a number arrived twice, or in another order");
        last = number;
    }
    CHECK(last > 0);
}

} // namespace

TEST_CASE("survive_paste: the process is killed or replaced within a paste, and the program gets its end",
          "[mato][survive][paste]") {
    const auto [path, how] = GENERATE(table<std::string, std::string>(
        {{"direct", "killed"}, {"relayed", "killed"}, {"direct", "replaced"}, {"relayed", "replaced"}}));
    INFO(path << " " << how);
    mato_world world;
    const std::string got = (world.root() / "got").native();
    const std::string tab = world.open_tab({slow_reader(got)});
    std::vector<std::string> words{"attach", tab};
    if (path == "relayed") words.emplace_back("--relay");
    outer_terminal viewer(world, words);
    REQUIRE(viewer.comes_to_show("ready"));
    const std::string text = numbered_text(60'000), half = text.substr(0, text.size() / 2);
    viewer.type(begin + half);
    REQUIRE(wait_until([&] {
        viewer.look();
        return read_file(got).size() > 10'000;
    }));
    if (how == "killed")
        kill_worker(world.daemon_pid());
    else
        world.must({"upgrade"});
    viewer.type(text.substr(half.size()) + end + "|");
    REQUIRE(wait_until([&] {
        viewer.look();
        return read_file(got).ends_with("|");
    }));
    const std::string all = read_file(got), inside = text_within_marks(all);
    if (how == "replaced") CHECK((all == begin + text + end + "|"));
    check_order(inside);
    CHECK(contains(inside, "\x1c"
                           "d"));
    CHECK(contains(world.must({"clients"}), path)); // the key that detaches was text
    viewer.type("x");
    CHECK(wait_until([&] { return read_file(got).ends_with("|x"); }));
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
}

TEST_CASE("survive_paste: the end that was lost with the process comes from the next one", "[mato][survive][paste]") {
    mato_world world;
    const std::string got = (world.root() / "got").native(), go = (world.root() / "go").native();
    const std::string tab = world.open_tab(
        {"stty raw -echo; printf '\\033[?2004hready'; until [ -e " + go + " ]; do sleep 0.02; done; exec cat -u >" + got});
    outer_terminal viewer(world, {"attach", tab});
    REQUIRE(viewer.comes_to_show("ready"));
    viewer.type(begin + std::string(30'000, 'x') + end); // the program's terminal takes a part of it
    viewer.command('?');
    REQUIRE(viewer.comes_to_show("detach")); // the process has read all that came before
    kill_worker(world.daemon_pid());
    REQUIRE(wait_until([&] { return contains(world.must({"clients"}), "direct"); }));
    write_file(go, "");
    REQUIRE(wait_until([&] {
        viewer.look();
        return contains(read_file(got), end);
    }));
    viewer.type("|");
    REQUIRE(wait_until([&] { return read_file(got).ends_with("|"); }));
    text_within_marks(read_file(got));
}

TEST_CASE("survive_paste: the client dies within its paste, and the program gets its end", "[mato][survive][paste]") {
    const bool is_killed_before = GENERATE(false, true); // the daemon's process too
    mato_world world;
    const std::string got = (world.root() / "got").native();
    const std::string tab = world.open_tab({slow_reader(got)});
    outer_terminal viewer(world, {"attach", tab});
    REQUIRE(viewer.comes_to_show("ready"));
    viewer.type(begin + numbered_text(5'000));
    REQUIRE(wait_until([&] {
        viewer.look();
        return read_file(got).size() > 1'000;
    }));
    if (is_killed_before) {
        const pid_t keeper = world.daemon_pid(), worker = worker_of(keeper);
        ::kill(worker, SIGSTOP);
        viewer.client().signal(SIGKILL);
        ::kill(worker, SIGKILL);
    } else {
        viewer.client().signal(SIGKILL);
    }
    REQUIRE(wait_until([&] { return read_file(got).ends_with(end); }, 60s));
    world.must({"send", "-l", tab, "|"});
    REQUIRE(wait_until([&] { return read_file(got).ends_with("|"); }));
    text_within_marks(read_file(got));
}
