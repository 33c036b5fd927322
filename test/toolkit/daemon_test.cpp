// SPDX-License-Identifier: MIT
/// @file daemon_test.cpp: ready means reachable, a stop leaves no file. Starting in the background: daemon_launch_test.cpp;
/// the kinds of stop: daemon_stop_test.cpp.
#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/descriptor_census.hpp"
#include "support/fake_manager.hpp"
#include "support/launched_daemon.hpp"
#include "support/served_daemon.hpp"
#include "support/temp_directory.hpp"

using namespace std::chrono_literals;
using mato::errc;
using support::ask;
using support::connect_to;
using support::contains;
using support::echo;
using support::options_in;
using support::served;
using support::temp_directory;
using names = std::vector<std::string>;

// ---- the contract: paths ----

TEST_CASE("a daemon's paths are absolute, in one directory, and return that directory", "[daemon]") {
    const auto paths = mato::daemon_paths::in("/run/x", "app");
    CHECK(paths.socket == "/run/x/app.sock");
    CHECK(paths.pid == "/run/x/app.pid");
    CHECK(paths.directory() == "/run/x");
    CHECK(paths.file("config.toml") == "/run/x/config.toml");
    const auto here = std::filesystem::current_path();
    CHECK(mato::daemon_paths::in("x").lock == here / "x/daemon.lock");
    CHECK(mato::daemon_paths::in(std::filesystem::path("x") / "y").log == here / "x/y/daemon.log");
    CHECK(mato::daemon_paths::in("/").directory() == "/");
    CHECK(mato::daemon_paths::in("/run/x//").directory() == "/run/x");
    mato::daemon_paths bare;
    bare.socket = "daemon.sock";
    CHECK(bare.directory() == ".");
}

// ---- the contract: serve ----

TEST_CASE("a ready daemon can be reached, and TERM leaves only its log", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, echo);
    REQUIRE(process.is_ready);
    CHECK(directory.names() == names{"daemon.lock", "daemon.log", "daemon.pid", "daemon.sock"});
    CHECK(std::atoi(support::read_file(options.paths.pid).c_str()) == process.pid());
    CHECK(ask(options, "hello") == "hello");
    process.signal(GENERATE(SIGTERM, SIGINT));
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
    const auto log = support::read_file(options.paths.log);
    CHECK(contains(log, "started, pid " + std::to_string(std::atoi(log.substr(log.find("pid ") + 4).c_str()))));
    CHECK(contains(log, "stopped"));
}

TEST_CASE("a client that sees the end finds neither socket nor pid file nor lock", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    for (int round = 0; round < 10; ++round) {
        served process(options, echo);
        mato::failure why;
        auto client = connect_to(options, why);
        REQUIRE(ask(client, "hello") == "hello");
        process.signal(SIGTERM);
        CHECK_FALSE(client.receive(mato::deadline::in(10s), why));
        CHECK(why.code == errc::closed);
        CHECK(directory.names() == names{"daemon.log"});
        CHECK(process.wait() == mato::exit_code::ok);
    }
}

TEST_CASE("HUP reloads; a failed reload is logged, reported to the requester, and changes nothing", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const support::mailbox<int> told;
    served process(options, [&](mato::daemon& self) {
        self.server().on.on_frame = [&self](const auto& from, std::string_view) {
            mato::failure why;
            self.reload(why);
            from->send(why.message());
        };
        self.on.on_reload = [&told, count = 0](mato::error_out out) mutable {
            if (++count != 2) out.set(errc::invalid_config, "reload", "/c", "c:1:2: no such key");
            told.put(count);
        };
    });
    for (int n = 1; n <= 2; ++n) {
        process.signal(SIGHUP);
        CHECK(told.take() == n);
    }
    CHECK(ask(options, "again") == "reload /c: c:1:2: no such key");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    const auto log = support::read_file(options.paths.log);
    CHECK(contains(log, "c:1:2: no such key; nothing was changed"));
    CHECK(contains(log, "reloaded"));
}

TEST_CASE("HUP opens the log again, so that its file may be moved away", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, echo);
    REQUIRE(process.is_ready);
    const auto moved = directory / "daemon.log.old";
    std::filesystem::rename(options.paths.log, moved);
    process.signal(SIGHUP);
    REQUIRE(support::wait_until([&] { return contains(support::read_file(options.paths.log), "reloaded"); }));
    CHECK(support::mode_of(options.paths.log) == 0600);
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(contains(support::read_file(moved), "started"));
    CHECK_FALSE(contains(support::read_file(moved), "reloaded"));
    CHECK(contains(support::read_file(options.paths.log), "stopped"));
}

