// SPDX-License-Identifier: MIT
/// @file holder_namespace_test.cpp: only the daemon in another pid namespace is signalled, or no process.
#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/launched_daemon.hpp"
#include "support/temp_directory.hpp"

#include <sched.h>

using namespace std::chrono_literals;
using mato::errc;

namespace {

/// A daemon whose pid in its own namespace is small, so that another process has the same pid here.
class contained {
public:
    explicit contained(const mato::daemon_options& options)
        : process_([&options] {
              if (::unshare(CLONE_NEWPID) == -1) return cannot;
              const pid_t inner = ::fork();
              if (inner == 0) {
                  mato::failure why;
                  ::_exit(mato::daemon::serve(options, support::echo, why));
              }
              int status = 0;
              ::waitpid(inner, &status, 0);
              return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status) & 0xff;
          }) {
        is_there_ = support::wait_until([&] {
                        return std::filesystem::exists(options.paths.pid) ||
                               !std::filesystem::exists("/proc/" + std::to_string(process_.pid()) + "/exe");
                    }) &&
                    std::filesystem::exists(options.paths.pid);
    }
    int wait() { return process_.wait(); }
    static constexpr int cannot = 77;
    /// False where this user cannot make pid namespaces, which it says.
    [[nodiscard]] bool is_there() const {
        if (!is_there_) WARN("skipped: this user makes no pid namespaces");
        return is_there_;
    }

private:
    support::child_process process_;
    bool is_there_ = false;
};

} // namespace

TEST_CASE("a pid of another namespace signals no process, and the daemon is found by its socket", "[lock][process]") {
    const support::temp_directory directory;
    const auto options = support::options_in(directory.path());
    contained daemon(options);
    if (!daemon.is_there()) return;
    CHECK(support::first_line(options.paths.lock) == "1\n"); // here this is the pid of the system's first process
    mato::failure why;
    CHECK(mato::instance_lock::signal_holder(options.paths.lock, 0, why) == 0);
    CHECK(why.code == errc::holder_not_proved);
    CHECK(support::contains(why.message(), "another pid namespace"));

    const pid_t here = mato::client::signal_daemon(options.paths, 0, why);
    CHECK_FALSE(why);
    CHECK(here > 1);
    CHECK(support::ask(options, "still there") == "still there");
    CHECK(mato::client::signal_daemon(options.paths, SIGKILL, why) == here);
    CHECK(daemon.wait() == ((-SIGKILL) & 0xff));
    CHECK(mato::client::signal_daemon(options.paths, SIGKILL, why) == 0);
    CHECK(why.code == errc::not_running);
}

TEST_CASE("without its socket a daemon of another pid namespace is not signalled, with a reason", "[lock][process]") {
    const support::temp_directory directory;
    const auto options = support::options_in(directory.path());
    contained daemon(options);
    if (!daemon.is_there()) return;
    std::filesystem::rename(options.paths.socket, directory / "elsewhere");
    mato::failure why;
    CHECK(mato::client::signal_daemon(options.paths, SIGKILL, why) == 0);
    CHECK(why.code == errc::holder_not_proved);
    CHECK(support::contains(why.message(), "send the signal from there"));
    std::filesystem::rename(directory / "elsewhere", options.paths.socket);
    // Another process listening there does not match the file.
    mato::failure ignored;
    std::filesystem::rename(options.paths.socket, directory / "elsewhere");
    support::child_process impostor([&] {
        mato::owned_path own(options.paths.socket);
        struct {
            [[nodiscard]] bool is_held() const noexcept { return true; }
        } held;
        const auto listening = own.publish(held, {}, ignored);
        return ::pause();
    });
    REQUIRE(support::wait_until([&] { return std::filesystem::exists(options.paths.socket); }));
    CHECK(mato::client::signal_daemon(options.paths, SIGKILL, why) == 0);
    CHECK(why.code == errc::holder_not_proved);
    impostor.signal(SIGKILL);
    CHECK(impostor.wait() == -SIGKILL);
    std::filesystem::remove(options.paths.socket);
    std::filesystem::rename(directory / "elsewhere", options.paths.socket);
    CHECK(mato::client::signal_daemon(options.paths, SIGKILL, why) > 1);
    CHECK(daemon.wait() == ((-SIGKILL) & 0xff));
}
