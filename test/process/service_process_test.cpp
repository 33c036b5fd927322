// SPDX-License-Identifier: MIT
/// @file service_process_test.cpp: a daemon under a service manager: the exact notifications, and passed sockets.
#include <mato/daemon.hpp>

#include <mato/client.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/fake_manager.hpp"
#include "support/process_facts.hpp"
#include "support/temp_directory.hpp"

#include <sys/prctl.h>

using namespace std::chrono_literals;
using support::child_process;
using support::contains;
using support::fake_manager;
using support::temp_directory;

namespace {

struct both_ways : mato::default_policies {
    using endpoint = mato::activated_or_owned;
};
struct only_passed : mato::default_policies {
    using endpoint = mato::activated;
};
struct background : both_ways {
    using detach = mato::double_fork;
    using log = mato::null_log;
};
using service = mato::basic_daemon<both_ways>;

const auto echo = [](auto& self) {
    self.server().on.on_frame = [](const auto& from, std::string_view payload) {
        from->established();
        from->send(payload);
    };
};

/// The environment in which the manager starts the daemon.
struct unit {
    std::string notify{};            ///< NOTIFY_SOCKET
    std::vector<int> sockets{};      ///< passed from 3 up
    std::string names{};             ///< LISTEN_FDNAMES
    std::string own_name{};          ///< daemon_options::socket_name
    std::string watchdog_usec{};     ///< WATCHDOG_USEC
    bool watchdog_for_other = false; ///< WATCHDOG_PID is another process
    bool sockets_for_other = false;  ///< LISTEN_PID is another process
};

/// The steps of a manager between fork and exec, and then of a program's main.
template <class Daemon, class Setup> int started_by(const unit& how, const std::filesystem::path& directory, Setup setup) {
    const auto set = [](const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); };
    const std::string self = std::to_string(::getpid()), other = std::to_string(::getppid());
    if (!how.notify.empty()) set("NOTIFY_SOCKET", how.notify);
    if (!how.watchdog_usec.empty()) {
        set("WATCHDOG_USEC", how.watchdog_usec);
        set("WATCHDOG_PID", how.watchdog_for_other ? other : self);
    }
    constexpr int aside = 100; // so that no socket overwrites another while they are moved
    for (std::size_t i = 0; i < how.sockets.size(); ++i) ::dup2(how.sockets[i], aside + static_cast<int>(i));
    for (std::size_t i = 0; i < how.sockets.size(); ++i) ::dup2(aside + static_cast<int>(i), 3 + static_cast<int>(i));
    if (!how.sockets.empty()) {
        set("LISTEN_PID", how.sockets_for_other ? other : self);
        set("LISTEN_FDS", std::to_string(how.sockets.size()));
        if (!how.names.empty()) set("LISTEN_FDNAMES", how.names);
    }
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    options.socket_name = how.own_name;
    mato::failure why;
    options.service = mato::take_service_environment(why); // the only place where the environment is read
    options.paths.pid.clear();
    options.paths.log.clear();
    if (why) return 99;
    return Daemon::run(options, setup);
}
template <class Daemon = service, class Setup = decltype(echo)>
child_process start(const unit& how, const temp_directory& directory, Setup setup = echo) {
    return child_process([&] { return started_by<Daemon>(how, directory.path(), setup); });
}

std::string ask(const temp_directory& directory, const std::string& text) {
    mato::failure why;
    const auto until = mato::deadline::in(10s);
    auto client = mato::client::connect(mato::owned_path(directory / "daemon.sock"), until, why);
    if (!why) client.send(text, until, why);
    const auto answer = why ? std::nullopt : client.receive(until, why);
    return answer ? std::string(*answer) : why.message();
}

mato::unique_fd listening_at(const std::filesystem::path& path) {
    mato::unique_fd fd(support::bound_socket(SOCK_STREAM, path.native()));
    REQUIRE(::listen(fd.get(), 16) == 0);
    return fd;
}

