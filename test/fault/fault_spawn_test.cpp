// SPDX-License-Identifier: MIT
/// @file fault_spawn_test.cpp: every call of starting a program fails once, on both sides of the fork; nothing incomplete is
/// left.
#include "support/fault.hpp"

#include "../../example/mato/pty/spawn.cpp" // its calls go through the seam; nothing else of the program is linked

#include "support/child_process.hpp"

#include <sys/prctl.h>

namespace {

mux::spawn_request request_for(const char* program) {
    mux::spawn_request request;
    request.program = program;
    request.argv = {program, "-c", "exit 42"};
    request.environment = {"PATH=/usr/bin:/bin"};
    request.directory = "/";
    return request;
}

/// The child's exit code; -1 if it did not end in time.
int reap(pid_t pid) {
    const mato::unique_fd watched(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
    if (!support::await_readable(watched.get())) return -1;
    int status = 0;
    return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool no_child_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

int blocked_signals() {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    int count = 0;
    for (int number = 1; number < NSIG; ++number) count += sigismember(&mask, number) == 1;
    return count;
}

} // namespace

TEST_CASE("a program runs, or there is an error with step and path, and no descriptor or child is left", "[spawn][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path&) {
        mato::failure why;
        sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        auto made = mux::spawn(request_for("/bin/sh"), why);
        const fault::paused meanwhile;
        // Both sides of the fork count calls, so a fault meant for the child may hit the restoring of the mask, which cannot
        // fail.
        ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
        if (why) {
            CHECK_FALSE(made.terminal);
            CHECK(made.pid == 0);
        } else {
            CHECK(made.terminal);
            CHECK(reap(made.pid) == 42);
        }
        CHECK(no_child_left());
        made = {};
        return why;
    });
    CHECK(failed > 20);
}

TEST_CASE("a program that cannot be executed is reported, whatever else fails; otherwise the fault is", "[spawn][fault]") {
    fault::sweep([](const std::filesystem::path&) {
        mato::failure why;
        auto made = mux::spawn(request_for("/no/such/program"), why);
        const fault::paused meanwhile;
        if (!why) { // the child's report was lost: it looks like a program that ended immediately
            CHECK(reap(made.pid) == 127);
        } else {
            CHECK(made.pid == 0);
            while (::waitpid(-1, nullptr, 0) > 0) { // reaps a child whose waitpid was made to fail
            }
        }
        made = {};
        const bool told = why.code == std::errc::no_such_file_or_directory && why.step == "run";
        return told ? mato::failure() : why;
    });
}

TEST_CASE("each step has its own name", "[spawn][fault]") {
    struct {
        const char* call;
        int nth, error;
        const char *step, *path;
    } const table[] = {
        {"open", 1, EMFILE, "open terminal", "/dev/ptmx"},
        {"ioctl", 1, EIO, "unlock terminal", "/dev/ptmx"},
        {"ioctl", 2, ENOSPC, "open terminal's program side", "/dev/ptmx"},
        {"ioctl", 3, EIO, "set terminal size", "/dev/ptmx"},
        {"pipe2", 1, ENFILE, "open pipe", "/bin/sh"},
        {"vfork", 1, EAGAIN, "fork for", "/bin/sh"},
        {"setsid", 1, EPERM, "start session for", "/bin/sh"},
        {"ioctl", 4, EPERM, "set controlling terminal for", "/bin/sh"},
        {"fcntl", 1, EMFILE, "set standard descriptors for", "/bin/sh"},
        {"dup2", 2, EIO, "set standard descriptors for", "/bin/sh"},
        {"chdir", 1, EACCES, "enter directory", "/"},
        {"read", 1, EIO, "start", "/bin/sh"},
    };
    for (const auto& each : table) {
        INFO(each.call << " " << each.nth);
        fault::fail_nth(each.call, each.nth, each.error);
        mato::failure why;
        const int blocked_before = blocked_signals();
        const auto made = mux::spawn(request_for("/bin/sh"), why);
        fault::start();
        CHECK(why.code == std::error_code(each.error, std::system_category()));
        CHECK(why.step == each.step);
        CHECK(why.path == each.path);
        CHECK(made.pid == 0);
        CHECK(blocked_signals() == blocked_before);
        CHECK(no_child_left());
    }
}

TEST_CASE("without close_range no descriptor is inherited either", "[spawn][fault]") {
    const mato::unique_fd open(::open("/dev/null", O_RDONLY)); // not close-on-exec
    fault::fail_all("syscall", ENOSYS);
    mato::failure why;
    auto request = request_for("/bin/sh");
    request.argv[2] = "[ ! -e /proc/self/fd/" + std::to_string(open.get()) + " ] && exit 42";
    const auto made = mux::spawn(request, why);
    fault::start();
    REQUIRE_FALSE(why);
    CHECK(reap(made.pid) == 42);
}
