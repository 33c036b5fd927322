// SPDX-License-Identifier: MIT
/// @file host_terminal_process_test.cpp: what programs learn about the terminals that show their tab: colours, theme, keyboard,
/// clipboard, focus.
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

using namespace support;

namespace {

/// A tab whose program writes what it is told to its terminal, and records what its terminal sends.
class asking_tab {
public:
    asking_tab(const mato_world& world, std::string name) : world_(world), name_(std::move(name)) {
        const std::string program = "import os, sys, tty\n"
                                    "tty.setraw(0)\n"
                                    "os.write(1, b'ready ' + sys.argv[1].encode())\n"
                                    "told = b''\n"
                                    "while True:\n"
                                    "    told += os.read(0, 4096)\n"
                                    "    while b'<' in told and b'>' in told:\n"
                                    "        before, _, rest = told.partition(b'<')\n"
                                    "        order, _, told = rest.partition(b'>')\n"
                                    "        with open(sys.argv[1], 'ab') as kept: kept.write(before)\n"
                                    "        os.write(1, bytes.fromhex(order.decode()))\n"
                                    "    if b'<' not in told:\n"
                                    "        with open(sys.argv[1], 'ab') as kept: kept.write(told)\n"
                                    "        told = b''\n";
        world.must({"new", "-d", "-t", "task", "-n", name_, "--", "python3", "-c", program, name_});
        world.must({"wait", name_, "--text", "ready"});
    }

    /// The program writes `bytes`.
    void write(std::string_view bytes) {
        static constexpr char digits[] = "0123456789abcdef";
        std::string order = "<";
        for (const char c : bytes) {
            order += digits[static_cast<unsigned char>(c) >> 4];
            order += digits[c & 15];
        }
        world_.must({"send", name_, "-l", order + ">"});
    }
    /// What has arrived since the last call, up to the answer to a DSR 5 that is sent now.
    std::string got() {
        write("\033[5n");
        static constexpr std::string_view end = "\033[0n";
        std::string all;
        REQUIRE(wait_until([&] {
            std::ifstream in(world_.home() / name_, std::ios::binary);
            all.assign(std::istreambuf_iterator<char>(in), {});
            return all.find(end, seen_) != std::string::npos;
        }));
        const std::size_t at = all.find(end, seen_);
        const std::string fresh = all.substr(seen_, at - seen_);
        seen_ = at + end.size();
        return fresh;
    }
    std::string ask(std::string_view question) {
        write(question);
        return got();
    }

private:
    const mato_world& world_;
    std::string name_;
    std::size_t seen_ = 0;
};

const std::string light = "\033]10;rgb:1111/2222/3333\033\\\033]11;rgb:fdfd/f6f6/e3e3\033\\\033]12;rgb:4444/5555/6666\a"
                          "\033]4;1;rgb:dcdc/3232/2f2f\033\\";
const std::string dark = "\033]10;rgb:eeee/eeee/eeee\033\\\033]11;rgb:0000/2b2b/3636\033\\";
const std::string end_of_answers = "\033[?62;22c";

/// A user's terminal that answers queries with `answers`. They are typed ahead, so that machine load does not delay them.
std::unique_ptr<pty_client> attach(const mato_world& world, const std::string& tab, const std::string& answers,
                                   std::vector<std::string> options = {}) {
    std::vector<std::string> words{"attach", tab};
    words.insert(words.end(), options.begin(), options.end());
    auto made = std::make_unique<pty_client>(world, words);
    made->type(answers + end_of_answers);
    REQUIRE(made->wait_for("ready"));
    return made;
}

void leave(pty_client& viewer) {
    viewer.command('d');
    REQUIRE(viewer.wait() == 0);
}

std::vector<std::string> by(const std::string& path) {
    return path == "relayed" ? std::vector<std::string>{"--relay"} : std::vector<std::string>{};
}

} // namespace

