// SPDX-License-Identifier: MIT
/// @file endpoint.hpp: publishes a Unix socket that is private and complete when its name appears, and removes only its own.
/// Layer: 2 (policy).  Test: test/toolkit/endpoint_test.cpp.
/// Threads: distinct paths are independent.   Blocks: never (connect is non-blocking; a full backlog is `cond::busy`).
/// Fork: publish in the final process, so that clients see that process's pid in the peer credentials.
/// Source: unix(7), bind(2), rename(2), lstat(2).
///
/// Publishing needs the held lock as a parameter, so that the socket of a running daemon is never removed. A refused connection
/// does not prove that the daemon is dead (between bind and listen it refuses too); a held lock does.
#pragma once

#include "error.hpp"
#include "scope_exit.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"
#include "unix_address.hpp"

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// A type that tells whether a lock is held: `basic_instance_lock`, or a type of the caller.
template <class L> concept lock_proof = requires(const L& lock) {
    { lock.is_held() } -> std::same_as<bool>;
};

/// Creates or checks a private directory: not a symlink, owned by the effective uid, closed to group and others.
/// Missing components are created below a directory owned by the same user or root, never below another user's: with that
/// user's HOME in the environment (`sudo -E`), the user could not use the new directory.
/// @effects creates missing components with mode 0700 exactly; in an existing directory it only restores the owner's bits.
/// @errors  unsafe_directory with the reason · any of mkdir(2), stat(2), chmod(2).
inline void make_private_directory(const std::string& directory, error_out out);

/// Checks without creating. @errors as above, and ENOENT.
inline void check_private_directory(const std::string& directory, error_out out);

/// The options of a published socket. The default mode allows only the daemon's user.
struct publish_options {
    int backlog = 128;  ///< connections that may wait; the kernel limits it to net.core.somaxconn
    mode_t mode = 0700; ///< of the socket's name, exactly, independent of the umask; write permission allows connecting
    gid_t group = static_cast<gid_t>(-1); ///< of the socket's name; -1: the group of this process
};

/// Where clients find the daemon.
template <class E> concept endpoint_policy = std::movable<E> &&
    requires(E endpoint, const E& constant, const publish_options& options, error_out out) {
    { E::named } -> std::convertible_to<bool>; ///< false for names without permissions, which need a peer check
    { constant.connect(out) } -> std::same_as<unique_fd>;
    { constant.describe() } -> std::same_as<std::string>;
    { endpoint.withdraw() } -> std::same_as<void>;
};

/// The socket to which a path referred when it was published. Used to withdraw only that one.
struct published_name {
    dev_t device = 0;
    ino_t inode = 0; ///< 0: the socket has no name that is to be removed
};

/// An endpoint whose socket outlives the process that published it. `adopt` goes on with such a socket, and withdraws its name
/// later, as if this object had published it; it returns the descriptor to accept from.
template <class E> concept adoptable_endpoint = endpoint_policy<E> &&
    requires(E endpoint, const E& constant, unique_fd socket, const published_name& name, error_out out) {
    { endpoint.adopt(std::move(socket), name, out) } -> std::same_as<unique_fd>;
    { constant.published() } -> std::same_as<published_name>;
};

/// A path in a private directory.
///
/// The default endpoint.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork only the process that published the name withdraws it.
/// @blocks never.
///
/// @code
/// mato::owned_path endpoint((directory / "app.sock").native());
/// const mato::unique_fd listening = endpoint.publish(lock, mato::publish_options{}, why);
/// if (why) std::fprintf(stderr, "%s\n", why.message().c_str()); // the step, the path and the reason
/// const mato::unique_fd client = endpoint.connect(why);
/// @endcode
class owned_path {
public:
    static constexpr bool named = true;

    owned_path() = default;
    /// Does not fail; `publish` and `connect` check the length.
    explicit owned_path(std::string path) : path_(std::move(path)) {}
    owned_path(owned_path&& other) noexcept { swap(other); }
    owned_path& operator=(owned_path&& other) noexcept {
        owned_path taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~owned_path() { withdraw(); }

    /// Binds and listens under a hidden name, then renames it: a client that sees the name can connect. Replaces a dead socket,
    /// or the socket that this object published earlier.
    /// @returns a non-blocking, close-on-exec listening socket.
    /// @errors  lock_not_held · unsafe_directory · filename_too_long, with length and limit · any of bind, listen, rename;
    ///          after an error the name is unchanged.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);

    /// Removes the name if it still is the socket that this object published in this process. Call it while the lock is held.
    void withdraw() noexcept;
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name& name, error_out) noexcept {
        device_ = name.device;
        inode_ = name.inode;
        owner_ = sys::getpid();
        return socket;
    }
    [[nodiscard]] published_name published() const noexcept { return {device_, inode_}; }

