// SPDX-License-Identifier: MIT
/// @file environment_test.cpp: the variables a tab's program starts with.
#include "tab/environment.hpp"

#include "client/paths.hpp"

#include "support/catch.hpp"

#include <mato/version.hpp>

using mux::environment;

// ---- the contract ----

TEST_CASE("items are split at the first equals sign, and joined again", "[environment]") {
    const auto all = mux::parse_environment({"B=2=3", "A=1", "EMPTY=", "S=a b\nc"});
    CHECK(all == environment{{"A", "1"}, {"B", "2=3"}, {"EMPTY", ""}, {"S", "a b\nc"}});
    CHECK(mux::to_strings(all) == std::vector<std::string>{"A=1", "B=2=3", "EMPTY=", "S=a b\nc"});
    CHECK(mux::to_strings({}).empty());
}

TEST_CASE("a name given twice has its last value", "[environment]") {
    CHECK(mux::parse_environment({"A=1", "A=2"}) == environment{{"A", "2"}});
}

TEST_CASE("an update copies the named variables and no others", "[environment]") {
    environment base{{"DISPLAY", ":0"}, {"SSH_AUTH_SOCK", "/old"}, {"PATH", "/bin"}, {"KEEP", "k"}};
    mux::update(base, {"DISPLAY", "SSH_AUTH_SOCK", "NEW", "KEEP"},
                {"DISPLAY", "SSH_AUTH_SOCK=/new", "NEW=a=b", "PATH=/evil", "LD_PRELOAD=/evil"});
    CHECK(base == environment{{"SSH_AUTH_SOCK", "/new"}, {"PATH", "/bin"}, {"KEEP", "k"}, {"NEW", "a=b"}});
}

TEST_CASE("a tab gets the daemon's variables and six of its own", "[environment]") {
    const auto all = mux::for_tab({{"PATH", "/bin"}, {"TERM", "dumb"}, {"MATO", "old"}}, "/s/d.sock", 12, 3, {});
    CHECK(all == environment{{"PATH", "/bin"},
                             {"MATO", "/s/d.sock,12,3"},
                             {"MATO_TAB", "3"},
                             {"TERM", "xterm-256color"},
                             {"COLORTERM", "truecolor"},
                             {"TERM_PROGRAM", "mato"},
                             {"TERM_PROGRAM_VERSION", MATO_VERSION_STRING}});
    const auto enclosing = mux::parse_enclosing_tab(all.at("MATO"));
    REQUIRE(enclosing);
    CHECK(enclosing->socket == "/s/d.sock");
    CHECK(enclosing->daemon_pid == 12);
    CHECK(enclosing->tab == 3);
}

TEST_CASE("variables that were only for the daemon do not reach a tab", "[environment]") {
    environment base;
    for (const char* name : {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
                             "TMUX", "TMUX_PANE", "STY", "WINDOW", "LINES", "COLUMNS"})
        base[name] = "x";
    CHECK(mux::for_tab(base, "/s", 1, 1, {}).size() == 6);
}

TEST_CASE("variables about the terminal in which the daemon was started do not reach a tab", "[environment]") {
    environment base;
    for (const char* name : {"VTE_VERSION",
                             "TERM_SESSION_ID",
                             "TERMINFO",
                             "TERMINFO_DIRS",
                             "TERMCAP",
                             "COLORFGBG",
                             "WINDOWID",
                             "WT_SESSION",
                             "WT_PROFILE_ID",
                             "KITTY_WINDOW_ID",
                             "KITTY_PID",
                             "KITTY_LISTEN_ON",
                             "KITTY_PUBLIC_KEY",
                             "KITTY_SHELL_INTEGRATION",
                             "WEZTERM_PANE",
                             "WEZTERM_UNIX_SOCKET",
                             "ITERM_SESSION_ID",
                             "ITERM_PROFILE",
                             "KONSOLE_VERSION",
                             "KONSOLE_DBUS_SESSION",
                             "SHELL_SESSION_ID",
                             "LC_TERMINAL",
                             "LC_TERMINAL_VERSION",
                             "GNOME_TERMINAL_SCREEN",
                             "GNOME_TERMINAL_SERVICE",
                             "ALACRITTY_WINDOW_ID",
                             "ALACRITTY_SOCKET",
                             "GHOSTTY_RESOURCES_DIR",
                             "XTERM_VERSION",
                             "TILIX_ID",
                             "ZELLIJ",
                             "ZELLIJ_SESSION_NAME",
                             "TERMINAL_EMULATOR",
                             "INSIDE_EMACS",
                             "VIM_TERMINAL",
                             "VSCODE_INJECTION",
                             "ConEmuANSI"})
        base[name] = "x";
    base["TERM_PROGRAM"] = "vscode";
    base["TERM_PROGRAM_VERSION"] = "1.2";
    const auto all = mux::for_tab(base, "/s", 1, 1, {});
    CHECK(all.size() == 6);
    CHECK(all.at("TERM_PROGRAM") == "mato");
    for (const char* name : {"KITTY", "LC_TERM", "LC_ALL", "PATH", "VTE", "EDITOR", "SSH_TTY", "WINDOWS", "TERMINFO_"})
        CHECK(mux::for_tab({{name, "x"}}, "/s", 1, 1, {}).count(name) == 1);
    CHECK(mux::for_tab(base, "/s", 1, 1, {"KITTY_PID=7"}).at("KITTY_PID") == "7");
}

TEST_CASE("the user's variables take precedence", "[environment]") {
    const auto all = mux::for_tab({{"A", "base"}}, "/s", 1, 1, {"A=user", "TERM=vt100", "TMUX=back", "A=last"});
    CHECK(all.at("A") == "last");
    CHECK(all.at("TERM") == "vt100");
    CHECK(all.at("TMUX") == "back");
}

// ---- the refusals ----

TEST_CASE("items without a name or an equals sign are ignored", "[environment]") {
    CHECK(mux::parse_environment({"", "=x", "NOTHING", "="}).empty());
    environment base{{"A", "1"}};
    mux::update(base, {"", "B"}, {"", "=x", "C"});
    CHECK(base.at("A") == "1");
}
