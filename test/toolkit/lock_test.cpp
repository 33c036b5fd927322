// SPDX-License-Identifier: MIT
/// @file lock_test.cpp: one holder at a time. Who holds it: lock_holder_test.cpp.
#include <mato/lock.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

using namespace std::chrono_literals;
using support::in_child;
using support::read_file;
using support::write_file;

namespace {
std::string own_pid_line() { return std::to_string(::getpid()) + "\n"; }

// A file system without locks.
struct broken_lock {
    static int try_lock(int) noexcept { return ENOLCK; }
    static int probe(int) noexcept { return ENOLCK; }
    static void unlock(int) noexcept {}
};
} // namespace

// ---- the contract ----

TEMPLATE_TEST_CASE("acquiring creates the file for its owner only and writes the pid", "[lock]", mato::flock_lock,
                   mato::ofd_lock) {
    const mode_t mask = GENERATE(mode_t{0}, mode_t{0277}, mode_t{0777});
    const support::temp_directory directory;
    const support::umask_scope masked(mask);
    const auto lock = mato::basic_instance_lock<TestType>::acquire(directory / "lock");
    CHECK(lock.is_held());
    CHECK(lock.path() == directory / "lock");
    CHECK(lock.verify());
    CHECK(support::mode_of(directory / "lock") == 0600);
    CHECK(support::first_line(directory / "lock") == own_pid_line());
}

TEMPLATE_TEST_CASE("a second holder is refused and gets the pid of the first", "[lock]", mato::flock_lock, mato::ofd_lock) {
    using lock_type = mato::basic_instance_lock<TestType>;
    const support::temp_directory directory;
    const auto lock = lock_type::acquire(directory / "lock");
    const pid_t holder = ::getpid();
    CHECK(in_child([&] {
              mato::failure why;
              const auto got = lock_type::try_acquire(directory / "lock", why);
              return !why && !got && got.holder().pid == holder ? 0 : 1;
          }) == 0);
    const auto here = lock_type::try_acquire(directory / "lock"); // another open file description in the same process
    CHECK_FALSE(here);
    CHECK(here.holder().pid == holder);
}

