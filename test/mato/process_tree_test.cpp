// SPDX-License-Identifier: MIT
/// @file process_tree_test.cpp: all running processes that a session has started, and no others.
#include "pty/process_tree.hpp"

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_directory.hpp"

#include <algorithm>
#include <set>
#include <sys/prctl.h>

namespace {

using mux::process_id;

/// Pids of `all`; each only once.
std::set<pid_t> pids(const std::vector<process_id>& all) {
    std::set<pid_t> result;
    for (const auto& each : all) CHECK(result.insert(each.pid).second);
    return result;
}

process_id id_of(pid_t pid) {
    for (const auto& each : mux::still_running({}, ::getsid(pid)))
        if (each.pid == pid) return each;
    return {};
}

[[noreturn]] void wait_for_ever() {
    for (;;) ::pause();
}

/// Forks `body` inside a child under test; in the parent, the pid.
template <class F> pid_t fork_into(F body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        body();
        ::_exit(0);
    }
    return pid;
}

struct tree {
    pid_t leader = 0, plain = 0, grandchild = 0, own_session = 0, below_own_session = 0, zombie = 0;
};

/// A session with several kinds of processes; killed by `end`.
class session {
public:
    session()
        : leader_([this] {
              tree all;
              ::setsid();
              all.leader = ::getpid();
              const support::mailbox<std::pair<pid_t, pid_t>> inner;
              all.plain = fork_into([&] {
                  const pid_t below = fork_into(wait_for_ever);
                  inner.put({::getpid(), below});
                  wait_for_ever();
              });
              all.grandchild = inner.take()->second;
              all.own_session = fork_into([&] {
                  ::setsid();
                  const pid_t below = fork_into(wait_for_ever);
                  inner.put({::getpid(), below});
                  wait_for_ever();
              });
              all.below_own_session = inner.take()->second;
              all.zombie = fork_into([] {});
              siginfo_t info{};
              ::waitid(P_PID, static_cast<id_t>(all.zombie), &info, WEXITED | WNOWAIT); // dead, and not reaped
              box_.put(all);
              wait_for_ever();
              return 0;
          }) {
        made = box_.take().value();
    }
    ~session() {
        for (const pid_t each : {made.plain, made.grandchild, made.own_session, made.below_own_session}) ::kill(each, SIGKILL);
    }
    /// Waits until nothing of it is left.
    support::child_process& leader() { return leader_; }

    tree made;

private:
    support::mailbox<tree> box_;
    support::child_process leader_;
};

/// Waits until the process is gone or a zombie.
bool ended(pid_t pid) {
    const int watched = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
    if (watched == -1) return true;
    const bool gone = support::await_readable(watched);
    ::close(watched);
    return gone;
}

} // namespace

// ---- the contract ----

TEST_CASE("a session's members, their children, and those with sessions of their own", "[process_tree]") {
    session all;
    const auto& made = all.made;
    CHECK(pids(mux::members_of_session(made.leader)) ==
          std::set<pid_t>{made.leader, made.plain, made.grandchild, made.own_session, made.below_own_session});
    CHECK(pids(mux::members_of_session(made.own_session)) == std::set<pid_t>{made.own_session, made.below_own_session});
    CHECK(pids(mux::members_of_session(::getsid(0))).count(::getpid()) == 1);
}

TEST_CASE("zombies are left out", "[process_tree]") {
    session all;
    REQUIRE(::kill(all.made.zombie, 0) == 0); // its number is still taken
    CHECK(pids(mux::members_of_session(all.made.leader)).count(all.made.zombie) == 0);
}

TEST_CASE("a name with brackets and spaces is parsed", "[process_tree]") {
    const support::mailbox<pid_t> box;
    support::child_process odd([&] {
        ::setsid();
        ::prctl(PR_SET_NAME, ") Z 1 (x) 9");
        box.put(::getpid());
        wait_for_ever();
        return 0;
    });
    const pid_t pid = box.take().value();
    CHECK(pids(mux::members_of_session(pid)) == std::set<pid_t>{pid});
}