    /// A non-blocking, close-on-exec connected socket.
    /// @errors cond::not_running: ENOENT, ECONNREFUSED · cond::busy: EAGAIN, the backlog is full · filename_too_long.
    [[nodiscard]] unique_fd connect(error_out out) const;

    [[nodiscard]] std::string describe() const { return path_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Longest path in bytes, without the final NUL: 107 on Linux, 103 on BSD and macOS.
    static constexpr std::size_t max_path_bytes = unix_address::max_name_bytes;

private:
    friend class shared_path; // which checks the directory by another rule
    [[nodiscard]] unique_fd publish_in_checked_directory(const publish_options& options, error_out out);
    [[nodiscard]] unique_fd fail_group(const publish_options& options, error_out out) const;
    void swap(owned_path& other) noexcept {
        path_.swap(other.path_);
        std::swap(device_, other.device_);
        std::swap(inode_, other.inode_);
        std::swap(owner_, other.owner_);
    }
    [[nodiscard]] std::string hidden_name() const;

    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    pid_t owner_ = 0; // 0: nothing published
};

#if MATO_HAS_ABSTRACT_NAMES
/// An abstract socket name: no file, so no permissions. Every process of the network namespace can connect, and another user
/// can take the name first (EADDRINUSE). The name disappears with its last descriptor. The peer policy must check clients;
/// clients check the daemon's user, as for every endpoint.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork the name lives while any process has a descriptor of it.
/// @blocks never.
class abstract_name {
public:
    static constexpr bool named = false;

    abstract_name() = default;
    /// `name`: without a leading '@'. A path makes a good name, because other programs are unlikely to use it.
    /// Does not fail; `publish` and `connect` check the length.
    explicit abstract_name(std::string name) : name_(std::move(name)) {}

    /// Binds and listens; between the two, clients are refused as if no daemon ran. A second call returns the same socket.
    /// @errors lock_not_held · EADDRINUSE: another process has the name · filename_too_long · any of bind, listen.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);
    void withdraw() noexcept { kept_.reset(); }
    /// @errors any of dup(2).
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name&, error_out out);
    [[nodiscard]] published_name published() const noexcept { return {}; }
    /// @errors cond::not_running: ECONNREFUSED · cond::busy: EAGAIN · filename_too_long.
    [[nodiscard]] unique_fd connect(error_out out) const;
    [[nodiscard]] std::string describe() const { return '@' + name_; }

private:
    std::string name_;
    unique_fd kept_; // the listener has its own descriptor
};
static_assert(adoptable_endpoint<abstract_name>);
#endif

/// The listening socket that a service manager created and passed (sd_listen_fds(3)). It belongs to the manager: its name is
/// never removed, and clients that connect after the daemon has ended wait in it for the next daemon. The manager sets its
/// mode, which by default allows all users (systemd.socket(5) SocketMode=), so the peer policy must check.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork the descriptor is shared; the name belongs to the manager.
/// @blocks never.
class activated {
public:
    static constexpr bool named = false;

    activated() = default;
    /// `path` is where clients connect; `passed` comes from service_environment.
    explicit activated(std::string path, unique_fd passed = unique_fd())
        : where_(std::move(path)), passed_(std::move(passed)) {}

    /// @returns a non-blocking, close-on-exec descriptor of the passed socket. A second call returns the same socket.
    /// @errors lock_not_held · ENOENT: none was passed · ENOTSOCK: it is not a socket · EAFNOSUPPORT: not a Unix socket ·
    ///         EPROTOTYPE: not a stream socket · EINVAL: it does not listen.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);
    void withdraw() noexcept { passed_.reset(); }
    /// @errors any of dup(2).
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name&, error_out out);
    [[nodiscard]] published_name published() const noexcept { return {}; }
    [[nodiscard]] unique_fd connect(error_out out) const { return where_.connect(out); } ///< @errors as owned_path::connect
    [[nodiscard]] std::string describe() const { return where_.describe(); }
    [[nodiscard]] bool was_passed() const noexcept { return static_cast<bool>(passed_); }

