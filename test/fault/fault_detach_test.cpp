// SPDX-License-Identifier: MIT
/// @file fault_detach_test.cpp: every call of going to the background fails once; the starter always gets an error.
#include "support/fault.hpp"

#include <mato/detach.hpp>
#include <mato/readiness.hpp>

#include "support/child_process.hpp"

#include <sys/prctl.h>

using namespace std::chrono_literals;

namespace {

// The result of a starter, which is a separate process here.
enum ending : int {
    served = 0,        // a daemon is ready
    refused = 1,       // detach reported, with a step
    daemon_failed = 2, // the daemon reported through its channel, with a step
    silent = 3,        // no daemon, and the channel reports that
    wrong = 4,
};

bool is_set_up() { // in the daemon
    struct ::stat null {
    }, standard{};
    if (::stat("/dev/null", &null) == -1) return false;
    for (int fd = 0; fd < 3; ++fd)
        if (::fstat(fd, &standard) == -1 || standard.st_rdev != null.st_rdev) return false;
    return ::getsid(0) != ::getpid() && ::umask(077) == 077;
}

int start_a_daemon() {
    // Orphans are reparented to this process, so that it can wait for the daemon too.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    mato::failure why;
    auto channel = mato::readiness_pipe::open(why);
    if (why) return why.step.empty() ? wrong : refused;
    const int keep[] = {channel.starter_fd(), channel.daemon_fd()};
    const auto role = mato::double_fork::detach({keep}, why);
    if (role == mato::detach_role::daemon) {
        channel.become_daemon();
        if (why)
            channel.fail(why);
        else if (is_set_up())
            channel.ready();
        ::_exit(0);
    }
    channel.become_starter();
    mato::failure told;
    channel.wait(mato::deadline::in(10s), told);
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    if (sigismember(&mask, SIGTERM) == 1) return wrong; // the starter's mask is restored
    if (why) return why.step.empty() ? wrong : refused;
    if (!told) return served;
    if (told.step.empty()) return wrong;
    return told.code == mato::errc::not_ready ? silent : daemon_failed;
}

} // namespace

TEST_CASE("going to the background survives every fault, in both processes", "[detach][fault]") {
    const auto before = support::open_descriptors();
    fault::start();
    REQUIRE(support::in_child(start_a_daemon) == served);
    const std::vector<const char*> names(fault::calls().names, fault::calls().names + std::min(fault::calls().count, 200));
    int endings[5] = {};
    std::vector<std::string> seen;
    for (const char* name : names) {
        // The two processes run in parallel, so a call is identified by its count among the calls of its name.
        const int nth = static_cast<int>(std::count(seen.begin(), seen.end(), name)) + 1;
        if (nth > 6) continue; // a loop that closes descriptors: its first calls are enough
        seen.emplace_back(name);
        for (const int error : fault::plausible(name)) {
            fault::fail_nth(name, nth, error);
            const int ended = support::in_child(start_a_daemon);
            INFO(name << ", call " << nth << " of it, fails with " << std::strerror(error));
            REQUIRE(ended >= served);
            REQUIRE(ended < wrong);
            ++endings[ended];
            CHECK(fault::calls().struck <= 1);
        }
    }
    fault::start();
    CHECK(endings[served] > 0);
    CHECK(endings[refused] > 0);
    CHECK(endings[daemon_failed] > 0);
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a failed fork is reported with its error", "[detach][fault]") {
    CHECK(support::in_child([] {
              fault::fail_all("fork", EAGAIN);
              mato::failure why;
              const auto role = mato::double_fork::detach({}, why);
              return role == mato::detach_role::starter && why.code.value() == EAGAIN && why.step == "fork" ? 0 : 1;
          }) == 0);
    CHECK(support::in_child([] {
              fault::fail_all("setsid", EPERM); // in the intermediate process
              mato::failure why;
              const auto role = mato::double_fork::detach({}, why);
              return role == mato::detach_role::starter && why.code.value() == EPERM && !why.step.empty() ? 0 : 1;
          }) == 0);
    fault::start();
}

TEST_CASE("reserving the standard descriptors survives every fault", "[detach][fault]") {
    const std::vector<int> closed =
        GENERATE(std::vector<int>{}, std::vector<int>{0}, std::vector<int>{1, 2}, std::vector<int>{0, 1, 2});
    const auto reserve = [&] { // 0: all three are open; 1: a failure was reported
        for (const int fd : closed) ::close(fd);
        mato::failure why;
        mato::reserve_standard_descriptors(why);
        if (why) return why.step.empty() || why.path != "/dev/null" ? 2 : 1;
        for (int fd = 0; fd < 3; ++fd)
            if (::fcntl(fd, F_GETFD) == -1) return 3;
        return 0;
    };
    fault::start();
    REQUIRE(support::in_child(reserve) == 0);
    const int count = fault::calls().count;
    const std::vector<const char*> names(fault::calls().names, fault::calls().names + count);
    for (int index = 0; index < count; ++index)
        for (const int error : fault::plausible(names[static_cast<std::size_t>(index)])) {
            fault::start(index + 1, error);
            INFO("call " << index + 1 << ", " << names[static_cast<std::size_t>(index)] << ": " << std::strerror(error));
            CHECK(support::in_child(reserve) < 2);
        }
    fault::start();
}
