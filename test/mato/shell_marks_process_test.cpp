// SPDX-License-Identifier: MIT
/// @file shell_marks_process_test.cpp: real shells mark their prompts and commands, and no file of the user is changed.
#include "support/mato_world.hpp"

using namespace support;

namespace {

struct shell_case {
    std::string path, start_file, start_text;
};

const shell_case bash{"/bin/bash", "home/.bash_profile",
                      "PS1='mine$ '\nalias greet='echo hello'\nPROMPT_COMMAND=\"counted=\\$((counted+1))"
                      "${PROMPT_COMMAND:+;$PROMPT_COMMAND}\"\ncounted=0\nset -u\n"};
const shell_case zsh{"/usr/bin/zsh", "home/.zshrc",
                     "PS1='mine$ '\nalias greet='echo hello'\nprecmd() { counted=$((counted+1)) }\n"};
const shell_case fish{"/usr/bin/fish", "config/fish/config.fish",
                      "function fish_prompt; set -g counted (math $counted + 1); echo -n 'mine$ '; end\n"
                      "function greet; echo hello; end\nset -g fish_greeting\n"};

void wait_for_prompt(const mato_world& world, const std::string& id) { // which a new shell has not shown yet
    const outcome prompt = world.run({"wait", id, "--prompt", "--timeout", "60s"}, {.limit = 90s});
    INFO(world.must({"capture", id}));
    CHECK(prompt.err == "");
    CHECK(prompt.exit_code == 0);
}

/// A tab with the shell as a user has it, which waits at its prompt.
std::string open_shell(const mato_world& world, const shell_case& shell) {
    const auto file = world.root().path() / shell.start_file;
    std::filesystem::create_directories(file.parent_path());
    write_file(file, shell.start_text);
    world.configure("shell = \"" + shell.path + "\"\n");
    std::string id = world.must({"new", "-d"});
    id.pop_back();
    wait_for_prompt(world, id);
    return id;
}

outcome run_line(const mato_world& world, const std::string& id, const std::string& line) {
    return world.run({"run", id, "--timeout", "60s", "--", line}, {.limit = 120s});
}

void check_shell(const shell_case& shell) {
    mato_world world;
    const std::string id = open_shell(world, shell);
    const auto check = [&](const std::string& line, const std::string& output, int code = 0) {
        CAPTURE(shell.path, line);
        const outcome went = run_line(world, id, line);
        CHECK(went.out == output);
        CHECK(went.err == "");
        CHECK(went.exit_code == code);
    };
    check("greet", "hello\n"); // the user's own start file was read
    check("true", "");
    check("sh -c 'exit 77'", "", 77);
    check("printf 'no newline'", "no newline");
    check("printf '\\033[31mred\\033[m\\n'", "red\n");
    check("cd /; mkdir -p '" + (world.home() / "a b\u00fc").native() + "'; cd '" + (world.home() / "a b\u00fc").native() + "'",
          "");
    CHECK(wait_until([&] { return contains(world.must({"ls", "--json"}), "a b\u00fc\""); }));
    check("env | grep -c MATO_SHELL_MARKS", "0\n", 1);
    check("sh -c 'echo ${PROMPT_COMMAND-none} ${ZDOTDIR-none}'", "none none\n");
    const outcome large = run_line(world, id, "head -c 1048576 /dev/zero | tr '\\0' x; sh -c 'exit 3'");
    CHECK(large.exit_code == 3);
    CHECK((large.out == std::string(1u << 20, 'x')));

    auto reading = world.start({"run", id, "--", "sh -c 'echo ask; read -r x; echo \"<$x>\"; exit 5'"}, {.limit = 90s});
    REQUIRE(reading.wait_for_output("ask\n"));
    world.must({"send", id, "answer", "Enter"});
    const outcome answered = reading.wait();
    CHECK(answered.exit_code == 5);
    CHECK(answered.out == "ask\nanswer\n<answer>\n");
    auto sleeping = world.start({"run", id, "--", "echo begun; sleep 1000"}, {.limit = 90s});
    REQUIRE(sleeping.wait_for_output("begun\n"));
    world.must({"send", id, "C-c"});
    CHECK(sleeping.wait().exit_code == 130);
    check("echo usable", "usable\n");
    check("echo $counted | grep -c '^[0-9]'", "1\n"); // the user's own prompt function still runs

    world.must({"respawn", "-k", id});
    wait_for_prompt(world, id);
    check("greet", "hello\n");
}

} // namespace

