// SPDX-License-Identifier: MIT
/// @file sd_notifier_test.cpp: the bytes of sd_notify(3), as a manager receives them.
#include <mato/readiness.hpp>

#include "support/catch.hpp"
#include "support/deadline.hpp"
#include "support/descriptor_census.hpp"
#include "support/fake_manager.hpp"

#include <ctime>

using namespace std::chrono_literals;
using mato::sd_notifier;
using support::fake_manager;

namespace {

sd_notifier open_at(const std::string& address) {
    mato::failure why;
    auto opened = sd_notifier::open(address, why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    return opened;
}

long long monotonic_usec() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

} // namespace

// ---- the contract ----

TEST_CASE("each message is one datagram with exactly its bytes", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const bool abstract = MATO_HAS_ABSTRACT_NAMES && GENERATE(false, true);
    const fake_manager manager(abstract ? "@mato-test-" + std::to_string(::getpid()) : (directory / "notify").native());
    auto notifier = open_at(manager.address());
    REQUIRE(notifier);
    notifier.main_pid(42);
    CHECK(manager.next() == "MAINPID=42");
    notifier.ready();
    CHECK(manager.next() == "READY=1");
    notifier.status("3 clients");
    CHECK(manager.next() == "STATUS=3 clients");
    notifier.watchdog();
    CHECK(manager.next() == "WATCHDOG=1");
    notifier.stopping();
    CHECK(manager.next() == "STOPPING=1");
    CHECK(manager.is_silent());
}

TEST_CASE("a reload reports its start time, by the clock that the manager uses", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto notifier = open_at(manager.address());
    const auto before = monotonic_usec();
    notifier.reloading();
    const auto after = monotonic_usec();
    const std::string message = manager.next();
    const std::string head = "RELOADING=1\nMONOTONIC_USEC=";
    REQUIRE(message.substr(0, head.size()) == head);
    const auto said = std::stoll(message.substr(head.size()));
    CHECK(message == head + std::to_string(said)); // only digits
    CHECK(said >= before);
    CHECK(said <= after);
}

TEST_CASE("a failed start is sent as a status, and as an errno if it has one", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto notifier = open_at(manager.address());
    notifier.fail({{EACCES, std::system_category()}, "bind", "/x", {}});
    CHECK(manager.next() == "STATUS=bind /x: Permission denied\nERRNO=13");
    notifier.fail({mato::errc::invalid_config, "read", "/c", "c:1:2: no\nsuch key"});
    CHECK(manager.next() == "STATUS=read /c: c:1:2: no such key");
}

TEST_CASE("a status is one line, whatever it contains", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto notifier = open_at(manager.address());
    notifier.status("a\nSTOPPING=1\nb");
    CHECK(manager.next() == "STATUS=a STOPPING=1 b");
    notifier.status("");
    CHECK(manager.next() == "STATUS=");
}

TEST_CASE("auto_ready reports to all existing channels", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd read_end(ends[0]);
    mato::failure why;
    mato::auto_ready all{mato::readiness_pipe::open(why), mato::notification_descriptor(mato::unique_fd(ends[1])),
                         open_at(manager.address())};
    all.ready();
    CHECK(manager.next() == "READY=1");
    char byte = 0;
    CHECK(::read(read_end.get(), &byte, 1) == 1);
    CHECK(byte == '\n');
    all.pipe.wait(mato::deadline::in(10s), why);
    CHECK_FALSE(why);
    mato::auto_ready().ready(); // none is allowed
}

// ---- the refusals ----

TEST_CASE("an empty address gives an empty notifier, an invalid one is an error", "[readiness][sd_notify]") {
    mato::failure why;
    auto none = sd_notifier::open("", why);
    CHECK_FALSE(why);
    CHECK_FALSE(none);
    none.ready(), none.reloading(), none.stopping(), none.watchdog(), none.status("x"), none.main_pid(1), none.fail({});
    for (const char* address : {"relative", "vsock:2:1", " /x"}) {
        CHECK_FALSE(sd_notifier::open(address, why));
        CHECK(why.code.value() == EAFNOSUPPORT);
        CHECK(why.path == address);
    }
    CHECK_FALSE(sd_notifier::open("/" + std::string(200, 'x'), why));
    CHECK(why.code == std::errc::filename_too_long);
}

TEST_CASE("a manager that is absent or restarts does not stop the daemon", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const std::string path = (directory / "notify").native();
    auto notifier = open_at(path);
    notifier.ready(); // no manager yet
    {
        const fake_manager first(path);
        notifier.ready();
        CHECK(first.next() == "READY=1");
    }
    notifier.watchdog();
    std::filesystem::remove(path);
    const fake_manager second(path);
    notifier.stopping();
    CHECK(second.next() == "STOPPING=1");
}

TEST_CASE("a manager that does not read delays ready by at most a second, and watchdog not at all", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto notifier = open_at(manager.address());
    for (int i = 0; i < 5000; ++i) notifier.watchdog(); // more than net.unix.max_dgram_qlen, 512 or less
    const support::stopwatch watch;
    notifier.stopping();
    CHECK(watch.elapsed() >= 900ms);
    CHECK(watch.elapsed() < 15s);
}

// ---- the promises about absence ----

TEST_CASE("a notifier is close-on-exec and leaks no descriptor", "[readiness][sd_notify]") {
    static_assert(!std::is_copy_constructible_v<sd_notifier> && std::is_nothrow_move_constructible_v<sd_notifier>);
    const support::temp_directory directory;
    const auto before = support::open_descriptors();
    {
        const int next = ::dup(0);
        ::close(next);
        const auto first = open_at((directory / "notify").native());
        CHECK((::fcntl(next, F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a daemon asks for more time, stores descriptors by name, and removes them", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto notifier = open_at(manager.address());
    notifier.extend_timeout(90s);
    CHECK(manager.next() == "EXTEND_TIMEOUT_USEC=90000000");
    notifier.extend_timeout(-1us);
    CHECK(manager.next() == "EXTEND_TIMEOUT_USEC=0");
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    mato::failure why;
    notifier.store(ends[1], "a-pipe", why);
    CHECK_FALSE(why);
    ::close(ends[1]);
    const auto [text, copy] = manager.next_with_descriptor();
    CHECK(text == "FDSTORE=1\nFDNAME=a-pipe");
    REQUIRE(copy != -1);
    CHECK(::write(copy, "x", 1) == 1);
    char byte = 0;
    CHECK((::read(ends[0], &byte, 1) == 1 && byte == 'x'));
    ::close(copy), ::close(ends[0]);
    notifier.remove_stored("a-pipe");
    CHECK(manager.next() == "FDSTOREREMOVE=1\nFDNAME=a-pipe");
    for (const std::string& name : {std::string(), std::string("a:b"), std::string("two\nlines"), std::string(256, 'x')}) {
        notifier.store(0, name, why);
        CHECK(why.code == std::errc::invalid_argument);
    }
    notifier.store(12345, "not-open", why);
    CHECK(why.code == std::errc::bad_file_descriptor);
    CHECK(manager.is_silent());
}

TEST_CASE("a barrier ends when the manager has come so far, or at its deadline", "[readiness][sd_notify]") {
    const support::temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto notifier = open_at(manager.address());
    const auto before = support::open_descriptors();
    mato::failure why;
    notifier.barrier(mato::deadline::in(20ms), why);
    CHECK(why.code == mato::errc::timed_out);
    {
        const auto [text, end] = manager.next_with_descriptor(); // of the first, which is late
        CHECK((text == "BARRIER=1" && end != -1));
        ::close(end);
    }
    support::child_process reader([&] {
        const auto [text, end] = manager.next_with_descriptor();
        return text == "BARRIER=1" && end != -1 && ::close(end) == 0 ? 0 : 1;
    });
    notifier.barrier(mato::deadline::in(20s), why);
    CHECK_FALSE(why);
    CHECK(reader.wait() == 0);
    CHECK(support::open_descriptors() == before);
    sd_notifier none;
    none.barrier(mato::deadline::never(), why);
    CHECK_FALSE(why);
    none.store(0, "x", why);
    CHECK_FALSE(why);
}
