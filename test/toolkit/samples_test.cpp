// SPDX-License-Identifier: MIT
/// @file samples_test.cpp: the samples of the reference for headers without asio. documents_test compares them with the
/// headers.
#include <mato/callback.hpp>
#include <mato/clock.hpp>
#include <mato/detach.hpp>
#include <mato/endpoint.hpp>
#include <mato/error.hpp>
#include <mato/framing.hpp>
#include <mato/lock.hpp>
#include <mato/log.hpp>
#include <mato/overflow.hpp>
#include <mato/peer.hpp>
#include <mato/pid_file.hpp>
#include <mato/policies.hpp>
#include <mato/readiness.hpp>
#include <mato/retry.hpp>
#include <mato/scope_exit.hpp>
#include <mato/service.hpp>
#include <mato/shutdown.hpp>
#include <mato/signals.hpp>
#include <mato/status.hpp>
#include <mato/unique_fd.hpp>
#include <mato/unix_address.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_directory.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

using support::temp_directory;

namespace {

int port_of(const std::string& text, mato::error_out out) {
    const int port = std::atoi(text.c_str());
    if (port <= 0) out.set(mato::errc::malformed, "read port", {}, "'" + text + "' is not a port");
    return port;
}

uid_t user_of_group(const mato::unique_fd& session, gid_t clients_group, mato::failure& why) {
    const mato::either<mato::same_user_or_root, mato::group_member> policy{{}, {clients_group}};
    const auto peer = mato::require_peer(session.get(), policy, mato::errc::peer_rejected, why);
    return peer.uid;
}

struct short_frames : mato::default_policies {
    using framing = mato::length_prefixed<std::uint16_t, 4096>; // two bytes of length, at most 4 KiB
};

struct policies : mato::default_policies {
    using framing = mato::length_prefixed<std::uint16_t, 4096>; // two bytes of length, at most 4 KiB
    using peer = mato::same_user_or_root;
    using log = mato::stderr_log;
};

} // namespace

TEST_CASE("the samples of errors", "[samples]") {
    mato::failure why;
    const int port = port_of("http", why);
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str()); // read port: 'http' is not a port
    std::error_code code;
    port_of("http", code); // only the code
    if (code == mato::cond::bad_input) std::fprintf(stderr, "using the default port\n");
    CHECK((port == 0 && why.message() == "read port: 'http' is not a port" && code == mato::errc::malformed));
    mato::first_failure any;
    const int http = port_of("http", any);
    const int smtp = port_of("25", any);                          // succeeds, and keeps the failure of the first call
    if (any) std::fprintf(stderr, "%s\n", any.message().c_str()); // read port: 'http' is not a port
    CHECK((http == 0 && smtp == 25 && any.why().code == mato::errc::malformed));
    try {
        mato::or_throw([](mato::failure& failed) { return port_of("http", failed); });
        FAIL("no error");
    } catch (const mato::error& failed) {
        std::fprintf(stderr, "%s\n", failed.what()); // read port: 'http' is not a port
        CHECK(failed.why().step == "read port");
    }
}

TEST_CASE("the samples of descriptors and scopes", "[samples]") {
    mato::unique_fd input(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    char byte = 1;
    if (!input || ::read(input.get(), &byte, 1) != 1) return;
    mato::unique_fd kept = std::move(input); // `input` is empty now
    std::printf("descriptor %d is closed at the end of the scope\n", kept.get());
    CHECK((byte == 0 && !input));

    const temp_directory directory;
    const std::string name = (directory / "half").native();
    {
        std::FILE* const file = std::fopen(name.c_str(), "w");
        mato::scope_exit undo([&] { std::remove(name.c_str()); });
        const bool is_complete = file && std::fputs("first half", file) > 0 && std::fputs("second half", file) > 0;
        if (file) std::fclose(file);
        if (is_complete) undo.dismiss(); // otherwise the incomplete file is removed
    }
    CHECK(support::read_file(name) == "first halfsecond half");
}

TEST_CASE("the samples of callbacks and deadlines", "[samples]") {
    int lines = 0;
    mato::callback<void(std::string_view)> on_line = [&](std::string_view text) {
        std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
        if (++lines == 2) on_line = {}; // safe inside the call
    };
    for (const char* text : {"one", "two", "three"})
        if (on_line) on_line(text); // "three" is not printed
    CHECK(lines == 2);

    pollfd first{-1, POLLIN, 0}, second{-1, POLLIN, 0};
    const auto until = mato::deadline::in(std::chrono::milliseconds(2)); // for both waits together
    mato::sys::poll(&first, 1, until.poll_timeout());
    mato::sys::poll(&second, 1, until.poll_timeout());
    if (until.passed()) std::printf("no input in time\n");
    CHECK(until.passed());
}

TEST_CASE("the samples of locks", "[samples]") {
    const temp_directory directory;
    const std::string path = (directory / "app.lock").native();
    mato::failure why;
    const auto lock = mato::instance_lock::acquire(path);
    CHECK(lock.verify());

    // Another process, such as `app stop`:
    const pid_t stopped = mato::instance_lock::signal_holder(path, 0, why); // 0 only checks; SIGTERM stops it
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
    CHECK(stopped == ::getpid());

    using ofd_instance_lock = mato::basic_instance_lock<mato::ofd_lock>; // over NFS, for example
    const auto other = ofd_instance_lock::acquire(path + ".ofd", why);
    CHECK(other.is_held());
}

TEST_CASE("the samples of endpoints and peers", "[samples]") {
    const temp_directory directory;
    const auto lock = mato::instance_lock::acquire((directory / "app.lock").native());
    mato::failure why;
    mato::owned_path endpoint((directory / "app.sock").native());
    const mato::unique_fd listening = endpoint.publish(lock, mato::publish_options{}, why);
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str()); // the step, the path and the reason
    const mato::unique_fd client = endpoint.connect(why);
    const mato::unique_fd session(mato::sys::accept(listening.get()));
    const auto peer = mato::require_peer(session.get(), mato::same_user{}, mato::errc::peer_rejected, why);
    if (!why) std::printf("uid %d, pid %d\n", static_cast<int>(peer.uid), static_cast<int>(peer.pid));
    CHECK((!why && client && peer.uid == ::geteuid()));
    CHECK(user_of_group(session, 4242, why) == ::geteuid());

    const auto address = mato::unix_address::of_path(endpoint.path(), why);
    if (!why) CHECK(address.size() > 0);
}

