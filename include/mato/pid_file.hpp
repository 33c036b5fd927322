// SPDX-License-Identifier: MIT
/// @file pid_file.hpp: the daemon's number where people and scripts look for it.
/// Layer: 2 (policy).  Test: test/toolkit/pid_file_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never (one small file).
/// Fork: write it in the final process; in a forked child the destructor leaves the file alone.
///
/// The file is a courtesy. Whether a daemon runs is what the lock says (lock.hpp); who answers, the socket's credentials.
#pragma once

#include "error.hpp"
#include "scope_exit.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <charconv>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {

/// Says where the daemon's pid is kept while it runs.
template <class P> concept pid_registry = std::movable<P> && requires(const std::string& path, error_out out) {
    { P::create(path, out) } -> std::same_as<P>;
};

/// "<pid>\n", mode 0600, by a temporary name and rename(2): a reader sees the old file or the whole new one.
class pid_file {
public:
    pid_file() noexcept = default;
    pid_file(pid_file&& other) noexcept { swap(other); }
    pid_file& operator=(pid_file&& other) noexcept {
        pid_file(std::move(other)).swap(*this);
        return *this;
    }
    ~pid_file() { remove(); }

    /// @errors any of open(2), write(2), rename(2); then nothing of it is left.
    [[nodiscard]] static pid_file create(const std::string& path, error_out out) { return create(path, sys::getpid(), out); }
    /// With the number of another process, for which this one writes and removes the file.
    [[nodiscard]] static pid_file create(const std::string& path, pid_t number, error_out out);
    [[nodiscard]] static pid_file create(const std::string& path) {
        return or_throw([&](failure& why) { return create(path, why); });
    }

    /// The pid in the file: a positive decimal number, one newline or none, and nothing else.
    /// @errors ENOENT and the like · malformed: anything but a pid, so that 0 and -1 never reach kill(2).
    [[nodiscard]] static pid_t read(const std::string& path, error_out out);

    /// What `read` accepts; 0 for all else. Pure.
    [[nodiscard]] static pid_t parse(std::string_view text) noexcept;

    /// Removes the file if it still is the one written here, by this process.
    void remove() noexcept;

private:
    void swap(pid_file& other) noexcept {
        path_.swap(other.path_);
        std::swap(device_, other.device_);
        std::swap(inode_, other.inode_);
        std::swap(owner_, other.owner_);
    }

    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    pid_t owner_ = 0;
};

/// Under a lock the pid is in the lock file already: for daemons that want one file fewer.
struct locked_pid_file {
    [[nodiscard]] static locked_pid_file create(const std::string&, error_out) { return {}; }
};

/// For a daemon whose supervisor knows its child.
struct no_pid_file {
    [[nodiscard]] static no_pid_file create(const std::string&, error_out) { return {}; }
};

static_assert(pid_registry<pid_file> && pid_registry<locked_pid_file> && pid_registry<no_pid_file>);

// ---- implementation ----

inline pid_file pid_file::create(const std::string& path, pid_t number, error_out out) {
    const std::string text = std::to_string(number) + "\n";
    const std::string fresh = path + ".new"; // fixed: only the lock's holder writes here
    sys::unlink(fresh.c_str());
    const auto fail = [&](const char* step) { return out.set(last_error(), step, path), pid_file(); };
    const unique_fd fd(sys::open_private(fresh.c_str(), O_WRONLY | O_EXCL | O_NOFOLLOW));
    if (!fd) return fail("create pid file");
    scope_exit undo([&] { sys::unlink(fresh.c_str()); });
    const ssize_t written = sys::write(fd.get(), text.data(), text.size());
    if (written >= 0 && written != static_cast<ssize_t>(text.size())) errno = ENOSPC;
    if (written != static_cast<ssize_t>(text.size())) return fail("write pid file");
    struct ::stat made {};
    if (sys::fstat(fd.get(), &made) == -1) return fail("stat pid file");
    if (sys::rename(fresh.c_str(), path.c_str()) == -1) return fail("rename pid file");
    undo.dismiss();
    pid_file result;
    result.path_ = path;
    result.device_ = made.st_dev;
    result.inode_ = made.st_ino;
    result.owner_ = sys::getpid();
    return result;
}

inline pid_t pid_file::parse(std::string_view text) noexcept {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.size() > std::numeric_limits<pid_t>::digits10 + 1) return 0; // leading zeros: a pid, but not one of ours
    pid_t pid = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), pid);
    return why == std::errc() && rest == text.data() + text.size() && pid > 0 ? pid : 0;
}

inline pid_t pid_file::read(const std::string& path, error_out out) {
    const unique_fd fd(sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) return out.set(last_error(), "open pid file", path), 0;
    char text[32]; // a pid has at most 10 digits; a longer file is none
    const ssize_t got = sys::read(fd.get(), text, sizeof text);
    if (got < 0) return out.set(last_error(), "read pid file", path), 0;
    const pid_t pid = parse({text, static_cast<std::size_t>(got)});
    if (pid == 0) out.set(errc::malformed, "read pid file", path, "not a process id");
    return pid;
}

inline void pid_file::remove() noexcept {
    if (owner_ == 0 || owner_ != sys::getpid()) return;
    struct ::stat named {};
    if (sys::lstat(path_.c_str(), &named) == 0 && named.st_dev == device_ && named.st_ino == inode_) sys::unlink(path_.c_str());
    owner_ = 0;
}

} // namespace MATO_ABI
} // namespace mato