const std::string reloading = "RELOADING=1\nMONOTONIC_USEC=";

} // namespace

TEST_CASE("start, reload and stop are notified in order, and nothing else", "[service]") {
    const temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto daemon = start({.notify = manager.address()}, directory);
    REQUIRE(manager.next() == "READY=1");
    CHECK(ask(directory, "at once") == "at once"); // ready is sent after connect works
    CHECK(directory.names() == std::vector<std::string>{"daemon.lock", "daemon.sock", "notify"}); // no pid file, no log
    daemon.signal(SIGHUP);
    const std::string said = manager.next();
    REQUIRE(said.substr(0, reloading.size()) == reloading);
    CHECK(std::stoll(said.substr(reloading.size())) > 0);
    CHECK(manager.next() == "READY=1");
    daemon.signal(SIGTERM);
    CHECK(manager.next() == "STOPPING=1");
    CHECK(daemon.wait() == mato::exit_code::ok);
    CHECK(manager.is_silent());
    CHECK(directory.names() == std::vector<std::string>{"notify"});
}

TEST_CASE("a failed reload also ends with READY, and a second stop is not notified again", "[service]") {
    const temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto daemon = start({.notify = manager.address()}, directory, [](service& self) {
        self.on.on_reload = [](mato::error_out out) { out.set(mato::errc::invalid_config, "reload", "/c", "c:1:1: no"); };
        self.on.on_stop = [] {}; // never calls stopped()
        self.report_status("started by a test");
    });
    CHECK(manager.next() == "STATUS=started by a test"); // also before it is ready
    REQUIRE(manager.next() == "READY=1");
    daemon.signal(SIGHUP);
    CHECK(manager.next().substr(0, reloading.size()) == reloading);
    CHECK(manager.next() == "READY=1");
    daemon.signal(SIGTERM);
    CHECK(manager.next() == "STOPPING=1");
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == mato::exit_code::forced);
    CHECK(manager.is_silent());
}

TEST_CASE("a failed start sends the reason, and never READY", "[service]") {
    const temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    const unit how{.notify = manager.address()};
    {
        auto first = start(how, directory);
        REQUIRE(manager.next() == "READY=1");
        auto second = start(how, directory);
        CHECK(second.wait() == mato::exit_code::already_running);
        const std::string holder = std::to_string(first.pid());
        CHECK(manager.next() == "STATUS=lock " + (directory / "daemon.lock").native() + ": already running, pid " + holder);
        first.signal(SIGTERM);
        CHECK(first.wait() == mato::exit_code::ok);
        CHECK(manager.next() == "STOPPING=1");
    }
    auto refused = start(how, directory, [](service&) {
        throw mato::error({{ENOSPC, std::system_category()}, "prepare", "/p", {}});
    });
    CHECK(refused.wait() == mato::exit_code::unavailable);
    CHECK(manager.next() == "STATUS=prepare /p: No space left on device\nERRNO=28");
    CHECK(manager.is_silent());
}

TEST_CASE("watchdog notifications come at half the interval from a running loop, and not from a hanging one", "[service]") {
    const temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    constexpr auto interval = 1000ms;
    support::gate release;
    auto daemon = start({.notify = manager.address(), .watchdog_usec = "1000000"}, directory, [&](service& self) {
        self.server().on.on_frame = [&](const auto& from, std::string_view) {
            release.pass(); // hangs
            from->established();
            from->send("awake");
        };
    });
    REQUIRE(manager.next() == "READY=1");
    std::chrono::milliseconds shortest = 1h;
    for (int i = 0; i < 3; ++i) {
        const support::stopwatch watch;
        CHECK(manager.next() == "WATCHDOG=1");
        shortest = std::min(shortest, watch.elapsed());
    }
    CHECK(shortest < interval); // otherwise the manager would kill it
    const support::stopwatch watch;
    CHECK(manager.next() == "WATCHDOG=1");
    CHECK(manager.next() == "WATCHDOG=1");
    CHECK(watch.elapsed() >= interval / 4); // and not too often
    mato::failure why;
    const auto until = mato::deadline::in(20s);
    auto client = mato::client::connect(mato::owned_path(directory / "daemon.sock"), until, why);
    client.send("hang", until, why);
    while (manager.next(800ms) == "WATCHDOG=1" && !until.passed()) {
    }
    CHECK_FALSE(until.passed()); // there was no further notification
    release.open();
    CHECK(client.receive(until, why).value_or("") == "awake");
    CHECK(manager.next() == "WATCHDOG=1");
    daemon.signal(SIGTERM);
    CHECK(manager.next_but_watchdog() == "STOPPING=1");
    CHECK(daemon.wait() == mato::exit_code::ok);
}

