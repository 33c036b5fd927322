// SPDX-License-Identifier: MIT
/// @file spawn_program_test.cpp: a started program inherits what it is given and nothing else, and a failed start leaves
/// nothing.
#include <mato/spawn.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <sys/resource.h>

using support::contains;

namespace {

/// Runs a shell script to its end and returns its standard output.
std::string output_of(const std::string& script, mato::spawn_options options = {}) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd read_end(ends[0]);
    mato::unique_fd write_end(ends[1]);
    if (options.program.empty()) options.program = "/bin/sh", options.arguments = {"-c", script};
    options.descriptors.push_back({write_end.get(), 1});
    mato::failure why;
    const auto started = mato::spawn(options, why);
    INFO(why.message());
    REQUIRE(started.pid > 0);
    write_end.reset();
    std::string text;
    char room[4096];
    for (ssize_t got; support::await_readable(read_end.get()) && (got = ::read(read_end.get(), room, sizeof room)) > 0;)
        text.append(room, static_cast<std::size_t>(got));
    int status = 0;
    CHECK(::waitpid(started.pid, &status, 0) == started.pid);
    return text;
}

mato::failure failure_of(const mato::spawn_options& options) {
    const auto before = support::open_descriptors();
    mato::failure why;
    const auto started = mato::spawn(options, why);
    CHECK(started.pid == 0);
    CHECK_FALSE(started.process);
    CHECK((::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD));
    CHECK(support::open_descriptors() == before);
    return why;
}

/// A value of /proc/self/status, for example of SigBlk.
std::string status_line(const std::string& name) { return "grep ^" + name + ": /proc/self/status | cut -f 2 | tr -d '\n'"; }

} // namespace

TEST_CASE("a program gets its arguments, its environment and its directory", "[spawn]") {
    const support::temp_directory directory;
    CHECK(output_of("", {.program = "/bin/echo", .arguments = {"-n", "one", "two words", ""}}) == "one two words ");
    CHECK(output_of("printf %s \"$A-$B\"", {.program = {}, .environment = std::vector<std::string>{"A=1", "B=2"}}) == "1-2");
    ::setenv("MATO_TEST_INHERITED", "yes", 1);
    CHECK(output_of("printf %s \"$MATO_TEST_INHERITED\"") == "yes");
    ::unsetenv("MATO_TEST_INHERITED");
    mato::spawn_options elsewhere;
    elsewhere.directory = directory.path();
    CHECK(output_of("pwd -P", elsewhere) == std::filesystem::canonical(directory.path()).native() + "\n");
}

TEST_CASE("a program has default signals, none blocked, whatever the daemon has", "[spawn]") {
    CHECK(support::in_child([] {
              mato::failure why;
              const auto source = mato::default_signal_source::open(mato::make_signal_set({SIGTERM, SIGCHLD}), why);
              ::signal(SIGPIPE, SIG_IGN);
              ::signal(SIGHUP, SIG_IGN);
              const std::string blocked = output_of(status_line("SigBlk")), ignored = output_of(status_line("SigIgn"));
              const bool ok =
                  blocked == "0000000000000000" && ignored == "0000000000000000" && ::signal(SIGPIPE, SIG_IGN) == SIG_IGN;
              return ok ? 0 : 1;
          }) == 0);
}

TEST_CASE("SIGTERM ends a started program although the daemon blocks it", "[spawn]") {
    CHECK(support::in_child([] {
              mato::failure why;
              const auto source = mato::default_signal_source::open(mato::make_signal_set({SIGTERM}), why);
              const auto started = mato::spawn({.program = "sleep", .arguments = {"1000"}}, why);
              int status = 0;
              ::kill(started.pid, SIGTERM);
              if (!support::await_readable(mato::unique_fd(mato::sys::pidfd_open(started.pid)).get())) return 1;
              return ::waitpid(started.pid, &status, 0) == started.pid && WTERMSIG(status) == SIGTERM ? 0 : 2;
          }) == 0);
}

TEST_CASE("a program has the descriptors that it was given, and no other", "[spawn]") {
    const std::string list =
        "for fd in /proc/self/fd/*; do readlink -- $fd | grep -q dash && continue; echo \"${fd##*/}\"; done";
    const auto open_without_flag = [] { return ::dup(0); }; // not close-on-exec
    const mato::unique_fd leaked(open_without_flag()), other(::open("/dev/zero", O_RDONLY));
    // No pipeline: its pipe would be among the shell's descriptors for a moment. `true`: the shell waits, and does not become
    // ls.
    const std::string fds = "ls /proc/$$/fd; true";
    CHECK(output_of(fds) == "0\n1\n2\n");
    mato::spawn_options passes;
    passes.descriptors = {{other.get(), 7}};
    CHECK(output_of(fds, passes) == "0\n1\n2\n7\n");
    CHECK(output_of("readlink /proc/$$/fd/7 /proc/$$/fd/0 /proc/$$/fd/2", passes) == "/dev/zero\n/dev/null\n/dev/null\n");
}