TEST_CASE("a program gets the colours of the terminal that shows it, and keeps them after that terminal has left",
          "[mato][host]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    asking_tab tab(world, "a");
    CHECK(tab.ask("\033]11;?\a\033]4;1;?\a\033[?996n").empty()); // nothing is known, and nothing is made up
    auto viewer = attach(world, "a", light, by(path));
    CHECK(tab.ask("\033]11;?\a") == "\033]11;rgb:fdfd/f6f6/e3e3\a");
    CHECK(tab.ask("\033]10;?\033\\") == "\033]10;rgb:1111/2222/3333\033\\");
    CHECK(tab.ask("\033]12;?\033\\\033]4;1;?\a\033]4;2;?\a") ==
          "\033]12;rgb:4444/5555/6666\033\\\033]4;1;rgb:dcdc/3232/2f2f\a");
    CHECK(tab.ask("\033[?996n") == "\033[?997;2n");
    leave(*viewer);
    CHECK(tab.ask("\033]11;?\a\033[?996n") == "\033]11;rgb:fdfd/f6f6/e3e3\a\033[?997;2n");
    viewer = attach(world, "a", "", by(path)); // a terminal that does not answer
    CHECK(tab.ask("\033]11;?\a") == "\033]11;rgb:fdfd/f6f6/e3e3\a");
    leave(*viewer);
    viewer = attach(world, "a", dark, by(path));
    CHECK(tab.ask("\033]11;?\a\033[?996n") == "\033]11;rgb:0000/2b2b/3636\a\033[?997;1n");
}

TEST_CASE("of several terminals the colours of the last used one are reported", "[mato][host]") {
    mato_world world;
    asking_tab tab(world, "a");
    auto first = attach(world, "a", light), second = attach(world, "a", dark, {"--relay"});
    CHECK(tab.ask("\033]11;?\a") == "\033]11;rgb:0000/2b2b/3636\a");
    CHECK(tab.ask("\033[?2031h").empty());
    first->type("x");
    CHECK(wait_until([&, all = std::string()]() mutable { return contains(all += tab.got(), "x\033[?997;2n"); }));
    CHECK(tab.ask("\033]11;?\a") == "\033]11;rgb:fdfd/f6f6/e3e3\a");
    leave(*first);
    CHECK(tab.got() == "\033[?997;1n");
    CHECK(tab.ask("\033]11;?\a") == "\033]11;rgb:0000/2b2b/3636\a");
}

TEST_CASE("a query that comes before the terminal has answered waits for the answer", "[mato][host]") {
    mato_world world;
    // The terminal answers late on purpose; if the machine delays the answer beyond the wait, another one is tried.
    CHECK(wait_until([&] {
        pty_client viewer(world, {"new", "--", "stty raw -echo; printf 'ready\033]11;?\007\033[?u\033[c'; exec cat -v"});
        REQUIRE(viewer.wait_for("ready"));
        viewer.type(light + "\033[?0u" + end_of_answers);
        REQUIRE(viewer.wait_for("28;52c"));
        const bool answered = contains(viewer.shown(), "^[]11;rgb:fdfd/f6f6/e3e3^G^[[?0u^[[?64;6;21;22;28;52c");
        viewer.command('d');
        REQUIRE(viewer.wait() == 0);
        return answered;
    }));
    pty_client silent(world, {"new", "--", "stty raw -echo; printf 'ready\033]11;?\007\033[?u\033[c'; exec cat -v"});
    REQUIRE(silent.wait_for("ready^[[?64;6;21;22;28;52c")); // the wait ends
}

TEST_CASE("when a terminal's theme changes, its colours are queried again, and programs are notified", "[mato][host]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    asking_tab tab(world, "a");
    auto viewer = attach(world, "a", light + "\033[?2031;2$y", by(path));
    REQUIRE(wait_until([&] {
        static_cast<void>(viewer->wait_for_bytes(1, 20ms));
        return contains(viewer->shown(), "\033[?2031h");
    }));
    CHECK(tab.ask("\033[?2031h").empty());
    const std::size_t before = viewer->shown().size();
    viewer->type("\033[?997;1n");
    REQUIRE(wait_until([&] {
        static_cast<void>(viewer->wait_for_bytes(1, 20ms));
        return contains(viewer->shown().substr(before), "\033]11;?\033\\");
    }));
    viewer->type(dark + end_of_answers);
    CHECK(tab.ask("\033]11;?\a") == "\033[?997;1n\033]11;rgb:0000/2b2b/3636\a");
    CHECK(tab.ask("\033[?996n") == "\033[?997;1n");
    leave(*viewer);
    CHECK(viewer->shown().rfind("\033[?2031l") > viewer->shown().rfind("\033[?2031h"));
    CHECK(tab.got().empty());
}

