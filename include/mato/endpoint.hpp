// SPDX-License-Identifier: MIT
/// @file endpoint.hpp: a Unix socket under a name that is never open to others, never half made, never removed by a guess.
/// Layer: 2 (policy).  Test: test/toolkit/endpoint_test.cpp.
/// Threads: distinct paths are independent.   Blocks: never (connect is non-blocking; a full backlog is `cond::busy`).
/// Fork: publish in the final process, so that clients see its pid in the peer credentials.
/// Source: unix(7), bind(2), rename(2), lstat(2).
///
/// Publishing takes the held lock as a parameter, so removing a socket that still is somebody's cannot be written: a refused
/// connection is no proof of death (a daemon between bind and listen refuses too), a held lock is.
#pragma once

#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <concepts>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// Anything that can say "I hold it": `basic_instance_lock`, or a proof of the caller's own.
template <class L> concept lock_proof = requires(const L& lock) {
    { lock.is_held() } -> std::same_as<bool>;
};

/// The user's own directory: not a symlink, owned by the effective uid, closed to group and others.
/// @effects creates missing components, mode 0700 less the umask; never changes an existing one.
/// @errors  unsafe_directory with what is wrong · any of mkdir(2), lstat(2).
inline void make_private_directory(const std::filesystem::path& directory, error_out out);

/// The check alone. @errors as above, and ENOENT.
inline void check_private_directory(const std::filesystem::path& directory, error_out out);

struct publish_options {
    int backlog = 128;  ///< connections; the kernel cuts it to net.core.somaxconn
    mode_t mode = 0700; ///< of the socket's name, exactly, whatever the umask
};

/// Where clients find the daemon.
template <class E> concept endpoint_policy = std::movable<E> &&
    requires(E endpoint, const E& constant, const publish_options& options, error_out out) {
    { E::named } -> std::convertible_to<bool>; ///< false for names without permissions, which need a peer check
    { constant.connect(out) } -> std::same_as<unique_fd>;
    { constant.describe() } -> std::same_as<std::string>;
    { endpoint.withdraw() } -> std::same_as<void>;
};

/// A path in a private directory.
class owned_path {
public:
    static constexpr bool named = true;

    owned_path() = default;
    /// @errors none here; `publish` and `connect` check the length.
    explicit owned_path(std::filesystem::path path) : path_(std::move(path)) {}
    owned_path(owned_path&& other) noexcept { swap(other); }
    owned_path& operator=(owned_path&& other) noexcept {
        owned_path(std::move(other)).swap(*this);
        return *this;
    }
    ~owned_path() { withdraw(); }

    /// Binds, listens, and only then shows the name, by rename(2): whoever sees it can connect. Replaces a dead socket, or
    /// this object's own earlier one.
    /// @returns a non-blocking, close-on-exec listening socket.
    /// @errors  lock_not_held · unsafe_directory · filename_too_long, with length and limit · any of bind, listen, rename;
    ///          after an error the name is as it was.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);

    /// Removes the name if it still is the socket published here, by this process. Call it while the lock is held.
    void withdraw() noexcept;

    /// A non-blocking, close-on-exec connected socket.
    /// @errors cond::not_running: ENOENT, ECONNREFUSED · cond::busy: EAGAIN, the backlog is full · filename_too_long.
    [[nodiscard]] unique_fd connect(error_out out) const;

    [[nodiscard]] std::string describe() const { return path_.native(); }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// Bytes of a path that fit, without the final NUL: 107 on Linux, 103 on BSD and macOS.
    static constexpr std::size_t max_path_bytes = sizeof(sockaddr_un::sun_path) - 1;

private:
    void swap(owned_path& other) noexcept {
        path_.swap(other.path_);
        std::swap(device_, other.device_);
        std::swap(inode_, other.inode_);
        std::swap(owner_, other.owner_);
    }
    static bool make_address(const std::filesystem::path& path, sockaddr_un& address, error_out out);
    [[nodiscard]] std::filesystem::path hidden_name() const;

    std::filesystem::path path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    pid_t owner_ = 0; // 0: nothing published
};

static_assert(endpoint_policy<owned_path>);

// ---- implementation ----

