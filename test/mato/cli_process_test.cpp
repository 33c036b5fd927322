// SPDX-License-Identifier: MIT
// The commands as users and scripts see them: output and exit codes.
#include "support/json_reader.hpp"
#include "support/mato_world.hpp"

#include <mato/printable.hpp>

using namespace support;

TEST_CASE("new: id, program's code, task, name, directory, variables, size", "[mato][cli]") {
    mato_world world;
    world.must({"daemon"});
    CHECK(world.must({"new", "-d", "-t", "work", "-n", "editor", "--", "cat"}) == "1\n");
    CHECK(world.must({"new", "-d", "-t", "work", "--", "cat", "-u"}) == "2\n");
    CHECK(world.must({"-q", "new", "-d", "-t", "play", "--", "sleep 1000"}).empty());
    const std::string tabs = world.must({"ls"});
    INFO(tabs);
    CHECK(contains(tabs, "work\n  1  editor  80x24  running  0 clients  cat\n  2  cat  80x24  running  0 clients  cat -u\n"));
    CHECK(contains(tabs, "play\n  3  sleep  80x24  running  0 clients  sleep 1000\n"));

    for (const int code : {0, 1, 42, 255})
        CHECK(world.run({"new", "-W", "--", "exit " + std::to_string(code)}).exit_code == code);
    CHECK(world.run({"new", "-W", "--", "kill -TERM $$"}).exit_code == 128 + SIGTERM);
    // The options of the program are its own, also without "--".
    CHECK(world.run({"new", "-W", "sh", "-c", "exit 9"}).exit_code == 9);
    CHECK(world.run({"new", "-Wn", "name", "-t", "work", "sh", "-c", "exit $#", "--", "-d", "--"}).exit_code == 2);

    const auto told = [&](const std::vector<std::string>& options, const std::string& program) {
        std::vector<std::string> command{"new", "-W"};
        command.insert(command.end(), options.begin(), options.end());
        command.insert(command.end(), {"--", "{ " + program + "; } > \"$HOME/told\" 2>&1"});
        world.must(command);
        return read_file(world.home() / "told");
    };
    std::filesystem::create_directory(world.home() / "project");
    CHECK(told({"-c", world.root().path().native()}, "pwd") == world.root().path().native() + "\n");
    CHECK(told({"-c", "project"}, "pwd") == (world.home() / "project").native() + "\n");
    CHECK(told({}, "pwd") == world.home().native() + "\n");
    CHECK(told({"-e", "A=one, two", "-e", "B=", "-e", "TERM=vt100"}, "echo \"$A|$B|$TERM\"") == "one, two||vt100\n");
    CHECK(told({"-x", "101", "-y", "37"}, "stty size < /dev/tty") == "37 101\n");
    CHECK(told({}, "tty; test -t 0 && ps -o stat= -p $$ | tr -d ' \\n'; umask").starts_with("/dev/pts/"));
    CHECK(told({}, "ls -l /proc/$$/fd > told.all; grep -c -v -e /dev/pts/ -e total -e told told.all || :") ==
          "0\n");                                     // nothing from the daemon
    CHECK(world.must({"new", "-d"}).ends_with("\n")); // the shell
    CHECK(wait_until([&] { return contains(world.must({"ls"}), "running  0 clients  sh\n"); }));
}

