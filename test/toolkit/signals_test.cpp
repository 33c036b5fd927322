// SPDX-License-Identifier: MIT
/// @file signals_test.cpp: a signal is a readable descriptor, and closing restores the former state.
#include <mato/signals.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <map>
#include <sys/resource.h>

namespace {

sigset_t current_mask() {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return mask;
}

bool same(const sigset_t& a, const sigset_t& b) {
    for (int signal = 1; signal < NSIG; ++signal)
        if (sigismember(&a, signal) != sigismember(&b, signal)) return false;
    return true;
}

using handler = void (*)(int);
handler handler_of(int signal) {
    struct ::sigaction now {};
    ::sigaction(signal, nullptr, &now);
    return now.sa_handler;
}

void old_handler(int) {}

/// Signal number to how often `try_next` returned it, until it was empty.
template <class Source> std::map<int, int> drain(Source& source) {
    std::map<int, int> got;
    while (const auto signal = source.try_next()) ++got[*signal];
    return got;
}

/// The value of a line of /proc/self/status.
std::string status_field(const std::string& name) {
    const std::string status = support::read_file("/proc/self/status");
    const auto at = status.find(name + ":\t");
    return at == std::string::npos ? "?" : status.substr(at + name.size() + 2, status.find('\n', at) - at - name.size() - 2);
}

/// For the bodies of children: returns the number of the failed step.
#define STEP(number, fact)                                                                                                     \
    if (!(fact)) return number

#if MATO_HAS_SIGNALFD
#define SOURCES mato::signalfd_source, mato::self_pipe_source
#else
#define SOURCES mato::self_pipe_source
#endif

} // namespace

TEMPLATE_TEST_CASE("each signal makes the descriptor readable and is returned by number", "[signals]", SOURCES) {
    std::error_code why;
    auto source = TestType::open(mato::make_signal_set({SIGUSR1, SIGUSR2, SIGTERM}), why);
    REQUIRE_FALSE(why);
    CHECK_FALSE(source.try_next());
    CHECK_FALSE(support::await_readable(source.native_handle(), std::chrono::milliseconds(0)));
    for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGUSR1}) {
        ::kill(::getpid(), signal);
        REQUIRE(support::await_readable(source.native_handle()));
        CHECK(source.try_next() == signal);
        CHECK_FALSE(source.try_next());
    }
}

TEMPLATE_TEST_CASE("a signal comes with its sender; one of the kernel has none", "[signals]", SOURCES) {
    std::error_code why;
    auto source = TestType::open(mato::make_signal_set({SIGUSR1, SIGCHLD, SIGPIPE}), why);
    REQUIRE_FALSE(why);
    const auto next = [&] {
        auto found = source.try_next_with_sender(); // the descriptor is readable once for all that are pending
        if (!found) {
            CHECK(support::await_readable(source.native_handle()));
            found = source.try_next_with_sender();
        }
        REQUIRE(found);
        return *found;
    };
    ::kill(::getpid(), SIGUSR1);
    auto came = next();
    CHECK((came.number == SIGUSR1 && came.sender == ::getpid() && came.user == ::getuid()));
    support::child_process sends([] { return ::kill(::getppid(), SIGUSR1) == 0 ? 7 : 1; });
    came = next();
    CHECK((came.number == SIGUSR1 && came.sender == sends.pid()));
    came = next();
    CHECK((came.number == SIGCHLD && came.sender == sends.pid() && came.user == ::getuid()));
    CHECK(sends.wait() == 7);
    sigval nothing{};
    ::sigqueue(::getpid(), SIGUSR1, nothing);
    CHECK(next().sender == ::getpid());
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
    CHECK(::write(ends[1], "x", 1) == -1); // the kernel sends SIGPIPE
    ::close(ends[1]);
    came = next();
    CHECK(came.number == SIGPIPE);
    CHECK((came.sender == 0 || came.sender == ::getpid())); // Linux says that the process sent it to itself
    CHECK_FALSE(source.try_next_with_sender());
}