private:
    static void check(int fd, const std::string& name, error_out out);

    owned_path where_; // never published
    unique_fd passed_;
};

/// The service manager's socket if one was passed, else the daemon's own path: one program can be started in both ways.
///
/// `daemon_options::service` passes the socket to it.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork as the endpoint that it uses.
/// @blocks never.
class activated_or_owned {
public:
    static constexpr bool named = false; // the manager's socket may be open to all users

    activated_or_owned() = default;
    activated_or_owned(owned_path own) : own_(std::move(own)) {} // NOLINT(google-explicit-constructor): a client's view
    explicit activated_or_owned(std::string path, unique_fd passed = unique_fd())
        : own_(path), passed_(std::move(path), std::move(passed)) {}

    /// @errors as activated::publish, or owned_path::publish.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out) {
        return passed_.was_passed() ? passed_.publish(held, options, out) : own_.publish(held, options, out);
    }
    void withdraw() noexcept {
        passed_.withdraw();
        own_.withdraw();
    }
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name& name, error_out out) {
        return name.inode != 0 ? own_.adopt(std::move(socket), name, out) : passed_.adopt(std::move(socket), name, out);
    }
    [[nodiscard]] published_name published() const noexcept { return own_.published(); }
    [[nodiscard]] unique_fd connect(error_out out) const { return own_.connect(out); }
    [[nodiscard]] std::string describe() const { return own_.describe(); }

private:
    owned_path own_;
    activated passed_;
};

static_assert(adoptable_endpoint<owned_path> && adoptable_endpoint<activated> && adoptable_endpoint<activated_or_owned>);

// ---- implementation ----

namespace detail {
/// The part before the last '/': "/" of "/x", "." of "x". Several slashes in a row count as one.
[[nodiscard]] inline std::string directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    const auto end = path.find_last_not_of('/', slash);
    return std::string(end == std::string_view::npos ? "/" : path.substr(0, end + 1));
}
/// An absolute form of `path`; `path` itself if the working directory is not known.
[[nodiscard]] inline std::string absolute(const std::string& path) {
    char here[4096]; // Linux PATH_MAX; a longer path cannot be used
    if (path.starts_with('/') || sys::getcwd(here, sizeof here) == nullptr) return path;
    return std::string(here).append("/").append(path);
}
/// "link/" would be resolved to the link's target.
[[nodiscard]] inline bool ends_with_slash(std::string_view path) noexcept {
    return path.ends_with('/') && path.find_first_not_of('/') != std::string_view::npos;
}
inline void judge_directory(const struct ::stat& found, const std::string& directory, error_out out);
inline void make_below_own(const std::string& directory, error_out out);
template <class Make> void make_parent(const std::string& directory, Make make, error_out out);
[[nodiscard]] inline unique_fd connect_to(const unix_address& address, const std::string& name, error_out out);
[[nodiscard]] inline unique_fd second_descriptor(const unique_fd& fd, const std::string& name, error_out out);

/// The directory of an endpoint and of its lock: by the endpoint's own rule if it has one, else a private one.
template <class Endpoint> void make_directory_for(const std::string& directory, error_out out) {
    if constexpr (requires { Endpoint::make_directory(directory, out); })
        Endpoint::make_directory(directory, out);
    else
        make_private_directory(directory, out);
}
} // namespace detail

inline void check_private_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return check_private_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) return out.set(last_error(), "check directory", directory);
    detail::judge_directory(found, directory, out);
}

inline void detail::judge_directory(const struct ::stat& found, const std::string& directory, error_out out) {
    const auto refuse = [&](const char* why) { out.set(errc::unsafe_directory, "check directory", directory, why); };
    if (S_ISLNK(found.st_mode)) return refuse("it is a symbolic link; use a real directory that you own");
    if (!S_ISDIR(found.st_mode)) return refuse("it is not a directory; choose another path");
    if (found.st_uid != sys::geteuid()) return refuse("it belongs to another user; choose a directory that you own");
    if (found.st_mode & 077) return refuse("it is open to group or others; close it with chmod 700");
}