TEST_CASE("descriptors are swapped without overwriting each other", "[spawn]") {
    const mato::unique_fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC)), full(::open("/dev/full", O_RDONLY | O_CLOEXEC));
    mato::spawn_options swaps;
    swaps.descriptors = {{zero.get(), full.get()}, {full.get(), zero.get()}, {zero.get(), 0}, {zero.get(), 200}};
    const auto link = [](int fd) { return "readlink /proc/$$/fd/" + std::to_string(fd) + ";"; };
    CHECK(output_of(link(full.get()) + link(zero.get()) + link(0) + link(200), swaps) ==
          "/dev/zero\n/dev/full\n/dev/zero\n/dev/zero\n");
}

TEST_CASE("a program has the limits and the umask that it is given", "[spawn]") {
    mato::spawn_options limited;
    limited.limits = {{RLIMIT_CORE, 0, 0}, {RLIMIT_FSIZE, 512 * 1000, 512 * 2000}};
    limited.umask = 027;
    CHECK(output_of("ulimit -c; ulimit -S -f; ulimit -H -f; umask", limited) == "0\n1000\n2000\n0027\n");
    CHECK(support::in_child([] {
              rlimit raised{};
              ::getrlimit(RLIMIT_NOFILE, &raised);
              raised.rlim_cur = raised.rlim_max;
              ::setrlimit(RLIMIT_NOFILE, &raised);
              const std::string expected = raised.rlim_max > 1024 ? "1024\n" : std::to_string(raised.rlim_max) + "\n";
              mato::spawn_options few;
              few.most_descriptors = 64;
              return output_of("ulimit -S -n") == expected && output_of("ulimit -S -n", few) == "64\n" ? 0 : 1;
          }) == 0);
    const support::umask_scope own(077);
    CHECK(output_of("umask") == "0022\n");
}

TEST_CASE("a program leads its own process group unless it is told otherwise", "[spawn]") {
    CHECK(output_of("test $(cut -d ' ' -f 5 /proc/$$/stat) = $$ && echo leads") == "leads\n");
    mato::spawn_options same;
    same.own_group = false;
    CHECK(output_of("cut -d ' ' -f 5 /proc/$$/stat", same) == std::to_string(::getpgrp()) + "\n");
}

#if MATO_HAS_SUBREAPER
TEST_CASE("a program can end with its parent", "[spawn]") {
    const support::mailbox<pid_t> started;
    support::child_process parent([&] {
        mato::failure why;
        started.put(mato::spawn({.program = "sleep", .arguments = {"1000"}, .signal_at_parents_death = SIGKILL}, why).pid);
        return ::pause();
    });
    const auto pid = started.take();
    REQUIRE(pid);
    const mato::unique_fd watched(mato::sys::pidfd_open(*pid));
    parent.signal(SIGKILL);
    CHECK((!watched || support::await_readable(watched.get())));
}
#endif

TEST_CASE("a program is found in PATH of its own environment", "[spawn]") {
    const support::temp_directory directory;
    const auto program = directory / "found";
    support::write_file(program, "#!/bin/sh\nprintf 'found by %s' \"$0\"\n");
    REQUIRE(::chmod(program.c_str(), 0700) == 0);
    std::filesystem::create_directory(directory / "empty");
    mato::spawn_options named;
    named.program = "found";
    named.environment = {"PATH=" + (directory / "empty").native() + "::" + directory.path().native()};
    CHECK(output_of("", named) == "found by " + program.native());
    named.environment = {"PATH=" + (directory / "empty").native()};
    auto why = failure_of(named);
    CHECK(why.message() == "execute found: it is in no directory of PATH; give its path");
    CHECK(why.code == std::errc::no_such_file_or_directory);
}

TEST_CASE("a failed start names the step, and leaves no process and no descriptor", "[spawn]") {
    const support::temp_directory directory;
    CHECK(failure_of({.program = "/no/such/program"}).message() == "execute /no/such/program: No such file or directory");
    CHECK(failure_of({.program = directory.path()}).code == std::errc::permission_denied);
    support::write_file(directory / "text", "not a program");
    REQUIRE(::chmod((directory / "text").c_str(), 0700) == 0);
    CHECK(failure_of({.program = directory / "text"}).code == std::errc::executable_format_error);
    CHECK(failure_of({.program = "sh", .directory = directory / "none"}).step == "enter directory");
    CHECK(failure_of({.program = "sh", .descriptors = {{999, 3}}}).message() ==
          "pass descriptor 999 to sh: Bad file descriptor");
    CHECK(failure_of({.program = "sh", .descriptors = {{0, -1}}}).code == std::errc::bad_file_descriptor);
    CHECK(failure_of({.program = "sh", .descriptors = {{0, 100'000'000}}}).step == "pass descriptor 100000000 to");
    const auto limit = failure_of({.program = "sh", .limits = {{RLIMIT_CORE, 2, 1}}});
    CHECK(limit.step == "set limit " + std::to_string(RLIMIT_CORE) + " of");
    CHECK(limit.code == std::errc::invalid_argument);
}