TEST_CASE("kitty's keyboard protocol is offered while a terminal that supports it can type", "[mato][host]") {
    mato_world world;
    asking_tab tab(world, "a");
    CHECK(tab.ask("\033[?u\033[>1u\033[?u").empty());
    auto without = attach(world, "a", "");
    CHECK(tab.ask("\033[?u").empty());
    auto reader = attach(world, "a", "\033[?0u", {"-r"});
    CHECK(tab.ask("\033[?u").empty());
    auto with = attach(world, "a", "\033[?0u");
    CHECK(tab.ask("\033[?u") == "\033[?1u");
    leave(*with);
    CHECK(tab.ask("\033[?u").empty());
}

TEST_CASE("the clipboard is announced while programs may set it", "[mato][host]") {
    mato_world world;
    asking_tab tab(world, "a");
    const std::string set = "\033P1+r4D73=5C455D35323B25703125733B25703225735C303037\033\\";
    CHECK(tab.ask("\033[c\033P+q4d73\033\\") == "\033[?64;6;21;22;28;52c" + set);
    world.configure("clipboard = false\n");
    world.must({"reload"});
    CHECK(tab.ask("\033[c\033P+q4d73\033\\") == "\033[?64;6;21;22;28c\033P0+r4D73\033\\");
    asking_tab another(world, "b");
    CHECK(another.ask("\033[c") == "\033[?64;6;21;22;28c");
}

// ---- focus ----

TEST_CASE("focus changes are reported to the tab that is left and to the tab that is shown", "[mato][host]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    asking_tab a(world, "a"), b(world, "b"), deaf(world, "c");
    a.write("\033[?1004h"), b.write("\033[?1004h");
    auto viewer = attach(world, "a", "", by(path));
    CHECK(a.got() == "\033[I");
    viewer->command('n');
    REQUIRE(viewer->wait_for("ready b"));
    CHECK(a.got() == "\033[O");
    CHECK(b.got() == "\033[I");
    viewer->type("\033[O");
    CHECK(wait_until([&] { return b.got() == "\033[O"; }));
    viewer->type("\033[I");
    CHECK(wait_until([&] { return b.got() == "\033[I"; }));
    viewer->command('n');
    REQUIRE(viewer->wait_for("ready c"));
    CHECK(b.got() == "\033[O");
    CHECK(deaf.got().empty());
    viewer->command('p');
    REQUIRE(viewer->wait_for("ready b"));
    CHECK(b.got() == "\033[I");
    leave(*viewer);
    CHECK(b.got() == "\033[O");
    CHECK(a.got().empty());
}

TEST_CASE("focus is lost when the last terminal that has it is gone, however it ends", "[mato][host]") {
    mato_world world;
    asking_tab tab(world, "a");
    tab.write("\033[?1004h");
    auto first = attach(world, "a", "");
    CHECK(tab.got() == "\033[I");
    auto second = attach(world, "a", "", {"--relay"}), reader = attach(world, "a", "", {"-r"});
    first->type("\033[Ox"); // another one still has it
    CHECK(wait_until([&] { return tab.got() == "x"; }));
    first->type("\033[Iy");
    CHECK(wait_until([&] { return tab.got() == "y"; }));
    second->type("\033[Oz");
    CHECK(wait_until([&] { return tab.got() == "z"; }));
    first->signal(SIGKILL);
    CHECK(wait_until([&] { return tab.got() == "\033[O"; }));
    reader->type("\033[O\033[I"); // it cannot type
    CHECK(tab.got().empty());
    second->type("\033[I");
    CHECK(wait_until([&] { return tab.got() == "\033[I"; }));
    second->command('\x1a'); // suspended
    CHECK(wait_until([&] { return tab.got() == "\033[O"; }));
    second->signal(SIGCONT);
    CHECK(wait_until([&] { return tab.got() == "\033[I"; }));
    reader.reset(); // its session leader was forked while the terminal of `second` was open
    second->hang_up();
    CHECK(wait_until([&] { return tab.got() == "\033[O"; }));
}
