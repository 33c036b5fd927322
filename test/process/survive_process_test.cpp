// SPDX-License-Identifier: MIT
/// @file survive_process_test.cpp: a daemon with a keeper: what stays when its worker is killed, and how it starts and stops.
#include <mato/keeper.hpp>

#include "support/answered_clients.hpp"
#include "support/catch.hpp"
#include "support/fake_manager.hpp"
#include "support/surviving_daemon.hpp"

#include <cstdlib>
#include <cstring>
#include <random>

using namespace std::chrono_literals;
using support::contains;
using support::place;
using support::surviving;
using support::surviving_daemon;
using support::surviving_options;
using support::temp_directory;
using names = std::vector<std::string>;

namespace {

/// Answers each frame with the number of all frames so far and the generation: "3 of 1".
const auto counting = [](surviving& self) {
    mato::failure why;
    auto memory = std::make_shared<mato::memory_file>(self.kept().memory("count", 8, why));
    if (why) throw mato::error(why);
    self.server().on.on_frame = [&self, memory](const auto& from, std::string_view) {
        std::uint64_t count = 0;
        std::memcpy(&count, memory->bytes().data(), 8);
        ++count;
        std::memcpy(memory->bytes().data(), &count, 8);
        from->established();
        from->send(std::to_string(count) + " of " + std::to_string(self.generation().number));
    };
};

/// What a client is told of the end: the names that are left in the directory when it sees end-of-file.
names left_at_the_end(mato::client& client, const temp_directory& directory) {
    mato::failure why;
    while (client.receive(mato::deadline::in(20s), why)) {
    }
    CHECK(why.code == mato::errc::closed);
    return directory.names();
}

} // namespace

// ---- deaths ----

TEST_CASE("a killed worker is followed by the next one, which goes on with the count, the socket and the lock", "[survive]") {
    const place where = GENERATE(place::foreground, place::background);
    const int signal = GENERATE(SIGKILL, SIGSEGV);
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(where, options, counting);
    REQUIRE(daemon.is_ready);
    const auto socket = support::inode_of(options.paths.socket);
    const std::string keeper = std::to_string(daemon.keeper()) + "\n";
    for (int generation = 1; generation <= 5; ++generation) {
        CHECK(daemon.ask("x") == std::to_string(2 * generation - 1) + " of " + std::to_string(generation));
        CHECK(daemon.ask("x") == std::to_string(2 * generation) + " of " + std::to_string(generation));
        CHECK(support::first_line(options.paths.lock) == keeper);
        CHECK(support::read_file(options.paths.pid) == keeper);
        CHECK(support::inode_of(options.paths.socket) == socket);
        daemon.kill_worker(signal);
    }
    CHECK(daemon.ask("x") == "11 of 6");
    CHECK(contains(daemon.log(), "generation 6; the one before died of signal " + std::to_string(signal)));
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("clients that connect while no worker lives wait in the backlog, and are served by the next one", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(place::foreground, options, counting);
    REQUIRE(daemon.is_ready);
    const pid_t victim = daemon.worker();
    daemon.signal(SIGSTOP); // no next worker until it goes on
    REQUIRE(support::wait_until([&] { return support::process_state(daemon.keeper()) == 'T'; }));
    ::kill(victim, SIGKILL);
    REQUIRE(support::wait_until([&] { return !support::is_running(victim); }));
    std::vector<mato::client> waiting;
    for (int i = 0; i < 50; ++i) {
        mato::failure why;
        waiting.push_back(support::connect_to(options, why));
        INFO(why.message());
        REQUIRE_FALSE(why);
        waiting.back().send("x", mato::deadline::in(10s), why);
        REQUIRE_FALSE(why);
    }
    daemon.signal(SIGCONT);
    int served = 0;
    for (auto& each : waiting) {
        mato::failure why;
        const auto answer = each.receive(mato::deadline::in(20s), why);
        if (answer && contains(*answer, " of 2")) ++served;
    }
    CHECK(served == 50);
}

TEST_CASE("who is asked about the socket is the process in the lock file, in every generation", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(GENERATE(place::foreground, place::background), options, counting);
    REQUIRE(daemon.is_ready);
    for (int round = 0; round < 2; ++round) {
        mato::failure why;
        const auto client = support::connect_to(options, why);
        REQUIRE_FALSE(why);
        CHECK(client.server().pid == daemon.keeper());
        CHECK(mato::client::signal_daemon(options.paths, 0, why) == daemon.keeper());
        daemon.kill_worker();
    }
}

TEST_CASE("a second start is refused with the keeper's pid, also while no worker lives", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(place::background, options, counting);
    REQUIRE(daemon.is_ready);
    const bool without_worker = GENERATE(false, true);
    if (without_worker) {
        const pid_t victim = daemon.worker();
        daemon.signal(SIGSTOP);
        ::kill(victim, SIGKILL);
        REQUIRE(support::wait_until([&] { return !support::is_running(victim); }));
    }
    const auto second = surviving::launch(options, counting);
    CHECK(second.what == mato::start_outcome::kind::already_running);
    CHECK(second.holder == daemon.keeper());
    daemon.signal(SIGCONT);
    CHECK(contains(daemon.ask("x"), " of "));
}

TEST_CASE("too many deaths: it is logged, and the next worker starts when a client connects", "[survive]") {
    const temp_directory directory;
    auto options = surviving_options(directory);
    options.restarts = {2, 60s, 0ms};
    surviving_daemon daemon(place::background, options, counting);
    REQUIRE(daemon.is_ready);
    CHECK(daemon.ask("x") == "1 of 1");
    daemon.kill_worker();
    CHECK(daemon.ask("x") == "2 of 2");
    daemon.kill_worker();
    REQUIRE(support::wait_until([&] { return contains(daemon.log(), "too many deaths"); }));
    CHECK(daemon.worker() == 0);
    CHECK(daemon.ask("x") == "3 of 3");
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == mato::exit_code::ok);
}

