// SPDX-License-Identifier: MIT
/// @file privileges.hpp: gives up root's rights for good, after the steps that need them.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/privileges_test.cpp.
/// Threads: call it before the first thread.   Blocks: never.   Fork: children have the rights that are left.
/// Source: setuid(2), setgroups(2), credentials(7).
#pragma once

#include "error.hpp"
#include "sys.hpp"
#include "sys_process.hpp"

#include <cerrno>
#include <span>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// The rights that remain after `drop_privileges`.
///
/// Numbers, so that a test needs no entry in passwd(5).
///
/// @threads a value.
/// @blocks never.
struct process_rights {
    uid_t user = 0;
    gid_t group = 0;
    std::span<const gid_t> groups{}; ///< supplementary groups; by default none remain
};

/// Sets the real, effective and saved user and group of this process, and its supplementary groups, and proves that root's
/// rights cannot be had again. Call it after the privileged step, such as opening a device or a port below 1024, and before
/// `basic_daemon::run`: so the daemon's directory, lock and socket belong to the account. Pass opened descriptors in
/// daemon_options::keep.
///
/// After an error the process may have a part of the new rights: exit. A process that has the wanted rights already, and cannot
/// have root's, may call it too.
/// @errors EINVAL: user 0 · EPERM: not root, and other rights are wanted; or root's rights could be had again · EAGAIN: the
/// account's limit of processes.
inline void drop_privileges(const process_rights& wanted, error_out out);

// ---- implementation ----

inline void drop_privileges(const process_rights& wanted, error_out out) {
    const auto fail = [&](int why, std::string detail) {
        out.set({why, std::system_category()},
                "drop privileges to uid " + std::to_string(wanted.user) + ", gid " + std::to_string(wanted.group), {},
                std::move(detail));
    };
    if (wanted.user == 0) return fail(EINVAL, "user 0 has all rights; pass the uid of the account");
    if (sys::geteuid() == 0) {
        // The groups first: changing them needs the rights that setuid gives up.
        if (sys::setgroups(wanted.groups.size(), wanted.groups.data()) == -1) return fail(errno, {});
        if (sys::setgid(wanted.group) == -1) return fail(errno, {});
        if (sys::setuid(wanted.user) == -1) return fail(errno, {});
    }
    const bool has_user = sys::getuid() == wanted.user && sys::geteuid() == wanted.user;
    const bool has_group = sys::getgid() == wanted.group && sys::getegid() == wanted.group;
    if (!has_user || !has_group) return fail(EPERM, "only root can change its user and group");
    const int count = sys::getgroups(0, nullptr);
    std::vector<gid_t> left(static_cast<std::size_t>(count > 0 ? count : 0));
    if (sys::getgroups(static_cast<int>(left.size()), left.data()) == -1) return fail(errno, {});
    for (const gid_t each : left) {
        bool is_wanted = each == wanted.group;
        for (const gid_t one : wanted.groups) is_wanted = is_wanted || each == one;
        if (!is_wanted) return fail(EPERM, "the process keeps group " + std::to_string(each) + ", which only root can give up");
    }
    if (sys::setuid(0) == 0) return fail(EPERM, "the process could become root again; exit");
}

} // namespace MATO_ABI
} // namespace mato
