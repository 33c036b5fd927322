// SPDX-License-Identifier: MIT
/// @file policy_matrix_test.cpp: a daemon with each provided model of each policy: starts, refuses a second one, replies,
/// stops.
#include <mato/daemon.hpp>

#include <mato/client.hpp>
#include <mato/keeper.hpp>
#include <mato/shared_path.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/process_facts.hpp"
#include "support/temp_directory.hpp"

#include <sys/prctl.h>

using namespace std::chrono_literals;
using support::child_process;
using support::temp_directory;

namespace {

// One set of policies for each model that is not a default; the first has all defaults.
struct defaults : mato::default_policies {};
struct with_null_lock : mato::default_policies {
    using lock = mato::null_lock;
};
struct with_locked_pid_file : mato::default_policies {
    using pid = mato::locked_pid_file;
};
struct with_no_pid_file : mato::default_policies {
    using pid = mato::no_pid_file;
};
struct with_self_pipe : mato::default_policies {
    using signals = mato::self_pipe_source;
};
struct with_manual_signals : mato::default_policies {
    using signals = mato::manual_source;
};
struct with_immediate : mato::default_policies {
    using shutdown = mato::immediate;
};
struct with_double_fork : mato::default_policies {
    using detach = mato::double_fork;
};
struct with_single_fork : mato::default_policies {
    using detach = mato::single_fork;
};
struct with_activated : mato::default_policies {
    using endpoint = mato::activated;
};
struct with_activated_or_owned : mato::default_policies {
    using endpoint = mato::activated_or_owned;
};
struct with_root : mato::default_policies {
    using peer = mato::same_user_or_root;
};
struct with_uid_set : mato::default_policies {
    using peer = mato::uid_set;
};
struct with_gid_set : mato::default_policies {
    using peer = mato::gid_set;
};
#if MATO_HAS_PEERGROUPS
struct with_group_member : mato::default_policies {
    using peer = mato::group_member;
};
struct with_either : mato::default_policies {
    using peer = mato::either<mato::uid_set, mato::group_member>;
};
#endif
struct with_shared_path : mato::default_policies {
    using endpoint = mato::shared_path;
};
struct with_server_policy : mato::default_policies {
    using server = mato::same_user;
};
struct with_any_peer : mato::default_policies {
    using peer = mato::any_peer;
};
struct with_line : mato::default_policies {
    using framing = mato::line<>;
};
struct with_raw : mato::default_policies {
    using framing = mato::raw;
};
struct with_stderr_log : mato::default_policies {
    using log = mato::stderr_log;
};
struct with_null_log : mato::default_policies {
    using log = mato::null_log;
};
#if MATO_HAS_OFD_LOCKS
struct with_ofd_lock : mato::default_policies {
    using lock = mato::ofd_lock;
};
#endif
#if MATO_HAS_ABSTRACT_NAMES
struct with_abstract_name : mato::default_policies {
    using endpoint = mato::abstract_name;
};
#endif

#if MATO_HAS_SUBREAPER
/// Each of them once more, by a keeper and its worker.
template <class P> struct kept : P { using handover = mato::keeper; };
#endif

template <class P> constexpr bool is_shared = std::is_same_v<typename P::endpoint, mato::shared_path>;
template <class P> constexpr bool is_activated = std::is_same_v<typename P::endpoint, mato::activated>;

/// Echoes; "quit" stops it, for the source that receives no signals.
template <class P> void serve(mato::basic_daemon<P>& self) {
    if constexpr (std::is_same_v<typename P::peer, mato::uid_set>) self.set_peer(mato::uid_set{{::geteuid()}});
    if constexpr (std::is_same_v<typename P::peer, mato::gid_set>) self.set_peer(mato::gid_set{{::getegid()}});
    if constexpr (std::is_same_v<typename P::peer, mato::group_member>) self.set_peer({::getegid()});
    if constexpr (requires(typename P::peer either) { either.second.group; }) self.set_peer({{}, {::getegid()}});
    self.server().on.on_frame = [&self](const auto& from, std::string_view frame) {
        from->established();
        if (frame == "quit") return self.request_stop();
        from->send(frame);
    };
}

/// Like its main. With `activated`, the listening socket is the manager's.
template <class P> int main_of(const std::filesystem::path& directory, int socket) {
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    if (is_shared<P>) options.publish.mode = 0666;
    if (is_activated<P>) options.service.sockets.push_back({socket, "test"});
    return mato::basic_daemon<P>::run(options, serve<P>);
}

/// A connected client, when the daemon accepts one.
template <class P> mato::basic_client<P> connect_to(const std::filesystem::path& directory, mato::failure& why) {
    const typename P::endpoint where(directory / "daemon.sock");
    mato::basic_client<P> client;
    static_cast<void>(support::wait_until([&] {
        client = mato::basic_client<P>::connect(where, mato::deadline::in(10s), why);
        return why.code != mato::cond::not_running;
    }));
    return client;
}

template <class P> std::string ask(mato::basic_client<P>& client, std::string_view text) {
    mato::failure why;
    client.send(text, mato::deadline::in(10s), why);
    const auto answer = why ? std::nullopt : client.receive(mato::deadline::in(10s), why);
    return answer ? std::string(*answer) : why.message();
}

template <class P> void live() {
    using policies = P;
    constexpr bool forks = policies::detach::forks, locks = !std::is_same_v<typename policies::lock, mato::null_lock>;
    constexpr bool hears = !std::is_same_v<typename policies::signals, mato::manual_source>;
    constexpr bool forces = std::is_same_v<typename policies::shutdown, mato::immediate>;
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const temp_directory directory;
    if (is_shared<P>) REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
    const mato::unique_fd passed(mato::sys::unix_socket(mato::sys::waiting::blocking));
    if (is_activated<P>) {
        mato::failure why;
        const auto address = mato::unix_address::of_path((directory / "daemon.sock").native(), why);
        REQUIRE((mato::sys::bind(passed.get(), address.data(), address.size()) == 0 && ::listen(passed.get(), 8) == 0));
    }
    child_process starter([&] { return main_of<P>(directory.path(), passed.get()); });
    if (forks) REQUIRE(starter.wait() == mato::exit_code::ok);

    mato::failure why;
    auto client = connect_to<P>(directory.path(), why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    CHECK(ask(client, "first") == "first");
    if (locks) {
        CHECK(support::in_child([&] { return main_of<P>(directory.path(), passed.get()); }) ==
              mato::exit_code::already_running);
        CHECK(ask(client, "unharmed") == "unharmed");
    }
    const pid_t pid = std::atoi(support::read_file(directory / "daemon.lock").c_str());
    REQUIRE(pid > 1);
    CHECK((forks || pid == starter.pid()));
    CHECK(std::filesystem::exists(directory / "daemon.pid") == std::is_same_v<typename P::pid, mato::pid_file>);
    CHECK(std::filesystem::exists(directory / "daemon.log") == std::is_same_v<typename P::log, mato::file_log>);

    if constexpr (P::handover::outlives) {
        ::kill(support::children_of(pid).at(0), SIGKILL);
        while (client.receive(mato::deadline::in(10s), why)) {
        }
        client = connect_to<P>(directory.path(), why);
        REQUIRE_FALSE(why);
        CHECK(ask(client, "after a death") == "after a death");
    }

    if (hears)
        ::kill(pid, SIGTERM);
    else
        client.send("quit", mato::deadline::in(10s), why);
    while (client.receive(mato::deadline::in(10s), why)) {
    }
    CHECK(why.code == mato::errc::closed);
    auto left = directory.names();
    std::erase(left, "daemon.log");
    CHECK(left == (is_activated<P> ? std::vector<std::string>{"daemon.sock"} : std::vector<std::string>{}));
    const int expected = forces ? mato::exit_code::forced : mato::exit_code::ok;
    if (forks) {
        int status = 0;
        const mato::unique_fd watched(mato::sys::pidfd_open(pid));
        CHECK(support::await_readable(watched.get()));
        CHECK(::waitpid(pid, &status, 0) == pid);
        CHECK(WEXITSTATUS(status) == expected);
    } else {
        CHECK(starter.wait() == expected);
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

} // namespace

TEMPLATE_TEST_CASE("a daemon works with every model of every policy", "[policies]", defaults, with_null_lock,
                   with_locked_pid_file, with_no_pid_file, with_self_pipe, with_manual_signals, with_immediate,
                   with_double_fork, with_activated, with_activated_or_owned, with_root, with_uid_set, with_gid_set,
                   with_shared_path, with_server_policy, with_any_peer, with_stderr_log, with_null_log) {
    live<TestType>();
}

#if MATO_HAS_SUBREAPER
TEMPLATE_TEST_CASE("a daemon with a keeper lives with the policies that touch it", "[policies]", kept<defaults>,
                   kept<with_null_lock>, kept<with_ofd_lock>, kept<with_locked_pid_file>, kept<with_no_pid_file>,
                   kept<with_self_pipe>, kept<with_manual_signals>, kept<with_double_fork>, kept<with_single_fork>,
                   kept<with_activated>, kept<with_activated_or_owned>, kept<with_abstract_name>, kept<with_shared_path>,
                   kept<with_stderr_log>) {
    live<TestType>();
}
#endif

// Without length or end, frames sent together arrive together: so each request waits for its reply.
TEMPLATE_TEST_CASE("a daemon works with every framing", "[policies]", with_line, with_raw) { live<TestType>(); }

#if MATO_HAS_PEERGROUPS
TEMPLATE_TEST_CASE("a daemon works with peer policies that look at groups", "[policies]", with_group_member, with_either) {
    live<TestType>();
}
#endif

#if MATO_HAS_OFD_LOCKS
TEST_CASE("a daemon works with an open file description lock", "[policies]") { live<with_ofd_lock>(); }
#endif
#if MATO_HAS_ABSTRACT_NAMES
TEST_CASE("a daemon works with an abstract name", "[policies]") { live<with_abstract_name>(); }
#endif

TEST_CASE("an empty uid_set allows no client", "[policies]") {
    const temp_directory directory;
    child_process daemon([&] {
        mato::daemon_options options;
        options.paths = mato::daemon_paths::in(directory.path());
        return mato::basic_daemon<with_uid_set>::run(options, [](auto&) {});
    });
    mato::failure why;
    auto client = connect_to<with_uid_set>(directory.path(), why);
    REQUIRE_FALSE(why); // the kernel connects it; the daemon then closes it without reading
    CHECK_FALSE(client.receive(mato::deadline::in(10s), why));
    CHECK(why.code == mato::errc::closed);
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == mato::exit_code::ok);
}
