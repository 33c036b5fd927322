// SPDX-License-Identifier: MIT
/// @file lock.hpp: a lock file with at most one holder per path, and the pid of the holder.
/// Layer: 2 (policy).  Test: test/toolkit/lock_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never, unless a function says so.
/// Fork: parent and child share the lock. Only the process that acquired or `adopt`ed it releases it; in other processes the
///       destructor only closes the descriptor. exec closes it (close-on-exec).
/// Source: flock(2), fcntl(2) "Open file description locks", open(2).
///
/// After locking, path and descriptor must refer to the same inode. Otherwise two processes could hold the lock: A locks, B
/// opens, A unlinks and exits, B locks the unlinked file, C creates and locks a new one. With this check the file can be
/// removed at release, while the lock is held.
#pragma once

#include "clock.hpp"
#include "detail/lock_holder.hpp"
#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <concepts>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// How a descriptor is locked. `try_lock` returns 0 or an errno: only EWOULDBLOCK means held by another process (ENOLCK and
/// EOPNOTSUPP mean that this file system has no locks, and must not be taken for "free"). `probe` returns the same without
/// keeping the lock. Two probes must not see each other, or two processes probing at the same time would see a stale file as
/// held.
template <class M> concept lock_mechanism = requires(int fd) {
    { M::try_lock(fd) } -> std::same_as<int>;
    { M::probe(fd) } -> std::same_as<int>;
    { M::unlock(fd) } -> std::same_as<void>;
};

/// A lock that lasts as long as one copy of its descriptor is open, in whichever process; `shared_by_copies` says so. Locks of
/// fcntl(2) F_SETLK belong to one process and do not.
template <class M> concept shared_lock_mechanism = lock_mechanism<M> && requires { requires M::shared_by_copies; };

/// flock(2): Linux, BSD, macOS. It survives fork, and closing another descriptor of the file does not release it.
///
/// The default mechanism.
///
/// @threads safe.
/// @fork parent and child share the lock.
/// @blocks never.
struct flock_lock {
    static int try_lock(int fd) noexcept { return sys::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }
    static int probe(int fd) noexcept { // flock(2) has no query: take a shared lock briefly
        if (sys::flock(fd, LOCK_SH | LOCK_NB) == -1) return errno;
        unlock(fd);
        return 0;
    }
    static void unlock(int fd) noexcept { sys::flock(fd, LOCK_UN); }
    static constexpr bool shared_by_copies = true;
};

#if MATO_HAS_OFD_LOCKS
/// Open file description lock: like flock, and works over NFS. OFD locks and flock do not see each other.
///
/// @threads safe.
/// @fork parent and child share the lock.
/// @blocks never.
///
/// @code
/// using ofd_instance_lock = mato::basic_instance_lock<mato::ofd_lock>; // over NFS, for example
/// const auto other = ofd_instance_lock::acquire(path + ".ofd", why);
/// @endcode
struct ofd_lock {
    static int try_lock(int fd) noexcept {
        const int why = set(fd, F_WRLCK);
        return why == EACCES ? EWOULDBLOCK : why;
    }
    static int probe(int fd) noexcept {
        struct flock whole = whole_file(F_WRLCK);
        if (sys::fcntl(fd, F_OFD_GETLK, &whole) == -1) return errno;
        return whole.l_type == F_UNLCK ? 0 : EWOULDBLOCK;
    }
    static void unlock(int fd) noexcept { set(fd, F_UNLCK); }
    static constexpr bool shared_by_copies = true;

private:
    static struct flock whole_file(short type) noexcept {
        struct flock whole {};
        whole.l_type = type;
        whole.l_whence = SEEK_SET;
        return whole;
    }
    static int set(int fd, short type) noexcept {
        struct flock whole = whole_file(type);
        return sys::fcntl(fd, F_OFD_SETLK, &whole) == -1 ? errno : 0;
    }
};
static_assert(lock_mechanism<ofd_lock>);
#endif