TEST_CASE("a watchdog for another process is not notified", "[service]") {
    const temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    auto daemon = start({.notify = manager.address(), .watchdog_usec = "20000", .watchdog_for_other = true}, directory);
    REQUIRE(manager.next() == "READY=1");
    CHECK(manager.next(200ms) == "(nothing)");
    daemon.signal(SIGTERM);
    CHECK(manager.next() == "STOPPING=1");
    CHECK(daemon.wait() == mato::exit_code::ok);
}

TEST_CASE("a passed socket serves clients that connected before the daemon, and stays for the next daemon", "[service]") {
    const temp_directory directory;
    const auto name = directory / "daemon.sock";
    const auto socket = listening_at(name);
    const fake_manager manager((directory / "notify").native());
    for (int life = 0; life < 2; ++life) {
        mato::failure why;
        const auto until = mato::deadline::in(20s);
        auto early = mato::client::connect(mato::owned_path(name), until, why);
        REQUIRE_FALSE(why);
        early.send("early", until, why);
        auto daemon = start({.notify = manager.address(), .sockets = {socket.get()}}, directory);
        CHECK(manager.next() == "READY=1");
        CHECK(early.receive(until, why).value_or(why.message()) == "early");
        const auto inode = support::inode_of(name);
        daemon.signal(SIGUSR1); // nothing to publish again: the name belongs to the manager
        CHECK(ask(directory, "still") == "still");
        CHECK(support::inode_of(name) == inode);
        daemon.signal(SIGTERM);
        CHECK(manager.next() == "STOPPING=1");
        CHECK(daemon.wait() == mato::exit_code::ok);
        CHECK(support::inode_of(name) == inode);
    }
}

TEST_CASE("sockets for another process are not used; a daemon that needs one reports it", "[service]") {
    const temp_directory directory;
    const auto socket = listening_at(directory / "elsewhere");
    const fake_manager manager((directory / "notify").native());
    const unit how{.notify = manager.address(), .sockets = {socket.get()}, .sockets_for_other = true};
    auto needs = start<mato::basic_daemon<only_passed>>(how, directory);
    CHECK(needs.wait() == mato::exit_code::unavailable);
    CHECK(manager.next() == "STATUS=take the passed socket " + (directory / "daemon.sock").native() +
                                ": the service manager passed none; start the daemon through its socket unit\nERRNO=2");
    auto own = start(how, directory);
    CHECK(manager.next() == "READY=1");
    CHECK(ask(directory, "own") == "own");
    own.signal(SIGTERM);
    CHECK(own.wait() == mato::exit_code::ok);
    CHECK_FALSE(std::filesystem::exists(directory / "daemon.sock"));
}

