// SPDX-License-Identifier: MIT
/// @file peer.hpp: the credentials of the process at the other end of a socket, and whether it is allowed.
/// Layer: 2 (policy).  Test: test/toolkit/peer_test.cpp.
/// Threads: safe.   Blocks: never.
/// Source: unix(7) SO_PEERCRED: set by the kernel, for the server's view at connect(2), for the client's view at listen(2).
///
/// If the credentials cannot be determined, the result is an error, never "allowed". In a user namespace that does not map all
/// users, all unmapped users share one uid (user_namespaces(7)), which is refused. Authorise by uid; use the pid only for logs,
/// because pids are reused.
#pragma once

#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <concepts>
#include <string>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// The user, group and process at the other end of a socket. The kernel sets them when the connection is made; they do not
/// change later.
struct peer_credentials {
    uid_t uid = static_cast<uid_t>(-1);
    gid_t gid = static_cast<gid_t>(-1);
    pid_t pid = 0;
};

/// @errors ENOTSUP: this system has no peer credentials · any of getsockopt(2).
[[nodiscard]] inline peer_credentials credentials_of(int socket, error_out out);

/// A pidfd of the peer's process, free of races (SO_PEERPIDFD, Linux 6.5). It becomes readable when the process ends.
/// @errors ENOTSUP, ENOPROTOOPT: not on this system. A pidfd is not opened by pid instead, because the pid may have been
/// reused.
[[nodiscard]] inline unique_fd process_of(int socket, error_out out);

/// The groups of the process at the other end of a socket when the connection was made: the effective and the supplementary
/// ones. It may change them later without an effect here.
///
/// Passed to policies that check groups.
///
/// @threads a value.
/// @blocks never.
struct peer_groups {
    std::vector<gid_t> gids{};
    [[nodiscard]] bool has(gid_t group) const noexcept {
        for (const gid_t each : gids)
            if (each == group) return true;
        return false;
    }
};

/// @errors ENOTSUP, ENOPROTOOPT: this system does not tell the groups of a peer (Linux 4.13 does) · any of getsockopt(2).
[[nodiscard]] inline peer_groups groups_of(int socket, error_out out);

/// A policy that looks at groups too. They cost a system call for each client.
template <class P> concept group_policy = requires(const P& policy, const peer_credentials& peer, const peer_groups& groups) {
    { policy.allows(peer, groups) } -> std::same_as<bool>;
};

/// Called before the first byte is read. `checks` is false only for a policy that allows every client.
template <class P> concept peer_policy = std::copyable<P> && requires(const P& policy, const peer_credentials& peer) {
    { P::checks } -> std::convertible_to<bool>;
    requires group_policy<P> || requires {
        { policy.allows(peer) } -> std::same_as<bool>;
    };
};

/// Allows the daemon's own user, and not root.
///
/// The default peer policy.
///
/// @threads safe.
/// @blocks never.
///
/// @code
/// const auto peer = mato::require_peer(session.get(), mato::same_user{}, mato::errc::peer_rejected, why);
/// if (!why) std::printf("uid %d, pid %d\n", static_cast<int>(peer.uid), static_cast<int>(peer.pid));
/// @endcode
struct same_user {
    static constexpr bool checks = true;
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept { return peer.uid == sys::geteuid(); }
};

/// Allows the daemon's own user and root. Refusing root protects little: root can read the process's memory.
///
/// A client uses it to check the daemon.
///
/// @threads safe.
/// @blocks never.
struct same_user_or_root {
    static constexpr bool checks = true;
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept {
        return peer.uid == sys::geteuid() || peer.uid == 0;
    }
};

/// Allows the listed users. They also need access to the endpoint's directory.
///
/// An empty list allows no user.
///
/// @threads a value.
/// @blocks never.
struct uid_set {
    static constexpr bool checks = true;
    std::vector<uid_t> uids{};
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept {
        for (const uid_t uid : uids)
            if (uid == peer.uid) return true;
        return false;
    }
};

/// Allows processes whose effective group is listed. They also need access to the endpoint: see shared_path.hpp.
///
/// An empty list allows no process.
///
/// @threads a value.
/// @blocks never.
struct gid_set {
    static constexpr bool checks = true;
    std::vector<gid_t> gids{};
    [[nodiscard]] bool allows(const peer_credentials& peer) const noexcept { return peer_groups{gids}.has(peer.gid); }
};

