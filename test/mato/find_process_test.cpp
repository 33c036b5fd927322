// SPDX-License-Identifier: MIT
// Finding in a tab in a user's terminal; libvterm shows what the terminal shows.
#include "support/catch.hpp"
#include "support/mato_world.hpp"
#include "support/outer_terminal.hpp"
#include "vt/image_size.hpp"

#include <functional>
#include <string>
#include <vector>

using namespace support;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> attach(const std::string& path) {
    std::vector<std::string> words{"attach", "1"};
    if (path == "relayed") words.emplace_back("--relay");
    return words;
}

/// A row of the terminal without trailing blanks.
std::string row_of(const outer_terminal& terminal, int row) {
    std::string all = terminal.screen().text();
    for (; row > 0; --row) all.erase(0, all.find('\n') + 1);
    all.resize(std::min(all.find('\n'), all.size()));
    return all.substr(0, all.find_last_not_of(' ') + 1);
}

bool comes_to_be(outer_terminal& terminal, int row, const std::function<bool(const std::string&)>& wanted) {
    const bool shown = wait_until([&] { return terminal.look(), wanted(row_of(terminal, row)); });
    INFO("row " << row << " is \"" << row_of(terminal, row) << "\" on\n" << terminal.screen().text());
    CHECK(shown);
    return shown;
}

bool row_is(outer_terminal& terminal, int row, const std::string& text) {
    return comes_to_be(terminal, row, [&](const std::string& shown) { return shown == text; });
}

bool row_begins(outer_terminal& terminal, int row, const std::string& text) {
    return comes_to_be(terminal, row, [&](const std::string& shown) { return shown.starts_with(text); });
}

/// What the last OSC 52 put into the terminal's clipboard.
std::string clipboard_of(outer_terminal& terminal) {
    const std::string begin = "\033]52;c;";
    const auto received = [&] {
        terminal.look();
        const std::string_view all = terminal.client().shown();
        const auto at = all.rfind(begin);
        return at != std::string_view::npos && all.find('\033', at + 1) != std::string_view::npos;
    };
    CHECK(wait_until(received));
    const std::string_view all = terminal.client().shown();
    const auto at = all.rfind(begin) + begin.size();
    return mux::vt::decode_base64(all.substr(at, all.find('\033', at) - at), 1u << 20);
}

} // namespace

TEST_CASE("a text is found while it is typed, in a tab of 10 000 lines", "[mato][look]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    world.must({"new", "-d", "--", "seq 1 9990; echo end; exec cat"});
    outer_terminal terminal(world, attach(path));
    REQUIRE(terminal.comes_to_show("end"));
    terminal.command('/');
    CHECK(row_begins(terminal, 23, " find "));
    terminal.type("777");
    // Those that `seq 9990 | grep -c 777` counts.
    CHECK(row_is(terminal, 23, " find  777   1 of 19   ^R older  ^S newer  ^A all tabs  Enter stay  Esc back"));
    CHECK(terminal.comes_to_show("9777"));
    terminal.type("\x12");
    CHECK(row_begins(terminal, 23, " find  777   2 of 19 "));
    CHECK(terminal.comes_to_show("8777"));
    world.must({"send", "1", "777 is typed later", "Enter"});
    terminal.resize(40, 10);
    CHECK(row_begins(terminal, 9, " find  777   2 of 19"));
    CHECK(terminal.comes_to_show("8777"));
    terminal.type("\x15re:^1.*9$");
    CHECK(row_begins(terminal, 9, " find  re:^1.*9$   1 of 111"));
    CHECK(terminal.comes_to_show("1999"));
    terminal.type("\r");
    CHECK(row_begins(terminal, 9, " history  "));
    terminal.type("Vy");
    CHECK(clipboard_of(terminal) == "1999\n");
    terminal.type("/end");
    CHECK(row_begins(terminal, 9, " find  end "));
    terminal.type("\033"); // back to the look back, then to the tab
    CHECK(row_begins(terminal, 9, " history  "));
    terminal.type("\033");
    CHECK(terminal.comes_to_agree("1"));
    terminal.command('/');
    CHECK(row_begins(terminal, 9, " find "));
    terminal.type("\033");
    CHECK(terminal.comes_to_agree("1"));
    terminal.command('d');
    CHECK(terminal.client().wait() == 0);
}
