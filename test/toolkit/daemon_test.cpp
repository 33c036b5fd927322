// SPDX-License-Identifier: MIT
/// @file daemon_test.cpp: ready means reachable, a stop leaves nothing; what happens between. Starting in the background:
/// daemon_launch_test.cpp.
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
using support::connect_to;
using support::contains;
using support::echo;
using support::options_in;
using support::temp_directory;
using names = std::vector<std::string>;

namespace {

/// A daemon in a forked child, once it has said that it is ready.
template <class Daemon = mato::daemon> class served {
public:
    template <class Setup> served(mato::daemon_options options, Setup setup)
        : process_([this, &options, &setup] {
              ::close(ends_[0]);
              options.notification_fd = ends_[1];
              mato::failure why;
              const int code = Daemon::serve(options, setup, why);
              if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
              return why ? 100 : code;
          }) {
        ::close(std::exchange(ends_[1], -1));
        char byte = 0;
        is_ready = support::await_readable(ends_[0]) && ::read(ends_[0], &byte, 1) == 1 && byte == '\n';
    }
    served(const served&) = delete;
    ~served() { ::close(ends_[0]); }
    void signal(int number) const { process_.signal(number); }
    int wait() { return process_.wait(); }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }

    bool is_ready = false;

private:
    struct pipe_first {
        explicit pipe_first(int (&ends)[2]) {
            if (::pipe2(ends, O_CLOEXEC) == -1) throw std::runtime_error("pipe2");
        }
    };
    int ends_[2]{-1, -1};
    pipe_first made_{ends_};
    child_process process_;
};

struct short_grace : mato::graceful_then_force {
    short_grace() : graceful_then_force(50ms) {}
};
struct hasty_policies : mato::default_policies {
    using shutdown = short_grace;
};

} // namespace

// ---- the contract: paths ----