TEST_CASE("USR1 creates the socket again", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, echo);
    mato::failure why;
    auto client = connect_to(options, why);
    REQUIRE(ask(client, "before") == "before");
    std::filesystem::remove(options.paths.socket);
    process.signal(SIGUSR1);
    REQUIRE(support::wait_until([&] { return std::filesystem::exists(options.paths.socket); }));
    CHECK(ask(options, "again") == "again");
    CHECK(ask(client, "still") == "still");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("USR1 does not take the socket of a daemon that started after the directory's files were removed", "[daemon]") {
    for (const bool all_removed : {true, false}) { // else only the lock file, and the second daemon keeps the old socket's name
        const temp_directory directory;
        const auto options = options_in(directory.path());
        const auto tagged = [](const char* tag) {
            return [tag](mato::daemon& self) {
                self.server().on.on_frame = [tag](const auto& from, std::string_view) { from->send(std::string_view(tag)); };
            };
        };
        served first(options, tagged("first"));
        mato::failure why;
        auto old_client = connect_to(options, why);
        REQUIRE(ask(old_client, "who") == "first");
        if (all_removed) std::filesystem::remove(options.paths.socket);
        std::filesystem::remove(options.paths.lock);
        std::filesystem::remove(options.paths.pid);
        served second(options, tagged("second"));
        const auto socket = support::inode_of(options.paths.socket);
        first.signal(SIGUSR1);
        REQUIRE(
            support::wait_until([&] { return contains(support::read_file(options.paths.log), "was removed or replaced"); }));
        CHECK(support::inode_of(options.paths.socket) == socket);
        CHECK(ask(options, "who") == "second");
        CHECK(ask(old_client, "who") == "first"); // it continues to serve its clients
        first.signal(SIGTERM);
        CHECK(first.wait() == mato::exit_code::ok);
        CHECK(ask(options, "who") == "second"); // and removes no file of the second daemon
        second.signal(SIGUSR1);
        REQUIRE(support::wait_until([&] { return support::inode_of(options.paths.socket) != socket; }));
        CHECK(ask(options, "who") == "second");
        second.signal(SIGTERM);
        CHECK(second.wait() == mato::exit_code::ok);
        CHECK(directory.names() == names{"daemon.log"});
    }
}

