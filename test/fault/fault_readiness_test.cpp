// SPDX-License-Identifier: MIT
/// @file fault_readiness_test.cpp: no fault is reported as "ready".
#include "support/fault.hpp"

#include <mato/readiness.hpp>

using namespace std::chrono_literals;

TEST_CASE("reporting and waiting survive every fault; a starter never gets ready because of one", "[readiness][fault]") {
    const bool becomes_ready = GENERATE(true, false);
    CAPTURE(becomes_ready);
    const int failed = fault::sweep(
        [&](const std::filesystem::path&) {
            mato::failure why;
            auto channel = mato::readiness_pipe::open(why);
            if (why) {
                CHECK(channel.daemon_fd() == -1);
                return why;
            }
            if (becomes_ready)
                channel.ready();
            else
                channel.fail({{EADDRINUSE, std::system_category()}, "bind", "/run/x", {}});
            channel.wait(mato::deadline::in(1s), why);
            if (becomes_ready) return why;
            CHECK(why); // its own failure or a fault; never success
            if (why.step != "bind") return why;
            CHECK(why.path == "/run/x");
            return mato::failure();
        },
        {.names_path = false});
    CHECK(failed > 5);
}

TEST_CASE("a daemon that cannot write its report is not ready", "[readiness][fault]") {
    for (const int error : {EPIPE, EIO}) {
        fault::start();
        mato::failure why;
        auto channel = mato::readiness_pipe::open(why);
        fault::fail_all("write", error);
        channel.ready();
        fault::start();
        channel.wait(mato::deadline::in(1s), why);
        CHECK(why.code == mato::errc::not_ready);
        CHECK_FALSE(why.step.empty());
    }
}

TEST_CASE("a wait that cannot poll or read ends", "[readiness][fault]") {
    for (const char* call : {"poll", "read"}) {
        fault::start();
        mato::failure why;
        auto channel = mato::readiness_pipe::open(why);
        channel.ready();
        fault::fail_all(call, ENOMEM);
        channel.wait(mato::deadline::in(1s), why);
        fault::start();
        CHECK(why.code.value() == ENOMEM);
        CHECK(why.step == "wait for the daemon");
    }
}

TEST_CASE("endless interruptions do not exceed the deadline", "[readiness][fault]") {
    fault::start();
    mato::failure why;
    auto channel = mato::readiness_pipe::open(why);
    fault::fail_all("poll", EINTR);
    channel.wait(mato::deadline::in(20ms), why);
    fault::start();
    CHECK(why.code == mato::errc::timed_out);
}

TEST_CASE("a notification that cannot be written closes its descriptor", "[readiness][fault]") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd read_end(ends[0]);
    mato::notification_descriptor channel{mato::unique_fd(ends[1])};
    fault::fail_all("write", EIO);
    channel.ready();
    fault::start();
    char byte = 0;
    CHECK(mato::sys::read(read_end.get(), &byte, 1) == 0);
}

TEST_CASE("a notifier survives every fault, and reports none to its caller", "[readiness][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        mato::failure why;
        auto notifier = mato::sd_notifier::open((directory / "absent").native(), why);
        CHECK(static_cast<bool>(notifier) == !why);
        notifier.ready(), notifier.reloading(), notifier.stopping(), notifier.watchdog(), notifier.status("x");
        notifier.main_pid(1), notifier.fail({{EACCES, std::system_category()}, "bind", "/x", {}});
        return why;
    });
    CHECK(failed == 5); // socket in three ways, setsockopt in two
}