TEST_CASE("dead processes leave the list; new children join it, also those of a dead leader", "[process_tree]") {
    session all;
    const auto& made = all.made;
    const auto known = mux::members_of_session(made.leader);
    ::kill(made.plain, SIGKILL);
    REQUIRE(ended(made.plain));
    auto now = pids(mux::still_running(known, made.leader));
    CHECK(now == std::set<pid_t>{made.leader, made.grandchild, made.own_session, made.below_own_session});
    all.leader().signal(SIGKILL);
    CHECK(all.leader().wait() == -SIGKILL);
    // The leader and its link to the inner session are gone: only known processes are found.
    now = pids(mux::still_running(known, made.leader));
    CHECK(now == std::set<pid_t>{made.grandchild, made.own_session, made.below_own_session});
    CHECK(pids(mux::still_running({}, made.leader)) == std::set<pid_t>{made.grandchild});
}

TEST_CASE("a known process's new child is found although its session is another one", "[process_tree]") {
    const support::mailbox<pid_t> box;
    support::gate go;
    support::child_process parent([&] {
        ::setsid();
        box.put(::getpid());
        go.pass();
        const pid_t below = fork_into([] {
            ::setsid();
            wait_for_ever();
        });
        box.put(below);
        wait_for_ever();
        return 0;
    });
    const pid_t pid = box.take().value();
    const auto known = mux::members_of_session(pid);
    CHECK(pids(known) == std::set<pid_t>{pid});
    go.open();
    const pid_t below = box.take().value();
    CHECK(pids(mux::still_running(known, 0x7fffffff)) == std::set<pid_t>{pid, below});
    ::kill(below, SIGKILL);
}

TEST_CASE("each process of the list is signalled", "[process_tree]") {
    session all;
    const auto known = mux::members_of_session(all.made.leader);
    mux::signal_each(known, SIGTERM);
    CHECK(all.leader().wait() == -SIGTERM);
    for (const auto& each : known) CHECK(ended(each.pid));
    CHECK(mux::still_running(known, all.made.leader).empty());
}

TEST_CASE("the working directory of a process", "[process_tree]") {
    const support::temp_directory directory;
    const support::mailbox<pid_t> box;
    support::child_process there([&] {
        if (::chdir(directory.path().c_str()) == -1) return 1;
        box.put(::getpid());
        wait_for_ever();
        return 0;
    });
    CHECK(mux::working_directory(box.take().value()) == std::filesystem::canonical(directory.path()).native());
    CHECK(mux::working_directory(0x7fffffff).empty());
    CHECK(mux::working_directory(-1).empty());
}

// ---- the refusals ----

TEST_CASE("a process whose number was reused is not signalled", "[process_tree]") {
    const support::mailbox<pid_t> box;
    support::child_process other([&] {
        ::setsid();
        box.put(::getpid());
        wait_for_ever();
        return 0;
    });
    const pid_t pid = box.take().value();
    process_id stale = id_of(pid);
    REQUIRE(stale.pid == pid);
    REQUIRE(stale.start_time > 0);
    --stale.start_time; // the process that had the number before
    mux::signal_each({stale}, SIGKILL);
    mux::signal_each({{0x7fffffff, 1}}, SIGKILL); // and a number that is not in use
    CHECK(pids(mux::still_running({stale}, 0x7fffffff)).empty());
    CHECK(id_of(pid).pid == pid);
    mux::signal_each({id_of(pid)}, SIGTERM);
    CHECK(other.wait() == -SIGTERM); // the only signal it got
}

TEST_CASE("a session that does not exist has no members", "[process_tree]") {
    CHECK(mux::members_of_session(0x7fffffff).empty());
    mux::signal_each({}, SIGKILL);
}
