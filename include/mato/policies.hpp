// SPDX-License-Identifier: MIT
/// @file policies.hpp: the set of policies that a daemon and its clients share.
/// Layer: 4 (composition).  Test: test/toolkit/daemon_test.cpp.
///
/// Derive and override one line: `struct mine : mato::default_policies { using peer = mato::same_user_or_root; };`
#pragma once

#include "correlation.hpp"
#include "detach.hpp"
#include "endpoint.hpp"
#include "framing.hpp"
#include "handover.hpp"
#include "lock.hpp"
#include "log.hpp"
#include "overflow.hpp"
#include "peer.hpp"
#include "pid_file.hpp"
#include "readiness.hpp"
#include "retry.hpp"
#include "shutdown.hpp"
#include "signals.hpp"

#include <concepts>
#include <string>
#include <system_error>

namespace mato {
inline namespace MATO_ABI {

/// A daemon reloads on SIGHUP, and when the program calls `reload`. The default; reload_on_change, which also watches the
/// configuration file, is in file_watch.hpp, so that a daemon without it does not include that header.
///
/// @threads safe.
/// @blocks never.
struct reload_on_request {
    struct watch {};
    static constexpr bool watches = false;
};

/// `watch` is constructed from the loop, the file's path, and a function to call after a change; see reload_on_change.
template <class R> concept reload_policy = requires {
    typename R::watch;
    requires bool(R::watches) || !bool(R::watches);
};

/// The default policy of each kind. Derive from it and replace single members; daemon and client must use the same framing.
///
/// @code
/// struct policies : mato::default_policies {
///     using framing = mato::length_prefixed<std::uint16_t, 4096>; // two bytes of length, at most 4 KiB
///     using peer = mato::same_user_or_root;
///     using log = mato::stderr_log;
/// };
/// @endcode
struct default_policies {
    using lock = flock_lock;
    using pid = pid_file;
    using signals = default_signal_source;
    using shutdown = graceful_then_force;
    using detach = foreground;
    using handover = no_handover;
    using endpoint = owned_path;
    using peer = same_user;
    using server = same_user_or_root; ///< what a client checks of the daemon; a peer policy
    using framing = length_prefixed<>;
    using correlation = in_order; ///< which request an answer belongs to, for basic_async_client
    using overflow = disconnect;
    using log = file_log;
    using reload = reload_on_request; ///< when the configuration is read again
    using backoff = exponential_backoff;
};

namespace detail {
/// A readable compile error for each policy that does not satisfy its concept. Instantiated by the templates of layer 4.
/// A set that was written before there was this policy has the default one; so with correlation.
template <class P> struct server_of { using type = same_user_or_root; };
template <class P>
requires requires { typename P::server; }
struct server_of<P> {
    using type = typename P::server;
};
template <class P> struct correlation_of { using type = in_order; };
template <class P>
requires requires { typename P::correlation; }
struct correlation_of<P> {
    using type = typename P::correlation;
};
template <class P> struct reload_of { using type = reload_on_request; };
template <class P>
requires requires { typename P::reload; }
struct reload_of<P> {
    using type = typename P::reload;
};
template <class D> concept leads_session = requires { requires bool(D::leads_session); };
template <class P> struct require_policies {
    static_assert(lock_mechanism<typename P::lock>, "mato: policies::lock is not a lock mechanism, see lock.hpp");
    static_assert(pid_registry<typename P::pid>, "mato: policies::pid is not a pid registry, see pid_file.hpp");
    static_assert(signal_source<typename P::signals>, "mato: policies::signals is not a signal source, see signals.hpp");
    static_assert(shutdown_policy<typename P::shutdown>, "mato: policies::shutdown is not a shutdown policy, see shutdown.hpp");
    static_assert(detach_policy<typename P::detach>, "mato: policies::detach is not a detach policy, see detach.hpp");
    static_assert(endpoint_policy<typename P::endpoint>,
                  "mato: policies::endpoint is not an endpoint policy, see endpoint.hpp");
    static_assert(peer_policy<typename P::peer>, "mato: policies::peer is not a peer policy, see peer.hpp");
    static_assert(peer_policy<typename server_of<P>::type>, "mato: policies::server is not a peer policy, see peer.hpp");
    static_assert(P::endpoint::named || server_of<P>::type::checks,
                  "mato: this endpoint has no file permissions, so any process could take its name first; policies::server "
                  "must check the daemon's user (any_peer does not)");
    static_assert(framing_policy<typename P::framing>, "mato: policies::framing is not a framing policy, see framing.hpp");
    static_assert(correlation_policy<typename correlation_of<P>::type>,
                  "mato: policies::correlation is not a correlation policy, see correlation.hpp");
    static_assert(overflow_policy<typename P::overflow>,
                  "mato: policies::overflow is not an overflow policy, see overflow.hpp");
    static_assert(log_sink<typename P::log>, "mato: policies::log is not a log sink, see log.hpp");
    static_assert(reload_policy<typename reload_of<P>::type>,
                  "mato: policies::reload is not a reload policy, see reload_on_change in file_watch.hpp");
    static_assert(backoff_policy<typename P::backoff>, "mato: policies::backoff is not a backoff policy, see retry.hpp");
    static_assert(handover_policy<typename P::handover>, "mato: policies::handover is not a handover policy, see handover.hpp");
    static_assert(!survives<typename P::handover> || (MATO_HAS_SUBREAPER && MATO_HAS_ACCEPT4),
                  "mato: this system has no child subreapers, as Linux has; use no_handover");
    static_assert(!survives<typename P::handover> || adoptable_endpoint<typename P::endpoint>,
                  "mato: with this handover policy the endpoint needs `adopt` and `published`, see adoptable_endpoint");
    static_assert(
        !survives<typename P::handover> || shared_lock_mechanism<typename P::lock>,
        "mato: with this handover policy the lock needs `static constexpr bool shared_by_copies = true`, see lock.hpp");
    static_assert(!leads_session<typename P::detach> || survives<typename P::handover>,
                  "mato: with this detach policy the daemon leads its session, so a terminal that it opens could become its "
                  "controlling terminal; use a keeper, whose workers do not lead it, or double_fork");
    static constexpr bool ok = true;
};
} // namespace detail

/// Exit codes of programs built on the toolkit, from sysexits.h where it has a fitting one.
namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int forced = 1;           ///< the daemon was stopped by force
inline constexpr int not_answering = 2;    ///< the daemon runs but does not answer
inline constexpr int version_mismatch = 3; ///< no common protocol version
inline constexpr int usage = 64;           ///< EX_USAGE
inline constexpr int unavailable = 69;     ///< EX_UNAVAILABLE: no daemon runs, and none could be started
inline constexpr int already_running = 75; ///< EX_TEMPFAIL
inline constexpr int not_permitted = 77;   ///< EX_NOPERM
inline constexpr int bad_config = 78;      ///< EX_CONFIG
} // namespace exit_code

/// The exit code for an error; `unavailable` for errors that have none of their own.
[[nodiscard]] inline int exit_code_for(const std::error_code& why) noexcept {
    if (!why) return exit_code::ok;
    if (why == cond::already_running) return exit_code::already_running;
    if (why == errc::version_mismatch) return exit_code::version_mismatch;
    if (why == errc::invalid_config) return exit_code::bad_config;
    if (why == cond::not_permitted) return exit_code::not_permitted;
    return exit_code::unavailable;
}

/// The files of one daemon, in one private directory.
///
/// Daemon and client derive it from the same directory.
///
/// @threads a value.
/// @blocks never.
struct daemon_paths {
    std::string socket, lock, pid, log;

    /// `directory/stem.sock`, `.lock`, `.pid` and `.log`. A relative directory is made absolute here, because the background
    /// daemon has another working directory.
    [[nodiscard]] static daemon_paths in(const std::string& directory, const std::string& stem = "daemon") {
        const std::string base = detail::absolute(directory).append("/").append(stem);
        return {base + ".sock", base + ".lock", base + ".pid", base + ".log"};
    }
    [[nodiscard]] std::string directory() const { return detail::directory_of(socket); }
    /// The path of another file in the same directory.
    [[nodiscard]] std::string file(const std::string& name) const { return directory().append("/").append(name); }
};

} // namespace MATO_ABI
} // namespace mato