TEST_CASE("bash marks its prompts and commands by itself", "[mato][shell]") { check_shell(bash); }
TEST_CASE("zsh marks its prompts and commands by itself", "[mato][shell]") { check_shell(zsh); }
TEST_CASE("fish marks its prompts and commands by itself", "[mato][shell]") { check_shell(fish); }

TEST_CASE("the user's variables for start files stay: PROMPT_COMMAND, ZDOTDIR", "[mato][shell]") {
    mato_world world;
    std::filesystem::create_directory(world.home() / "zsh");
    write_file(world.home() / "zsh/.zshrc", "PS1='own$ '\n");
    write_file(world.home() / ".zshrc", "PS1='wrong$ '\n");
    write_file(world.home() / ".bashrc", "PS1='own$ '\n");
    const run_options user{.variables = {{"ZDOTDIR", (world.home() / "zsh").native()}, {"PROMPT_COMMAND", "users=own"}}};
    world.run({"daemon"}, user);
    for (const char* shell : {"/bin/bash", "/usr/bin/zsh"}) {
        CAPTURE(shell);
        std::string id = world.must({"new", "-d", "--", shell});
        id.pop_back();
        wait_for_prompt(world, id);
        CHECK(wait_until([&] { return contains(world.must({"capture", id}), "own$"); }));
        if (std::string_view(shell) == "/usr/bin/zsh")
            CHECK(run_line(world, id, "sh -c 'echo $ZDOTDIR'").out == (world.home() / "zsh").native() + "\n");
        else
            CHECK(run_line(world, id, "echo $users; sh -c 'echo \"${PROMPT_COMMAND:+exported}\"'").out == "own\nexported\n");
    }
}

TEST_CASE("shell_marks = false, other arguments, and a shell with marks of its own", "[mato][shell]") {
    mato_world world;
    world.configure("shell = \"/bin/bash\"\nshell_marks = false\n");
    world.must({"new", "-d", "-n", "off"});
    world.must({"new", "-d", "-n", "plain", "--", "bash", "--norc", "--noprofile"});
    for (const char* tab : {"off", "plain"}) {
        CAPTURE(tab);
        world.must({"send", tab, "printf 'marks: %s\\n' \"${PS1#*133}\" ; echo done", "Enter"});
        world.must({"wait", tab, "--text", "^done$"});
        CHECK(world.run({"wait", tab, "--prompt", "--timeout", "100ms"}).exit_code != 0);
    }
    write_file(world.home() / ".bash_profile", "PS1='\\[\\e]133;A\\a\\]own$ \\[\\e]133;B\\a\\]'\n");
    world.configure("shell = \"/bin/bash\"\n");
    world.must({"reload"});
    world.must({"new", "-d", "-n", "own"});
    wait_for_prompt(world, "own");
    world.must({"send", "own", "printf '%s\\n' \"${PS0-no PS0}\"", "Enter"});
    CHECK(wait_until([&] { return contains(world.must({"capture", "own"}), "no PS0\n"); }));
}

TEST_CASE("mato shell prints a script that a start file evaluates, and that is loaded once", "[mato][shell]") {
    mato_world world;
    CHECK(world.run({"shell", "ksh"}).exit_code == 64);
    for (const char* shell : {"bash", "zsh", "fish"}) CHECK(contains(world.must({"shell", shell}), "133;A"));
    write_file(world.home() / ".bash_profile",
               "PS1='mine$ '\nPROMPT_COMMAND='replaced=1'\neval \"$('" + world.executable() + "' shell bash)\"\n");
    world.configure("shell = \"/bin/bash\"\n");
    std::string id = world.must({"new", "-d"});
    id.pop_back();
    wait_for_prompt(world, id);
    CHECK(run_line(world, id, "echo \"$PROMPT_COMMAND\" | grep -c __mato_begin").out == "1\n");
}
