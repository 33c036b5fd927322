// SPDX-License-Identifier: MIT
/// @file pid_file.hpp: writes the daemon's pid to a file for people and scripts.
/// Layer: 2 (policy).  Test: test/toolkit/pid_file_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never (one small file).
/// Fork: write it in the final process; in a forked child the destructor does not remove the file.
///
/// The file is only for information. Use the lock to find whether a daemon runs (lock.hpp), and the socket's credentials to
/// find which process answers.
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

/// Keeps the daemon's pid in a place where others can find it while the daemon runs.
template <class P> concept pid_registry = std::movable<P> && requires(const std::string& path, error_out out) {
    { P::create(path, out) } -> std::same_as<P>;
};

/// Writes "<pid>\n", mode 0600, to a temporary name and renames it: a reader sees the old file or the complete new one.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork in a child the destructor does not remove the file.
/// @blocks never.
///
/// @code
/// const auto file = mato::pid_file::create(path); // removed at the end of the scope
/// mato::failure why;
/// const pid_t pid = mato::pid_file::read(path, why);
/// if (!why) std::printf("running, pid %d\n", static_cast<int>(pid));
/// @endcode
class pid_file {
public:
    pid_file() noexcept = default;
    pid_file(pid_file&& other) noexcept { swap(other); }
    pid_file& operator=(pid_file&& other) noexcept {
        pid_file taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~pid_file() { remove(); }

    /// @errors any of open(2), write(2), rename(2); the temporary file is then removed.
    [[nodiscard]] static pid_file create(const std::string& path, error_out out) { return create(path, sys::getpid(), out); }
    /// With the number of another process, for which this one writes and removes the file.
    [[nodiscard]] static pid_file create(const std::string& path, pid_t number, error_out out);
    [[nodiscard]] static pid_file create(const std::string& path) {
        return or_throw([&](failure& why) { return create(path, why); });
    }

    /// Reads the pid: a positive decimal number, at most one newline, and nothing else.
    /// @errors ENOENT and others of open(2) · malformed: not a pid; 0 and -1 never reach kill(2).
    [[nodiscard]] static pid_t read(const std::string& path, error_out out);

    /// Parses the text of a pid file; 0 if it is not valid. Pure.
    [[nodiscard]] static pid_t parse(std::string_view text) noexcept;

    /// Removes the file if it still is the one that this object wrote in this process.
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

/// Writes no file, because the lock file already contains the pid.
///
/// For daemons that need only one file.
///
/// @threads safe.
/// @blocks never.
struct locked_pid_file {
    [[nodiscard]] static locked_pid_file create(const std::string&, error_out) { return {}; }
};

/// Writes no file: for a daemon whose supervisor knows its pid.
///
/// The service manager or container already tracks the process.
///
/// @threads safe.
/// @blocks never.
struct no_pid_file {
    [[nodiscard]] static no_pid_file create(const std::string&, error_out) { return {}; }
};

static_assert(pid_registry<pid_file> && pid_registry<locked_pid_file> && pid_registry<no_pid_file>);

// ---- implementation ----

inline pid_file pid_file::create(const std::string& path, pid_t number, error_out out) {
    const std::string text = std::to_string(number) + "\n";
    const std::string fresh = path + ".new"; // fixed: only the lock's holder writes here
    sys::unlink(fresh.c_str());
    const auto fail = [&](const char* step) { return out.fail<pid_file>(last_error(), step, path); };
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
    if (text.size() > std::numeric_limits<pid_t>::digits10 + 1)
        return 0; // leading zeros: a number, but this toolkit did not write it
    pid_t pid = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), pid);
    return why == std::errc() && rest == text.data() + text.size() && pid > 0 ? pid : 0;
}

inline pid_t pid_file::read(const std::string& path, error_out out) {
    const unique_fd fd(sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) return out.fail<pid_t>(last_error(), "open pid file", path);
    char text[32]; // a pid has at most 10 digits; a longer file is not a pid file
    const ssize_t got = sys::read(fd.get(), text, sizeof text);
    if (got < 0) return out.fail<pid_t>(last_error(), "read pid file", path);
    const pid_t pid = parse({text, static_cast<std::size_t>(got)});
    if (pid == 0) out.set(errc::malformed, "read pid file", path, "the file does not contain a process id");
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