TEST_CASE("a daemon's lock lets a second server publish another socket", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        const auto admin = std::make_shared<mato::server>(self.context());
        admin->on.on_frame = [](const auto& from, std::string_view payload) {
            from->established();
            from->send("admin " + std::string(payload));
        };
        mato::failure why;
        admin->listen(mato::owned_path(self.options().paths.file("admin.sock")), {}, self.lock(), {}, why);
        if (why) throw mato::error(why);
        self.keep(admin);
        echo(self);
    });
    auto admin_options = options;
    admin_options.paths.socket = options.paths.file("admin.sock");
    CHECK(ask(admin_options, "a") == "admin a");
    CHECK(ask(options, "b") == "b");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("signals that a program asks for come to on_signal with their sender, and the others keep their meaning",
          "[daemon]") {
    const bool is_set = GENERATE(true, false);
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.signals = {SIGWINCH, SIGRTMIN + 1, SIGTERM};
    served process(options, [is_set](mato::daemon& self) {
        self.server().on.on_frame = [&self, is_set](const auto& from, std::string_view) {
            from->established();
            from->send("ready");
            if (is_set)
                self.on.on_signal = [from](const mato::received_signal& came) {
                    from->send(std::to_string(came.number) + " from " + std::to_string(came.sender));
                    if (came.number == SIGWINCH) throw std::runtime_error("not fatal");
                };
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    CHECK(ask(client, "go") == "ready");
    for (const int number : {SIGUSR2, SIGWINCH, SIGRTMIN + 1}) {
        process.signal(number);
        if (!is_set) continue;
        const auto said = client.receive(mato::deadline::in(20s), why);
        CHECK(std::string(said.value_or("")) == std::to_string(number) + " from " + std::to_string(::getpid()));
    }
    CHECK(ask(client, "still there") == "ready");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    const std::string log = support::read_file(options.paths.log);
    CHECK(contains(log, "on_signal: not fatal") == is_set);
    CHECK(contains(log, "SIGUSR2 received and ignored") == !is_set);
}

TEST_CASE("the end of a child is reported", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        self.server().on.on_frame = [&self](const auto& from, std::string_view) {
            const pid_t child = ::fork();
            if (child == 0) ::_exit(9);
            self.on.on_child = [from, child] {
                int status = 0;
                if (::waitpid(child, &status, WNOHANG) == child) from->send("status " + std::to_string(WEXITSTATUS(status)));
            };
        };
    });
    CHECK(ask(options, "go") == "status 9");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
}

TEST_CASE("refused and closed clients are in the log", "[daemon]") {
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.limits.clients = 1;
    served process(options, [](mato::daemon& self) {
        echo(self);
        self.server().on.on_refused = [](const auto&, const mato::failure& why) { return std::optional(why.detail); };
    });
    mato::failure why;
    auto one = connect_to(options, why);
    REQUIRE(ask(one, "x") == "x");
    auto two = connect_to(options, why);
    const auto words = two.receive(mato::deadline::in(10s), why);
    REQUIRE(words);
    CHECK(contains(*words, "limit is 1")); // the program's own callback is called too
    ::send(one.native_handle(), "\xff\xff\xff\xff", 4, MSG_NOSIGNAL);
    CHECK_FALSE(one.receive(mato::deadline::in(10s), why));
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    const auto log = support::read_file(options.paths.log);
    CHECK(contains(log, "refused client"));
    CHECK(contains(log, "the limit is 1"));
    CHECK(contains(log, "a frame has 4294967295 bytes"));
}

TEST_CASE("many refusals write a few log lines, and the rest is counted", "[daemon]") {
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.limits.clients = 0;
    served process(options, echo);
    for (int n = 0; n < 300; ++n) {
        mato::failure why;
        auto client = connect_to(options, why);
        CHECK_FALSE(client.receive(mato::deadline::in(10s), why));
    }
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    const auto log = support::read_file(options.paths.log);
    std::size_t lines = 0;
    for (auto at = log.find("refused client"); at != std::string::npos; at = log.find("refused client", at + 1)) ++lines;
    CHECK(lines == 10);
    CHECK(contains(log, "refused 290 times more"));
}

TEST_CASE("the longest watchdog of a manager keeps the loop idle", "[daemon]") {
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.service.notify_socket = directory / "manager";
    options.service.watchdog = std::chrono::microseconds::max();
    const mato::unique_fd manager(support::bound_socket(SOCK_DGRAM, options.service.notify_socket));
    served process(options, echo);
    REQUIRE(process.is_ready);
    for (int n = 0; n < 3; ++n) CHECK(ask(options, "x") == "x");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    int signs = 0;
    char text[256];
    for (ssize_t got; (got = ::recv(manager.get(), text, sizeof text, MSG_DONTWAIT)) > 0;)
        signs += std::string_view(text, static_cast<std::size_t>(got)) == "WATCHDOG=1" ? 1 : 0;
    CHECK(signs == 0);
}

// ---- the refusals ----

TEST_CASE("run prints the error and returns its exit code", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const auto said = directory / "stderr";
    const auto run_again = [&] {
        return support::in_child([&] {
            const int fd = ::open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            ::dup2(fd, 2);
            return mato::daemon::run(options, echo);
        });
    };
    {
        served process(options, echo);
        CHECK(run_again() == mato::exit_code::already_running);
        CHECK(contains(support::read_file(said), std::to_string(process.pid())));
        process.signal(SIGTERM);
        CHECK(process.wait() == mato::exit_code::ok);
    }
    ::chmod(directory.path().c_str(), 0755);
    CHECK(run_again() == mato::exit_code::not_permitted);
    CHECK(contains(support::read_file(said), directory.path().native()));
}

// ---- the edges ----

TEST_CASE("files left by a killed daemon do not prevent a start", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    {
        served process(options, echo);
        process.signal(SIGKILL);
        CHECK(process.wait() == -SIGKILL);
    }
    CHECK(std::filesystem::exists(options.paths.socket));
    served process(options, echo);
    REQUIRE(process.is_ready);
    CHECK(ask(options, "x") == "x");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

// ---- the promises about absence ----

namespace {
// Notes when other code closed its descriptor.
class watched_source {
public:
    static inline bool lost = false;
    static watched_source open(const sigset_t& signals, mato::error_out out) {
        watched_source source;
        source.real_ = mato::default_signal_source::open(signals, out);
        return source;
    }
    watched_source(watched_source&&) = default;
    watched_source& operator=(watched_source&&) = default;
    ~watched_source() {
        if (real_.native_handle() >= 0 && ::fcntl(real_.native_handle(), F_GETFD) == -1) lost = true;
    }
    [[nodiscard]] int native_handle() const noexcept { return real_.native_handle(); }
    [[nodiscard]] std::optional<int> try_next() { return real_.try_next(); }

private:
    watched_source() = default;
    mato::default_signal_source real_;
};
} // namespace

TEST_CASE("serving leaks no descriptor, and closes none that it does not own", "[daemon]") {
    struct watching : mato::default_policies {
        using signals = watched_source;
    };
    const temp_directory directory;
    CHECK(support::in_child([&] {
              const auto before = support::open_descriptors();
              for (int round = 0; round < 3; ++round) {
                  mato::failure why;
                  const int code = mato::basic_daemon<watching>::serve(
                      options_in(directory.path()),
                      [](auto& self) { asio::post(self.context(), [&] { self.request_stop(); }); }, why);
                  if (why || code != mato::exit_code::ok) return 1;
              }
              if (support::open_descriptors() != before) return 2;
              return watched_source::lost ? 3 : 0;
          }) == 0);
    CHECK(directory.names() == names{"daemon.log"});
}

static_assert(!std::is_copy_constructible_v<mato::daemon> && !std::is_move_constructible_v<mato::daemon>);
