// SPDX-License-Identifier: MIT
/// @file fault_lock_test.cpp: every call of the lock fails once; the lock is never held by mistake or partially.
#include "support/fault.hpp"

#include <mato/lock.hpp>

using namespace std::chrono_literals;

namespace {
struct always_denied {
    static int try_lock(int) noexcept { return EOPNOTSUPP; }
    static int probe(int) noexcept { return EOPNOTSUPP; }
    static void unlock(int) noexcept {}
};
} // namespace

TEMPLATE_TEST_CASE("acquiring and releasing survive every fault", "[lock][fault]", mato::flock_lock, mato::ofd_lock) {
    using lock_type = mato::basic_instance_lock<TestType>;
    // The file may stay: empty or stale, it is not locked, and the next start reuses it.
    const int failed = fault::sweep(
        [](const std::filesystem::path& directory) {
            mato::failure why;
            auto lock = lock_type::acquire(directory / "lock", why);
            CHECK(lock.is_held() == !why);
            if (lock.is_held()) {
                CHECK(support::first_line(directory / "lock") == std::to_string(::getpid()) + "\n");
                lock.release();
            }
            mato::failure later; // in every case the lock is free
            const fault::paused from_here;
            auto next = lock_type::acquire(directory / "lock", later);
            CHECK(next.is_held());
            return why;
        },
        {.may_remain = {"lock"}});
    CHECK(failed > 5);
}

TEST_CASE("a refused attempt reports a fault, or the holder, and never holds the lock", "[lock][fault]") {
    const support::temp_directory elsewhere;
    mato::instance_lock holder;
    {
        const fault::paused while_preparing;
        holder = mato::instance_lock::acquire(elsewhere / "lock");
    }
    fault::sweep([&](const std::filesystem::path&) {
        mato::failure why;
        const auto got = mato::instance_lock::try_acquire(elsewhere / "lock", why);
        CHECK_FALSE(got);
        CHECK((why || got.holder().pid == ::getpid()));
        CHECK(support::first_line(elsewhere / "lock") == std::to_string(::getpid()) + "\n");
        const fault::paused while_looking;
        CHECK(holder.verify());
        return why;
    });
}

TEST_CASE("after a failed write the incomplete file is removed, while the lock is held", "[lock][fault]") {
    const support::temp_directory directory;
    for (const char* step : {"ftruncate", "pwrite"}) {
        support::write_file(directory / "lock", std::string(200, 'x')); // left by a killed holder, longer than the new text
        fault::fail_all(step, ENOSPC);
        mato::failure why;
        CHECK_FALSE(mato::instance_lock::acquire(directory / "lock", why).is_held());
        CHECK(why.code.value() == ENOSPC);
        CHECK(why.path == directory / "lock");
        CHECK(directory.names().empty());
    }
    fault::start();
}

TEST_CASE("only EWOULDBLOCK means held: other errors of the lock are reported unchanged", "[lock][fault]") {
    const support::temp_directory directory;
    support::write_file(directory / "lock", std::to_string(::getpid()) + "\n");
    for (const int error : {ENOLCK, EOPNOTSUPP, ENOSYS, EBADF, EINVAL}) {
        fault::fail_all("flock", error);
        mato::failure why;
        CHECK_FALSE(mato::instance_lock::acquire(directory / "lock", why).is_held());
        CHECK(why.code.value() == error);
        CHECK(why.step == "lock");
        CHECK(mato::instance_lock::signal_holder(directory / "lock", SIGKILL, why) == 0);
        CHECK(why.code.value() == error);
    }
    fault::start();
    mato::failure why;
    CHECK_FALSE(mato::basic_instance_lock<always_denied>::acquire(directory / "lock", why).is_held());
    CHECK(why.code == std::errc::operation_not_supported);
}

TEST_CASE("constant EWOULDBLOCK means that another process holds the lock", "[lock][fault]") {
    const support::temp_directory directory;
    support::write_file(directory / "lock", std::to_string(::getpid()) + "\n");
    fault::fail_all("flock", EWOULDBLOCK);
    mato::failure why;
    CHECK_FALSE(mato::instance_lock::acquire(directory / "lock", why).is_held());
    CHECK(why.code == mato::errc::already_running);
    fault::start();
}

TEST_CASE("a path that never refers to the locked file ends as busy, not in an endless loop", "[lock][fault]") {
    const support::temp_directory directory;
    fault::fail_all("lstat", ENOENT);
    mato::failure why;
    CHECK_FALSE(mato::instance_lock::acquire(directory / "lock", why).is_held());
    CHECK(why.code == mato::errc::busy);
    CHECK(why.step == "lock");
    fault::start();
}

TEST_CASE("a directory lock survives every fault", "[lock][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        mato::failure why;
        const auto lock = mato::instance_lock::acquire_directory(directory, mato::deadline::in(1s), why);
        CHECK(lock.is_held() == !why);
        return why;
    });
    CHECK(failed > 2);
}

TEST_CASE("a holder is signalled or an error is reported, whatever fails", "[lock][fault]") {
    const support::temp_directory elsewhere;
    fault::start();
    const auto lock = mato::instance_lock::acquire(elsewhere / "lock");
    const int failed = fault::sweep([&](const std::filesystem::path&) {
        mato::failure why;
        const pid_t hit = mato::instance_lock::signal_holder(elsewhere / "lock", 0, why);
        CHECK(hit == (why ? 0 : ::getpid()));
        return why;
    });
    CHECK(failed > 5);
}

TEST_CASE("adopting survives every fault", "[lock][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        auto lock = [&] {
            const fault::paused while_preparing;
            return mato::instance_lock::acquire(directory / "lock");
        }();
        mato::failure why;
        lock.adopt(why);
        const fault::paused while_tidying;
        CHECK(lock.is_held());
        lock.release();
        return why;
    });
    CHECK(failed > 3);
}