TEMPLATE_TEST_CASE("a refused attempt changes neither the file nor its times", "[lock]", mato::flock_lock, mato::ofd_lock) {
    const support::temp_directory directory;
    const auto lock = mato::basic_instance_lock<TestType>::acquire(directory / "lock");
    struct ::stat before {
    }, after{};
    REQUIRE(::stat((directory / "lock").c_str(), &before) == 0);
    for (int i = 0; i < 10; ++i) CHECK_FALSE(mato::basic_instance_lock<TestType>::try_acquire(directory / "lock"));
    REQUIRE(::stat((directory / "lock").c_str(), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    CHECK(before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
    CHECK(support::first_line(directory / "lock") == own_pid_line());
    CHECK(directory.names() == std::vector<std::string>{"lock"});
}

TEST_CASE("flock and OFD locks do not see each other", "[lock]") {
    const support::temp_directory directory;
    const auto one = mato::basic_instance_lock<mato::flock_lock>::acquire(directory / "lock");
    const auto other = mato::basic_instance_lock<mato::ofd_lock>::try_acquire(directory / "lock");
    CHECK(static_cast<bool>(other));
}

TEST_CASE("the file of a dead holder is reused and rewritten", "[lock]") {
    const support::temp_directory directory;
    for (const std::string left : {"", "99999999\n", "garbage that is longer than any process id\n"}) {
        write_file(directory / "lock", left);
        const auto got = mato::instance_lock::try_acquire(directory / "lock");
        CHECK(static_cast<bool>(got));
        CHECK(got.holder().pid == 0);
        CHECK(support::first_line(directory / "lock") == own_pid_line());
    }
}

TEST_CASE("a killed holder leaves the lock free", "[lock]") {
    const support::temp_directory directory;
    const support::mailbox<int> held;
    support::child_process holder([&] {
        const auto lock = mato::instance_lock::acquire(directory / "lock");
        held.put(1);
        return ::pause();
    });
    REQUIRE(held.take());
    CHECK(mato::instance_lock::try_acquire(directory / "lock").holder().pid == holder.pid());
    holder.signal(SIGKILL);
    CHECK(holder.wait() == -SIGKILL);
    CHECK(mato::instance_lock::acquire(directory / "lock").is_held());
}

TEST_CASE("release removes the file and frees the lock", "[lock]") {
    const support::temp_directory directory;
    auto lock = mato::instance_lock::acquire(directory / "lock");
    lock.release();
    CHECK_FALSE(lock.is_held());
    CHECK_FALSE(lock.verify());
    CHECK(directory.names().empty());
    lock.release(); // no effect
    CHECK(mato::instance_lock::acquire(directory / "lock").is_held());
}

TEST_CASE("release does not remove a file that replaced the locked one", "[lock]") {
    const support::temp_directory directory;
    auto lock = mato::instance_lock::acquire(directory / "lock");
    CHECK(lock.verify());
    REQUIRE(std::filesystem::remove(directory / "lock"));
    CHECK_FALSE(lock.verify());
    write_file(directory / "lock", "another's\n");
    CHECK_FALSE(lock.verify());
    CHECK(lock.is_held());
    lock.release();
    CHECK(read_file(directory / "lock") == "another's\n");
}

TEST_CASE("a directory lock waits, and leaves no file", "[lock]") {
    const support::temp_directory directory;
    mato::failure why;
    auto lock = mato::instance_lock::acquire_directory(directory.path(), mato::deadline::in(0ms), why);
    REQUIRE_FALSE(why);
    CHECK(lock.is_held());
    CHECK(directory.names().empty());
    const support::mailbox<int> waits, got;
    support::child_process waiter([&] {
        mato::failure late;
        waits.put(1);
        const auto mine = mato::instance_lock::acquire_directory(directory.path(), mato::deadline::in(20s), late);
        got.put(mine.is_held() ? 1 : 0);
        return late ? 1 : 0;
    });
    REQUIRE(waits.take());
    lock.release();
    CHECK(got.take() == 1);
    CHECK(waiter.wait() == 0);
    CHECK(std::filesystem::is_directory(directory.path()));
}

TEST_CASE("a lock with a deadline waits for the holder's end, and not longer than the deadline", "[lock]") {
    const support::temp_directory directory;
    const auto path = (directory / "lock").native();
    mato::failure why;
    auto first = mato::instance_lock::acquire(path, mato::deadline::in(20s), why);
    REQUIRE(first.is_held());
    CHECK_FALSE(mato::instance_lock::acquire(path, mato::deadline::in(30ms), why).is_held());
    CHECK(why.code == mato::errc::already_running);
    CHECK(why.detail.find(std::to_string(::getpid())) != std::string::npos);
    CHECK_FALSE(mato::instance_lock::acquire(path, mato::deadline::in(0ms), why).is_held());
    const support::mailbox<int> waits;
    support::child_process waiter([&] {
        mato::failure late;
        waits.put(1);
        const auto mine = mato::instance_lock::acquire(path, mato::deadline::never(), late);
        return mine.is_held() && !late && support::contains(read_file(path), std::to_string(::getpid())) ? 0 : 1;
    });
    REQUIRE(waits.take());
    first.release();
    CHECK(waiter.wait() == 0);
    CHECK_FALSE(mato::instance_lock::acquire(directory / "none" / "lock", mato::deadline::in(20s), why).is_held());
    CHECK(why.code == std::errc::no_such_file_or_directory); // an error is not waited for
}

TEMPLATE_TEST_CASE("a forked child neither releases nor keeps the lock", "[lock]", mato::flock_lock, mato::ofd_lock) {
    using lock_type = mato::basic_instance_lock<TestType>;
    const support::temp_directory directory;
    auto lock = lock_type::acquire(directory / "lock");
    CHECK(in_child([&] {
              lock.release(); // not the owner: only closes its descriptor
              return 0;
          }) == 0);
    CHECK(in_child([&] {
              const auto dropped = std::move(lock);
              return dropped.is_held() ? 0 : 1;
          }) == 0);
    CHECK(lock.verify());
    CHECK_FALSE(lock_type::try_acquire(directory / "lock"));

    support::gate end;
    const support::mailbox<int> runs;
    support::child_process keeper([&] {
        runs.put(1);
        return end.pass() && lock.is_held() ? 0 : 1;
    });
    REQUIRE(runs.take());
    lock.release();
    CHECK(static_cast<bool>(lock_type::try_acquire(directory / "lock"))); // although the child's descriptor is open
    end.open();
    CHECK(keeper.wait() == 0);
}

TEST_CASE("a child that adopts the lock keeps it when the parent abandons its descriptor", "[lock]") {
    const support::temp_directory directory;
    auto lock = mato::instance_lock::acquire(directory / "lock");
    support::gate end;
    const support::mailbox<int> adopted;
    support::child_process daemon([&] {
        mato::failure why;
        lock.adopt(why);
        adopted.put(why ? 0 : 1);
        end.pass();
        lock.release();
        return 0;
    });
    REQUIRE(adopted.take() == 1);
    lock.abandon();
    CHECK_FALSE(lock.is_held());
    CHECK(mato::instance_lock::try_acquire(directory / "lock").holder().pid == daemon.pid());
    CHECK(support::first_line(directory / "lock") == std::to_string(daemon.pid()) + "\n");
    end.open();
    CHECK(daemon.wait() == 0);
    CHECK(directory.names().empty());
}

TEST_CASE("a null_lock can be held by several", "[lock]") {
    const support::temp_directory directory;
    using lock_type = mato::basic_instance_lock<mato::null_lock>;
    const auto one = lock_type::acquire(directory / "lock");
    const auto two = lock_type::acquire(directory / "lock");
    CHECK(one.is_held());
    CHECK(two.is_held());
    mato::failure why;
    CHECK(lock_type::signal_holder(directory / "lock", 0, why) == 0); // no holder is found
    CHECK(why.code == mato::errc::not_running);
}

// ---- the refusals ----

TEST_CASE("already_running has step, path and pid", "[lock]") {
    const support::temp_directory directory;
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    mato::failure why;
    CHECK_FALSE(mato::instance_lock::acquire(directory / "lock", why).is_held());
    CHECK(why.code == mato::errc::already_running);
    CHECK(why.step == "lock");
    CHECK(why.path == directory / "lock");
    CHECK(why.detail == "already running, pid " + std::to_string(::getpid()));
    CHECK_THROWS_AS(mato::instance_lock::acquire(directory / "lock"), mato::error);
}

TEST_CASE("errors of open are reported with step and path", "[lock]") {
    const support::temp_directory directory;
    const auto refusal = [&](const std::filesystem::path& path) {
        mato::failure why;
        CHECK_FALSE(mato::instance_lock::try_acquire(path, why));
        CHECK(why.step == "open lock file");
        CHECK(why.path == path);
        return why.code.value();
    };
    std::filesystem::create_symlink(directory / "elsewhere", directory / "link");
    std::filesystem::create_directory(directory / "directory");
    CHECK(refusal(directory / "link") == ELOOP);
    CHECK(refusal(directory / "absent" / "lock") == ENOENT);
    CHECK(refusal(directory / "directory") == EISDIR);
    CHECK(directory.names() == std::vector<std::string>{"directory", "link"});
    CHECK_THROWS_AS(mato::instance_lock::try_acquire(directory / "link"), mato::error);
}

TEST_CASE("a file that cannot be locked is an error, neither held nor free", "[lock]") {
    const support::temp_directory directory;
    write_file(directory / "lock", "untouched\n");
    using lock_type = mato::basic_instance_lock<broken_lock>;
    mato::failure why;
    CHECK_FALSE(lock_type::acquire(directory / "lock", why).is_held());
    CHECK(why.code.value() == ENOLCK);
    CHECK(why.code != mato::cond::already_running);
    CHECK(why.step == "lock");
    CHECK(lock_type::signal_holder(directory / "lock", SIGKILL, why) == 0);
    CHECK(why.code.value() == ENOLCK);
    CHECK_FALSE(lock_type::acquire_directory(directory.path(), mato::deadline::in(1s), why).is_held());
    CHECK(why.code.value() == ENOLCK);
    CHECK(read_file(directory / "lock") == "untouched\n");
}

TEST_CASE("a file to which the pid cannot be written is not locked", "[lock]") {
    const support::temp_directory directory;
    REQUIRE(::mkfifo((directory / "lock").c_str(), 0600) == 0);
    mato::failure why;
    CHECK_FALSE(mato::instance_lock::acquire(directory / "lock", why).is_held());
    CHECK(why.step == "write lock file");
    CHECK(why.path == directory / "lock");
}

TEST_CASE("a directory lock reports a missing directory, a file, a symlink, and the deadline", "[lock]") {
    const support::temp_directory directory;
    write_file(directory / "file", "");
    std::filesystem::create_symlink(directory.path(), directory / "link");
    mato::failure why;
    const auto refusal = [&](const std::filesystem::path& path) {
        CHECK_FALSE(mato::instance_lock::acquire_directory(path, mato::deadline::in(0ms), why).is_held());
        CHECK(why.path == path);
        return why.code;
    };
    CHECK(refusal(directory / "absent").value() == ENOENT);
    CHECK(refusal(directory / "file").value() == ENOTDIR);
    CHECK(refusal(directory / "link") == std::errc::not_a_directory);
    CHECK(why.step == "open directory");
    const auto lock = mato::instance_lock::acquire_directory(directory.path(), mato::deadline::in(0ms), why);
    CHECK(refusal(directory.path()) == mato::errc::timed_out);
    const auto begin = mato::clock::now();
    CHECK_FALSE(mato::instance_lock::acquire_directory(directory.path(), mato::deadline::in(40ms), why).is_held());
    CHECK(mato::clock::now() - begin >= 40ms);
    CHECK(why.step == "lock");
}

TEST_CASE("only a held lock can be adopted", "[lock]") {
    mato::instance_lock nothing;
    mato::failure why;
    nothing.adopt(why);
    CHECK(why.code == mato::errc::lock_not_held);
    CHECK(why.step == "adopt lock");
}

// ---- the edges ----

TEST_CASE("a holder that has not written its pid yet is running, pid unknown", "[lock]") {
    const support::temp_directory directory;
    const mato::unique_fd silent(mato::sys::open((directory / "lock").c_str(), O_RDWR | O_CREAT, 0600));
    REQUIRE(mato::flock_lock::try_lock(silent.get()) == 0);
    mato::failure why;
    CHECK_FALSE(mato::instance_lock::acquire(directory / "lock", why).is_held());
    CHECK(why.code == mato::errc::already_running);
    CHECK(support::contains(why.detail, "pid not yet known"));
}

TEST_CASE("probing a stale file never makes it look held", "[lock]") {
    const support::temp_directory directory;
    write_file(directory / "lock", own_pid_line()); // a running process that does not hold the lock
    const mato::unique_fd asker(mato::sys::open((directory / "lock").c_str(), O_RDWR));
    REQUIRE(::flock(asker.get(), LOCK_SH | LOCK_NB) == 0); // in the middle of its probe
    mato::failure why;
    CHECK(mato::instance_lock::signal_holder(directory / "lock", 0, why) == 0);
    CHECK(why.code == mato::errc::not_running);
    CHECK_FALSE(mato::instance_lock::try_acquire(directory / "lock", why));
    CHECK(why.code == mato::errc::busy); // and not "already running": a probe does not last half a second
}

// ---- the promises about absence ----

TEST_CASE("a lock has one owner, which moves", "[lock]") {
    static_assert(!std::is_copy_constructible_v<mato::instance_lock>);
    static_assert(std::is_nothrow_move_constructible_v<mato::instance_lock>);
    static_assert(std::is_nothrow_move_assignable_v<mato::instance_lock>);
    const support::temp_directory directory;
    const auto before = support::open_descriptors();
    {
        auto first = mato::instance_lock::acquire(directory / "lock");
        mato::instance_lock second(std::move(first));
        CHECK_FALSE(first.is_held());
        CHECK(second.verify());
        auto other = mato::instance_lock::acquire(directory / "other");
        other = std::move(second); // releases the lock that it held
        CHECK(directory.names() == std::vector<std::string>{"lock"});
        auto& same = other;
        other = std::move(same);
        CHECK(other.verify());
        CHECK_FALSE(mato::instance_lock().is_held());
    }
    CHECK(directory.names().empty());
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("the lock is closed on exec", "[lock]") {
    const support::temp_directory directory;
    const auto before = support::open_descriptors();
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    for (const auto& opened : support::open_descriptors())
        if (std::find(before.begin(), before.end(), opened) == before.end())
            CHECK((::fcntl(std::atoi(opened.c_str()), F_GETFD) & FD_CLOEXEC) != 0);
}
