// SPDX-License-Identifier: MIT
/// @file cli_test.cpp: every existing option, and 64 for unknown ones.
#include "client/cli.hpp"

#include "client/command_table.hpp"
#include "support/catch.hpp"

using mux::command;
using words = std::vector<std::string>;

namespace {

mux::invocation good(const words& arguments) {
    std::string line;
    for (const auto& each : arguments) line += each + " ";
    INFO(line);
    try {
        return mux::parse_command_line(arguments);
    } catch (const mux::command_failure& failure) {
        FAIL(failure.text);
        return {};
    }
}

std::string bad(const words& arguments) {
    std::string line;
    for (const auto& each : arguments) line += each + " ";
    INFO(line);
    try {
        static_cast<void>(mux::parse_command_line(arguments));
        FAIL_CHECK("it was accepted");
    } catch (const mux::command_failure& failure) {
        CHECK(failure.exit_code == 64);
        CHECK(failure.text.find("mato --help") != std::string::npos);
        CHECK(failure.text.find('\n') == std::string::npos);
        return failure.text;
    }
    return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

// ---- the contract ----

TEST_CASE("without a command: attach or open", "[cli]") {
    CHECK(good({}).command == command::attach_or_new);
    CHECK(good({"-N"}).command == command::attach_or_new);
}

TEST_CASE("the options before the command", "[cli]") {
    const auto all = good({"-S", "/s", "-L", "l", "-f", "/c", "-N", "-q", "ls"});
    CHECK(all.paths.socket == "/s");
    CHECK(all.paths.label == "l");
    CHECK(all.paths.config == "/c");
    CHECK(all.no_start);
    CHECK(all.quiet);
    CHECK(all.command == command::ls);
    const auto words_too = good({"--socket", "/s", "--label", "l", "--config", "/c", "--no-start", "--quiet", "ls"});
    CHECK(words_too.paths.socket == "/s");
    CHECK(words_too.paths.label == "l");
    CHECK(words_too.paths.config == "/c");
    CHECK(words_too.no_start);
    CHECK(words_too.quiet);
    CHECK(good({"--socket=/s", "ls"}).paths.socket == "/s");
    CHECK(good({"-S", "new", "ls"}).paths.socket == "new"); // a value, not the command
    const auto none = good({"ls"});
    CHECK(none.paths.socket.empty());
    CHECK_FALSE(none.no_start);
    CHECK_FALSE(none.quiet);
}

TEST_CASE("a recording's tab, file and end", "[cli]") {
    const auto plain = good({"record", "2", "x.cast"});
    CHECK(plain.command == command::record);
    CHECK(plain.operands == words{"2", "x.cast"});
    CHECK(plain.duration.count() == 0);
    CHECK_FALSE(plain.exact);
    CHECK_FALSE(plain.force);
    const auto all = good({"record", "--for", "2s", "--exact", "--force", "a/b", "-"});
    CHECK(all.operands == words{"a/b", "-"});
    CHECK(all.duration == std::chrono::seconds(2));
    CHECK(all.exact);
    CHECK(all.force);
}

TEST_CASE("help and version", "[cli]") {
    for (const words& asking : {words{"-h"}, {"--help"}, {"-h", "ls"}, {"new", "--help"}, {"send", "-h"}, {"--status", "-h"}})
        CHECK(good(asking).command == command::help);
    CHECK(good({"-V"}).command == command::version);
    CHECK(good({"--version"}).command == command::version);
    for (const words& asking : {words{"help", "wait"}, {"wait", "--help"}, {"wait", "3", "-h"}}) {
        CHECK(good(asking).command == command::help);
        CHECK(good(asking).operands == words{"wait"});
    }
    CHECK(good({"help"}).operands.empty());
    CHECK(has(bad({"help", "waits"}), "unknown command 'waits'"));
}

TEST_CASE("the older spellings of the daemon's commands still work", "[cli]") {
    CHECK(good({"--status"}).command == command::status);
    CHECK(good({"--status", "--json"}).json);
    CHECK(good({"--kill"}).command == command::stop);
    CHECK(good({"--reload"}).command == command::reload);
    CHECK(good({"--daemon"}).command == command::daemon);
    CHECK_FALSE(good({"--daemon"}).foreground);
    CHECK(good({"--daemon", "--foreground"}).foreground);
    CHECK(good({"--foreground", "--daemon"}).foreground);
    CHECK(good({"-L", "x", "--kill"}).paths.label == "x");
}

TEST_CASE("new takes all its options and a program", "[cli]") {
    const auto all = good({"new", "-d", "-t",  "my task", "-n", "name",       "-c",  "/dir", "-e", "A=1,2", "-e",
                           "B=",  "-x", "132", "-y",      "43", "--emulator", "raw", "--",   "sh", "-c",    "ls -l"});
    CHECK(all.command == command::new_tab);
    CHECK(all.detached);
    CHECK_FALSE(all.wait);
    CHECK(all.task == "my task");
    CHECK(all.name == "name");
    CHECK(all.directory == "/dir");
    CHECK(all.environment == words{"A=1,2", "B="});
    CHECK(all.columns == 132);
    CHECK(all.rows == 43);
    CHECK(all.emulator == "raw");
    CHECK(all.program == words{"sh", "-c", "ls -l"});
    CHECK(all.operands.empty());
    CHECK(good({"new", "-W", "--", "false"}).wait);
    CHECK(good({"new"}).program.empty());
    CHECK(good({"new", "--"}).program.empty());
    CHECK(good({"new", "vim"}).program == words{"vim"});
    CHECK(good({"new", "--", "a", "--", "b", "", "-d"}).program == words{"a", "--", "b", "", "-d"});
    CHECK_FALSE(good({"new", "--", "a", "-d"}).detached);
    CHECK(good({"new"}).columns == 0);
    const auto bare =
        good({"new", "-dt", "T", "-x", "90", "vim", "-R", "--", "-d"}); // its own options end at the first word of the program
    CHECK(bare.detached);
    CHECK(bare.task == "T");
    CHECK(bare.columns == 90);
    CHECK(bare.program == words{"vim", "-R", "--", "-d"});
    CHECK(good({"new", "-tT", "--emulator=raw", "ls"}).program == words{"ls"});
}

TEST_CASE("attach, detach, lists and queries", "[cli]") {
    const auto attach = good({"attach", "-r", "-d", "--ignore-size", "Task 1/2"});
    CHECK(attach.command == command::attach);
    CHECK(attach.readonly);
    CHECK(attach.detached);
    CHECK(attach.ignore_size);
    CHECK(attach.operands == words{"Task 1/2"});
    CHECK(good({"attach"}).operands.empty());
    CHECK(good({"attach", "."}).operands == words{"."});
    CHECK(good({"detach"}).command == command::detach);
    CHECK(good({"detach", "-a"}).all);
    CHECK(good({"detach", "7"}).operands == words{"7"});
    CHECK(good({"detach", "-c", "7"}).client == 7);
    CHECK(good({"detach", "-E", "date", "-P"}).then.command == "date");
    CHECK(good({"detach", "-E", "date", "-P"}).then.hangs_up);
    CHECK(has(bad({"detach", "-c", "0"}), "-c takes a client's number, not '0'"));
    CHECK(good({"switch", "-c", "3", "-"}).operands == words{"-"});
    CHECK(good({"ls"}).command == command::ls);
    CHECK_FALSE(good({"ls"}).json);
    CHECK(good({"ls", "--json"}).json);
    CHECK(good({"clients", "--json"}).command == command::clients);
    CHECK(good({"clients", "--json"}).json);
    CHECK(good({"has", "x"}).command == command::has);
    CHECK(good({"has", "x"}).operands == words{"x"});
}

TEST_CASE("send types keys, literal bytes, and standard input", "[cli]") {
    CHECK(good({"send", "1", "C-c", "Enter"}).operands == words{"1", "C-c", "Enter"});
    CHECK_FALSE(good({"send", "1", "x"}).literal);
    for (const words& order : {words{"send", "-l", "1", "a b"}, {"send", "1", "-l", "a b"}, {"send", "1", "a b", "-l"}}) {
        CHECK(good(order).literal);
        CHECK(good(order).operands == words{"1", "a b"});
    }
    CHECK(good({"send", "1", "-l", "--", "-x", "--"}).operands == words{"1", "-x", "--"});
    CHECK(good({"send", "1", "-"}).operands == words{"1", "-"});
    CHECK(good({"send", "1", "-l", ""}).operands == words{"1", ""});
    CHECK(good({"send", "--", "1", "-l"}).operands == words{"1", "-l"});
    CHECK(good({"send", "1", "ü\n,;"}).operands == words{"1", "ü\n,;"});
}

TEST_CASE("kill, rename and the daemon's commands", "[cli]") {
    CHECK(good({"kill", "3"}).command == command::kill);
    CHECK(good({"kill", "3"}).operands == words{"3"});
    CHECK(good({"kill", "3", "work/build"}).operands == words{"3", "work/build"});
    CHECK(good({"kill", "--others"}).others);
    CHECK(good({"kill", "-t", "Task 1"}).task == "Task 1");
    CHECK(good({"rename", "3", "new name"}).command == command::rename);
    CHECK(good({"rename", "3", "new name"}).operands == words{"3", "new name"});
    CHECK(good({"respawn", "3"}).command == command::respawn);
    CHECK_FALSE(good({"respawn", "3"}).kill_first);
    CHECK(good({"respawn", "-k", "3"}).kill_first);
    CHECK(good({"respawn", "-k", "3"}).operands == words{"3"});
    CHECK(good({"move", ".", "other task"}).command == command::move);
    CHECK(good({"move", ".", "other task"}).operands == words{".", "other task"});
    CHECK(good({"state", "blocked", "--note", "why"}).command == command::state);
    CHECK(good({"state", "blocked", "--note", "why"}).note == "why");
    CHECK(good({"state", "3", "done"}).operands == words{"3", "done"});
    CHECK(good({"notice", "--tab", "3", "done"}).command == command::notice);
    CHECK(good({"notice", "--tab", "3", "done"}).tab == "3");
    CHECK(good({"notice", "done"}).operands == words{"done"});
    CHECK(good({"events"}).command == command::events);
    CHECK_FALSE(good({"events"}).json);
    CHECK(good({"events", "--json"}).json);
    CHECK(good({"control"}).command == command::control);
    CHECK(good({"status"}).command == command::status);
    CHECK(good({"status", "--json"}).json);
    CHECK(good({"reload"}).command == command::reload);
    CHECK(good({"stop"}).command == command::stop);
    CHECK_FALSE(good({"stop"}).now);
    CHECK(good({"stop", "--now"}).now);
    CHECK(good({"daemon"}).command == command::daemon);
    CHECK_FALSE(good({"daemon"}).foreground);
    CHECK(good({"daemon", "--foreground"}).foreground);
    CHECK(good({"log"}).command == command::log);
    CHECK(good({"log", "-f"}).follow);
}

// ---- the refusals ----

TEST_CASE("an unknown command or option is named", "[cli]") {
    CHECK(has(bad({"lss"}), "unknown command 'lss'"));
    CHECK(has(bad({""}), "unknown command ''"));
    CHECK(has(bad({"--"}), "unknown command '--'"));
    CHECK(has(bad({"-"}), "unknown command '-'"));
    CHECK(has(bad({"-z"}), "z"));
    CHECK(has(bad({"--sockets", "x"}), "sockets"));
    CHECK(has(bad({"ls", "--jsn"}), "jsn"));
    CHECK(has(bad({"ls", "-N"}), "N")); // after the command it is not an option
    for (const mux::command_entry& each : mux::command_table()) bad({std::string(each.name), "-Z"});
}

TEST_CASE("an option without its value is refused", "[cli]") {
    for (const char* name : {"-S", "-L", "-f", "--socket", "--label", "--config"}) bad({name});
    for (const char* name : {"-S", "-L", "-f"}) bad({name, "", "ls"});
    for (const mux::command_entry& each : mux::command_table())
        for (const mux::option& one : each.options)
            if (!one.value.empty()) bad({std::string(each.name), one.spelling()});
    CHECK(has(bad({"kill", "-t", ""}), "-t needs a value"));
}

TEST_CASE("an option without a value takes none", "[cli]") {
    for (const char* value : {"maybe", "false", "0", ""}) bad({"ls", std::string("--json=") + value});
    bad({"--quiet=no", "ls"});
}

TEST_CASE("options before the command may stand together and have their values in the same argument", "[cli]") {
    CHECK(good({"-NqL", "x", "ls"}).paths.label == "x");
    CHECK(good({"-NqL", "x", "ls"}).no_start);
    CHECK(good({"-Lx", "ls"}).paths.label == "x");
    CHECK(good({"--label=x", "ls"}).command == command::ls);
}

TEST_CASE("too few and too many operands are answered with the usage", "[cli]") {
    for (const words& wrong : {words{"ls", "x"},
                               {"clients", "x"},
                               {"has"},
                               {"has", "a", "b"},
                               {"attach", "a", "b"},
                               {"detach", "1", "2"},
                               {"send"},
                               {"send", "1"},
                               {"kill"},
                               {"rename", "a"},
                               {"rename", "a", "b", "c"},
                               {"status", "x"},
                               {"reload", "x"},
                               {"stop", "x"},
                               {"daemon", "x"},
                               {"log", "x"},
                               {"kill", "-t", "a", "1"},
                               {"ls", "--", "x"},
                               {"detach", "-a", "1"},
                               {"respawn"},
                               {"respawn", "1", "2"},
                               {"move", "1"},
                               {"move", "1", "a", "b"},
                               {"state"},
                               {"state", "1", "done", "x"},
                               {"notice"},
                               {"notice", "a", "b"},
                               {"events", "x"},
                               {"control", "x"}})
        CHECK(has(bad(wrong), "usage: mato " + wrong[0]));
}

TEST_CASE("an unknown command is refused with the one that was probably meant", "[cli]") {
    CHECK(has(bad({"atach"}), "unknown command 'atach'; did you mean 'attach'?"));
    CHECK(has(bad({"frobnicate"}), "unknown command 'frobnicate'; see"));
}

TEST_CASE("options that contradict each other are refused", "[cli]") {
    bad({"new", "-d", "-W"});
    bad({"--status", "--kill"});
    bad({"--daemon", "--reload"});
    bad({"--foreground"});
    bad({"--status", "--foreground"});
    bad({"--json"});
    bad({"--kill", "--json"});
    bad({"--json", "ls"});
    CHECK(has(bad({"--kill", "--json"}), "--json cannot be used with --kill"));
    CHECK(has(bad({"--json", "ls"}), "--json must come after the command"));
    CHECK(has(bad({"--status", "--kill"}), "use only one of --status and --kill"));
    CHECK(has(bad({"new", "-d", "-W"}), "use only one of -d, -W and -A"));
    for (const words& wrong :
         {words{"wait", "1"}, {"wait", "1", "--exit", "--idle", "1s"}, {"wait", "1", "--text", "x", "--exit"}})
        CHECK(has(bad(wrong), "give one of --exit, --idle, --text, --prompt, --command, --active, --bell, --notice or --state; "
                              "usage: mato wait"));
    CHECK(has(bad({"--status", "ls"}), "unexpected argument 'ls'"));
    bad({"--version", "ls"});
}

TEST_CASE("an empty name does not mean the tab used last", "[cli]") {
    for (const words& wrong : {words{"attach", ""},
                               {"has", ""},
                               {"kill", ""},
                               {"send", "", "x"},
                               {"rename", "", "x"},
                               {"detach", ""},
                               {"respawn", ""},
                               {"move", "", "x"}})
        bad(wrong);
}

TEST_CASE("a variable needs a name and an equals sign", "[cli]") {
    for (const char* item : {"A", "=x", ""}) bad({"new", "-e", item});
}

// ---- the edges ----

TEST_CASE("a size, a time and a number of lines are read whole", "[cli]") {
    CHECK(good({"resize", "1", "80x24"}).columns == 80);
    CHECK(good({"resize", "1", "80x24"}).rows == 24);
    CHECK(good({"resize", "1", "auto"}).columns == 0);
    for (const char* wrong : {"80", "x24", "80x", "80x24x1", "0x24", "80x10001", " 80x24", "+80x24", ""})
        CHECK(has(bad({"resize", "1", wrong}), "is not a size"));
    CHECK(good({"capture", "1", "-S", "0"}).history == 0);
    CHECK(good({"capture", "1", "-S", "4294967295"}).history == 4294967295U);
    for (const char* wrong : {"-1", "4294967296", "x", "1k", ""}) bad({"capture", "1", "-S", wrong});
    for (const char* wrong : {"0s", "-1s", "x", ""}) bad({"wait", "1", "--idle", wrong});
    CHECK(good({"events"}).since == 0);
    CHECK(good({"events", "--since", "18446744073709551615"}).since == 18446744073709551615U);
    for (const char* wrong : {"0", "-1", "18446744073709551616", "x", "4x", ""}) bad({"events", "--since", wrong});
}

TEST_CASE("cells are from 1 to 10000", "[cli]") {
    for (const char* option : {"-x", "-y"}) {
        for (const char* wrong : {"0", "-1", "10001", "65616", "99999999999999", "abc", "1x", "1.5", ""})
            bad({"new", option, wrong});
        good({"new", option, "1"});
        good({"new", option, "10000"});
    }
    CHECK(good({"new", "-x", "10000"}).columns == 10'000);
}