/// Allows processes that are members of a group, by their effective or a supplementary group. A user who is added to the group
/// needs a new login for that, because a running process keeps its groups.
///
/// The default allows no process.
///
/// @threads a value.
/// @blocks never.
struct group_member {
    static constexpr bool checks = true;
    gid_t group = static_cast<gid_t>(-1);
    [[nodiscard]] bool allows(const peer_credentials&, const peer_groups& groups) const noexcept {
        return group != static_cast<gid_t>(-1) && groups.has(group);
    }
};

/// Allows what one of two policies allows, for example root and the members of a group. Policies may be nested.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// const mato::either<mato::same_user_or_root, mato::group_member> policy{{}, {clients_group}};
/// const auto peer = mato::require_peer(session.get(), policy, mato::errc::peer_rejected, why);
/// @endcode
template <class First, class Second> struct either {
    static constexpr bool checks = First::checks && Second::checks;
    First first{};
    Second second{};
    [[nodiscard]] bool allows(const peer_credentials& peer) const requires(!group_policy<First> && !group_policy<Second>) {
        return first.allows(peer) || second.allows(peer);
    }
    [[nodiscard]] bool allows(const peer_credentials& peer, const peer_groups& groups) const
        requires(group_policy<First> || group_policy<Second>) {
        return asks(first, peer, groups) || asks(second, peer, groups);
    }

private:
    template <class P> static bool asks(const P& policy, const peer_credentials& peer, const peer_groups& groups) {
        if constexpr (group_policy<P>)
            return policy.allows(peer, groups);
        else
            return policy.allows(peer);
    }
};

/// Allows every client that can reach the socket. Never a default: it must be named.
///
/// It does not compile with an endpoint that has no file permissions.
///
/// @threads safe.
/// @blocks never.
struct any_peer {
    static constexpr bool checks = false;
    [[nodiscard]] bool allows(const peer_credentials&) const noexcept { return true; }
};

static_assert(peer_policy<same_user> && peer_policy<same_user_or_root> && peer_policy<uid_set> && peer_policy<any_peer>);
static_assert(peer_policy<gid_set> && peer_policy<group_member> && group_policy<either<same_user, group_member>>);

/// Checks a peer: a server passes `errc::peer_rejected` as `refusal`, a client `errc::server_not_trusted`.
/// @returns the credentials, also of a refused peer.
template <class P> peer_credentials require_peer(int socket, const P& policy, errc refusal, error_out out);

// ---- implementation ----

namespace detail {
#if MATO_HAS_PROC
/// Reads the numbers at the start of a short file of proc(5).
class numbers_of_file {
public:
    static constexpr unsigned long long none = ~0ull;

    explicit numbers_of_file(const char* path) noexcept {
        const unique_fd file(sys::open(path, O_RDONLY));
        const ssize_t got = file ? sys::read(file.get(), room_, sizeof room_) : -1;
        size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    /// The next number, of at most eleven digits; else `none`.
    [[nodiscard]] unsigned long long next() noexcept {
        while (at_ < size_ && (room_[at_] == ' ' || room_[at_] == '\n')) ++at_;
        const std::size_t begin = at_;
        unsigned long long value = 0;
        for (; at_ < size_ && room_[at_] >= '0' && room_[at_] <= '9'; ++at_)
            value = value * 10 + static_cast<unsigned long long>(room_[at_] - '0');
        return at_ > begin && at_ - begin < 12 ? value : none;
    }

private:
    char room_[64];
    std::size_t at_ = 0, size_ = 0;
};

/// The id that stands for all that a user namespace does not map.
inline id_t overflow_id(const char* path) noexcept {
    constexpr id_t usual = 65534; // the kernel's default
    const auto read = numbers_of_file(path).next();
    return read <= 0xffff'ffff ? static_cast<id_t>(read) : usual;
}
inline bool maps_all(const char* path) noexcept {
    numbers_of_file map(path); // "0 0 4294967295": every id is mapped
    const auto inside = map.next(), outside = map.next(), count = map.next();
    return inside == 0 && outside == 0 && count == 0xffff'ffff;
}
/// Whether this uid may stand for users that this namespace does not map.
inline bool is_unknown_user(uid_t uid) noexcept {
    static const id_t stand_in = overflow_id("/proc/sys/kernel/overflowuid");
    return uid == stand_in && !maps_all("/proc/self/uid_map");
}
inline bool is_unknown_group(gid_t gid) noexcept {
    static const id_t stand_in = overflow_id("/proc/sys/kernel/overflowgid");
    return gid == stand_in && !maps_all("/proc/self/gid_map");
}
#else
inline bool is_unknown_user(uid_t) noexcept { return false; }
inline bool is_unknown_group(gid_t) noexcept { return false; }
#endif
} // namespace detail

inline peer_credentials credentials_of(int socket, error_out out) {
    peer_credentials peer;
#if MATO_HAS_PEERCRED
    ucred kernel{};
    socklen_t size = sizeof kernel;
    if (sys::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &kernel, &size) == -1)
        return out.set(last_error(), "read peer credentials"), peer;
    peer = {kernel.uid, kernel.gid, kernel.pid};
#else
    static_cast<void>(socket);
    out.set({ENOTSUP, std::system_category()}, "read peer credentials");
#endif
    return peer;
}