TEST_CASE("a child that was kept ends: the next generation is told", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    const support::mailbox<int> told;
    surviving_daemon daemon(place::foreground, options, [&](surviving& self) {
        support::echo(self);
        if (self.generation().number == 1) {
            const pid_t child = ::fork();
            if (child == 0) {
                ::signal(SIGUSR2, SIG_DFL);
                mato::reset_signals();
                for (;;) ::pause();
            }
            mato::failure why;
            self.kept().keep("job", -1, {.child = child}, why);
            if (why) throw mato::error(why);
            return told.put(child);
        }
        self.on.on_kept_child = [&](std::string_view name, mato::child_status status) {
            told.put(name == "job" ? status.signal : -1);
        };
    });
    REQUIRE(daemon.is_ready);
    const auto child = told.take();
    REQUIRE((child && *child > 1));
    ::kill(support::children_of(daemon.keeper()).front(), SIGKILL);
    REQUIRE(support::wait_until([&] { return contains(daemon.log(), "generation 2"); }));
    CHECK(support::is_running(*child));
    ::kill(*child, SIGUSR2);
    CHECK(told.take() == SIGUSR2);
}

// ---- the keeper's own death ----

TEST_CASE("a killed keeper ends nothing: the worker goes on, takes over lock and pid file, and stops clean", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(GENERATE(place::foreground, place::background), options, counting);
    REQUIRE(daemon.is_ready);
    mato::failure why;
    auto client = support::connect_to(options, why);
    CHECK(support::ask(client, "x") == "1 of 1");
    const pid_t worker = daemon.worker();
    daemon.signal(SIGKILL);
    const std::string line = std::to_string(worker) + "\n";
    CHECK(support::wait_until([&] { return support::read_file(options.paths.pid) == line; }));
    CHECK(support::first_line(options.paths.lock) == line);
    CHECK(support::ask(client, "x") == "2 of 1"); // the session is the same
    CHECK(contains(daemon.log(), "the keeper died"));
    CHECK(mato::instance_lock::signal_holder(options.paths.lock, SIGTERM, why) == worker);
    CHECK(left_at_the_end(client, directory) == names{"daemon.log"});
    CHECK(support::wait_until([&] { return !support::is_running(worker); }));
}