TEST_CASE("the samples of pid files, logs and status", "[samples]") {
    const temp_directory directory;
    const std::string path = (directory / "app.pid").native();
    {
        const auto file = mato::pid_file::create(path); // removed at the end of the scope
        mato::failure why;
        const pid_t pid = mato::pid_file::read(path, why);
        if (!why) std::printf("running, pid %d\n", static_cast<int>(pid));
        CHECK(pid == ::getpid());
    }
    CHECK_FALSE(std::filesystem::exists(path));

    mato::failure why;
    auto file = mato::file_log::open((directory / "app.log").native(), {.max_bytes = 1 << 20, .keep = 2}, why);
    mato::basic_logger log(std::move(file), mato::log_level::info);
    log.info("started");
    log.debug("dropped: below the level");
    log.warning("a control character is escaped: \033");
    CHECK(support::contains(support::read_file(directory / "app.log"), "escaped: \\x1b"));

    mato::usage_meter<> meter;
    const auto now = meter.ask();
    std::printf("up %s, %s, %.1f %%\n", mato::format_duration(now.uptime).c_str(),
                mato::format_bytes(now.usage.memory_bytes).c_str(), now.cpu_percent);
    CHECK(now.cpu_percent >= 0);
}

TEST_CASE("the samples of framings", "[samples]") {
    std::string stream;
    mato::failure why;
    mato::line<>::append(stream, "first", why);
    mato::line<>::append(stream, "second", why);
    mato::frame_decoder<mato::line<>> decoder;
    const auto room = decoder.prepare(stream.size());
    stream.copy(room.data(), stream.size()); // usually read(2)
    decoder.commit(stream.size());
    int frames = 0;
    while (const auto frame = decoder.next(why)) std::printf("%d: %s\n", ++frames, std::string(*frame).c_str());
    CHECK((frames == 2 && !why));

    CHECK((short_frames::framing::max_frame_bytes == 4096 && policies::framing::max_frame_bytes == 4096));
}

TEST_CASE("the samples of overflow, retry and shutdown", "[samples]") {
    mato::disconnect policy;
    policy.hard = 1 << 20, policy.soft = 1 << 16, policy.grace = std::chrono::seconds(5);
    const auto now = mato::clock::now();
    const auto first = policy.on_queued(1 << 17, now);                           // above soft: keep, the time starts
    const auto later = policy.on_queued(1 << 17, now + std::chrono::seconds(6)); // still above it: disconnect
    policy.on_drained(0);                                                        // the client has read: the time is reset
    CHECK((first == mato::overflow_verdict::keep && later == mato::overflow_verdict::disconnect));

    mato::failure why;
    const int answer = mato::retry(
        [attempts = 0](mato::error_out out) mutable {
            if (++attempts < 3) out.set(mato::errc::busy, "ask");
            return attempts;
        },
        why, mato::exponential_backoff({.total = std::chrono::seconds(10)}));
    if (!why) std::printf("succeeded at attempt %d\n", answer);
    CHECK((!why && answer == 3));

    mato::graceful_then_force shutdown(std::chrono::seconds(10));
    const auto begin = shutdown.requested(); // SIGTERM: stop accepting, finish work within shutdown.grace()
    const auto force = shutdown.requested(); // a second SIGTERM: end immediately
    CHECK((begin == mato::stop_action::begin && force == mato::stop_action::force));
}

TEST_CASE("the samples of signals and services", "[samples]") {
    CHECK(support::in_child([] {
              mato::failure why;
              auto signals = mato::default_signal_source::open(mato::make_signal_set({SIGTERM, SIGHUP}), why);
              ::raise(SIGHUP);
              pollfd ready{signals.native_handle(), POLLIN, 0};
              mato::sys::poll(&ready, 1, 10'000);
              int reloads = 0;
              while (const auto signal = signals.try_next()) reloads += *signal == SIGHUP ? 1 : 0;
              return !why && reloads == 1 ? 0 : 1;
          }) == 0);
    CHECK(support::in_child([] {
              mato::failure why;
              auto manager = mato::sd_notifier::open("", why); // NOTIFY_SOCKET, from take_service_environment
              manager.status("loading");
              manager.ready(); // no effect without a manager
              return why ? 1 : 0;
          }) == 0);
}

TEST_CASE("the sample of going to the background", "[samples]") {
    CHECK(support::in_child([] {
              mato::failure why;
              auto pipe = mato::readiness_pipe::open(why);
              const int keep[] = {pipe.starter_fd(), pipe.daemon_fd()};
              if (mato::double_fork::detach({keep}, why) == mato::detach_role::starter) {
                  pipe.become_starter();
                  if (!why) pipe.wait(mato::deadline::in(std::chrono::seconds(10)), why);
                  return why ? 1 : 0; // the daemon's result
              }
              pipe.become_daemon();
              pipe.ready();
              ::_exit(0);
          }) == 0);
}