inline peer_groups groups_of(int socket, error_out out) {
    peer_groups groups;
#if MATO_HAS_PEERGROUPS
    const auto effective = credentials_of(socket, out);
    if (out.failed()) return groups;
#ifdef SO_PEERGROUPS
    constexpr int option = SO_PEERGROUPS;
#else
    constexpr int option = 59; // asm-generic/socket.h
#endif
    groups.gids.resize(32); // more than most users have
    for (;;) {
        auto size = static_cast<socklen_t>(groups.gids.size() * sizeof(gid_t));
        const int got = sys::getsockopt(socket, SOL_SOCKET, option, groups.gids.data(), &size);
        if (got == -1 && (errno != ERANGE || size / sizeof(gid_t) <= groups.gids.size()))
            return out.fail<peer_groups>(last_error(), "read peer groups");
        groups.gids.resize(size / sizeof(gid_t)); // after ERANGE: the size that is needed, at most 65 536 groups
        if (got == 0) break;
    }
    if (!groups.has(effective.gid)) groups.gids.push_back(effective.gid);
    std::erase_if(groups.gids, detail::is_unknown_group);
#else
    static_cast<void>(socket);
    out.set({ENOTSUP, std::system_category()}, "read peer groups");
#endif
    return groups;
}

inline unique_fd process_of(int socket, error_out out) {
#if MATO_HAS_PEERPIDFD
#ifdef SO_PEERPIDFD
    constexpr int option = SO_PEERPIDFD;
#else
    constexpr int option = 77; // asm-generic/socket.h; the C library's headers may be older than the kernel
#endif
    int fd = -1;
    socklen_t size = sizeof fd;
    if (sys::getsockopt(socket, SOL_SOCKET, option, &fd, &size) == 0) return unique_fd(fd); // the kernel sets close-on-exec
    out.set(last_error(), "open peer process");
#else
    static_cast<void>(socket);
    out.set({ENOTSUP, std::system_category()}, "open peer process");
#endif
    return {};
}

template <class P> peer_credentials require_peer(int socket, const P& policy, errc refusal, error_out out) {
    static_assert(peer_policy<P>, "mato: the peer policy needs `checks` and `bool allows(const peer_credentials&) const`");
    const auto peer = credentials_of(socket, out);
    if (out.failed()) return peer;
    if (P::checks && detail::is_unknown_user(peer.uid))
        return out.set(refusal, "check peer", {},
                       make_error_code(refusal).message() + ": uid " + std::to_string(peer.uid) +
                           " stands for all users that this user namespace does not map"),
               peer;
    bool is_allowed = false;
    if constexpr (group_policy<P>) {
        const auto groups = groups_of(socket, out);
        if (out.failed()) return peer;
        is_allowed = policy.allows(peer, groups);
    } else {
        auto known = peer;
        if (P::checks && detail::is_unknown_group(peer.gid)) known.gid = static_cast<gid_t>(-1);
        is_allowed = policy.allows(known);
    }
    if (is_allowed) return peer;
    out.set(refusal, "check peer", {},
            make_error_code(refusal).message() + ": uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid));
    return peer;
}

} // namespace MATO_ABI
} // namespace mato
