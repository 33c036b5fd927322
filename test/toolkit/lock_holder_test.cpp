// SPDX-License-Identifier: MIT
/// @file lock_holder_test.cpp: the identity of a lock's holder, and signalling only that process.
#include <mato/lock.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_directory.hpp"

#include <limits>

using support::in_child;
using support::read_file;
using support::write_file;

namespace {

constexpr const char* not_a_pid[] = {
    "0\n", "-1\n",   "",       "\n",           "garbage\n",    "1234567890123456789012345678901234567890\n", "12 \n", " 12\n",
    "12",  "12\n\n", "0x10\n", "2147483648\n", "4294967297\n", "0000000000000000000000000000001\n and more"};

} // namespace

// ---- the contract ----

TEST_CASE("signal_holder finds and signals the actual holder", "[lock]") {
    const support::temp_directory directory;
    const support::mailbox<int> held;
    support::child_process holder([&] {
        const auto lock = mato::instance_lock::acquire(directory / "lock");
        held.put(1);
        return ::pause();
    });
    REQUIRE(held.take());
    mato::failure why;
    CHECK(mato::instance_lock::signal_holder(directory / "lock", 0, why) == holder.pid()); // only checks
    CHECK_FALSE(why);
    CHECK(mato::instance_lock::signal_holder(directory / "lock", SIGTERM, why) == holder.pid());
    CHECK_FALSE(why);
    CHECK(holder.wait() == -SIGTERM);
    CHECK(mato::instance_lock::signal_holder(directory / "lock", SIGTERM, why) == 0);
    CHECK(why.code == mato::errc::not_running);
}

#if MATO_HAS_PROC
namespace {

std::string own_pid_line() { return std::to_string(::getpid()) + "\n"; }

std::string proc_word(const char* file) {
    const std::string text = read_file(file);
    return text.substr(0, text.find('\n'));
}
/// The second line of a lock file of this process.
struct identity {
    struct ::stat space {};
    std::string boot = proc_word("/proc/sys/kernel/random/boot_id"), start;
    identity() {
        ::stat("/proc/self/ns/pid", &space);
        std::string rest = proc_word("/proc/self/stat");
        rest.erase(0, rest.rfind(')') + 2);
        for (int field = 3; field < 22; ++field) rest.erase(0, rest.find(' ') + 1);
        start = rest.substr(0, rest.find(' '));
    }
    [[nodiscard]] std::string line(long other_space = 0, long other_start = 0) const {
        return std::to_string(static_cast<long>(space.st_ino) + other_space) + " " + boot + " " +
               std::to_string(std::stol(start) + other_start) + "\n";
    }
};

} // namespace

TEST_CASE("a lock file has pid, pid namespace, boot and start time", "[lock]") {
    const support::temp_directory directory;
    write_file(directory / "lock", std::string(300, 'x')); // the former contents are replaced
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    CHECK(read_file(directory / "lock") == own_pid_line() + identity().line());
}

TEST_CASE("the same pid with another namespace, boot or start time is not signalled", "[lock]") {
    const support::temp_directory directory;
    support::child_process bystander([] { return ::pause(); });
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    const std::string number = std::to_string(bystander.pid()) + "\n";
    const identity here;
    std::string other_boot = here.line();
    other_boot[other_boot.find(' ') + 1] ^= 1;
    const struct {
        std::string content;
        const char* why;
    } all[] = {{number, "has only the pid"},
               {number + here.line(1), "another pid namespace"},
               {number + other_boot, "another pid namespace, boot or machine"},
               {number + here.line(0, -1), "started at another time"}};
    for (const auto& each : all) {
        write_file(directory / "lock", each.content);
        mato::failure why;
        INFO(each.content);
        CHECK(mato::instance_lock::signal_holder(directory / "lock", SIGKILL, why) == 0);
        CHECK(why.code == mato::errc::holder_not_proved);
        CHECK(support::contains(why.message(), each.why));
        CHECK(support::contains(why.message(), "process " + std::to_string(bystander.pid())));
        CHECK(mato::instance_lock::try_acquire(directory / "lock").holder().pid == bystander.pid());
    }
    CHECK(::kill(bystander.pid(), 0) == 0);
    bystander.signal(SIGTERM);
    CHECK(bystander.wait() == -SIGTERM);
}

