// SPDX-License-Identifier: MIT
/// @file detach_test.cpp: a daemon is separated from terminal, session, descriptors, handlers and directory.
///
/// Each case detaches from a forked child. The daemon reports one text over a pipe; its end is the end of the daemon.
#include <mato/detach.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <mato/signals.hpp>
#include <mato/unique_fd.hpp>

#include <cstdlib>
#include <map>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <thread>

using namespace std::chrono_literals;
using mato::detach_role;

namespace {

using facts = std::map<std::string, std::string>;

std::string proc_field(const std::string& name) {
    const std::string status = support::read_file("/proc/self/status");
    const auto at = status.find("\n" + name + ":\t");
    return at == std::string::npos ? "?"
                                   : status.substr(at + name.size() + 3, status.find('\n', at + 1) - at - name.size() - 3);
}

/// What `observe()` returns in the daemon, as name to value. `prepare()` runs before detaching, in the starter.
/// "starter" is "pid sid" of the starter; empty facts: there was no daemon.
template <class Detach = mato::double_fork, class Prepare, class Observe> facts in_daemon(Prepare prepare, Observe observe) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd reader(ends[0]);
    mato::unique_fd writer(::fcntl(ends[1], F_DUPFD_CLOEXEC, 20)); // above the numbers that the cases use
    ::close(ends[1]);
    support::child_process starter([&] {
        mato::reset_signals(); // removes the test framework's handlers
        const std::string report = "starter=" + std::to_string(::getpid()) + " " + std::to_string(::getsid(0)) + "\n";
        if (::write(writer.get(), report.data(), report.size()) < 0) return 2;
        prepare();
        const int keep[] = {writer.get()};
        mato::failure why;
        if (Detach::detach({.keep = keep}, why) == detach_role::starter) return why ? 1 : 0;
        std::string said = why ? "error=" + why.message() + "\n" : "";
        for (const auto& [name, value] : observe()) said += name + "=" + value + "\n";
        static_cast<void>(::write(writer.get(), said.data(), said.size()));
        ::_exit(0);
    });
    writer.reset();
    std::string text;
    char buffer[4096];
    for (ssize_t got = 1; got > 0;) {
        REQUIRE(support::await_readable(reader.get()));
        got = ::read(reader.get(), buffer, sizeof buffer);
        if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    }
    CHECK(starter.wait() == 0);
    facts result;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        const auto equals = text.find('=', at);
        result[text.substr(at, equals - at)] = text.substr(equals + 1, end - equals - 1);
        at = end + 1;
    }
    return result;
}

void nothing() {}

