// SPDX-License-Identifier: MIT
/// @file fault_status_test.cpp: unknown figures are 0, and transient errors are retried.
#include "support/fault.hpp"

#include <mato/retry.hpp>
#include <mato/status.hpp>
#include <mato/unique_fd.hpp>

using namespace std::chrono_literals;

TEST_CASE("measuring usage survives every fault: an unknown figure is 0", "[status][fault]") {
    fault::sweep([](const std::filesystem::path&) {
        const auto usage = mato::self_usage().sample();
        CHECK((usage.memory_bytes == 0 || usage.memory_bytes > 4096));
        CHECK(usage.cpu_time >= 0ms);
        return mato::failure();
    });
    for (const char* call : {"open", "read"}) {
        fault::fail_all(call, EMFILE);
        CHECK(mato::self_usage().sample().memory_bytes == 0);
    }
    fault::start();
}

TEST_CASE("retry survives one transient fault, and gives up immediately on others", "[retry][fault]") {
    const support::temp_directory elsewhere;
    const auto open_it = [&](mato::error_out out) {
        mato::unique_fd fd(mato::sys::open(elsewhere.path().c_str(), O_RDONLY));
        if (!fd) out.set(mato::last_error(), "open", elsewhere.path().native());
        return fd;
    };
    fault::sweep([&](const std::filesystem::path&) {
        mato::failure why;
        const auto fd = mato::retry(open_it, why, mato::exponential_backoff({.first = 0ms, .longest = 0ms}, 1));
        CHECK(static_cast<bool>(fd) == !why);
        CHECK(why.code != mato::cond::transient); // those were retried
        return why;
    });
}

TEST_CASE("retry ends with the last error if a fault persists", "[retry][fault]") {
    struct counted_sleeper {
        mato::clock::time_point* at;
        [[nodiscard]] mato::clock::time_point now() const noexcept { return *at; }
        void wait(mato::milliseconds) const noexcept { *at += 1s; } // longer than requested: the total time ends it
    };
    fault::fail_all("open", EMFILE);
    mato::clock::time_point now{};
    mato::failure why;
    const auto fd = mato::retry(
        [](mato::error_out out) {
            const int got = mato::sys::open("/", O_RDONLY);
            if (got == -1) out.set(mato::last_error(), "open", "/");
            return got;
        },
        why, mato::exponential_backoff({.total = 5s}, 1), counted_sleeper{&now});
    CHECK(fd == -1);
    CHECK(why.code.value() == EMFILE);
    CHECK(why.step == "open");
    CHECK(fault::calls().struck == 6); // at 0 s to 5 s
    fault::start();
}