TEST_CASE("two sockets are one too many, and a descriptor that is not a socket is refused", "[service]") {
    const temp_directory directory;
    const auto one = listening_at(directory / "one"), two = listening_at(directory / "two");
    const fake_manager manager((directory / "notify").native());
    auto daemon = start({.notify = manager.address(), .sockets = {one.get(), two.get()}}, directory);
    CHECK(daemon.wait() == mato::exit_code::unavailable);
    CHECK(contains(manager.next(), "passed 2 sockets, but this daemon listens on one; pass only that one, or set"));
    const mato::unique_fd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
    auto confused = start({.notify = manager.address(), .sockets = {file.get()}}, directory);
    CHECK(confused.wait() == mato::exit_code::unavailable);
    CHECK(contains(manager.next(), "\nERRNO=" + std::to_string(ENOTSOCK)));
}

TEST_CASE("of several passed sockets the daemon serves those that it asks for by name", "[service]") {
    const temp_directory directory;
    const auto one = listening_at(directory / "daemon.sock"), two = listening_at(directory / "admin.sock");
    const fake_manager manager((directory / "notify").native());
    const auto both = [](auto& self) {
        echo(self);
        using endpoint = mato::activated;
        const auto admin = std::make_shared<mato::basic_server<endpoint>>(self.context());
        self.keep(admin);
        admin->on.on_frame = [](const auto& from, std::string_view) {
            from->established();
            from->send("admin");
        };
        const int passed = self.options().service.socket("admin");
        mato::failure why;
        admin->listen(endpoint("admin.sock", mato::unique_fd(passed)), {}, self.lock(), mato::publish_options{}, why);
        if (why) throw mato::error(why);
        self.manager().extend_timeout(std::chrono::seconds(2));
    };
    for (const bool is_reversed : {false, true}) {
        const unit how{.notify = manager.address(),
                       .sockets = is_reversed ? std::vector{two.get(), one.get()} : std::vector{one.get(), two.get()},
                       .names = is_reversed ? "admin:clients" : "clients:admin",
                       .own_name = "clients"};
        auto daemon = start(how, directory, both);
        CHECK(manager.next() == "EXTEND_TIMEOUT_USEC=2000000");
        CHECK(manager.next() == "READY=1");
        CHECK(ask(directory, "x") == "x");
        mato::failure why;
        auto client = mato::client::connect(mato::owned_path(directory / "admin.sock"), mato::deadline::in(10s), why);
        client.send("x", mato::deadline::in(10s), why);
        CHECK(client.receive(mato::deadline::in(10s), why) == "admin");
        daemon.signal(SIGTERM);
        CHECK(manager.next() == "STOPPING=1");
        CHECK(daemon.wait() == mato::exit_code::ok);
    }
    for (const char* names : {"other:admin", "clients:clients"}) {
        auto confused = start(
            {.notify = manager.address(), .sockets = {one.get(), two.get()}, .names = names, .own_name = "clients"}, directory);
        CHECK(confused.wait() == mato::exit_code::unavailable);
        CHECK(contains(manager.next(),
                       "take the passed socket clients: the service manager passed 2 sockets, but not exactly one"));
    }
}

TEST_CASE("a daemon that goes to the background first notifies its manager of the new pid", "[service]") {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const temp_directory directory;
    const fake_manager manager((directory / "notify").native());
    const auto socket = listening_at(directory / "daemon.sock"); // kept open over the forks
    auto starter = start<mato::basic_daemon<background>>({.notify = manager.address(), .sockets = {socket.get()}}, directory);
    CHECK(starter.wait() == mato::exit_code::ok);
    const std::string said = manager.next();
    REQUIRE(said.substr(0, 8) == "MAINPID=");
    const pid_t pid = std::atoi(said.c_str() + 8);
    CHECK(support::first_line(directory / "daemon.lock") == std::to_string(pid) + "\n");
    CHECK(manager.next() == "READY=1");
    CHECK(ask(directory, "there") == "there");
    ::kill(pid, SIGTERM);
    CHECK(manager.next() == "STOPPING=1");
    const mato::unique_fd watched(mato::sys::pidfd_open(pid));
    CHECK(support::await_readable(watched.get()));
    int status = 0;
    CHECK(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}