// ---- starting ----

TEST_CASE("a setup that fails is reported with its own error, and nothing is left", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    const auto failing = [](surviving&) { throw mato::error({mato::errc::invalid_config, "read", "/c", "c:1:1: no"}); };
    const auto outcome = surviving::launch(options, failing);
    CHECK(outcome.what == mato::start_outcome::kind::failed);
    CHECK(outcome.why.message() == "read /c: c:1:1: no");
    CHECK(directory.names() == names{"daemon.log"}); // immediately: the process that gets the error may retry
    CHECK(support::in_child([&] {
              mato::failure why;
              const int code = surviving::serve(options, failing, why);
              return code == mato::exit_code::unavailable && why.message() == "read /c: c:1:1: no" ? 0 : 1;
          }) == 0);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a step after the socket was published that fails leaves neither socket nor lock", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    std::filesystem::create_directories(directory / "daemon.pid/x"); // no file can take its place
    const auto outcome = surviving::launch(options, counting);
    CHECK(outcome.what == mato::start_outcome::kind::failed);
    CHECK(contains(outcome.why.message(), "rename pid file " + options.paths.pid));
    CHECK(directory.names() == names{"daemon.log", "daemon.pid"});
}

TEST_CASE("a setup that is killed is a start that failed, and nothing is left", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    const auto dying = [](surviving&) { ::kill(::getpid(), SIGKILL); };
    const auto outcome = surviving::launch(options, dying);
    CHECK(outcome.what == mato::start_outcome::kind::failed);
    CHECK(outcome.why.code == mato::errc::not_ready);
    CHECK(contains(outcome.why.message(), "the worker died of signal 9 before it served"));
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("with one fork the keeper leads the session, and no terminal that a worker opens becomes its own", "[survive]") {
    struct policies : support::surviving_policies {
        using detach = mato::single_fork;
    };
    using single = mato::basic_daemon<policies>;
    const temp_directory directory;
    const auto options = surviving_options(directory);
    const auto outcome = single::launch(options, [&](single& self) {
        support::echo(self);
        const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        const bool is_open = ::grantpt(master) == 0 && ::unlockpt(master) == 0 && ::open(::ptsname(master), O_RDWR) >= 0;
        const bool gains = ::open("/dev/tty", O_RDWR) >= 0, is_led = ::getsid(0) == ::getppid();
        self.log().info(is_open && !gains && is_led ? "as it should" : "wrong " + std::to_string(self.generation().number));
        if (self.generation().number == 1) asio::post(self.context(), [] { ::kill(::getpid(), SIGKILL); });
    });
    INFO(outcome.why.message());
    REQUIRE(outcome);
    const auto log = [&] { return support::read_file(options.paths.log); };
    REQUIRE(support::wait_until([&] { return contains(log(), "generation 2"); }));
    CHECK(support::ask(options, "x") == "x");
    CHECK(log().find("as it should") != log().rfind("as it should")); // the next worker, too
    CHECK_FALSE(contains(log(), "wrong"));
    const pid_t keeper = std::atoi(support::read_file(options.paths.lock).c_str());
    CHECK(::kill(keeper, SIGTERM) == 0);
    int status = -1;
    const mato::unique_fd watched(mato::sys::pidfd_open(keeper));
    CHECK(support::await_readable(watched.get()));
    CHECK(::waitpid(keeper, &status, 0) == keeper); // the starter's child
    CHECK(status == 0);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("with one fork and without a keeper the daemon does not lead its session", "[survive]") {
    struct policies : support::surviving_policies {
        using detach = mato::single_fork;
    };
    using single = mato::basic_daemon<policies>;
    const temp_directory directory;
    auto options = surviving_options(directory);
    options.survive = false;
    const auto outcome = single::launch(options, [&](single& self) {
        support::echo(self);
        self.log().info(::getsid(0) == ::getpid() ? "wrong" : "as it should");
    });
    INFO(outcome.why.message());
    REQUIRE(outcome);
    CHECK(support::ask(options, "x") == "x");
    CHECK(contains(support::read_file(options.paths.log), "as it should"));
    const pid_t daemon = std::atoi(support::read_file(options.paths.lock).c_str());
    const mato::unique_fd watched(mato::sys::pidfd_open(daemon));
    CHECK(::kill(daemon, SIGTERM) == 0);
    CHECK(support::await_readable(watched.get()));
    CHECK(directory.names() == names{"daemon.log"});
}

// ---- stopping ----

TEST_CASE("a stop ends the worker, then the keeper; at a client's end-of-file nothing is left", "[survive]") {
    const place where = GENERATE(place::foreground, place::background);
    const int signal = GENERATE(SIGTERM, SIGINT);
    const bool after_a_death = GENERATE(false, true);
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(where, options, counting);
    REQUIRE(daemon.is_ready);
    if (after_a_death) daemon.kill_worker();
    mato::failure why;
    auto client = support::connect_to(options, why);
    CHECK(contains(support::ask(client, "x"), "1 of "));
    daemon.signal(signal);
    CHECK(left_at_the_end(client, directory) == names{"daemon.log"});
    CHECK(daemon.wait() == mato::exit_code::ok);
}

TEST_CASE("a stop that a client asks for, and one that is forced, end the keeper with the worker's code", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    const bool forced = GENERATE(false, true);
    surviving_daemon daemon(GENERATE(place::foreground, place::background), options, [=](surviving& self) {
        if (forced) self.on.on_stop = [] {}; // it never says that all has ended
        self.server().on.on_frame = [&self](const auto& from, std::string_view) {
            from->established();
            from->send("stopping");
            self.request_stop();
        };
    });
    REQUIRE(daemon.is_ready);
    CHECK(daemon.ask("stop") == "stopping");
    if (forced) daemon.signal(SIGTERM);
    CHECK(daemon.wait() == (forced ? mato::exit_code::forced : mato::exit_code::ok));
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a stop request that reaches both processes counts once, and the second one forces", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    const support::mailbox<int> told;
    surviving_daemon daemon(place::foreground, options, [&](surviving& self) {
        self.on.on_stop = [&] { told.put(1); };
        self.on.on_force = [&] { told.put(2); };
    });
    REQUIRE(daemon.is_ready);
    const pid_t worker = daemon.worker();
    const auto to_both = [&] { ::kill(worker, SIGTERM), daemon.signal(SIGTERM); };
    to_both();
    CHECK(told.take() == 1);
    CHECK_FALSE(told.take(100ms));
    to_both();
    CHECK(told.take() == 2);
    CHECK(daemon.wait() == mato::exit_code::forced);
}

TEST_CASE("a worker that dies while it stops: the next one ends what is kept, and nothing is left", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    const bool always = GENERATE(false, true);
    surviving_daemon daemon(place::background, options, [=](surviving& self) {
        support::echo(self);
        self.on.on_stop = [&self, always] {
            if (always || self.generation().number == 1) ::kill(::getpid(), SIGKILL);
            self.stopped();
        };
    });
    REQUIRE(daemon.is_ready);
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == (always ? mato::exit_code::forced : mato::exit_code::ok));
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("an exception that ends the worker is the daemon's failure, and is no death", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    CHECK(support::in_child([&] {
              mato::failure why;
              const auto setup = [](surviving& self) {
                  asio::post(self.context(), [] { throw mato::error({mato::errc::busy, "work", "/w", "no more"}); });
              };
              const int code = surviving::serve(options, setup, why);
              return code == mato::exit_code::unavailable && contains(why.message(), "no more") ? 0 : 1;
          }) == 0);
    CHECK(directory.names() == names{"daemon.log"});
}

// ---- signals and the service manager ----

TEST_CASE("SIGHUP reloads and SIGUSR1 publishes again, through the keeper; the next generation has the new socket",
          "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(GENERATE(place::foreground, place::background), options, counting);
    REQUIRE(daemon.is_ready);
    daemon.signal(SIGHUP);
    CHECK(support::wait_until([&] { return contains(daemon.log(), "reloaded"); }));
    std::filesystem::remove(options.paths.socket);
    daemon.signal(SIGUSR1);
    REQUIRE(support::wait_until([&] { return contains(daemon.log(), "socket published again"); }));
    CHECK(daemon.ask("x") == "1 of 1");
    daemon.kill_worker();
    CHECK(daemon.ask("x") == "2 of 2");
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("the service manager is told ready by each worker, and stopping once", "[survive]") {
    const temp_directory directory;
    const support::fake_manager manager((directory / "notify").native());
    auto options = surviving_options(directory);
    options.service.notify_socket = manager.address();
    surviving_daemon daemon(place::foreground, options, counting);
    REQUIRE(manager.next() == "READY=1");
    daemon.kill_worker();
    CHECK(manager.next() == "READY=1");
    daemon.signal(SIGTERM);
    CHECK(manager.next() == "STOPPING=1");
    CHECK(daemon.wait() == mato::exit_code::ok);
    CHECK(manager.is_silent());
}

TEST_CASE("while it is idle, neither keeper nor worker is woken", "[survive]") {
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(place::background, options, counting);
    REQUIRE(daemon.is_ready);
    CHECK(daemon.ask("x") == "1 of 1");
    const auto switches = [](pid_t pid) {
        const std::string status = support::proc_file(pid, "status");
        const auto at = status.find("\nvoluntary_ctxt_switches:");
        return std::atol(status.c_str() + at + 25);
    };
    const pid_t keeper = daemon.keeper(), worker = daemon.worker();
    const auto asleep = [&](pid_t pid) { return support::process_state(pid) == 'S'; };
    REQUIRE(support::wait_until([&] { return asleep(keeper) && asleep(worker); }));
    const long before = switches(keeper);
    CHECK(support::await_readable(mato::unique_fd(mato::sys::pidfd_open(keeper)).get(), 300ms) == false);
    CHECK(switches(keeper) == before);
}

// ---- many deaths ----

TEST_CASE("killed at random moments under connecting clients: none is refused, and the count never goes back", "[survive]") {
    const char* const wanted = std::getenv("MATO_TEST_ROUNDS");
    const int kills = wanted ? std::atoi(wanted) : 50;
    const temp_directory directory;
    const auto options = surviving_options(directory);
    surviving_daemon daemon(place::background, options, counting);
    REQUIRE(daemon.is_ready);
    const support::mailbox<int> done;
    support::child_process killer([&] {
        std::mt19937 random(7);
        for (int kill = 0; kill < kills; ++kill) {
            ::poll(nullptr, 0, static_cast<int>(1 + random() % 30)); // the moment is the test's input, not a wait for a fact
            daemon.kill_worker();
            static_cast<void>(support::wait_until([&] { return daemon.worker() != 0; }));
        }
        done.put(kills);
        return 0;
    });
    const auto [connects, answers, refused, back] =
        support::ask_one_after_the_other(options, [&](std::uint64_t) { return done.take(0ms).has_value(); });
    CHECK(refused == 0);
    CHECK(back == 0);
    CHECK(answers >= static_cast<std::uint64_t>(kills));
    CHECK(connects >= answers);
    CHECK(killer.wait() == 0);
    const std::string end = daemon.ask("x");
    CHECK(contains(end, " of " + std::to_string(kills + 1)));
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}