TEST_CASE("if the file is not proof enough, a process found by other means is signalled if it matches the file", "[lock]") {
    const support::temp_directory directory;
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    support::child_process bystander([] { return ::pause(); });
    const auto find = [&](pid_t number) { return [number](mato::error_out) { return mato::found_process{{}, number}; }; };
    const auto ask = [&](pid_t number, mato::failure& why) {
        return mato::instance_lock::signal_holder(directory / "lock", 0, find(number), why);
    };
    const identity here;
    mato::failure why;
    write_file(directory / "lock", own_pid_line()); // of an older version: the found pid must match
    CHECK(ask(::getpid(), why) == ::getpid());
    CHECK(ask(bystander.pid(), why) == 0);
    CHECK(why.code == mato::errc::holder_not_proved);
    for (const std::string& content : {"7\n" + here.line(), own_pid_line() + here.line(1), own_pid_line() + here.line(0, -1)}) {
        write_file(directory / "lock", content); // the start time is not proof enough: several processes start in one tick
        INFO(content);
        CHECK(ask(::getpid(), why) == 0);
        CHECK(why.code == mato::errc::holder_not_proved);
        CHECK(ask(0, why) == 0);
    }
    bystander.signal(SIGKILL);
    bystander.wait();
}

TEST_CASE("a file with an invalid second line is not a lock file", "[lock]") {
    const support::temp_directory directory;
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    for (const char* const rest : {"x\n", "1 2\n", " \n", "1 b 2", "1 b 2\nmore\n", "1 b \n"}) {
        write_file(directory / "lock", own_pid_line() + rest);
        mato::failure why;
        INFO(rest);
        CHECK(mato::instance_lock::signal_holder(directory / "lock", 0, why) == 0);
        CHECK((why.code == mato::errc::malformed || why.code == mato::errc::holder_not_proved));
    }
}
#endif

// ---- the refusals ----

TEST_CASE("signal_holder signals no process when the lock is not held", "[lock]") {
    const support::temp_directory directory;
    support::child_process bystander([] { return ::pause(); });
    mato::failure why;
    CHECK(mato::instance_lock::signal_holder(directory / "lock", SIGKILL, why) == 0);
    CHECK(why.code == mato::errc::not_running);
    CHECK(directory.names().empty()); // checking creates no file
    write_file(directory / "lock", std::to_string(bystander.pid()) + "\n");
    CHECK(mato::instance_lock::signal_holder(directory / "lock", SIGKILL, why) == 0);
    CHECK(why.code == mato::errc::not_running);
    CHECK(why.path == directory / "lock");
    for (const char* content : not_a_pid) {
        write_file(directory / "lock", content);
        CHECK(mato::instance_lock::signal_holder(directory / "lock", SIGCONT, why) == 0);
        CHECK(why.code == mato::errc::not_running);
    }
    CHECK(::kill(bystander.pid(), 0) == 0);
    bystander.signal(SIGTERM);
    CHECK(bystander.wait() == -SIGTERM);
}

TEMPLATE_TEST_CASE("signal_holder signals no process when the held file names none", "[lock]", mato::flock_lock,
                   mato::ofd_lock) {
    const support::temp_directory directory;
    const auto lock = mato::basic_instance_lock<TestType>::acquire(directory / "lock");
    for (const char* content : not_a_pid) {
        write_file(directory / "lock", content);
        mato::failure why;
        INFO("content: " << content);
        CHECK(mato::basic_instance_lock<TestType>::signal_holder(directory / "lock", SIGCONT, why) == 0);
        CHECK(why.code == mato::errc::malformed);
        CHECK(why.step == "find holder");
    }
    write_file(directory / "lock", std::to_string(std::numeric_limits<pid_t>::max()) + "\n"); // no such process
    mato::failure why;
    CHECK(mato::basic_instance_lock<TestType>::signal_holder(directory / "lock", SIGCONT, why) == 0);
    CHECK(why.code == std::errc::no_such_process);
    std::filesystem::remove(directory / "lock");
    std::filesystem::create_symlink(directory / "x", directory / "lock");
    CHECK(mato::basic_instance_lock<TestType>::signal_holder(directory / "lock", SIGKILL, why) == 0);
    CHECK(why.code.value() == ELOOP);
}

TEST_CASE("a holder of another user is reported as running, but cannot be signalled", "[lock]") {
    if (!support::is_root()) {
        WARN("skipped: changing the user needs root");
        return;
    }
    const support::temp_directory directory;
    REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    const auto as_nobody = [&](int expected) {
        return in_child([&] {
            if (!support::become_nobody()) return 1;
            mato::failure why;
            const pid_t hit = mato::instance_lock::signal_holder(directory / "lock", SIGKILL, why);
            return hit == 0 && why.code.value() == expected && why.path == directory / "lock" ? 0 : 2;
        });
    };
    CHECK(as_nobody(EACCES) == 0);
    REQUIRE(::chmod((directory / "lock").c_str(), 0666) == 0);
    CHECK(as_nobody(EPERM) == 0);
    CHECK(in_child([&] {
              mato::failure why;
              if (!support::become_nobody()) return 1;
              return !mato::instance_lock::try_acquire(directory / "another", why) && why.code.value() == EACCES ? 0 : 2;
          }) == 0);
}
