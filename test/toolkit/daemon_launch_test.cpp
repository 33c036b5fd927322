// SPDX-License-Identifier: MIT
/// @file daemon_launch_test.cpp: a daemon started in the background: ready means reachable, and the starter gets errors.
#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/descriptor_census.hpp"
#include "support/launched_daemon.hpp"
#include "support/temp_directory.hpp"

using namespace std::chrono_literals;
using mato::errc;
using support::ask;
using support::child_process;
using support::contains;
using support::echo;
using support::end_launched;
using support::options_in;
using support::reaper;
using support::temp_directory;
using names = std::vector<std::string>;
using kind = mato::start_outcome::kind;

// ---- the contract ----

TEST_CASE("launch returns ready when a client can connect, and not before", "[daemon]") {
    const reaper adopt;
    const auto before = support::open_descriptors();
    for (int round = 0; round < 10; ++round) {
        const temp_directory directory;
        const auto options = options_in(directory.path());
        const auto outcome = mato::daemon::launch(options, echo);
        INFO(outcome.why.message());
        REQUIRE(outcome);
        CHECK(ask(options, "at once") == "at once");
        CHECK(end_launched(options) == mato::exit_code::ok);
        CHECK(directory.names() == names{"daemon.log"});
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a stop at the moment of readiness is clean, and so is one before it", "[daemon]") {
    const reaper adopt;
    for (int round = 0; round < 20; ++round) {
        const temp_directory directory;
        const auto options = options_in(directory.path());
        const bool early = round % 2 == 0;
        const auto outcome = mato::daemon::launch(options, [&](auto& self) {
            echo(self);
            if (early) ::raise(SIGTERM); // blocked: it waits in the descriptor
        });
        REQUIRE(outcome);
        if (!early) ::kill(std::atoi(support::read_file(options.paths.pid).c_str()), SIGTERM);
        int status = -1;
        REQUIRE(support::wait_until([&] {
            return ::waitpid(-1, &status, WNOHANG) > 0;
        })); // the daemon was reparented to this process, and is its only child
        CHECK(status == mato::exit_code::ok);
        CHECK(directory.names() == names{"daemon.log"});
    }
}

TEST_CASE("a client that connects at the moment of readiness is served", "[daemon]") {
    const reaper adopt;
    for (int round = 0; round < 20; ++round) {
        const temp_directory directory;
        const auto options = options_in(directory.path());
        REQUIRE(mato::daemon::launch(options, echo));
        mato::failure why;
        auto client = support::connect_to(options, why);
        REQUIRE_FALSE(why);
        ::kill(std::atoi(support::read_file(options.paths.pid).c_str()),
               SIGHUP); // both wait for the first iteration of the loop
        CHECK(ask(client, "first") == "first");
        CHECK(end_launched(options) == mato::exit_code::ok);
    }
}

TEST_CASE("a second launch reports the pid of the running daemon", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    REQUIRE(mato::daemon::launch(options, echo));
    const auto pid = std::atoi(support::read_file(options.paths.pid).c_str());
    const auto second = mato::daemon::launch(options, echo);
    CHECK_FALSE(second);
    CHECK(second.what == kind::already_running);
    CHECK(second.holder == pid);
    CHECK(second.why.code == errc::already_running);
    CHECK(contains(second.why.message(), std::to_string(pid)));
    mato::failure why;
    CHECK(mato::daemon::serve(options, echo, why) == mato::exit_code::unavailable);
    CHECK(why.code == errc::already_running);
    CHECK(contains(why.message(), std::to_string(pid)));
    CHECK(ask(options, "unharmed") == "unharmed");
    CHECK(end_launched(options) == mato::exit_code::ok);
}

TEST_CASE("meanwhile() is called while the daemon starts, and only then", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const auto sign = directory / "meanwhile";
    pid_t done_by = 0;
    const auto outcome = mato::daemon::launch(
        options,
        [&](auto& self) {
            echo(self);
            if (!support::wait_until([&] { return std::filesystem::exists(sign); }))
                throw mato::error({errc::not_ready, "setup", {}, "the starter did nothing while this waited"});
        },
        [&] {
            done_by = ::getpid();
            std::filesystem::create_directory(sign);
        });
    INFO(outcome.why.message());
    REQUIRE(outcome);
    CHECK(done_by == ::getpid());
    bool again = false;
    CHECK_FALSE(mato::daemon::launch(options, echo, [&] { again = true; }));
    CHECK_FALSE(again);
    CHECK(end_launched(options) == mato::exit_code::ok);
}

TEST_CASE("a launched daemon is independent: own session, root directory, no terminal, no inherited descriptors", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    std::vector<mato::unique_fd> open;
    for (int i = 0; i < 10; ++i) open.emplace_back(::open("/etc/passwd", O_RDONLY)); // not close-on-exec
    REQUIRE(mato::daemon::launch(options, echo));
    const std::string pid = std::to_string(std::atoi(support::read_file(options.paths.pid).c_str()));
    CHECK(::getsid(std::atoi(pid.c_str())) != ::getsid(0));
    CHECK(std::filesystem::read_symlink("/proc/" + pid + "/cwd") == "/");
    for (const auto& each : std::filesystem::directory_iterator("/proc/" + pid + "/fd")) {
        const auto target = std::filesystem::read_symlink(each.path()).native();
        CHECK(target != "/etc/passwd");
        if (std::atoi(each.path().filename().c_str()) < 3) CHECK(target == "/dev/null");
    }
    CHECK(end_launched(options) == mato::exit_code::ok);
}

TEST_CASE("a relative path in the options means the starter's working directory", "[daemon]") {
    const reaper here;
    const temp_directory directory;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(directory.path());
    const auto options = options_in("relative");
    const auto outcome = mato::daemon::launch(options, echo);
    std::filesystem::current_path(before);
    REQUIRE(outcome);
    CHECK(std::filesystem::exists(directory / "relative/daemon.sock"));
    CHECK(ask(options, "hello") == "hello");
    CHECK(end_launched(options) == 0);
}

TEST_CASE("run in the background returns when the daemon is ready", "[daemon]") {
    struct background : mato::default_policies {
        using detach = mato::double_fork;
    };
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    REQUIRE(mato::basic_daemon<background>::run(options, echo) == mato::exit_code::ok);
    CHECK(ask(options, "there") == "there");
    CHECK(end_launched(options) == mato::exit_code::ok);
}

// ---- the refusals ----

TEST_CASE("the error of a failed setup reaches the starter, and no file is left", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const auto refuses = [](mato::daemon&) {
        throw mato::error({{ENOSPC, std::system_category()}, "prepare", "/some/path", "the disk is full of cats"});
    };
    auto outcome = mato::daemon::launch(options, refuses);
    CHECK(outcome.what == kind::failed);
    CHECK(outcome.why.code == std::errc::no_space_on_device);
    CHECK(outcome.why.message() == "prepare /some/path: the disk is full of cats");
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    CHECK(directory.names() == names{"daemon.log"});
    outcome = mato::daemon::launch(options, [](mato::daemon&) { throw std::runtime_error("something else"); });
    CHECK(outcome.why.code == errc::callback_threw);
    CHECK(outcome.why.message() == "setup: something else");
    outcome = mato::daemon::launch(options, [](mato::daemon&) { throw 5; }); // this does not return to the caller's main either
    CHECK(outcome.why.code == errc::callback_threw);
    const auto log = support::read_file(options.paths.log);
    CHECK(contains(log, "start: prepare /some/path: the disk is full of cats"));
    CHECK(contains(log, "start: setup: something else"));
    CHECK(contains(log, "start: setup: an exception that is not derived from std::exception"));
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    CHECK(directory.names() == names{"daemon.log"});
    mato::failure why;
    CHECK(mato::daemon::serve(options, refuses, why) != mato::exit_code::ok);
    CHECK(why.detail == "the disk is full of cats");
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a daemon that dies in its setup is reported as an error", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    const auto outcome = mato::daemon::launch(options_in(directory.path()), [](mato::daemon&) { ::_exit(3); });
    CHECK(outcome.what == kind::failed);
    CHECK(outcome.why.code == errc::not_ready);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

TEST_CASE("a daemon that does not become ready is reported at the deadline", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.ready_within = 50ms;
    const auto outcome = mato::daemon::launch(options, [](mato::daemon&) {
        for (;;) ::poll(nullptr, 0, -1);
    });
    CHECK(outcome.what == kind::failed);
    CHECK(outcome.why.code == errc::timed_out);
    const auto lock = support::read_file(options.paths.lock);
    REQUIRE(std::atoi(lock.c_str()) > 1);
    ::kill(std::atoi(lock.c_str()), SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

TEST_CASE("a directory that is open to others, and a path that is too long, are refused before anything is created",
          "[daemon]") {
    const temp_directory directory;
    ::chmod(directory.path().c_str(), 0755);
    mato::failure why;
    mato::daemon::serve(options_in(directory.path()), echo, why);
    CHECK(why.code == errc::unsafe_directory);
    CHECK(mato::exit_code_for(why.code) == mato::exit_code::not_permitted);
    CHECK(mato::daemon::launch(options_in(directory.path()), echo).why.code == errc::unsafe_directory);
    CHECK(directory.names().empty());
    ::chmod(directory.path().c_str(), 0700);
    const reaper adopt;
    auto options = options_in(directory / std::string(120, 'x'));
    const auto outcome = mato::daemon::launch(options, echo);
    CHECK(outcome.why.code == std::errc::filename_too_long);
    CHECK(contains(outcome.why.message(), "107"));
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    CHECK_FALSE(std::filesystem::exists(options.paths.lock));
}

TEST_CASE("in the background only kept descriptors are open, and objects captured by setup are destroyed at the end",
          "[daemon]") {
    struct journal {
        std::string path;
        ~journal() { support::write_file(path, std::to_string(::getpid())); }
    };
    const reaper adopt;
    const temp_directory directory;
    auto options = options_in(directory.path());
    const mato::unique_fd kept(::open((directory / "kept").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const mato::unique_fd closed(::open((directory / "closed").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    options.keep = {kept.get()};
    REQUIRE(mato::daemon::launch(options, [captured = std::unique_ptr<journal>(new journal{directory / "journal"}),
                                           kept = kept.get(), closed = closed.get()](mato::daemon& self) {
        self.server().on.on_frame = [kept, closed](const auto& from, std::string_view payload) {
            const bool was_kept = ::write(kept, payload.data(), payload.size()) == static_cast<ssize_t>(payload.size());
            const bool was_closed = ::write(closed, payload.data(), payload.size()) == -1 && errno == EBADF;
            from->send(std::string(was_kept ? "kept" : "lost") + (was_closed ? ", closed" : ", open"));
        };
    }));
    CHECK(ask(options, "a row") == "kept, closed");
    CHECK(support::read_file(directory / "kept") == "a row");
    CHECK(support::read_file(directory / "closed").empty());
    CHECK_FALSE(contains(support::read_file(options.paths.log), "a row"));
    const std::string pid = std::to_string(std::atoi(support::read_file(options.paths.pid).c_str()));
    CHECK(support::read_file(directory / "journal") == std::to_string(::getpid())); // the starter's copy
    CHECK(support::end_launched(options) == mato::exit_code::ok);
    CHECK(support::read_file(directory / "journal") == pid);
}

TEST_CASE("signals blocked by the program stay blocked, in the background too", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const bool background = GENERATE(false, true);
    const auto setup = [](mato::daemon& self) {
        self.server().on.on_frame = [](const auto& from, std::string_view) {
            sigset_t now;
            ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
            std::string text;
            for (const int each : {SIGVTALRM, SIGALRM, SIGWINCH, SIGTERM}) text += sigismember(&now, each) == 1 ? "b" : "-";
            from->send(text);
        };
    };
    sigset_t host, before;
    sigemptyset(&host);
    sigaddset(&host, SIGVTALRM);
    sigaddset(&host, SIGALRM);
    ::pthread_sigmask(SIG_SETMASK, &host, &before);
    std::optional<support::child_process> process;
    if (background)
        CHECK(mato::daemon::launch(options, setup));
    else
        process.emplace([&] {
            mato::failure why;
            ::pthread_sigmask(SIG_SETMASK, &host, nullptr);
            return mato::daemon::serve(options, setup, why);
        });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    REQUIRE(support::wait_until([&] { return std::filesystem::exists(options.paths.pid); }));
    const int pid = std::atoi(support::read_file(options.paths.pid).c_str());
    ::kill(pid, SIGVTALRM);                                // would kill it
    const std::string own = MATO_HAS_SIGNALFD ? "b" : "-"; // a self-pipe's signals are let through
    CHECK(ask(options, "mask") == "bb-" + own);
    if (background)
        CHECK(support::end_launched(options) == mato::exit_code::ok);
    else {
        process->signal(SIGTERM);
        CHECK(process->wait() == mato::exit_code::ok);
    }
}
