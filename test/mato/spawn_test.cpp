// SPDX-License-Identifier: MIT
/// @file spawn_test.cpp: a real program in its own terminal, or the reason for a failure that leaves nothing.
#include "pty/spawn.hpp"

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <csignal>
#include <fcntl.h>
#include <set>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>

using mux::spawn;
using mux::spawn_request;
using support::contains;
using support::temp_directory;
using words = std::vector<std::string>;

namespace {

spawn_request request_for(words argv) {
    spawn_request request;
    request.program = argv.front();
    request.argv = std::move(argv);
    request.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"};
    request.directory = "/";
    return request;
}
spawn_request shell(const std::string& script) { return request_for({"/bin/sh", "-c", script}); }

/// A program under test; the destructor kills and reaps it.
class running {
public:
    explicit running(const spawn_request& request) {
        mato::failure why;
        made_ = spawn(request, why);
        INFO(why.message());
        REQUIRE_FALSE(why);
        REQUIRE(made_.pid > 0);
    }
    running(const running&) = delete;
    ~running() {
        if (made_.pid > 0) ::kill(made_.pid, SIGKILL), wait();
    }

    /// Reads until the text contains `part`, or the program's side is closed.
    bool read_until(const std::string& part) {
        while (!contains(text, part)) {
            if (!support::await_readable(made_.terminal.get())) return false;
            char buffer[4096];
            const ssize_t got = ::read(made_.terminal.get(), buffer, sizeof buffer);
            if (got <= 0) return false;
            text.append(buffer, static_cast<std::size_t>(got));
        }
        return true;
    }
    /// All its output, with newlines as the program wrote them.
    std::string output() {
        read_until("\x01no program prints this\x02");
        std::string plain;
        for (const char c : text)
            if (c != '\r') plain += c;
        return plain;
    }
    void type(const std::string& bytes) const {
        REQUIRE(::write(made_.terminal.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    int wait() {
        const mato::unique_fd watched(static_cast<int>(::syscall(SYS_pidfd_open, made_.pid, 0U)));
        if (!support::await_readable(watched.get())) return -1;
        int status = 0;
        ::waitpid(std::exchange(made_.pid, 0), &status, 0);
        return status;
    }
    [[nodiscard]] pid_t pid() const { return made_.pid; }
    [[nodiscard]] int terminal() const { return made_.terminal.get(); }

    std::string text;

private:
    mux::spawned made_;
};

std::string output_of(const spawn_request& request) { return running(request).output(); }

mato::failure refusal_of(const spawn_request& request) {
    const auto before = support::open_descriptors();
    mato::failure why;
    const auto made = spawn(request, why);
    CHECK(why);
    CHECK_FALSE(made.terminal);
    CHECK(made.pid == 0);
    CHECK_FALSE(why.step.empty());
    CHECK_FALSE(why.path.empty());
    CHECK(support::open_descriptors() == before);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1); // no child, not even a dead one
    CHECK(errno == ECHILD);
    return why;
}

std::string status_field(pid_t pid, const std::string& name) {
    std::istringstream lines(support::read_file("/proc/" + std::to_string(pid) + "/status"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + ":")) return line.substr(line.find_first_not_of(" \t", name.size() + 1));
    return {};
}

void make_program(const std::filesystem::path& path, const std::string& text, mode_t mode = 0755) {
    support::write_file(path, text);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

} // namespace

// ---- the contract ----

TEST_CASE("a program runs in its terminal, and the caller reaps its exit status", "[spawn]") {
    running program(shell("echo hello; exit 7"));
    CHECK(program.output() == "hello\n");
    const int status = program.wait();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
    running killed(shell("kill -TERM $$"));
    const int ended = killed.wait();
    CHECK(WIFSIGNALED(ended));
    CHECK(WTERMSIG(ended) == SIGTERM);
}

TEST_CASE("input reaches the program", "[spawn]") {
    running program(shell("read line; echo \"got <$line>\""));
    program.type("some words\n");
    CHECK(program.read_until("got <some words>"));
}

TEST_CASE("the program has its size from the start", "[spawn]") {
    auto request = request_for({"stty", "size"});
    request.size = {{43, 132}, {}};
    CHECK(output_of(request) == "43 132\n");
    request.size = {{1, 65535}, {}};
    CHECK(output_of(request) == "1 65535\n");
}

TEST_CASE("a resize is reported to the program", "[spawn]") {
    running program(shell("trap 'stty size; exit 0' WINCH; echo ready; while :; do read line; done"));
    REQUIRE(program.read_until("ready"));
    mato::failure why;
    mux::resize(program.terminal(), {{50, 90}, {}}, why);
    CHECK_FALSE(why);
    CHECK(program.read_until("50 90"));
}

TEST_CASE("arguments, environment and directory are exactly the given ones", "[spawn]") {
    auto request = request_for({"named so", "/proc/self/cmdline", "/dev/null", ""});
    request.program = "/bin/cat";
    CHECK(output_of(request).starts_with(std::string("named so\0/proc/self/cmdline\0/dev/null\0\0", 39)));
    auto environment = request_for({"/usr/bin/env"});
    environment.environment = {"A=1", "B=two words", "EMPTY="};
    CHECK(output_of(environment) == "A=1\nB=two words\nEMPTY=\n");
    const temp_directory directory;
    auto where = shell("pwd -P");
    where.directory = directory.path();
    CHECK(output_of(where) == std::filesystem::canonical(directory.path()).native() + "\n");
}

TEST_CASE("the program has descriptors 0 to 2 and no others, whatever the caller has open", "[spawn]") {
    std::vector<mato::unique_fd> open;
    for (int i = 0; i < 20; ++i) open.emplace_back(::open("/dev/null", O_RDWR)); // not close-on-exec
    open.emplace_back(::fcntl(open.front().get(), F_DUPFD, 200));                // far above those that the spawn itself opens
    running program(request_for({"cat"}));
    program.type("x\n");
    REQUIRE(program.read_until("x\r\nx")); // echoed and answered: it is in its main loop
    std::set<std::string> numbers, targets;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(program.pid()) + "/fd")) {
        numbers.insert(entry.path().filename());
        targets.insert(std::filesystem::read_symlink(entry.path()));
    }
    CHECK(numbers == std::set<std::string>{"0", "1", "2"});
    REQUIRE(targets.size() == 1);
    CHECK(targets.begin()->starts_with("/dev/pts/"));
}

TEST_CASE("the program has no signal blocked or ignored, whatever the caller has", "[spawn]") {
    sigset_t some, before;
    sigemptyset(&some);
    for (const int number : {SIGTERM, SIGCHLD, SIGUSR1, SIGRTMIN}) sigaddset(&some, number);
    ::pthread_sigmask(SIG_BLOCK, &some, &before);
    const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
    const auto quit_before = ::signal(SIGQUIT, SIG_IGN);
    running program(request_for({"cat"}));
    program.type("x\n");
    REQUIRE(program.read_until("x\r\nx"));
    CHECK(status_field(program.pid(), "SigBlk") == "0000000000000000");
    CHECK(status_field(program.pid(), "SigIgn") == "0000000000000000");
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, &before, &after); // the caller's own are unchanged
    CHECK(sigismember(&after, SIGTERM) == 1);
    CHECK(sigismember(&after, SIGHUP) == 0);
    CHECK(::signal(SIGPIPE, pipe_before) == SIG_IGN);
    ::signal(SIGQUIT, quit_before);
}