TEST_CASE("a daemon's paths are absolute, beside each other, and know their directory", "[daemon]") {
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

TEST_CASE("a daemon that is ready can be reached, and a TERM leaves its log alone", "[daemon]") {
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

TEST_CASE("what is sent while stopping still arrives", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        echo(self);
        self.on.on_stop = [&self] {
            CHECK(self.is_stopping());
            for (const auto& each : self.server().sessions()) each->send(std::string(500'000, 'x'));
            self.stopped();
            self.stopped(); // once is enough
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    REQUIRE(ask(client, "hello") == "hello");
    process.signal(SIGTERM);
    const auto last = client.receive(mato::deadline::in(10s), why);
    REQUIRE(last);
    CHECK(last->size() == 500'000);
    CHECK_FALSE(client.receive(mato::deadline::in(10s), why));
    CHECK(process.wait() == mato::exit_code::ok);
}

TEST_CASE("a daemon may end by itself", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        self.server().on.on_frame = [&self](const auto&, std::string_view payload) {
            if (payload == "stop") self.request_stop();
            if (payload == "stopped") self.stopped();
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    client.send(GENERATE("stop", "stopped"), mato::deadline::in(10s), why);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a second TERM forces a stop that does not end", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const support::mailbox<int> told;
    served process(options, [&](mato::daemon& self) {
        self.on.on_stop = [&] { told.put(1); };
        self.on.on_force = [&] { told.put(2); };
    });
    process.signal(SIGTERM);
    CHECK(told.take() == 1);
    CHECK_FALSE(std::filesystem::exists(options.paths.socket)); // no new clients meanwhile
    CHECK(std::filesystem::exists(options.paths.lock));         // and no second daemon
    process.signal(SIGTERM);
    CHECK(told.take() == 2);
    CHECK(process.wait() == mato::exit_code::forced);
    CHECK_FALSE(told.take(0ms));
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("the end of the grace forces too", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const bool set_later = GENERATE(false, true);
    const support::mailbox<int> told;
    const auto never_ends = [&](auto& self) {
        self.on.on_stop = [&] { told.put(1); };
        self.on.on_force = [&] { told.put(2); };
        using shutdown = typename std::remove_reference_t<decltype(self)>::policies::shutdown;
        if constexpr (std::is_constructible_v<shutdown, mato::milliseconds>)
            self.set_shutdown(shutdown(mato::milliseconds(50)));
    };
    const auto ends = [&](auto& process) {
        process.signal(SIGTERM);
        CHECK(told.take() == 1);
        CHECK(told.take() == 2);
        CHECK(process.wait() == mato::exit_code::forced);
    };
    if (set_later) {
        served<> process(options, never_ends);
        ends(process);
    } else {
        served<mato::basic_daemon<hasty_policies>> process(options, never_ends);
        ends(process);
    }
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("HUP reloads; one that fails is logged, told to whoever asked, and changes nothing", "[daemon]") {
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

TEST_CASE("USR1 creates the socket anew", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, echo);
    mato::failure why;
    auto client = connect_to(options, why);
    REQUIRE(ask(client, "before") == "before");
    std::filesystem::remove(options.paths.socket);
    process.signal(SIGUSR1);
    REQUIRE(support::wait_until([&] { return std::filesystem::exists(options.paths.socket); }));
    CHECK(ask(options, "anew") == "anew");
    CHECK(ask(client, "still") == "still");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("USR1 does not take the socket of a daemon that started after the directory's files were removed", "[daemon]") {
    for (const bool all_removed : {true, false}) { // else the lock file alone, and its successor keeps the old socket's name
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
        CHECK(ask(old_client, "who") == "first"); // it serves on whom it has
        first.signal(SIGTERM);
        CHECK(first.wait() == mato::exit_code::ok);
        CHECK(ask(options, "who") == "second"); // and removes nothing of the second's
        second.signal(SIGUSR1);
        REQUIRE(support::wait_until([&] { return support::inode_of(options.paths.socket) != socket; }));
        CHECK(ask(options, "who") == "second");
        second.signal(SIGTERM);
        CHECK(second.wait() == mato::exit_code::ok);
        CHECK(directory.names() == names{"daemon.log"});
    }
}

TEST_CASE("the end of a child is told", "[daemon]") {
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

TEST_CASE("a kept part goes before the context and the server do", "[daemon]") {
    struct part {
        mato::daemon& self;
        const support::mailbox<int>& told;
        asio::steady_timer timer{self.context()};
        part(mato::daemon& host, const support::mailbox<int>& box) : self(host), told(box) {
            timer.expires_after(1h);
            timer.async_wait([](std::error_code) {});
        }
        ~part() { told.put(static_cast<int>(self.server().size()) + 10); }
    };
    const temp_directory directory;
    const support::mailbox<int> told;
    const auto options = options_in(directory.path());
    served process(options, [&](mato::daemon& self) {
        echo(self);
        self.keep(std::make_shared<part>(self, told));
    });
    mato::failure why;
    auto client = connect_to(options, why);
    REQUIRE(ask(client, "x") == "x");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(told.take() == 11); // the session was still there
}

TEST_CASE("what the server refuses and closes is in the log", "[daemon]") {
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
    CHECK(contains(*words, "limit is 1")); // the program's own callback is asked as well
    ::send(one.native_handle(), "\xff\xff\xff\xff", 4, MSG_NOSIGNAL);
    CHECK_FALSE(one.receive(mato::deadline::in(10s), why));
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    const auto log = support::read_file(options.paths.log);
    CHECK(contains(log, "refused client"));
    CHECK(contains(log, "the limit is 1"));
    CHECK(contains(log, "a frame of 4294967295 bytes"));
}

// ---- the refusals ----

TEST_CASE("run prints why and returns the code that says it", "[daemon]") {
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

TEST_CASE("what a killed daemon left is no obstacle", "[daemon]") {
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

TEST_CASE("a stop asked for inside a stop, and a signal after the end began, change nothing", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        self.on.on_stop = [&self] {
            self.stopped();
            ::kill(::getpid(), SIGUSR1); // no socket comes back
            ::kill(::getpid(), SIGHUP);
        };
    });
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

// ---- the promises about absence ----

namespace {
// Notes when its descriptor was closed by somebody else.
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

TEST_CASE("serving leaves no descriptor, and closes none that is another's", "[daemon]") {
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
