// SPDX-License-Identifier: MIT
/// @file lock_race_test.cpp: many processes in every order of events: a path never has two holders.
#include <mato/lock.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <atomic>
#include <functional>
#include <random>
#include <sys/mman.h>

using namespace std::chrono_literals;

namespace {

struct report {
    pid_t self, holder;
    bool won;
};

// Runs a script at the two moments that matter: the file is open but not locked; it is locked but not yet compared.
struct scripted_lock {
    static inline std::function<void()> interlude;
    static int try_lock(int fd) noexcept {
        play();
        const int why = mato::flock_lock::try_lock(fd);
        play();
        return why;
    }
    static int probe(int fd) noexcept { return mato::flock_lock::probe(fd); }
    static void unlock(int fd) noexcept { mato::flock_lock::unlock(fd); }

private:
    static void play() {
        if (interlude) std::exchange(interlude, nullptr)(); // a script may acquire too: no recursion
    }
};

// Memory that forked children share.
template <class T> class shared {
public:
    shared() : at_(static_cast<T*>(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
        new (at_) T{};
    }
    shared(const shared&) = delete;
    shared& operator=(const shared&) = delete;
    ~shared() { ::munmap(at_, sizeof(T)); }
    T& operator*() const { return *at_; }

private:
    T* at_;
};

} // namespace

TEMPLATE_TEST_CASE("of 64 processes at a barrier one acquires the lock and 63 get its pid", "[lock][process]", mato::flock_lock,
                   mato::ofd_lock) {
    constexpr int contenders = 64;
    const support::temp_directory directory;
    const std::string stale = GENERATE(std::string(), std::string("99999999\n"));
    if (!stale.empty()) support::write_file(directory / "lock", stale);
    support::gate begin, end;
    const support::mailbox<report> told;
    std::vector<support::child_process> children;
    for (int i = 0; i < contenders; ++i)
        children.emplace_back([&] {
            if (!begin.pass()) return 1;
            mato::failure why;
            const auto got = mato::basic_instance_lock<TestType>::try_acquire(directory / "lock", why);
            if (why) return 2;
            told.put({::getpid(), got.holder().pid, static_cast<bool>(got)});
            return end.pass() ? 0 : 3; // the holder keeps it until all have tried
        });
    begin.open();
    pid_t winner = 0;
    std::vector<pid_t> seen;
    int winners = 0;
    for (int i = 0; i < contenders; ++i) {
        const auto one = told.take(30s);
        REQUIRE(one);
        if (one->won)
            winner = one->self, ++winners;
        else
            seen.push_back(one->holder);
    }
    CHECK(winners == 1);
    CHECK(seen == std::vector<pid_t>(contenders - 1, winner));
    CHECK(support::first_line(directory / "lock") == std::to_string(winner) + "\n");
    end.open();
    for (auto& child : children) CHECK(child.wait() == 0);
    CHECK(directory.names().empty());
}

TEST_CASE("64 refused attempts do not change the holder's file or the inode's times", "[lock][process]") {
    const support::temp_directory directory;
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    const auto state = [&] {
        struct ::stat now {};
        CHECK(::lstat((directory / "lock").c_str(), &now) == 0);
        return std::tuple(now.st_ino, now.st_size, now.st_mode, now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_ctim.tv_sec,
                          now.st_ctim.tv_nsec, support::read_file(directory / "lock"));
    };
    const auto before = state();
    const pid_t holder = ::getpid();
    support::gate begin;
    std::vector<support::child_process> children;
    for (int i = 0; i < 64; ++i)
        children.emplace_back([&] {
            if (!begin.pass()) return 1;
            mato::failure why;
            const auto got = mato::instance_lock::acquire(directory / "lock", why);
            return !got.is_held() && why.detail == "already running, pid " + std::to_string(holder) ? 0 : 2;
        });
    begin.open();
    for (auto& child : children) CHECK(child.wait() == 0);
    CHECK(state() == before);
    CHECK(lock.verify());
}

TEST_CASE("10 000 interleavings of lock, unlink and re-create never give one path two holders", "[lock][process]") {
    constexpr int scripts = 10'000, steps = 6, parties = 3;
    using lock_type = mato::basic_instance_lock<scripted_lock>;
    const support::temp_directory directory;
    const auto path = directory / "lock";
    const auto census = support::open_descriptors();
    int most = 0, acquired = 0, interrupted = 0;
    for (unsigned script = 0; script < scripts; ++script) {
        std::minstd_rand random(script + 1);
        lock_type held[parties];
        const auto holders = [&] {
            int count = 0;
            for (const auto& lock : held) count += lock.verify();
            return count;
        };
        const auto act = [&](unsigned long deed, lock_type& party) {
            switch (deed) {
            case 0:
            case 1:
                if (!party.is_held()) {
                    std::error_code why;
                    party = lock_type::acquire(path, why);
                    acquired += party.is_held();
                    if (why && why != mato::errc::already_running) most = 1000; // no other error is correct here
                }
                break;
            case 2: party.release(); break;
            case 3: ::unlink(path.c_str()); break; // a cleaner that ignores locks
            case 4: support::write_file(path, std::to_string(::getpid()) + "\n"); break;
            case 5:
                ::unlink(path.c_str());
                support::write_file(path, "");
                break;
            }
            most = std::max(most, holders());
        };
        for (int step = 0; step < steps; ++step) {
            lock_type& party = held[random() % parties];
            const auto deed = random() % 6, between = random() % 6;
            // The interlude is for the others; this party is in the middle of its call.
            lock_type* other = &held[random() % parties];
            while (other == &party) other = &held[random() % parties];
            if (random() % 2)
                scripted_lock::interlude = [&, other, between] {
                    ++interrupted;
                    act(between, *other);
                };
            act(deed, party);
            scripted_lock::interlude = nullptr;
        }
        for (auto& lock : held) lock.release();
        ::unlink(path.c_str());
    }
    CHECK(most == 1);
    CHECK(acquired > scripts);
    CHECK(interrupted > scripts / 2);
    CHECK(support::open_descriptors() == census);
}

TEST_CASE("a file unlinked between open and lock, with a new holder in its place, is not taken", "[lock][process]") {
    const support::temp_directory directory;
    auto first = mato::instance_lock::acquire(directory / "lock");
    mato::instance_lock third;
    scripted_lock::interlude = [&] { // the second party has opened the first's file
        first.release();
        third = mato::instance_lock::acquire(directory / "lock");
    };
    const auto second = mato::basic_instance_lock<scripted_lock>::try_acquire(directory / "lock");
    CHECK_FALSE(second);
    CHECK(second.holder().pid == ::getpid());
    CHECK(third.verify());
}

TEMPLATE_TEST_CASE("processes that acquire and release in turn never hold the lock together", "[lock][process]",
                   mato::flock_lock, mato::ofd_lock) {
    constexpr int processes = 6, turns = 300;
    const support::temp_directory directory;
    const shared<std::atomic<int>> inside, overlaps, entered;
    support::gate begin;
    std::vector<support::child_process> children;
    for (int i = 0; i < processes; ++i)
        children.emplace_back([&] {
            if (!begin.pass()) return 1;
            const auto until = mato::deadline::in(30s);
            for (int turn = 0; turn < turns && !until.passed();) {
                mato::failure why;
                auto lock = mato::basic_instance_lock<TestType>::acquire(directory / "lock", why);
                if (why && why.code != mato::errc::already_running && why.code != mato::errc::busy) return 2;
                if (!lock.is_held()) continue;
                if ((*inside).fetch_add(1) != 0) ++*overlaps;
                if (!lock.verify()) ++*overlaps;
                --*inside;
                ++*entered;
                ++turn;
            }
            return 0;
        });
    begin.open();
    for (auto& child : children) CHECK(child.wait(60s) == 0);
    CHECK(*overlaps == 0);
    CHECK(*entered == processes * turns);
    CHECK(directory.names().empty());
}

TEMPLATE_TEST_CASE("many probes of a stale file never signal the process in it, nor prevent a start", "[lock][process]",
                   mato::flock_lock, mato::ofd_lock) {
    using lock_type = mato::basic_instance_lock<TestType>;
    const support::temp_directory directory;
    support::child_process bystander([] { return ::pause(); });
    support::write_file(directory / "lock", std::to_string(bystander.pid()) + "\n");
    support::gate begin;
    std::vector<support::child_process> askers;
    for (int i = 0; i < 4; ++i)
        askers.emplace_back([&] {
            if (!begin.pass()) return 1;
            for (int question = 0; question < 4000; ++question) {
                mato::failure why;
                if (lock_type::signal_holder(directory / "lock", SIGUSR1, why) != 0) return 2;
                if (why.code != mato::errc::not_running) return 3;
            }
            return 0;
        });
    begin.open();
    for (auto& asker : askers) CHECK(asker.wait(60s) == 0);
    CHECK(::kill(bystander.pid(), 0) == 0);

    int refused = 0;
    for (int start = 0; start < 50; ++start) {
        const auto stale = directory / ("stale" + std::to_string(start));
        support::write_file(stale, std::to_string(bystander.pid()) + "\n");
        const support::mailbox<int> asks;
        support::child_process asker([&] {
            for (;;) { // until there is a holder, or it is killed
                mato::failure why;
                asks.put(1);
                if (lock_type::signal_holder(stale, 0, why) != 0) return 0;
            }
        });
        for (int question = 0; question < 20; ++question) REQUIRE(asks.take());
        mato::failure why;
        const auto lock = lock_type::acquire(stale, why);
        refused += !lock.is_held();
    }
    CHECK(refused == 0);
    bystander.signal(SIGTERM);
    CHECK(bystander.wait() == -SIGTERM); // and not SIGUSR1
}