inline void make_private_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return make_private_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) {
        if (errno != ENOENT) return out.set(last_error(), "check directory", directory);
        detail::make_below_own(directory, out);
        if (out.failed()) return;
        if (sys::lstat(directory.c_str(), &found) == -1) return out.set(last_error(), "check directory", directory);
    }
    detail::judge_directory(found, directory, out);
    // A umask such as 0277 removes bits of the owner in mkdir(2).
    if (!out.failed() && (found.st_mode & 0700) != 0700 && sys::chmod(directory.c_str(), 0700) == -1)
        out.set(last_error(), "set mode 0700 of directory", directory);
}

/// Makes the parent of `directory` if it is missing; it must belong to this user or to root.
template <class Make> void detail::make_parent(const std::string& directory, Make make, error_out out) {
    const auto parent = directory_of(directory);
    struct ::stat found {};
    if (sys::stat(parent.c_str(), &found) == -1) return make(parent, out);
    if (found.st_uid == sys::geteuid() || found.st_uid == 0) return;
    const auto uid = [](uid_t id) { return "uid " + std::to_string(id); };
    out.set(errc::unsafe_directory, "create directory", directory,
            parent + " belongs to " + uid(found.st_uid) + ", this process runs as " + uid(sys::geteuid()) +
                "; choose a directory that this user owns");
}

inline void detail::make_below_own(const std::string& directory, error_out out) {
    make_parent(directory, make_private_directory, out);
    if (out.failed()) return;
    if (sys::mkdir(directory.c_str(), 0700) == -1 && errno != EEXIST) // EEXIST: another process was first
        out.set(last_error(), "create directory", directory);
}

// A hidden name for each name, so that two daemons in one directory do not use the same one. It is one byte longer than the
// name. If the limit leaves no room for that byte, the last byte is replaced: two daemons whose names have this length and
// differ only in the last byte must share one lock.
inline std::string owned_path::hidden_name() const {
    std::string name = path_;
    if (name.size() < max_path_bytes) return name + '~';
    name.back() = name.back() == '~' ? '#' : '~';
    return name;
}

template <class Lock> unique_fd owned_path::publish(const Lock& held, const publish_options& options, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", path_);
    check_private_directory(detail::directory_of(path_), out);
    return out.failed() ? unique_fd() : publish_in_checked_directory(options, out);
}

inline unique_fd owned_path::publish_in_checked_directory(const publish_options& options, error_out out) {
    static_cast<void>(unix_address::of_path(path_, out));
    if (out.failed()) return {};
    const std::string hidden = hidden_name();
    const auto address = unix_address::of_path(hidden, out);
    if (out.failed()) return {};
    const auto fail = [&](const char* step) { return out.fail<unique_fd>(last_error(), step, path_); };

    unique_fd fd(sys::unix_socket(sys::waiting::nonblocking));
    if (!fd) return fail("create socket");
    sys::unlink(hidden.c_str()); // left by a killed daemon; we hold the lock, so no other process uses it
    const bool has_group = options.group != static_cast<gid_t>(-1);
#if MATO_HAS_FCHMOD_SOCKET
    const mode_t first = has_group ? options.mode & 0700 : options.mode; // never the wider mode for the wrong group
    if (sys::fchmod(fd.get(), first) == -1) return fail("set socket mode");
#endif
    if (sys::bind(fd.get(), address.data(), address.size()) == -1) return fail("bind");
    scope_exit undo([&] { sys::unlink(hidden.c_str()); });
    if (has_group && sys::lchown(hidden.c_str(), static_cast<uid_t>(-1), options.group) == -1) return fail_group(options, out);
    // It does not listen yet: restores bits that the umask removed, or sets all of them where there is no fchmod.
    if (sys::chmod(hidden.c_str(), options.mode) == -1) return fail("set socket mode");
    if (sys::listen(fd.get(), options.backlog) == -1) return fail("listen");
    struct ::stat made {};
    if (sys::lstat(hidden.c_str(), &made) == -1) return fail("stat socket");
    if (sys::rename(hidden.c_str(), path_.c_str()) == -1) return fail("rename socket");
    undo.dismiss();
    device_ = made.st_dev;
    inode_ = made.st_ino;
    owner_ = sys::getpid();
    return fd;
}

inline unique_fd owned_path::fail_group(const publish_options& options, error_out out) const {
    const auto why = last_error();
    std::string text = why.message();
    if (why.value() == EPERM)
        text = "this process is no member of group " + std::to_string(options.group) +
               ", so it may not give the socket to it; add its user to the group, or start it as root";
    return out.fail<unique_fd>(why, "set socket group", path_, std::move(text));
}

