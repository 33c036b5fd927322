// SPDX-License-Identifier: MIT
/// @file socket_mode_test.cpp: a process that constantly checks and connects never sees a socket with a wide mode, or one that
/// refuses.
#include <mato/endpoint.hpp>

#include <mato/clock.hpp>
#include <mato/listener.hpp>
#include <mato/lock.hpp>
#include <mato/peer.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <atomic>
#include <thread>

using namespace std::chrono_literals;

namespace {

constexpr int cycles = 2000;
constexpr std::size_t kept = 16; // old sockets are closed together, after one wait for the watcher

// Looks at every name in a directory and connects to one of them, until told to stop.
class watcher {
public:
    watcher(std::filesystem::path directory, std::filesystem::path name)
        : directory_(std::move(directory)), name_(std::move(name)), thread_([this] { watch(); }) {}
    ~watcher() { stop(); }
    void stop() {
        over_ = true;
        if (thread_.joinable()) thread_.join();
    }
    /// Waits until a complete pass that began after this call has ended.
    bool looked() const {
        const long enough = looks_ + 2;
        const auto until = mato::deadline::in(20s);
        while (looks_ < enough && !until.passed()) std::this_thread::yield();
        return looks_ >= enough;
    }
    std::atomic<int> wide{0}, wrong_mode{0}, absent{0}, refused{0}, connected{0}, other_errors{0};

private:
    void watch() {
        const mato::owned_path endpoint(name_);
        while (!over_) {
            struct ::stat found {};
            if (::lstat(name_.c_str(), &found) == 0) {
                wide += (found.st_mode & 077) != 0;
                wrong_mode += (found.st_mode & 07777) != 0700;
            } else {
                ++absent;
            }
            if (::lstat(directory_.c_str(), &found) == 0) wide += (found.st_mode & 077) != 0;
            std::error_code why;
            for (const auto& entry : std::filesystem::directory_iterator(directory_, why))
                if (::lstat(entry.path().c_str(), &found) == 0) wide += (found.st_mode & 077) != 0; // the hidden name too
            mato::failure failed;
            const auto client = endpoint.connect(failed);
            if (client)
                ++connected;
            else if (failed.code.value() == ECONNREFUSED)
                ++refused;
            else if (failed.code.value() == ENOENT)
                ++absent;
            else if (failed.code != mato::cond::busy)
                ++other_errors;
            ++looks_;
        }
    }

    std::filesystem::path directory_, name_;
    std::atomic<bool> over_{false};
    std::atomic<long> looks_{0};
    std::thread thread_;
};

void check(const watcher& seen) {
    CHECK(seen.wide == 0);
    CHECK(seen.wrong_mode == 0);
    CHECK(seen.refused == 0);
    CHECK(seen.other_errors == 0);
    CHECK(seen.connected > 0);
}

} // namespace

TEST_CASE("of 2 000 sockets none ever has a mode wider than 0700, and none refuses", "[endpoint][process]") {
    const mode_t mask = GENERATE(mode_t{0}, mode_t{077});
    CAPTURE(mask);
    const support::temp_directory directory;
    const support::umask_scope masked(mask);
    const auto census = support::open_descriptors();
    {
        const auto lock = mato::instance_lock::acquire(directory / "lock");
        watcher seen(directory.path(), directory / "socket");
        int failed = 0;
        std::vector<mato::unique_fd> old;
        for (int cycle = 0; cycle < cycles; ++cycle) {
            mato::failure why;
            mato::owned_path endpoint(directory / "socket");
            old.push_back(endpoint.publish(lock, {}, why));
            failed += static_cast<bool>(why);
            const bool close_them = old.size() == kept;
            if (close_them) failed += !seen.looked(); // at times it must see the socket
            endpoint.withdraw();
            // A pass that found the name must end before the socket closes: only then is a refusal an error.
            if (close_them) failed += !seen.looked(), old.clear();
        }
        failed += !seen.looked();
        seen.stop();
        CHECK(failed == 0);
        check(seen);
    }
    CHECK(directory.names().empty());
    CHECK(support::open_descriptors() == census);
}

TEST_CASE("2 000 replacements of a socket never leave the name without one that answers", "[endpoint][process]") {
    const support::temp_directory directory;
    const support::umask_scope masked(0);
    const auto lock = mato::instance_lock::acquire(directory / "lock");
    mato::owned_path endpoint(directory / "socket");
    mato::failure why;
    auto current = endpoint.publish(lock, {}, why);
    REQUIRE_FALSE(why);
    watcher seen(directory.path(), directory / "socket");
    int failed = 0;
    std::vector<mato::unique_fd> old;
    for (int cycle = 0; cycle < cycles; ++cycle) {
        old.push_back(std::exchange(current, endpoint.publish(lock, {}, why)));
        failed += static_cast<bool>(why);
        if (old.size() == kept) failed += !seen.looked(), old.clear();
    }
    failed += !seen.looked();
    seen.stop();
    CHECK(failed == 0);
    CHECK(seen.absent == 0);
    check(seen);
}

TEST_CASE("private directories are never seen wider than 0700", "[endpoint][process]") {
    const support::temp_directory directory;
    const support::umask_scope masked(0);
    std::atomic<int> wide{0}, seen{0};
    std::atomic<bool> over{false};
    std::thread looker([&] {
        while (!over) {
            struct ::stat found {};
            if (::lstat((directory / "a" / "b").c_str(), &found) == 0) ++seen, wide += (found.st_mode & 077) != 0;
            if (::lstat((directory / "a").c_str(), &found) == 0) ++seen, wide += (found.st_mode & 077) != 0;
        }
    });
    const auto until = mato::deadline::in(20s);
    for (int cycle = 0; (cycle < cycles || seen < 100) && !until.passed(); ++cycle) {
        mato::failure why;
        mato::make_private_directory(directory / "a" / "b", why);
        if (why) FAIL(why.message());
        std::filesystem::remove_all(directory / "a");
    }
    over = true;
    looker.join();
    CHECK(wide == 0);
    CHECK(seen >= 100);
}

TEST_CASE("threads that create the same private directory all succeed", "[endpoint][process]") {
    const support::temp_directory directory;
    for (int round = 0; round < 50; ++round) {
        const auto path = directory / std::to_string(round) / "below";
        std::atomic<int> failed{0};
        std::vector<std::thread> makers;
        for (int i = 0; i < 4; ++i)
            makers.emplace_back([&] {
                std::error_code why;
                mato::make_private_directory(path, why);
                failed += static_cast<bool>(why);
            });
        for (auto& maker : makers) maker.join();
        CHECK(failed == 0);
        CHECK(support::mode_of(path) == 0700);
    }
}