TEMPLATE_TEST_CASE("several pending signals are all returned", "[signals]", SOURCES) {
    std::error_code why;
    auto source = TestType::open(mato::make_signal_set({SIGUSR1, SIGUSR2, SIGHUP}), why);
    for (const int signal : {SIGUSR1, SIGHUP, SIGUSR2}) ::kill(::getpid(), signal);
    const auto got = drain(source);
    CHECK(got.size() == 3);
    CHECK(got.count(SIGHUP) == 1);
}

TEMPLATE_TEST_CASE("signals between two calls coalesce: at least one, not all", "[signals]", SOURCES) {
    std::error_code why;
    auto source = TestType::open(mato::make_signal_set({SIGUSR1}), why);
    for (int i = 0; i < 1000; ++i) ::kill(::getpid(), SIGUSR1);
    CHECK(drain(source)[SIGUSR1] == 1);
    CHECK(drain(source).empty());
}

TEMPLATE_TEST_CASE("a flood blocks neither the loop nor another signal", "[signals]", SOURCES) {
    std::error_code why;
    auto source = TestType::open(mato::make_signal_set({SIGUSR1, SIGTERM}), why);
    const pid_t self = ::getpid();
    support::child_process flood([self] {
        for (int i = 0; i < 100'000; ++i) ::kill(self, SIGUSR1);
        return ::kill(self, SIGTERM);
    });
    std::map<int, int> got;
    while (got[SIGTERM] == 0) {
        REQUIRE(support::await_readable(source.native_handle()));
        for (const auto& [signal, times] : drain(source)) got[signal] += times;
    }
    CHECK(flood.wait() == 0);
    CHECK(got[SIGUSR1] >= 1);
    CHECK(got[SIGTERM] == 1);
}

TEMPLATE_TEST_CASE("a flood that is not read loses no later signal", "[signals]", SOURCES) {
    std::error_code why;
    auto source = TestType::open(mato::make_signal_set({SIGUSR1, SIGTERM}), why);
    for (int i = 0; i < 100'000; ++i) ::kill(::getpid(), SIGUSR1);
    ::kill(::getpid(), SIGTERM);
    const auto got = drain(source);
    CHECK(got.count(SIGUSR1) == 1);
    CHECK(got.count(SIGTERM) == 1);
    for (int turns = 0; support::await_readable(source.native_handle(), std::chrono::milliseconds(0)); ++turns) {
        REQUIRE(turns < 1000); // it becomes quiet again
        REQUIRE(drain(source).empty());
    }
}

TEMPLATE_TEST_CASE("masks, dispositions and descriptors are restored when the source is destroyed", "[signals]", SOURCES) {
    struct ::sigaction mine {
    }, before{};
    mine.sa_handler = old_handler;
    ::sigaction(SIGUSR1, &mine, &before);
    const sigset_t mask = current_mask();
    const auto descriptors = support::open_descriptors();
    {
        std::error_code why;
        auto source = TestType::open(mato::make_signal_set({SIGUSR1, SIGUSR2}), why);
        REQUIRE_FALSE(why);
        TestType moved = std::move(source);
        CHECK_FALSE(source.try_next()); // NOLINT(bugprone-use-after-move): it must be empty
        ::kill(::getpid(), SIGUSR1);
        CHECK(moved.try_next() == SIGUSR1);
        source = std::move(moved);
        ::kill(::getpid(), SIGUSR2);
        CHECK(source.try_next() == SIGUSR2);
        source.close();
        CHECK(same(current_mask(), mask));
        CHECK_FALSE(source.try_next());
        CHECK(source.native_handle() == -1);
    }
    CHECK(same(current_mask(), mask));
    CHECK(handler_of(SIGUSR1) == old_handler);
    CHECK(handler_of(SIGUSR2) == SIG_DFL);
    CHECK(support::open_descriptors() == descriptors);
    ::sigaction(SIGUSR1, &before, nullptr);
}

TEMPLATE_TEST_CASE("a source can be opened again and again, and starts empty", "[signals]", SOURCES) {
    for (int i = 0; i < 100; ++i) {
        std::error_code why;
        auto source = TestType::open(mato::make_signal_set({SIGUSR1}), why);
        REQUIRE_FALSE(why);
        REQUIRE_FALSE(source.try_next());
        ::kill(::getpid(), SIGUSR1);
        REQUIRE(drain(source)[SIGUSR1] == 1);
    }
}

TEMPLATE_TEST_CASE("opening receives a signal that was blocked before", "[signals]", SOURCES) {
    CHECK(support::in_child([] {
              mato::reset_signals();
              const mato::blocked_signals blocked; // as after detaching
              ::kill(::getpid(), SIGUSR1);
              std::error_code why;
              auto source = TestType::open(mato::make_signal_set({SIGUSR1}), why);
              STEP(1, !why);
              STEP(2, source.try_next() == SIGUSR1);
              ::kill(::getpid(), SIGUSR1);
              STEP(3, source.try_next() == SIGUSR1);
              return 0;
          }) == 0);
}

TEMPLATE_TEST_CASE("descriptors of a source are non-blocking and closed on exec", "[signals]", SOURCES) {
    std::error_code why;
    const auto source = TestType::open(mato::make_signal_set({SIGUSR1}), why);
    CHECK((::fcntl(source.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(source.native_handle(), F_GETFL) & O_NONBLOCK) != 0);
}

TEMPLATE_TEST_CASE("without descriptors the error is reported, and mask and dispositions are unchanged", "[signals]", SOURCES) {
    CHECK(support::in_child([] {
              struct ::rlimit before {
              }, none{};
              const sigset_t mask = current_mask();
              STEP(1, ::getrlimit(RLIMIT_NOFILE, &before) == 0);
              none.rlim_max = before.rlim_max;
              STEP(1, ::setrlimit(RLIMIT_NOFILE, &none) == 0);
              mato::failure why;
              const auto source = TestType::open(mato::make_signal_set({SIGUSR1}), why);
              STEP(1, ::setrlimit(RLIMIT_NOFILE, &before) == 0); // sanitizers open their own descriptors
              STEP(2, why.code == std::error_code(EMFILE, std::system_category()) && !why.step.empty());
              STEP(3, same(current_mask(), mask));
              STEP(4, handler_of(SIGUSR1) == SIG_DFL);
              STEP(5, source.native_handle() == -1);
              return 0;
          }) == 0);
}

#if MATO_HAS_SIGNALFD
TEST_CASE("signalfd blocks its signals, and does not change other signals", "[signals]") {
    const auto mine = mato::make_signal_set({SIGUSR2, SIGALRM}), set = mato::make_signal_set({SIGUSR1, SIGTERM});
    sigset_t before;
    REQUIRE(::pthread_sigmask(SIG_SETMASK, &mine, &before) == 0);
    {
        std::error_code why;
        const auto source = mato::signalfd_source::open(set, why);
        CHECK(same(current_mask(), mato::make_signal_set({SIGUSR1, SIGTERM, SIGUSR2, SIGALRM})));
    }
    CHECK(same(current_mask(), mine));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
#endif

TEST_CASE("a second self-pipe is refused with EBUSY and does not harm the first", "[signals]") {
    mato::failure why;
    auto first = mato::self_pipe_source::open(mato::make_signal_set({SIGUSR1}), why);
    const auto descriptors = support::open_descriptors();
    {
        const auto second = mato::self_pipe_source::open(mato::make_signal_set({SIGUSR1, SIGUSR2}), why);
        CHECK(why.code == std::error_code(EBUSY, std::system_category()));
        CHECK(why.step == "open signal pipe");
        CHECK(second.native_handle() == -1);
        CHECK(support::open_descriptors() == descriptors);
    }
    CHECK(handler_of(SIGUSR2) == SIG_DFL);
    ::kill(::getpid(), SIGUSR1);
    CHECK(first.try_next() == SIGUSR1);
    first.close();
    first = mato::self_pipe_source::open(mato::make_signal_set({SIGUSR2}), why);
    CHECK_FALSE(why);
    ::kill(::getpid(), SIGUSR2);
    CHECK(first.try_next() == SIGUSR2);
}

TEST_CASE("a self-pipe's handler does not change errno", "[signals]") {
    std::error_code why;
    auto source = mato::self_pipe_source::open(mato::make_signal_set({SIGUSR1}), why);
    for (int i = 0; i < 70'000; ++i) { // more than a pipe's capacity, so that its write fails
        errno = 12345;
        ::kill(::getpid(), SIGUSR1);
        if (errno != 12345) FAIL("errno became " << errno);
    }
    CHECK(drain(source)[SIGUSR1] == 1);
}

TEST_CASE("a manual source returns raised signals, each once, the lowest first", "[signals]") {
    std::error_code why;
    auto source = mato::manual_source::open(mato::make_signal_set({}), why);
    CHECK(source.native_handle() == -1);
    CHECK_FALSE(source.try_next());
    source.raise(SIGTERM);
    source.raise(SIGHUP);
    source.raise(SIGTERM);
    CHECK(source.try_next() == SIGHUP);
    CHECK(source.try_next() == SIGTERM);
    CHECK_FALSE(source.try_next());
}

TEST_CASE("blocked_signals blocks all that can be blocked, and restores the mask", "[signals]") {
    const sigset_t before = current_mask();
    {
        const mato::blocked_signals blocked;
        const sigset_t inside = current_mask();
        for (int signal = 1; signal < NSIG; ++signal) {
            const bool impossible = signal == SIGKILL || signal == SIGSTOP || (signal > 31 && signal < SIGRTMIN);
            CHECK(sigismember(&inside, signal) == (impossible ? 0 : 1));
        }
    }
    CHECK(same(current_mask(), before));
    static_assert(!std::is_copy_constructible_v<mato::blocked_signals>);
}

TEST_CASE("a set contains only the listed signals", "[signals]") {
    const auto set = mato::make_signal_set({SIGTERM, SIGRTMAX});
    for (int signal = 1; signal < NSIG; ++signal)
        CHECK(sigismember(&set, signal) == (signal == SIGTERM || signal == SIGRTMAX ? 1 : 0));
}

TEST_CASE("after reset_signals a child has an empty mask and ignores nothing; without it both survive exec", "[signals]") {
    for (const bool reset : {true, false}) {
        CHECK(support::in_child([reset] {
                  struct ::sigaction ignore {};
                  ignore.sa_handler = SIG_IGN;
                  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &ignore, nullptr);
                  sigset_t all;
                  sigfillset(&all);
                  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
                  if (reset) mato::reset_signals();
                  ::execl("/bin/sh", "sh", "-c",
                          reset ? "n=0; while read -r k v; do case $k in SigBlk:|SigIgn:) "
                                  "[ $v = 0000000000000000 ] && n=$((n+1));; esac; done < /proc/self/status; [ $n = 2 ]"
                                : "while read -r k v; do case $k in SigBlk:|SigIgn:) "
                                  "[ $v = 0000000000000000 ] && exit 1;; esac; done < /proc/self/status; exit 0",
                          nullptr);
                  return 99;
              }) == 0);
    }
}

TEST_CASE("reset_signals resets handlers and masks of an open source, in the process itself", "[signals]") {
    CHECK(support::in_child([] {
              std::error_code why;
              const auto source = mato::self_pipe_source::open(mato::make_signal_set({SIGUSR1}), why);
              const mato::blocked_signals blocked;
              mato::reset_signals();
              STEP(1, status_field("SigBlk") == "0000000000000000");
              STEP(2, status_field("SigIgn") == "0000000000000000");
              for (int signal = 1; signal < 32; ++signal) STEP(3, handler_of(signal) == SIG_DFL);
              return 0;
          }) == 0);
}