TEST_CASE("the program leads a session with its own controlling terminal", "[spawn]") {
    running program(shell("echo through > /dev/tty; read line"));
    REQUIRE(program.read_until("through"));
    CHECK(::getsid(program.pid()) == program.pid());
    CHECK(::getpgid(program.pid()) == program.pid());
    CHECK(::getsid(0) != program.pid());
    CHECK(::tcgetpgrp(program.terminal()) == program.pid());
    program.type("\x03"); // the terminal's interrupt key reaches the foreground group
    const int status = program.wait();
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGINT);
}

TEST_CASE("the terminal is set up for UTF-8 and the usual erase key", "[spawn]") {
    const auto text = output_of(request_for({"stty", "-a"}));
    CHECK(contains(text, " iutf8"));
    CHECK_FALSE(contains(text, "-iutf8"));
    CHECK(contains(text, "erase = ^?"));
}

TEST_CASE("files that the program creates have the usual mode, not the daemon's", "[spawn]") {
    const support::umask_scope narrow(077);
    CHECK(output_of(shell("umask")) == "0022\n");
}

TEST_CASE("the master side is non-blocking and is closed by an exec", "[spawn]") {
    running program(shell("read line"));
    CHECK((::fcntl(program.terminal(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(program.terminal(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a name is looked up in the PATH of the given environment", "[spawn]") {
    const temp_directory directory;
    for (const char* each : {"one", "two", "work"}) std::filesystem::create_directory(directory / each);
    make_program(directory / "two" / "tool", "#!/bin/sh\necho two\n");
    auto request = request_for({"tool"});
    request.directory = directory / "work";
    request.environment = {"PATH=" + (directory / "one").native() + ":" + (directory / "two").native()};
    CHECK(output_of(request) == "two\n");
    make_program(directory / "one" / "tool", "#!/bin/sh\necho one\n");
    CHECK(output_of(request) == "one\n");
    ::chmod((directory / "one" / "tool").c_str(), 0600); // not executable: the next is tried
    CHECK(output_of(request) == "two\n");
    request.environment = {"PATH=../two"}; // relative to the program's directory
    CHECK(output_of(request) == "two\n");
    make_program(directory / "work" / "tool", "#!/bin/sh\necho here\n");
    request.environment = {"PATH=/nowhere:"}; // an empty part means the program's directory
    CHECK(output_of(request) == "here\n");
    request.environment = {};
    request.program = "sh";
    request.argv = {"sh", "-c", "echo usual"};
    CHECK(output_of(request) == "usual\n"); // no PATH: the usual one
}

// ---- the refusals ----

TEST_CASE("a missing or non-executable program is reported with errno and path", "[spawn]") {
    const temp_directory directory;
    auto why = refusal_of(request_for({"/no/such/program"}));
    CHECK(why.code == std::errc::no_such_file_or_directory);
    CHECK(why.step == "run");
    CHECK(why.path == "/no/such/program");
    why = refusal_of(request_for({"no-such-program-anywhere"}));
    CHECK(why.code == std::errc::no_such_file_or_directory);
    CHECK(why.path == "no-such-program-anywhere");
    make_program(directory / "plain", "#!/bin/sh\n", 0600);
    why = refusal_of(request_for({(directory / "plain").native()}));
    CHECK(why.code == std::errc::permission_denied);
    why = refusal_of(request_for({directory.path().native()}));
    CHECK(why.code == std::errc::permission_denied);
    make_program(directory / "text", "no program\n");
    why = refusal_of(request_for({(directory / "text").native()}));
    CHECK(why.code == std::errc::executable_format_error);
    make_program(directory / "orphan", "#!/no/such/interpreter\n");
    why = refusal_of(request_for({(directory / "orphan").native()}));
    CHECK(why.code == std::errc::no_such_file_or_directory);
}

TEST_CASE("a name that is not in PATH is not looked up in the working directory", "[spawn]") {
    const temp_directory directory;
    make_program(directory / "tool", "#!/bin/sh\necho trap\n");
    auto request = request_for({"tool"});
    request.directory = directory.path();
    const auto why = refusal_of(request);
    CHECK(why.code == std::errc::no_such_file_or_directory);
    CHECK(why.path == "tool");
}

TEST_CASE("a directory that cannot be entered is reported with its path", "[spawn]") {
    auto request = shell("echo no");
    request.directory = "/no/such/directory";
    auto why = refusal_of(request);
    CHECK(why.code == std::errc::no_such_file_or_directory);
    CHECK(why.step == "enter directory");
    CHECK(why.path == "/no/such/directory");
    request.directory = "/dev/null";
    why = refusal_of(request);
    CHECK(why.code == std::errc::not_a_directory);
}

TEST_CASE("without free descriptors there is no terminal and a clear reason", "[spawn]") {
    CHECK(support::in_child([] {
              int free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
              ::close(free);
              int refused = 0;
              for (rlim_t more = 0; more < 6; ++more) { // room for this many descriptors
                  const rlimit limit{static_cast<rlim_t>(free) + more, 4096};
                  ::setrlimit(RLIMIT_NOFILE, &limit);
                  mato::failure why;
                  const auto made = spawn(shell("exit 0"), why);
                  if (why && (why.code != std::errc::too_many_files_open || why.path.empty() || made.pid != 0)) return 1;
                  if (why) ++refused;
                  if (!why) ::waitpid(made.pid, nullptr, 0);
                  const int now = ::fcntl(0, F_DUPFD, 3); // the lowest free descriptor is as before
                  if (now != -1) ::close(now);
                  if (!why || now == -1) continue;
                  if (now > free) return 2;
              }
              if (::waitpid(-1, nullptr, WNOHANG) != -1) return 3;
              return refused >= 3 ? 0 : 4;
          }) == 0);
}

TEST_CASE("resizing something that is not a terminal is reported", "[spawn]") {
    mato::failure why;
    mux::resize(-1, {}, why);
    CHECK(why.code == std::errc::bad_file_descriptor);
    CHECK(why.step == "set terminal size");
}

// ---- the edges ----

TEST_CASE("with descriptors 0 to 2 closed in the caller the program still has its own", "[spawn]") {
    const temp_directory directory;
    CHECK(support::in_child([&] {
              for (int fd = 0; fd < 3; ++fd) ::close(fd);
              mato::failure why;
              auto request = shell("read line; [ \"$line\" = go ] && [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && exit 5");
              auto made = spawn(request, why);
              if (why) return 1;
              if (::write(made.terminal.get(), "go\n", 3) != 3) return 2;
              const mato::unique_fd watched(static_cast<int>(::syscall(SYS_pidfd_open, made.pid, 0U)));
              if (!support::await_readable(watched.get())) return 3;
              int status = 0;
              ::waitpid(made.pid, &status, 0);
              return WIFEXITED(status) ? 10 + WEXITSTATUS(status) : 4;
          }) == 15);
}

// ---- the promises about absence ----

TEST_CASE("a hundred programs leave no descriptor", "[spawn]") {
    const auto before = support::open_descriptors();
    for (int i = 0; i < 100; ++i) {
        running program(shell("exit 3"));
        CHECK(WEXITSTATUS(program.wait()) == 3);
    }
    CHECK(support::open_descriptors() == before);
}