TEST_CASE("ls and clients: text, JSON, and 1 without a daemon", "[mato][cli]") {
    mato_world world;
    for (const char* command : {"ls", "clients"}) {
        const outcome none = world.run({command});
        CHECK(none.exit_code == 1);
        CHECK(none.out.empty());
        CHECK(contains(none.err, "no daemon is running"));
    }
    world.must({"new", "-d", "-n", "quo\"te", "--", "printf 'hi\\n'; exec cat"});
    const std::string ls = world.must({"ls", "--json"});
    INFO(ls);
    json_reader tabs(ls);
    CHECK(tabs.whole());
    CHECK(tabs.names() ==
          std::vector<std::string>{"id",   "task",          "name",         "title",   "pid",   "command",   "cwd",
                                   "cols", "rows",          "emulator",     "clients", "state", "exit_code", "idle_seconds",
                                   "bell", "history_lines", "memory_bytes", "mark",    "said",  "note",      "notice"});
    const std::string compact = json_reader::compact(ls);
    CHECK(contains(compact, R"("task":"Task 1","name":"quo\"te")"));
    CHECK(contains(compact, R"("cols":80,"rows":24,"emulator":"vt","clients":0,"state":"running","exit_code":null)"));
    CHECK(contains(compact, "\"cwd\":\"" + world.home().native() + "\""));
    CHECK(world.must({"clients", "--json"}) == "[]\n"); // the command itself is not listed
    const auto waiting = world.start({"wait", "1", "--exit"});
    std::string clients;
    REQUIRE(wait_until([&] { return contains(clients = world.must({"clients", "--json"}), "\"pid\""); }));
    INFO(clients);
    json_reader listed(clients);
    CHECK(listed.whole());
    CHECK(listed.names() == std::vector<std::string>{"id", "pid", "uid", "tty", "cols", "rows", "tab", "readonly", "path",
                                                     "bytes_sent", "frames_dropped", "queue_bytes", "stream"});
    CHECK(world.must({"clients"}).empty());
}

TEST_CASE("ls on a terminal: columns; -w draws again after each change; --ended", "[mato][cli]") {
    mato_world world;
    world.must({"new", "-d", "-n", "first", "--", "cat"});
    const auto screen = [&](const char* tab) { return world.must({"capture", tab}); };
    world.must({"new", "-d", "-n", "list", "--keep", "-x", "60", "-y", "12", "--", world.executable(), "ls"});
    CHECK(wait_until([&] { return contains(screen("list"), "Task 1\n  1  first  running  80x24  cat\n *2  list   "); }));

    world.must({"new", "-d", "-n", "watch", "--", world.executable(), "ls", "-w"});
    REQUIRE(wait_until([&] { return contains(screen("watch"), "*3  watch  running"); }));
    world.must({"rename", "1", "another name"});
    CHECK(wait_until([&] { return contains(screen("watch"), "1  another name  running"); }));
    world.must({"kill", "2"});
    CHECK(wait_until([&] { return !contains(screen("watch"), "list"); }));
    world.must({"resize", "watch", "24x10"});
    CHECK(wait_until([&] { return contains(screen("watch"), "1  another name  runn\u2026\n"); }));
    CHECK(world.run({"ls", "-w"}).exit_code == 64); // no terminal

    CHECK(world.run({"new", "-W", "-n", "short", "--", "exit 3"}).exit_code == 3);
    CHECK(contains(world.must({"ls", "--ended"}), "4  Task 1/short  exited 3\n"));
    CHECK(contains(json_reader::compact(world.must({"ls", "--ended", "--json"})),
                   R"({"id":4,"task":"Task 1","name":"short","exit_code":3})"));
}

TEST_CASE("what is sent after a resize is read by a program that has the new size", "[mato][cli]") {
    mato_world world;
    world.must({"new", "-d", "-t", "task", "--", "stty -echo; while read -r line; do stty size; done"});
    for (int i = 0; i < 5; ++i) { // sizes that come at once, as from a script
        const std::string columns = std::to_string(60 + i);
        world.must({"resize", "1", columns + "x20"});
        world.must({"send", "task", "x", "Enter"}); // the task's tab used last
        world.must({"wait", "task", "--text", "^20 " + columns + "$", "--timeout", "20s"});
    }
}

TEST_CASE("remain_on_exit keeps the ended tab for has, ls and kill", "[mato][cli]") {
    mato_world world;
    world.configure("remain_on_exit = \"failed\"\n");
    world.open_tab();
    CHECK(world.run({"new", "-W", "--", "exit 3"}).exit_code == 3);
    CHECK(world.run({"new", "-W", "--", "exit 0"}).exit_code == 0);
    CHECK(contains(world.must({"ls"}), "exited 3"));
    CHECK(count_of(world.must({"ls"}), "\n") == 3);
    CHECK(contains(json_reader::compact(world.must({"ls", "--json"})), R"("state":"exited","exit_code":3)"));
    CHECK(world.run({"has", "2"}).exit_code == 0);
    CHECK(world.run({"send", "2", "x"}).exit_code == 1);
    world.must({"kill", "2"});
    CHECK(world.run({"has", "2"}).exit_code == 1);
}

TEST_CASE("a tab by number, by task and name, by prefix; an ambiguous name lists the candidates", "[mato][cli]") {
    mato_world world;
    world.must({"new", "-d", "-t", "work", "-n", "server", "--", "cat"});
    world.must({"new", "-d", "-t", "work", "-n", "services", "--", "cat"});
    world.must({"new", "-d", "-t", "play", "-n", "server", "--", "cat"});
    for (const char* name :
         {"1", "work/server", "work/1", "1/1", "work/2", "services", "servi", "w/servi", "play/s", "p/1", "2/server"}) {
        INFO(name);
        CHECK(world.run({"has", name}).exit_code == 0);
    }
    for (const char* name : {"4", "0", "work/3", "3/1", "nothing", "work/nothing", "nothing/1", "/", "work/", "."}) {
        INFO(name);
        const outcome went = world.run({"has", name});
        CHECK(went.exit_code == 1);
        CHECK_FALSE(went.err.empty());
    }
    const outcome ambiguous = world.run({"kill", "serv"});
    CHECK(ambiguous.exit_code == 1);
    for (const char* candidate : {"1 (work/server)", "2 (work/services)", "3 (play/server)"})
        CHECK(contains(ambiguous.err, candidate));
    CHECK(contains(world.run({"has", "server"}).err, "3 (play/server)"));
    CHECK(count_of(world.must({"ls"}), "running") == 3);

    world.must({"rename", "services", "other"});
    world.must({"rename", "work", "labour"});
    CHECK(world.run({"has", "labour/other"}).exit_code == 0);
    CHECK(world.run({"rename", "play", "labour"}).exit_code == 1);
    CHECK(world.run({"rename", "other", "12"}).exit_code == 64);
    CHECK(world.run({"rename", "other", "a/b"}).exit_code == 64);
    CHECK(world.run({"rename", "nothing", "x"}).exit_code == 1);
}

TEST_CASE("ids are not reused, also by the next daemon", "[mato][cli]") {
    mato_world world;
    CHECK(world.open_tab() == "1");
    CHECK(world.open_tab() == "2");
    world.must({"kill", "2"});
    CHECK(world.open_tab() == "3");
    world.must({"stop"});
    CHECK(world.open_tab() == "4");
    world.kill_daemon();
    REQUIRE(wait_until([&] { return world.run({"ls"}).exit_code == 1; }));
    CHECK(world.open_tab() == "5");
}

TEST_CASE("-N never starts a daemon, nor do commands that only query", "[mato][cli]") {
    mato_world world;
    for (const std::vector<std::string>& command : {std::vector<std::string>{"-N", "new", "-d"},
                                                    {"-N", "new", "-W", "--", "true"},
                                                    {"has", "1"},
                                                    {"send", "1", "x"},
                                                    {"kill", "1"},
                                                    {"rename", "1", "x"},
                                                    {"detach"},
                                                    {"capture", "1"},
                                                    {"wait", "1", "--exit"},
                                                    {"wait", "1", "--text", "x"},
                                                    {"resize", "1", "80x24"},
                                                    {"respawn", "1"},
                                                    {"move", "1", "x"},
                                                    {"record", "1", "file"},
                                                    {"events"},
                                                    {"-N", "control"},
                                                    {"stop"},
                                                    {"--kill"},
                                                    {"reload"}}) {
        const outcome went = world.run(command);
        INFO(command.front() << ": " << went.err);
        const bool asks = command[0] == "has" || command[0] == "stop" || command[0] == "--kill"; // then the answer is negative
        CHECK(went.exit_code == (asks ? 1 : 69));
        CHECK(contains(went.err, "no daemon is running"));
    }
    CHECK_FALSE(std::filesystem::exists(world.state()));
    CHECK(world.is_clean());
}

TEST_CASE("bad usage ends with 64 and says what is wrong", "[mato][cli]") {
    mato_world world;
    const std::vector<std::vector<std::string>> wrong = {{"no-such-command"},
                                                         {"--no-such-option"},
                                                         {"new", "--no-such"},
                                                         {"has"},
                                                         {"has", ""},
                                                         {"kill", ""},
                                                         {"rename", "", "x"},
                                                         {"send", "", "x"},
                                                         {"has", "1", "2"},
                                                         {"kill"},
                                                         {"kill", "-t", "x", "1"},
                                                         {"rename", "1"},
                                                         {"new", "-d", "-W"},
                                                         {"new", "-x", "0"},
                                                         {"new", "-x", "many"},
                                                         {"new", "-y", "10001"},
                                                         {"new", "-e", "novalue"},
                                                         {"-L", "a/b", "ls"},
                                                         {"-L", "..", "ls"},
                                                         {"-L"},
                                                         {"ls", "extra"},
                                                         {"--status", "--kill"},
                                                         {"--foreground"},
                                                         {"--status", "ls"},
                                                         {"detach", "-a", "3"},
                                                         {"wait", "1"},
                                                         {"wait", "1", "--idle", "soon"},
                                                         {"capture", "1", "-S", "-1"},
                                                         {"resize", "1", "80"},
                                                         {"respawn"},
                                                         {"respawn", "-x", "1"},
                                                         {"move", "1"},
                                                         {"move", "", "x"},
                                                         {"events", "extra"},
                                                         {"control", "extra"}};
    for (const auto& command : wrong) {
        const outcome went = world.run(command);
        INFO(command.front() << " " << command.back() << ": " << went.out << went.err);
        CHECK(went.exit_code == 64);
        CHECK(went.out.empty());
        CHECK(went.err.starts_with("mato: "));
    }
    CHECK(world.processes().empty());
}

TEST_CASE("help and version, before and after the command", "[mato][cli]") {
    mato_world world;
    for (const std::vector<std::string>& command : {std::vector<std::string>{"--help"}, {"-h"}, {"help"}, {"-h", "new"}}) {
        const std::string text = world.must(command);
        for (const char* word :
             {"usage: mato", "-S, --socket PATH", "-L, --label NAME", "-f, --config FILE", "-N, --no-start", "-q, --quiet",
              "-h, --help", "-V, --version", "\n  --status ", "\n  --kill ", "\n  --reload ", "\n  --daemon "})
            CHECK(contains(text, word));
        for (const char* name :
             {"new",  "attach",  "detach", "ls",   "clients", "has",     "send",   "capture", "record", "resize", "wait",
              "kill", "respawn", "rename", "move", "events",  "control", "status", "reload",  "stop",   "daemon", "log"})
            CHECK(contains(text, std::string("\n  mato ") + name));
    }
    const std::string of_new = world.must({"help", "new"});
    CHECK(of_new.starts_with("mato new: "));
    for (const char* word : {"\nusage: mato new [-d | -W | -A]", "\n  -t TASK ", "\n  64 ", "\n  mato new"})
        CHECK(contains(of_new, word));
    CHECK(world.must({"new", "--help"}) == of_new);
    CHECK(world.must({"new", "-d", "-h"}) == of_new);
    CHECK(world.run({"help", "nwe"}).exit_code == 64);
    for (const char* spelling : {"--version", "-V"}) CHECK(world.must({spelling}).starts_with("mato "));
    CHECK(world.is_clean());
}

TEST_CASE("the seed's spellings", "[mato][cli]") {
    mato_world world;
    CHECK(world.run({"--status"}).exit_code == 1);
    world.must({"--daemon"});
    CHECK(contains(world.must({"--status"}), "✓ Running"));
    CHECK(contains(world.must({"--reload"}), "reloaded"));
    CHECK(world.run({"--daemon"}).exit_code == 75);
    const pid_t pid = world.daemon_pid();
    CHECK(world.must({"--kill"}) == "stopped: daemon " + std::to_string(pid) + "\n");
    CHECK(world.run({"--status"}).exit_code == 1);
    auto foreground = world.start({"--daemon", "--foreground"});
    REQUIRE(wait_until([&] { return world.run({"--status"}).exit_code == 0; }));
    CHECK(world.daemon_pid() == foreground.pid());
    world.must({"--kill"});
    CHECK(foreground.wait().exit_code == 0);
}

TEST_CASE("labels and named sockets have separate daemons", "[mato][cli]") {
    mato_world world;
    world.open_tab();
    CHECK(world.must({"-L", "second", "new", "-d", "--", "cat"}) == "1\n");
    CHECK(std::filesystem::exists(world.state() / "second/daemon.sock"));
    const std::string socket = (world.home() / "mine/the.sock").native();
    CHECK(world.must({"-S", socket, "new", "-d", "--", "cat"}) == "1\n");
    for (const char* name : {"the.sock", "the.lock", "the.pid", "the.log"})
        CHECK(std::filesystem::exists(world.home() / "mine" / name));
    CHECK(contains(world.must({"-S", socket, "status"}), "Socket: " + socket + "\n"));
    CHECK(contains(world.must({"--socket", "mine/the.sock", "status"}), "Socket: " + socket + "\n"));
    world.must({"-L", "second", "stop"});
    CHECK(world.run({"-L", "second", "ls"}).exit_code == 1);
    CHECK(count_of(world.must({"ls"}), "running") == 1);
    world.must({"-S", socket, "stop"});
    CHECK_FALSE(std::filesystem::exists(socket));
    CHECK_FALSE(std::filesystem::exists(world.home() / "mine/the.lock"));
    std::filesystem::remove_all(world.state() / "second");
}

TEST_CASE("the configuration can be named", "[mato][cli]") {
    mato_world world;
    write_file(world.home() / "my.toml", "exit_empty = false\n");
    world.must({"-f", "my.toml", "new", "-W", "--", "true"});
    CHECK(contains(world.must({"status"}), "Config: " + (world.home() / "my.toml").native() + "\n"));
    world.must({"stop"});
}

TEST_CASE("log prints the log, and -f goes on until interrupted", "[mato][cli]") {
    mato_world world;
    CHECK(world.run({"log"}).exit_code == 1);
    world.open_tab();
    CHECK(world.must({"log"}) == world.log());
    CHECK(contains(world.log(), "tab 1 opened"));
    auto following = world.start({"log", "-f"});
    CHECK(following.wait_for_output("tab 1 opened"));
    world.open_tab();
    CHECK(following.wait_for_output("tab 2 opened"));
    following.signal(SIGINT);
    CHECK(following.wait().exit_code == -SIGINT);
}

TEST_CASE("the environment that changes with the terminal follows the client", "[mato][cli]") {
    mato_world world;
    world.must({"new", "-d", "--", "cat"}, {.variables = {{"SSH_AUTH_SOCK", "/first"}, {"OTHER", "first"}, {"DISPLAY", ":1"}}});
    world.must({"new", "-W", "--", "echo \"$SSH_AUTH_SOCK,$OTHER,$DISPLAY\" > \"$HOME/told\""},
               {.variables = {{"SSH_AUTH_SOCK", "/second"}, {"OTHER", "second"}}});
    CHECK(read_file(world.home() / "told") == "/second,first,\n");
}

TEST_CASE("a standard output that accepts nothing is an error", "[mato][cli]") {
    mato_world world;
    world.open_tab();
    const outcome went = world.run({"ls"}, {.before_exec = [] { ::dup2(::open("/dev/full", O_WRONLY), 1); }});
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "standard output"));
}

