// SPDX-License-Identifier: MIT
/// @file shared_path.hpp: publishes a Unix socket that other users can reach, by its mode and group.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/shared_path_test.cpp, test/process/shared_service_test.cpp.
/// Threads: distinct paths are independent.   Blocks: never, except `group_named` (a name service may be asked).
/// Fork: as owned_path.   Source: unix(7), path_resolution(7), chown(2), getgrnam(3).
///
/// Three things decide who gets in: search permission for the directory, write permission for the socket, and the peer policy.
/// The kernel checks the first two before the daemon sees the client.
#pragma once

#include "endpoint.hpp"
#include "error.hpp"
#include "sys.hpp"
#include "sys_process.hpp"
#include "unique_fd.hpp"

#include <string>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// Creates or checks a directory that other users may enter but not change: not a symlink, owned by the effective uid or root,
/// not writable by group or others, and open (search permission) to group or others.
/// @effects creates missing components with mode 0755 exactly, below a directory owned by the same user or root; changes no
///          existing directory.
/// @errors  unsafe_directory with the reason · any of mkdir(2), stat(2), chmod(2).
inline void make_shared_directory(const std::string& directory, error_out out);

/// Checks without creating. @errors as above, and ENOENT.
inline void check_shared_directory(const std::string& directory, error_out out);

/// The id of a group. Asks the system's name service, which may be slow: call it before serving.
/// @errors ENOENT: there is no such group · any of getgrnam_r(3).
[[nodiscard]] inline gid_t group_named(const std::string& name, error_out out);

/// A path in a directory that other users may enter: for a daemon of root or of a service account that serves other users.
///
/// `publish_options` must let another user connect: mode 0660 with a group, or 0666. Combine it with a peer policy that checks,
/// such as group_member, because a mode alone does not tell which user connected. Lock, pid file and log may lie in the same
/// directory: their modes are 0600.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork only the process that published the name withdraws it.
/// @blocks never.
///
/// @code
/// struct service : mato::default_policies {
///     using endpoint = mato::shared_path;
///     using peer = mato::either<mato::same_user_or_root, mato::group_member>; // set_peer names the group
/// };
/// @endcode
class shared_path {
public:
    static constexpr bool named = true;

    shared_path() = default;
    /// Does not fail; `publish` and `connect` check the length.
    explicit shared_path(std::string path) : where_(std::move(path)) {}

    /// For `basic_daemon`, which makes the directory before it takes the lock. @errors as make_shared_directory.
    static void make_directory(const std::string& directory, error_out out) { make_shared_directory(directory, out); }

    /// As owned_path::publish, in a shared directory. The name has its group and mode before it accepts a connection.
    /// @errors as owned_path::publish · EINVAL: the mode lets no other user connect · EPERM: the group is not one of this
    ///         process.
    template <class Lock> [[nodiscard]] unique_fd publish(const Lock& held, const publish_options& options, error_out out);
    void withdraw() noexcept { where_.withdraw(); } ///< as owned_path::withdraw
    [[nodiscard]] unique_fd adopt(unique_fd socket, const published_name& name, error_out out) noexcept {
        return where_.adopt(std::move(socket), name, out);
    }
    [[nodiscard]] published_name published() const noexcept { return where_.published(); }
    /// @errors as owned_path::connect · EACCES: this user may not enter the directory, or not connect to the socket.
    [[nodiscard]] unique_fd connect(error_out out) const { return where_.connect(out); }
    [[nodiscard]] std::string describe() const { return where_.describe(); }
    [[nodiscard]] const std::string& path() const noexcept { return where_.path(); }

private:
    owned_path where_;
};
static_assert(adoptable_endpoint<shared_path>);

// ---- implementation ----

namespace detail {
inline void judge_shared_directory(const struct ::stat& found, const std::string& directory, error_out out) {
    const auto refuse = [&](const std::string& why) { out.set(errc::unsafe_directory, "check directory", directory, why); };
    if (S_ISLNK(found.st_mode)) return refuse("it is a symbolic link; use a real directory");
    if (!S_ISDIR(found.st_mode)) return refuse("it is not a directory; choose another path");
    if (found.st_uid != sys::geteuid() && found.st_uid != 0)
        return refuse("it belongs to uid " + std::to_string(found.st_uid) +
                      "; a shared directory must belong to root or to the daemon's user");
    if (found.st_mode & 022)
        return refuse("group or others may write to it, so they could replace the socket; close it with chmod go-w");
    if ((found.st_mode & 011) == 0)
        return refuse("no other user may enter it; open it with chmod 755, or with chmod 750 and the clients' group");
}
} // namespace detail

inline void check_shared_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return check_shared_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == -1) return out.set(last_error(), "check directory", directory);
    detail::judge_shared_directory(found, directory, out);
}

inline void make_shared_directory(const std::string& directory, error_out out) {
    if (detail::ends_with_slash(directory)) return make_shared_directory(detail::directory_of(directory), out);
    struct ::stat found {};
    if (sys::lstat(directory.c_str(), &found) == 0) return detail::judge_shared_directory(found, directory, out);
    if (errno != ENOENT) return out.set(last_error(), "check directory", directory);
    detail::make_parent(directory, make_shared_directory, out);
    if (out.failed()) return;
    if (sys::mkdir(directory.c_str(), 0755) == 0) { // the umask may have removed bits
        if (sys::chmod(directory.c_str(), 0755) == -1) out.set(last_error(), "set mode 0755 of directory", directory);
    } else if (errno != EEXIST) { // EEXIST: another process was first
        out.set(last_error(), "create directory", directory);
    }
    if (!out.failed()) check_shared_directory(directory, out);
}

template <class Lock> unique_fd shared_path::publish(const Lock& held, const publish_options& options, error_out out) {
    static_assert(lock_proof<Lock>, "mato: publishing needs the held lock, an object with `bool is_held() const`");
    if (!held.is_held()) return out.fail<unique_fd>(errc::lock_not_held, "publish socket", path());
    if ((options.mode & 022) == 0)
        return out.fail<unique_fd>(std::make_error_code(std::errc::invalid_argument), "publish socket", path(),
                                   "its mode lets no other user connect; set publish_options::mode to 0660 and a group, or "
                                   "to 0666");
    check_shared_directory(detail::directory_of(path()), out);
    return out.failed() ? unique_fd() : where_.publish_in_checked_directory(options, out);
}

inline gid_t group_named(const std::string& name, error_out out) {
    constexpr std::size_t most = std::size_t{1} << 20; // bytes; a group of this size has 100 000 members
    struct ::group found {};
    struct ::group* result = nullptr;
    int why = ERANGE;
    for (std::vector<char> room(4096); why == ERANGE && room.size() <= most; room.resize(2 * room.size()))
        why = sys::getgrnam_r(name.c_str(), &found, room.data(), room.size(), &result);
    if (why == 0 && result != nullptr) return found.gr_gid;
    const std::error_code code(why == 0 ? ENOENT : why, std::system_category());
    out.set(code, "find group", name, why == 0 ? "there is no group '" + name + "'; create it with groupadd" : code.message());
    return static_cast<gid_t>(-1);
}

} // namespace MATO_ABI
} // namespace mato