inline void owned_path::withdraw() noexcept {
    if (owner_ == 0 || owner_ != sys::getpid()) return;
    struct ::stat found {};
    if (sys::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_) sys::unlink(path_.c_str());
    owner_ = 0;
}

inline unique_fd owned_path::connect(error_out out) const {
    const auto address = unix_address::of_path(path_, out);
    return out.failed() ? unique_fd() : detail::connect_to(address, path_, out);
}

inline unique_fd detail::connect_to(const unix_address& address, const std::string& name, error_out out) {
    unique_fd fd(sys::unix_socket(sys::waiting::nonblocking));
    if (!fd) return out.fail<unique_fd>(last_error(), "create socket", name);
    if (sys::connect(fd.get(), address.data(), address.size()) == -1) return out.fail<unique_fd>(last_error(), "connect", name);
    return fd;
}

inline unique_fd detail::second_descriptor(const unique_fd& fd, const std::string& name, error_out out) {
    unique_fd copy(sys::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) out.set(last_error(), "duplicate socket", name);
    return copy;
}

#if MATO_HAS_ABSTRACT_NAMES
template <class Lock> unique_fd abstract_name::publish(const Lock& held, const publish_options& options, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", describe());
    if (!kept_) {
        const auto address = unix_address::of_abstract_name(name_, out);
        if (out.failed()) return {};
        unique_fd fd(sys::unix_socket(sys::waiting::nonblocking));
        if (!fd) return out.fail<unique_fd>(last_error(), "create socket", describe());
        if (sys::bind(fd.get(), address.data(), address.size()) == -1)
            return out.fail<unique_fd>(last_error(), "bind", describe());
        if (sys::listen(fd.get(), options.backlog) == -1) return out.fail<unique_fd>(last_error(), "listen", describe());
        kept_ = std::move(fd);
    }
    return detail::second_descriptor(kept_, describe(), out);
}

inline unique_fd abstract_name::adopt(unique_fd socket, const published_name&, error_out out) {
    kept_ = std::move(socket);
    return detail::second_descriptor(kept_, describe(), out);
}

inline unique_fd abstract_name::connect(error_out out) const {
    const auto address = unix_address::of_abstract_name(name_, out);
    return out.failed() ? unique_fd() : detail::connect_to(address, describe(), out);
}
#endif

inline void activated::check(int fd, const std::string& name, error_out out) {
    const auto refuse = [&](int why, const char* detail) {
        out.set({why, std::system_category()}, "take the passed socket", name, detail);
    };
    int type = 0, listening = 0;
    sockaddr_un address{};
    socklen_t size = sizeof type, listening_size = sizeof listening, address_size = sizeof address;
    if (sys::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1 ||
        sys::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &address_size) == -1 ||
        sys::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) == -1)
        return out.set(last_error(), "take the passed socket", name);
    if (address.sun_family != AF_UNIX) return refuse(EAFNOSUPPORT, "it is not a Unix socket; set ListenStream= to a path");
    if (type != SOCK_STREAM) return refuse(EPROTOTYPE, "it is not a stream socket; use ListenStream= in the socket unit");
    if (listening == 0) return refuse(EINVAL, "it is not listening; use Accept=no in the socket unit");
}

inline unique_fd activated::adopt(unique_fd socket, const published_name&, error_out out) {
    passed_ = std::move(socket);
    return detail::second_descriptor(passed_, describe(), out);
}

template <class Lock> unique_fd activated::publish(const Lock& held, const publish_options&, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", describe());
    if (!passed_)
        return out.fail<unique_fd>({ENOENT, std::system_category()}, "take the passed socket", describe(),
                                   "the service manager passed none; start the daemon through its socket unit");
    check(passed_.get(), describe(), out);
    if (out.failed()) return {};
    const int flags = sys::fcntl(passed_.get(), F_GETFL, 0);
    if (flags == -1 || sys::fcntl(passed_.get(), F_SETFL, flags | O_NONBLOCK) == -1)
        return out.fail<unique_fd>(last_error(), "take the passed socket", describe());
    return detail::second_descriptor(passed_, describe(), out);
}

} // namespace MATO_ABI
} // namespace mato