TEST_CASE("no byte of a command line, a name or an option reaches the reader's terminal as a control character",
          "[mato][cli]") {
    const mato_world world;
    const std::string bad = "\x1b]2;title\x07 \u009b5n \x9b"
                            "6n \u202e\x7f";
    const auto check = [&](const std::string& text) {
        INFO(text);
        CHECK_FALSE(text.empty());
        CHECK(text == mato::printable(text, "\n"));
    };
    world.must({"-q", "daemon"});
    auto events = world.start({"events"});
    REQUIRE(events.wait_for_output("snapshot"));
    const std::string id = world.open_tab({"sh", "-c", "exec cat # " + bad});
    REQUIRE(events.wait_for_output("tab-opened"));
    for (const char* const listing : {"ls", "events", "clients", "status", "log"})
        if (std::string_view(listing) != "events")
            for (const bool json : {false, true}) {
                const outcome went = json ? world.run({listing, "--json"}) : world.run({listing});
                if (went.exit_code == 0 && !went.out.empty()) check(went.out);
            }
    CHECK(contains(world.must({"ls"}), "\\x1b]2;title\\x07 \\xc2\\x9b5n \\x9b6n \\xe2\\x80\\xae\\x7f"));
    CHECK(contains(world.must({"ls", "--json"}), "\\u001b]2;title\\u0007 \\u009b5n"));
    for (const std::vector<std::string>& command : {std::vector<std::string>{bad},
                                                    {"ls", "--" + bad},
                                                    {"has", bad},
                                                    {"kill", bad},
                                                    {"rename", id, bad},
                                                    {"new", "-d", "-t", bad},
                                                    {"new", "-d", "-c", "/" + bad},
                                                    {"new", "-d", "--", "/no/" + bad, "x"},
                                                    {"--config", "/no/" + bad, "ls"},
                                                    {"-S", "/no/" + bad + "/s", "ls"}}) {
        const outcome went = world.run(command);
        CHECK(went.exit_code != 0);
        check(went.err);
    }
    world.must({"stop"});
    check(events.wait().out);
}