/// No lock: for a daemon whose supervisor already starts only one.
///
/// Every attempt succeeds.
///
/// @threads safe.
/// @blocks never.
struct null_lock {
    static int try_lock(int) noexcept { return 0; }
    static int probe(int) noexcept { return 0; }
    static void unlock(int) noexcept {}
    static constexpr bool shared_by_copies = true;
};

static_assert(lock_mechanism<flock_lock> && lock_mechanism<null_lock>);

/// The holder of a lock according to the lock file. For messages only: to signal it use `signal_holder`, never kill(2).
///
/// @threads a value.
/// @blocks never.
struct lock_holder {
    pid_t pid = 0; ///< in the holder's pid namespace, which may be a different one; 0: not written yet
};

/// A process found by other means than the lock file, see basic_client::signal_daemon.
///
/// The pidfd pins the process, so that its pid cannot be reused while it is checked.
///
/// @threads a value.
/// @blocks never.
struct found_process {
    unique_fd process{}; ///< a pidfd, if the system has them
    pid_t number = 0;    ///< its pid in this process's pid namespace; 0: none here
};

/// A lock file that at most one process holds. `instance_lock` uses flock(2).
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork parent and child share the lock; only the process that acquired or `adopt`ed it releases it.
/// @blocks never, except `acquire` and `acquire_directory` until their deadline and `try_acquire` for at most 100 ms while a
/// holder writes its pid.
///
/// @code
/// auto attempt = mato::instance_lock::try_acquire(std::string(argv[1]) + "/app.lock", why);
/// if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), 69;
/// if (!attempt) return std::fprintf(stderr, "already running, pid %d\n", static_cast<int>(attempt.holder().pid)), 75;
/// const mato::instance_lock lock = *std::move(attempt); // held until main returns or the process dies
/// @endcode
template <class Mechanism = flock_lock> class basic_instance_lock {
    static_assert(lock_mechanism<Mechanism>,
                  "mato: a lock mechanism needs static noexcept `int try_lock(int fd)` and `int probe(int fd)` (0 or errno), "
                  "and `void unlock(int fd)`");

public:
    class attempt;

    /// Holds nothing.
    basic_instance_lock() noexcept = default;
    basic_instance_lock(basic_instance_lock&&) noexcept = default;
    basic_instance_lock& operator=(basic_instance_lock&& other) noexcept;
    ~basic_instance_lock() { release(); }

    /// Acquires the lock, or returns its holder. Changes nothing if another process holds it.
    ///
    /// @pre     the directory exists and is private (see endpoint.hpp).
    /// @effects creates `path` with mode 0600 if it does not exist. Writes the pid after the lock is held and, with proc(5), a
    ///          second line: pid namespace, boot id, start time in ticks. Files with only the pid can be read too.
    /// @errors  ELOOP: the last component is a symlink · ENOLCK, EOPNOTSUPP: no locks here · any of open(2).
    [[nodiscard]] static attempt try_acquire(const std::string& path);
    [[nodiscard]] static attempt try_acquire(const std::string& path, error_out out);

    /// As `try_acquire`, but a held lock is the error `errc::already_running`, whose detail has the pid.
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path);
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path, error_out out);

    /// As `acquire`, but waits for a held lock, for example of a daemon that is stopping.
    /// @blocks until the lock is free or `until` has passed; polls, because flock(2) has no time-out.
    /// @errors as `acquire`; already_running after the deadline.
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path, deadline until, error_out out);

    /// Locks the directory itself, so no file remains. Clients take this lock while one of them starts the daemon.
    /// @blocks until the lock is free or `until` has passed (`errc::timed_out`); polls, because flock(2) has no time-out.
    /// @errors timed_out · any of open(2) · EBADF: ofd_lock needs a writable descriptor, which directories do not have.
    [[nodiscard]] static basic_instance_lock acquire_directory(const std::string& directory, deadline until, error_out out);

    /// Sends `signal` to the holder, and to no other process. The lock must be held. The file must name a process of this boot
    /// and pid namespace with the recorded start time. All of this is checked again after the process was opened as a pidfd.
    /// @returns the pid signalled, else 0. `signal` 0 only checks.
    /// @errors  not_running: no process holds it · malformed: no valid pid in the file · holder_not_proved: it is held, but it
    /// is
    ///          not certain by which process; nothing was signalled · EPERM: it runs as another user.
    static pid_t signal_holder(const std::string& path, int signal, error_out out) {
        return signal_holder(
            path, signal, [](error_out) { return found_process(); }, out);
    }
    /// As above. If the file is not proof enough, `find(error_out)` names a process. It is accepted if its namespace, pid
    /// there, boot and start time match the file, or only the pid for a file with the pid alone.
    template <class Find> static pid_t signal_holder(const std::string& path, int signal, Find find, error_out out);

    [[nodiscard]] bool is_held() const noexcept { return static_cast<bool>(fd_); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Whether the name still refers to the locked inode: false after the file was removed or replaced.
    [[nodiscard]] bool verify() const noexcept;

    /// The descriptor, to be kept open while detaching (detach.hpp); -1 when the lock is not held.
    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }

    /// After a fork: makes the calling process the owner and writes its pid.
    void adopt(error_out out);

    /// A copy of a lock that process `owner` holds, in a program that `owner` started. `release` only closes it, until `adopt`.
    [[nodiscard]] static basic_instance_lock inherit(unique_fd fd, std::string path, pid_t owner) {
        basic_instance_lock copy(std::move(fd), std::move(path));
        copy.owner_ = owner;
        return copy;
    }

    /// Closes this process's descriptor without releasing the lock or removing the file: for the parent of a child that
    /// `adopt`s.
    void abandon() noexcept { fd_.reset(); }

    /// Removes the file if it still is the locked one, then unlocks, also for descriptors that a child still has.
    void release() noexcept;

