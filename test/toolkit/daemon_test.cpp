// SPDX-License-Identifier: MIT
/// @file daemon_test.cpp: ready means reachable, a failure reaches the starter, a stop leaves nothing.
#include <mato/daemon.hpp>

#include <mato/client.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <sys/prctl.h>

using namespace std::chrono_literals;
using mato::errc;
using support::child_process;
using support::contains;
using support::temp_directory;
using names = std::vector<std::string>;
using kind = mato::start_outcome::kind;

namespace {

mato::daemon_options options_in(const std::filesystem::path& directory) {
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    return options;
}

/// Answers every frame with the same, and keeps nothing.
const auto echo = [](auto& self) {
    self.server().on.on_frame = [](const auto& from, std::string_view payload) {
        from->established();
        from->send(payload);
    };
};

mato::client connect_to(const mato::daemon_options& options, mato::failure& why) {
    return mato::client::connect(mato::owned_path(options.paths.socket), mato::deadline::in(10s), why);
}

/// What a daemon answers to `text`; empty when it does not.
std::string ask(mato::client& client, std::string_view text) {
    mato::failure why;
    client.send(text, mato::deadline::in(10s), why);
    if (why) return {};
    const auto answer = client.receive(mato::deadline::in(10s), why);
    return answer ? std::string(*answer) : std::string();
}
std::string ask(const mato::daemon_options& options, std::string_view text) {
    mato::failure why;
    auto client = connect_to(options, why);
    return why ? "no connection: " + why.message() : ask(client, text);
}

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

/// Ends what `launch` started, found by its pid file. @returns its exit code, as this process is its reaper.
int end_launched(const mato::daemon_options& options, int signal = SIGTERM) {
    const int pid = std::atoi(support::read_file(options.paths.pid).c_str());
    if (pid <= 1) return -1;
    ::kill(pid, signal);
    const mato::unique_fd watched(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
    if (!support::await_readable(watched.get())) return -2;
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1000 - WTERMSIG(status);
}

struct reaper {
    reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
    ~reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
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

TEST_CASE("a daemon in the background serves in the directory that its starter meant", "[daemon]") {
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

// ---- the contract: launch ----

TEST_CASE("launch says ready when a client can connect, and not before", "[daemon]") {
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

TEST_CASE("a second launch says who is running", "[daemon]") {
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

TEST_CASE("a launched daemon is a stranger: own session, root directory, no terminal, nothing inherited", "[daemon]") {
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

// ---- the refusals ----

TEST_CASE("a setup that fails reaches the starter in its own words, and nothing is left", "[daemon]") {
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
    CHECK(outcome.why.code == errc::not_ready);
    CHECK(contains(outcome.why.message(), "something else"));
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    CHECK(directory.names() == names{"daemon.log"});
    mato::failure why;
    CHECK(mato::daemon::serve(options, refuses, why) != mato::exit_code::ok);
    CHECK(why.detail == "the disk is full of cats");
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a daemon that dies in its setup is no success", "[daemon]") {
    const reaper adopt;
    const temp_directory directory;
    const auto outcome = mato::daemon::launch(options_in(directory.path()), [](mato::daemon&) { ::_exit(3); });
    CHECK(outcome.what == kind::failed);
    CHECK(outcome.why.code == errc::not_ready);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

TEST_CASE("a daemon that does not get ready is reported in time", "[daemon]") {
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

TEST_CASE("a directory that is open to others, and a path that is too long, are refused before anything is made", "[daemon]") {
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

TEST_CASE("run in the background returns when the daemon is there", "[daemon]") {
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