inline void check_private_directory(const std::filesystem::path& directory, error_out out) {
    if (!directory.has_filename() && directory.has_relative_path()) // "link/" would be looked up behind the link
        return check_private_directory(directory.parent_path(), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) return out.set(last_error(), "check directory", directory.native());
    const auto refuse = [&](const char* why) { out.set(errc::unsafe_directory, "check directory", directory.native(), why); };
    if (S_ISLNK(found.st_mode)) return refuse("it is a symbolic link; a directory of your own is needed");
    if (!S_ISDIR(found.st_mode)) return refuse("it is not a directory");
    if (found.st_uid != sys::geteuid()) return refuse("it belongs to another user");
    if (found.st_mode & 077) return refuse("it is open to group or others; close it with chmod 700");
}

inline void make_private_directory(const std::filesystem::path& directory, error_out out) {
    if (!directory.has_filename() && directory.has_relative_path()) return make_private_directory(directory.parent_path(), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) {
        if (errno != ENOENT) return out.set(last_error(), "check directory", directory.native());
        if (const auto parent = directory.parent_path(); !parent.empty() && parent != directory) {
            if (sys::lstat(parent.c_str(), &found) == -1) {
                make_private_directory(parent, out);
                if (out.failed()) return;
            }
        }
        if (sys::mkdir(directory.c_str(), 0700) == -1 && errno != EEXIST) // EEXIST: another process was first; check its work
            return out.set(last_error(), "create directory", directory.native());
    }
    check_private_directory(directory, out);
}

inline bool owned_path::make_address(const std::filesystem::path& path, sockaddr_un& address, error_out out) {
    const std::string& name = path.native();
    if (name.empty() || name.size() > max_path_bytes) {
        out.set({ENAMETOOLONG, std::system_category()}, "socket path", name,
                "it is " + std::to_string(name.size()) + " bytes long, the system's limit is " +
                    std::to_string(max_path_bytes));
        return false;
    }
    address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    return true;
}

// One for each name, so that the owners of two names in one directory do not meet. Only where the limit leaves no byte for
// that is it as long as the real name, and names of this length that differ in the last byte need one lock between them.
inline std::filesystem::path owned_path::hidden_name() const {
    std::string name = path_.native();
    if (name.size() < max_path_bytes) return name + '~';
    name.back() = name.back() == '~' ? '#' : '~';
    return name;
}

template <class Lock> unique_fd owned_path::publish(const Lock& held, const publish_options& options, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.set(errc::lock_not_held, "publish socket", path_.native()), unique_fd();
    check_private_directory(path_.has_parent_path() ? path_.parent_path() : ".", out);
    if (out.failed()) return {};
    sockaddr_un address;
    if (!make_address(path_, address, out) || !make_address(hidden_name(), address, out)) return {};

    unique_fd fd(sys::unix_socket(true));
    if (!fd) return out.set(last_error(), "create socket", path_.native()), unique_fd();
    sys::unlink(address.sun_path); // a leftover of a killed predecessor; the lock says that nobody is at work on it
    const auto fail = [&](const char* step) {
        const auto why = last_error();
        sys::unlink(address.sun_path);
        out.set(why, step, path_.native());
        return unique_fd();
    };
#if MATO_HAS_FCHMOD_SOCKET
    if (sys::fchmod(fd.get(), options.mode) == -1) return out.set(last_error(), "set socket mode", path_.native()), unique_fd();
#endif
    if (sys::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1)
        return out.set(last_error(), "bind", path_.native()), unique_fd();
    // Still hidden, in a private directory: repairs what a narrow umask took away, or all of it without fchmod.
    if (sys::chmod(address.sun_path, options.mode) == -1) return fail("set socket mode");
    if (sys::listen(fd.get(), options.backlog) == -1) return fail("listen");
    struct ::stat made {};
    if (sys::lstat(address.sun_path, &made) == -1) return fail("stat socket");
    if (sys::rename(address.sun_path, path_.c_str()) == -1) return fail("rename socket");
    device_ = made.st_dev;
    inode_ = made.st_ino;
    owner_ = sys::getpid();
    return fd;
}

inline void owned_path::withdraw() noexcept {
    if (owner_ == 0 || owner_ != sys::getpid()) return;
    struct ::stat found {};
    if (sys::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_) sys::unlink(path_.c_str());
    owner_ = 0;
}

inline unique_fd owned_path::connect(error_out out) const {
    sockaddr_un address;
    if (!make_address(path_, address, out)) return {};
    unique_fd fd(sys::unix_socket(true));
    if (!fd) return out.set(last_error(), "create socket", path_.native()), unique_fd();
    if (sys::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1)
        return out.set(last_error(), "connect", path_.native()), unique_fd();
    return fd;
}

} // namespace MATO_ABI
} // namespace mato