private:
    basic_instance_lock(unique_fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)), owner_(sys::getpid()) {}

    static bool is_alive(pid_t pid) noexcept;
    static detail::holder_text read_holder(const std::string& path, error_out out);
    static bool is_named(int fd, const std::string& path, struct ::stat& opened) noexcept;
    void write_pid(off_t size_before, error_out out);

    unique_fd fd_;
    std::string path_;
    pid_t owner_ = 0;
    bool leaves_file_ = true; // false for a directory lock, which has no file to remove
};

using instance_lock = basic_instance_lock<>;

/// The result of `try_acquire`: the lock, or its holder.
///
/// It converts to true if the lock was acquired. `*attempt` is the lock, `holder()` the holder otherwise.
///
/// @threads a value.
/// @blocks never.
template <class Mechanism> class basic_instance_lock<Mechanism>::attempt {
public:
    [[nodiscard]] explicit operator bool() const noexcept { return lock_.is_held(); }
    [[nodiscard]] basic_instance_lock& operator*() & noexcept { return lock_; }
    [[nodiscard]] basic_instance_lock&& operator*() && noexcept { return std::move(lock_); }
    [[nodiscard]] lock_holder holder() const noexcept { return holder_; }

private:
    friend basic_instance_lock;
    basic_instance_lock lock_;
    lock_holder holder_;
};

// ---- implementation ----

template <class M> basic_instance_lock<M>& basic_instance_lock<M>::operator=(basic_instance_lock&& other) noexcept {
    if (this != &other) {
        release();
        fd_ = std::move(other.fd_);
        path_ = std::move(other.path_);
        owner_ = other.owner_;
        leaves_file_ = other.leaves_file_;
    }
    return *this;
}

template <class M> auto basic_instance_lock<M>::try_acquire(const std::string& path) -> attempt {
    return or_throw([&](failure& why) { return try_acquire(path, why); });
}