std::string flags_of_0_to_2() {
    std::string text;
    for (int fd = 0; fd < 3; ++fd) {
        char target[64];
        const auto size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
        text.append(target, static_cast<std::size_t>(size > 0 ? size : 0));
        text += (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR ? " rw" : " not-rw";
        text += (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 ? " cloexec;" : ";";
    }
    return text;
}
const std::string nulls = "/dev/null rw;/dev/null rw;/dev/null rw;";

/// Whether a number is only occupied: it is open, and can be neither read nor written.
bool is_retired(int fd) {
    char byte = 0;
    struct ::stat now {};
    if (::fstat(fd, &now) == -1 || !S_ISDIR(now.st_mode)) return false;
    return ::write(fd, &byte, 1) == -1 && errno == EBADF && ::read(fd, &byte, 1) == -1 && errno == EISDIR &&
           ::fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

/// The numbers that are open, "0 1 2 20 ", or that are occupied.
std::string open_numbers(bool retired = false) {
    std::string text;
    for (int fd = 0; fd < 4096; ++fd)
        if (::fcntl(fd, F_GETFD) != -1 && (fd > 2 && is_retired(fd)) == retired) text += std::to_string(fd) + " ";
    return text;
}

} // namespace

TEST_CASE("the daemon has its own session, is not its leader, and has no terminal", "[detach]") {
    const auto got = in_daemon(nothing, [] {
        return facts{{"pid", std::to_string(::getpid())},
                     {"sid", std::to_string(::getsid(0))},
                     {"group", std::to_string(::getpgrp())},
                     {"tty", ::open("/dev/tty", O_RDWR) == -1 ? std::to_string(errno) : "open"}};
    });
    const auto starter = got.at("starter");
    const auto starter_pid = starter.substr(0, starter.find(' ')), starter_sid = starter.substr(starter.find(' ') + 1);
    CHECK(got.count("error") == 0);
    CHECK(got.at("pid") != starter_pid);
    CHECK(got.at("sid") != starter_sid);
    CHECK(got.at("sid") != got.at("pid"));
    CHECK(got.at("sid") != starter_pid);
    CHECK(got.at("group") == got.at("sid"));
    CHECK(got.at("tty") == std::to_string(ENXIO));
}

TEST_CASE("opening a terminal does not make it the daemon's", "[detach]") {
    // For comparison: a session leader gets a controlling terminal by the same steps.
    const auto gains = [] {
        const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (master == -1 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return std::string("no pty");
        const int slave = ::open(::ptsname(master), O_RDWR); // no O_NOCTTY
        if (slave == -1) return std::string("no slave");
        return std::string(::open("/dev/tty", O_RDWR) == -1 ? "none" : "gained");
    };
    CHECK(support::in_child([&] {
              mato::reset_signals();
              ::setsid();
              return gains() == "gained" ? 0 : 1;
          }) == 0);
    CHECK(in_daemon(nothing, [&] { return facts{{"terminal", gains()}}; }).at("terminal") == "none");
}

TEST_CASE("with one fork the daemon is the starter's child and leads its session; the rest is as with two", "[detach]") {
    const auto observe = [] {
        return facts{{"pid", std::to_string(::getpid())},
                     {"sid", std::to_string(::getsid(0))},
                     {"cwd", std::filesystem::current_path().native()},
                     {"tty", ::open("/dev/tty", O_RDWR) == -1 ? std::to_string(errno) : "open"},
                     {"blocked", proc_field("SigBlk")},
                     {"ignored", proc_field("SigIgn")},
                     {"null", ::read(0, nullptr, 0) == 0 && ::write(1, "x", 1) == 1 ? "yes" : "no"}};
    };
    auto one = in_daemon<mato::single_fork>(nothing, observe), two = in_daemon(nothing, observe);
    CHECK(one.count("error") == 0);
    CHECK(one.at("sid") == one.at("pid"));
    CHECK(one.at("sid") != one.at("starter").substr(one.at("starter").find(' ') + 1));
    for (const char* const same : {"cwd", "tty", "blocked", "ignored", "null"}) CHECK(one.at(same) == two.at(same));
    CHECK(support::in_child([] {
              std::error_code why;
              if (mato::single_fork::detach({}, why) == detach_role::daemon) ::_exit(7);
              int status = 0; // a child of the starter, and the only one
              return !why && ::waitpid(-1, &status, 0) > 0 && WEXITSTATUS(status) == 7 && ::waitpid(-1, &status, 0) == -1 ? 0
                                                                                                                          : 1;
          }) == 0);
}

TEST_CASE("directory, umask, mask and dispositions are set, whatever the starter's were", "[detach]") {
    const auto got = in_daemon(
        [] {
            ::umask(0);
            static_cast<void>(::chdir("/tmp"));
            for (int signal = 1; signal < NSIG; ++signal)
                ::signal(
                    signal, signal % 2 ? SIG_IGN : +[](int) {});
            ::signal(SIGCHLD, SIG_DFL);
        },
        [] {
            const std::string directory = std::filesystem::current_path().native();
            char mask[16];
            std::snprintf(mask, sizeof mask, "%03o", static_cast<unsigned>(::umask(0)));
            sigset_t blocked;
            ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
            int missing = 0, special = 0;
            for (int signal = 1; signal < NSIG; ++signal) {
                const bool impossible = signal == SIGKILL || signal == SIGSTOP || (signal > 31 && signal < SIGRTMIN);
                if (!impossible && sigismember(&blocked, signal) != 1) ++missing;
                struct ::sigaction now {};
                if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_DFL) ++special;
            }
            return facts{{"cwd", directory},
                         {"umask", mask},
                         {"unblocked", std::to_string(missing)},
                         {"special", std::to_string(special)},
                         {"ignored", proc_field("SigIgn")}};
        });
    CHECK(got.at("cwd") == "/");
    CHECK(got.at("umask") == "077");
    CHECK(got.at("unblocked") == "0");
    CHECK(got.at("special") == "0");
    CHECK(got.at("ignored") == "0000000000000000");
}

TEST_CASE("only 0 to 2 and kept descriptors stay open", "[detach]") {
    const auto got = in_daemon(
        [] {
            for (const int fd : {3, 5, 19, 21, 300}) ::dup2(0, fd);
        },
        [] {
            return facts{{"open", open_numbers()}, {"standard", flags_of_0_to_2()}};
        });
    CHECK(got.at("open") == "0 1 2 20 ");
    CHECK(got.at("standard") == nulls);
}

TEST_CASE("descriptors opened by the daemon do not reuse the starter's numbers", "[detach]") {
    const auto got = in_daemon(
        [] {
            for (int fd = 3; fd < 4096; ++fd) // descriptors that the test itself has open
                if (fd != 20) ::close(fd);
            for (const int fd : {3, 4, 7, 255, 256, 300}) ::dup2(0, fd);
        },
        [] {
            std::string opened;
            for (int n = 0; n < 4; ++n) opened += std::to_string(::open("/dev/null", O_RDWR | O_CLOEXEC)) + " ";
            return facts{{"retired", open_numbers(true)}, {"opened", opened}};
        });
    CHECK(got.at("retired") == "3 4 7 255 ");
    CHECK(got.at("opened") == "5 6 8 9 ");
}

TEST_CASE("kept descriptors may be in any order, adjacent, and listed twice", "[detach]") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd reader(ends[0]), writer(ends[1]);
    CHECK(support::in_child([&] {
              mato::reset_signals();
              for (const int fd : {30, 31, 32, 33, 50}) ::dup2(writer.get(), fd);
              const int keep[] = {50, 31, 1, 31, 30, -1};
              mato::failure why;
              if (mato::double_fork::detach({.keep = keep}, why) == detach_role::starter) return why ? 1 : 0;
              const std::string open = open_numbers();
              ::_exit(::write(50, open.data(), open.size()) > 0 ? 0 : 1);
          }) == 0);
    char text[100];
    REQUIRE(support::await_readable(reader.get()));
    const auto got = ::read(reader.get(), text, sizeof text);
    REQUIRE(got > 0);
    CHECK(std::string(text, static_cast<std::size_t>(got)) == "0 1 2 30 31 50 ");
}

TEST_CASE("0 to 2 can be read and written: reads return end-of-file, writes succeed", "[detach]") {
    const auto got = in_daemon(nothing, [] {
        char byte;
        std::string text;
        for (int fd = 0; fd < 3; ++fd) text += std::to_string(::write(fd, "x", 1)) + std::to_string(::read(fd, &byte, 1)) + " ";
        return facts{{"io", text}};
    });
    CHECK(got.at("io") == "10 10 10 ");
}

TEST_CASE("started with 0 to 2 closed, reserving them first gives later descriptors other numbers", "[detach]") {
    const auto got = in_daemon(
        [] {
            for (int fd = 0; fd < 3; ++fd) ::close(fd);
            std::error_code why;
            mato::reserve_standard_descriptors(why);
            if (why || ::open("/dev/null", O_RDONLY) < 3) ::_exit(99);
        },
        [] {
            return facts{{"open", open_numbers()}, {"standard", flags_of_0_to_2()}};
        });
    CHECK(got.at("open") == "0 1 2 20 ");
    CHECK(got.at("standard") == nulls);
}

TEST_CASE("without reserving, closed ones of 0 to 2 are open and inherited afterwards", "[detach]") {
    for (unsigned closed = 0; closed < 8; ++closed) {
        const auto got = in_daemon(
            [closed] {
                for (int fd = 0; fd < 3; ++fd)
                    if (closed >> fd & 1) ::close(fd);
            },
            [] {
                return facts{{"open", open_numbers()}, {"standard", flags_of_0_to_2()}};
            });
        INFO(closed);
        CHECK(got.at("open") == "0 1 2 20 ");
        CHECK(got.at("standard") == nulls);
    }
}

TEST_CASE("reserving opens inherited read-write /dev/null on closed numbers, and changes no other", "[detach]") {
    for (unsigned closed = 0; closed < 8; ++closed)
        CHECK(support::in_child([closed] {
                  const int zero = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
                  for (int fd = 0; fd < 3; ++fd) ::dup2(zero, fd);
                  for (int fd = 0; fd < 3; ++fd)
                      if (closed >> fd & 1) ::close(fd);
                  const auto before = support::open_descriptors();
                  std::error_code why;
                  mato::reserve_standard_descriptors(why);
                  const auto flags = flags_of_0_to_2();
                  std::string expected;
                  for (int fd = 0; fd < 3; ++fd) expected += closed >> fd & 1 ? "/dev/null rw;" : "/dev/zero not-rw;";
                  if (why || flags != expected) return 1;
                  const std::size_t filled = (closed & 1) + (closed >> 1 & 1) + (closed >> 2 & 1);
                  return support::open_descriptors().size() == before.size() + filled ? 0 : 2;
              }) == 0);
}

TEST_CASE("the starter is unchanged: mask, directory, descriptors, and no child is left", "[detach]") {
    const support::temp_directory directory;
    CHECK(support::in_child([&] {
              mato::reset_signals();
              if (::chdir(directory.path().c_str()) != 0) return 1;
              ::umask(022);
              const auto before = support::open_descriptors();
              mato::failure why;
              if (mato::double_fork::detach({}, why) == detach_role::daemon) ::_exit(0);
              if (why) return 2;
              if (proc_field("SigBlk") != "0000000000000000") return 3;
              if (std::filesystem::current_path() != directory.path() || ::umask(0) != 022) return 4;
              if (support::open_descriptors() != before) return 5;
              return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD ? 0 : 6;
          }) == 0);
}

TEST_CASE("a program that ignores SIGCHLD is no error", "[detach]") {
    CHECK(support::in_child([] {
              ::signal(SIGCHLD, SIG_IGN);
              mato::failure why;
              if (mato::double_fork::detach({}, why) == detach_role::daemon) ::_exit(0);
              return why ? 1 : 0;
          }) == 0);
}

TEST_CASE("with several threads it is refused as not_single_threaded, and nothing is forked", "[detach]") {
    CHECK(support::in_child([] {
              std::thread other([&] { static_cast<void>(support::await_readable(::eventfd(0, EFD_CLOEXEC), 10s)); });
              other.detach();
              mato::failure why;
              const auto role = mato::double_fork::detach({}, why);
              if (role != detach_role::starter) return 1;
              if (why.code != mato::errc::not_single_threaded ||
                  why.message() != "detach: the process has 2 threads; detach before the first thread is started")
                  return 2;
              return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD ? 0 : 3;
          }) == 0);
}

TEST_CASE("a failed fork is reported, and the mask is unchanged", "[detach]") {
    if (!support::is_root()) return; // the limit on processes needs a user without processes
    CHECK(support::in_child([] {
              mato::reset_signals();
              struct ::rlimit none {};
              if (::setrlimit(RLIMIT_NPROC, &none) != 0 || !support::become_nobody()) return 1;
              mato::failure why;
              const auto role = mato::double_fork::detach({}, why);
              if (role == detach_role::daemon) ::_exit(0);
              if (why.code != std::error_code(EAGAIN, std::system_category()) || why.step != "fork") return 2;
              return proc_field("SigBlk") == "0000000000000000" ? 0 : 3;
          }) == 0);
}

TEST_CASE("foreground changes nothing: same process, same state", "[detach]") {
    const auto before = support::open_descriptors();
    const auto directory = std::filesystem::current_path();
    mato::failure why;
    CHECK(mato::foreground::detach({}, why) == detach_role::daemon);
    CHECK_FALSE(why);
    CHECK(support::open_descriptors() == before);
    CHECK(std::filesystem::current_path() == directory);
    static_assert(!mato::foreground::forks && mato::double_fork::forks);
}