template <class M> auto basic_instance_lock<M>::try_acquire(const std::string& path, error_out out) -> attempt {
    constexpr int most_races = 100; // each lost race is the complete life of another process; so many in a row is an error
    constexpr int most_pauses = 20; // 100 ms in total for a holder to write its pid
    constexpr long pause_ms = 5;
    attempt result;
    for (int race = 0; race < most_races; ++race) {
        unique_fd fd(sys::open_private(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK));
        if (!fd) return out.fail<attempt>(last_error(), "open lock file", path);
        if (const int why = M::try_lock(fd.get()); why == EWOULDBLOCK) {
            const pid_t pid = detail::parse_holder(detail::read_lock_text(fd.get())).pid;
            const bool only_probed = M::probe(fd.get()) == 0;
            if (!only_probed && (race >= most_pauses || is_alive(pid))) {
                result.holder_.pid = pid;
                return result;
            }
            sys::sleep_ms(pause_ms); // the pid is not written yet, or `signal_holder` probes the lock: takes microseconds
            continue;
        } else if (why != 0) {
            return out.fail<attempt>({why, std::system_category()}, "lock", path);
        }
        struct ::stat opened {};
        if (!is_named(fd.get(), path, opened)) continue;
        basic_instance_lock lock(std::move(fd), path);
        lock.write_pid(opened.st_size, out);
        if (out.failed()) return result;
        result.lock_ = std::move(lock);
        return result;
    }
    out.set(errc::busy, "lock", path,
            "other processes kept replacing or probing the file while this one tried to lock it; try again");
    return result;
}

template <class M> auto basic_instance_lock<M>::acquire(const std::string& path) -> basic_instance_lock {
    return or_throw([&](failure& why) { return acquire(path, why); });
}

template <class M> auto basic_instance_lock<M>::acquire(const std::string& path, error_out out) -> basic_instance_lock {
    auto got = try_acquire(path, out);
    if (!got && !out.failed()) {
        const pid_t pid = got.holder().pid;
        out.set(errc::already_running, "lock", path,
                pid > 0 ? "already running, pid " + std::to_string(pid) : "already running, pid not yet known");
    }
    return *std::move(got);
}

template <class M> auto basic_instance_lock<M>::acquire(const std::string& path, deadline until, error_out out)
    -> basic_instance_lock {
    constexpr long longest_ms = 20; // a stop takes a few ms
    for (long pause = 1;; pause = pause < longest_ms ? 2 * pause : longest_ms) {
        failure why;
        auto lock = acquire(path, why);
        const bool is_held = why.code == errc::already_running || why.code == errc::busy;
        if (!is_held || until.passed()) {
            if (why) out.set(why);
            return lock;
        }
        const long left = until.poll_timeout();
        sys::sleep_ms(pause < left ? pause : left);
    }
}

template <class M> auto basic_instance_lock<M>::acquire_directory(const std::string& directory, deadline until, error_out out)
    -> basic_instance_lock {
    constexpr long first_ms = 1, longest_ms = 20; // a start takes a few ms; with 20 ms a hundred waiters use below 1% of a core
    unique_fd fd(sys::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (!fd) return out.fail<basic_instance_lock>(last_error(), "open directory", directory);
    for (long pause = first_ms;; pause = pause * 2 < longest_ms ? pause * 2 : longest_ms) {
        const int why = M::try_lock(fd.get());
        if (why == 0) break;
        if (why != EWOULDBLOCK) return out.fail<basic_instance_lock>({why, std::system_category()}, "lock", directory);
        if (until.passed()) return out.fail<basic_instance_lock>(errc::timed_out, "lock", directory);
        const long left = until.poll_timeout();
        sys::sleep_ms(pause < left ? pause : left);
    }
    basic_instance_lock lock(std::move(fd), directory);
    lock.leaves_file_ = false;
    return lock;
}

template <class M> auto basic_instance_lock<M>::read_holder(const std::string& path, error_out out) -> detail::holder_text {
    unique_fd fd(sys::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) {
        const bool absent = errno == ENOENT;
        return out.fail<detail::holder_text>(absent ? make_error_code(errc::not_running) : last_error(), "open lock file",
                                             path);
    }
    if (const int why = M::probe(fd.get()); why == 0) {
        return out.fail<detail::holder_text>(errc::not_running, "find holder", path);
    } else if (why != EWOULDBLOCK) {
        return out.fail<detail::holder_text>({why, std::system_category()}, "lock", path);
    }
    auto said = detail::parse_holder(detail::read_lock_text(fd.get()));
    if (said.pid <= 0)
        out.set(errc::malformed, "find holder", path, "the lock is held, but its file contains no valid process id");
    return said;
}

template <class M> template <class Find>
pid_t basic_instance_lock<M>::signal_holder(const std::string& path, int signal, Find find, error_out out) {
    const detail::holder_text said = read_holder(path, out);
    if (out.failed()) return 0;
    found_process holder{unique_fd(sys::pidfd_open(said.pid)), said.pid};
    std::error_code open_error;
    if (!holder.process && (errno != ENOSYS || (sys::kill(said.pid, 0) == -1 && errno == ESRCH))) open_error = last_error();
    std::string why_not;
    if (!open_error) holder.number = detail::is_proved(said, why_not) ? said.pid : 0;
    if (open_error || holder.number == 0) {
        failure unknown;
        found_process found = find(error_out(unknown));
        if (found.number > 0 && !found.process) {
            found.process = unique_fd(sys::pidfd_open(found.number));
            if (!found.process && errno != ENOSYS) found.number = 0;
        }
        if (found.number == 0 || !detail::is_meant(said, found.number)) {
            if (open_error) return out.fail<pid_t>(open_error, "find process " + std::to_string(said.pid), path);
            return out.fail<pid_t>(errc::holder_not_proved, "find holder", path, std::move(why_not));
        }
        holder = std::move(found);
    }
    if (const auto again = read_holder(path, out); out.failed() || !(again == said)) {
        if (!out.failed())
            out.set(errc::not_running, "find holder", path, "another process acquired the lock in the meantime; try again");
        return 0;
    }
    const int sent = holder.process ? sys::pidfd_send_signal(holder.process.get(), signal) : sys::kill(holder.number, signal);
    if (sent == -1) return out.fail<pid_t>(last_error(), "signal process " + std::to_string(holder.number), path);
    return holder.number;
}

template <class M> bool basic_instance_lock<M>::verify() const noexcept {
    struct ::stat opened {};
    return fd_ && is_named(fd_.get(), path_, opened);
}

template <class M> void basic_instance_lock<M>::adopt(error_out out) {
    if (!fd_) return out.set(errc::lock_not_held, "adopt lock", path_);
    owner_ = sys::getpid();
    struct ::stat now {};
    if (sys::fstat(fd_.get(), &now) == -1) return out.set(last_error(), "stat lock file", path_);
    write_pid(now.st_size, out);
}

template <class M> void basic_instance_lock<M>::write_pid(off_t size_before, error_out out) {
    std::string text = std::to_string(owner_) + "\n";
#if MATO_HAS_PROC
    const auto place = detail::place_of("self"), start = detail::start_of("self");
    if (!place.empty() && !start.empty()) text += place + " " + start + "\n";
#endif
    const auto size = static_cast<off_t>(text.size());
    // Not truncated first: ext4 writes a truncated file to disk when it is closed (auto_da_alloc), and the start would wait.
    const ssize_t written = sys::pwrite(fd_.get(), text.data(), text.size(), 0);
    if (written != size)
        return out.set(written < 0 ? last_error() : std::error_code(ENOSPC, std::system_category()), "write lock file", path_);
    if (size_before > size && sys::ftruncate(fd_.get(), size) == -1) out.set(last_error(), "truncate lock file", path_);
}

template <class M> void basic_instance_lock<M>::release() noexcept {
    if (!fd_) return;
    if (owner_ == sys::getpid()) {
        if (leaves_file_ && verify()) sys::unlink(path_.c_str());
        M::unlock(fd_.get());
    }
    fd_.reset();
}

template <class M> bool basic_instance_lock<M>::is_alive(pid_t pid) noexcept {
    return pid > 0 && (sys::kill(pid, 0) == 0 || errno == EPERM);
}

template <class M> bool basic_instance_lock<M>::is_named(int fd, const std::string& path, struct ::stat& opened) noexcept {
    struct ::stat named {};
    return sys::fstat(fd, &opened) == 0 && sys::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

} // namespace MATO_ABI
} // namespace mato
