// SPDX-License-Identifier: MIT
/// @file lock.hpp: at most one holder per path, and who that is.
/// Layer: 2 (policy).  Test: test/toolkit/lock_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never, unless a function says so.
/// Fork: parent and child share the lock. Only the process that took it, or `adopt`ed it, releases; elsewhere the
///       destructor just closes its copy. exec drops it (close-on-exec).
/// Source: flock(2), fcntl(2) "Open file description locks", open(2).
///
/// After locking, path and descriptor must be one inode; else A locks, B opens, A unlinks and leaves, B locks a nameless
/// file, C creates and locks a new one: two holders. With that check the file can be removed at release, under the lock.
#pragma once

#include "clock.hpp"
#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <charconv>
#include <concepts>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// How a descriptor is locked. `try_lock` returns 0, or the errno: EWOULDBLOCK means held by another and nothing else does
/// (ENOLCK and EOPNOTSUPP mean that this file system cannot lock, and must never be read as "free"). `probe` answers alike
/// without keeping anything, and two probes never see each other: else two askers would make a stale file look held.
template <class M> concept lock_mechanism = requires(int fd) {
    { M::try_lock(fd) } -> std::same_as<int>;
    { M::probe(fd) } -> std::same_as<int>;
    { M::unlock(fd) } -> std::same_as<void>;
};

/// A lock that lasts as long as one copy of its descriptor is open, in whichever process; `shared_by_copies` says so. Locks of
/// fcntl(2) F_SETLK belong to one process and do not.
template <class M> concept shared_lock_mechanism = lock_mechanism<M> && requires { requires M::shared_by_copies; };

/// flock(2): Linux, BSD, macOS; survives fork, is not lost when an unrelated descriptor of the file is closed.
struct flock_lock {
    static int try_lock(int fd) noexcept { return sys::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }
    static int probe(int fd) noexcept { // flock(2) cannot ask: a shared lock for a moment
        if (sys::flock(fd, LOCK_SH | LOCK_NB) == -1) return errno;
        unlock(fd);
        return 0;
    }
    static void unlock(int fd) noexcept { sys::flock(fd, LOCK_UN); }
    static constexpr bool shared_by_copies = true;
};

#if MATO_HAS_OFD_LOCKS
/// Open file description lock: as flock, and seen by NFS servers. It and flock do not see each other.
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

/// Excludes nobody: for a daemon whose supervisor already keeps it single.
struct null_lock {
    static int try_lock(int) noexcept { return 0; }
    static int probe(int) noexcept { return 0; }
    static void unlock(int) noexcept {}
    static constexpr bool shared_by_copies = true;
};

static_assert(lock_mechanism<flock_lock> && lock_mechanism<null_lock>);

/// Who holds a lock, as the lock file says. Informational: act on it through `signal_holder`, never through kill(2).
struct lock_holder {
    pid_t pid = 0; ///< 0: the holder has not written it yet; a number of the holder's pid namespace, which may be another
};

/// A process that something other than the lock file names, see basic_client::signal_daemon.
struct found_process {
    unique_fd process{}; ///< a pidfd, where the system has them
    pid_t number = 0;    ///< in this process's pid namespace; 0: it has none here
};

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

    /// Takes the lock, or tells who holds it. A loser changes nothing.
    ///
    /// @pre     the directory exists and is private (see endpoint.hpp).
    /// @effects creates `path` 0600 when absent; writes the pid only after the lock is held, and, where there is proc(5), a
    ///          second line: pid namespace, boot, start time in ticks. A file with the pid alone is read as well.
    /// @errors  ELOOP: the last component is a symlink · ENOLCK, EOPNOTSUPP: cannot lock here · any of open(2).
    [[nodiscard]] static attempt try_acquire(const std::string& path);
    [[nodiscard]] static attempt try_acquire(const std::string& path, error_out out);

    /// As `try_acquire`, but a held lock is the error `errc::already_running` whose detail names the pid.
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path);
    [[nodiscard]] static basic_instance_lock acquire(const std::string& path, error_out out);

    /// Locks a directory itself, which leaves no file behind: the lock clients take while one of them starts the daemon.
    /// @blocks until it is free or `until` has passed (`errc::timed_out`); polls, because flock(2) has no time-out.
    /// @errors timed_out · any of open(2) · EBADF: ofd_lock needs a writable descriptor, which no directory has.
    [[nodiscard]] static basic_instance_lock acquire_directory(const std::string& directory, deadline until, error_out out);

    /// Sends `signal` to the holder, and to no other process: the lock must be held, the file must name a process of this boot
    /// and pid namespace that began when the file says, and all that must still be so after the process was pinned by a pidfd.
    /// @returns the pid signalled, else 0. `signal` 0 only asks.
    /// @errors  not_running: nothing holds it · malformed: no usable pid in it · holder_not_proved: it is held, but which
    /// process
    ///          here holds it is not certain; nothing was signalled · EPERM: running, not yours.
    static pid_t signal_holder(const std::string& path, int signal, error_out out) {
        return signal_holder(
            path, signal, [](error_out) { return found_process(); }, out);
    }
    /// As above; where the file is no proof, `find(error_out)` says a process, which is believed when its namespace, number
    /// there, boot and start are the file's, or, of a file with the pid alone, its number.
    template <class Find> static pid_t signal_holder(const std::string& path, int signal, Find find, error_out out);

    [[nodiscard]] bool is_held() const noexcept { return static_cast<bool>(fd_); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Whether the name still is the locked inode: false once something removed or replaced the file.
    [[nodiscard]] bool verify() const noexcept;

    /// To be kept open while detaching (detach.hpp); -1 when nothing is held.
    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }

    /// Makes the calling process the owner, after a fork, and writes its pid.
    void adopt(error_out out);

    /// Closes this process's copy and leaves lock and file to the others: what a parent does once its child has `adopt`ed.
    void abandon() noexcept { fd_.reset(); }

    /// Removes the file, if it still is ours, while the lock is held; then unlocks, also for copies that a child kept.
    void release() noexcept;

private:
    basic_instance_lock(unique_fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)), owner_(sys::getpid()) {}

    static constexpr std::size_t max_pid_line = 11; // bytes: the 10 digits of the largest pid_t, and the newline
    static constexpr std::size_t max_text = 128;    // bytes: the pid, two numbers of 20 digits, a boot id of 36 characters
    struct holder_text {
        pid_t pid = 0;
        std::string place, start; // "NAMESPACE BOOT", ticks; empty: it says the pid alone
        bool operator==(const holder_text&) const = default;
    };
    static std::string read_text(int fd);
    static bool is_alive(pid_t pid) noexcept;
    static holder_text parse(const std::string& text);
    static holder_text read_holder(const std::string& path, error_out out);
    static std::string place_of(const std::string& process);
    static std::string inner_pid_of(const std::string& process);
    static std::string start_of(const std::string& process);
    static bool prove(const holder_text& said, std::string& why_not);
    static bool is_meant(const holder_text& said, pid_t number);
    static bool is_named(int fd, const std::string& path, struct ::stat& opened) noexcept;
    void write_pid(off_t size_before, error_out out);

    unique_fd fd_;
    std::string path_;
    pid_t owner_ = 0;
    bool leaves_file_ = true; // a directory lock owns no file
};

using instance_lock = basic_instance_lock<>;

/// The lock, or its holder.
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
    constexpr int most_races = 100; // each lost race is another process's whole life; so many in a row is a fault
    constexpr int most_pauses = 20; // 100 ms in all for a holder to say its pid
    constexpr long pause_ms = 5;
    attempt result;
    for (int race = 0; race < most_races; ++race) {
        unique_fd fd(sys::open_private(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK));
        if (!fd) return out.set(last_error(), "open lock file", path), std::move(result);
        if (const int why = M::try_lock(fd.get()); why == EWOULDBLOCK) {
            const pid_t pid = parse(read_text(fd.get())).pid;
            const bool only_probed = M::probe(fd.get()) == 0;
            if (!only_probed && (race >= most_pauses || is_alive(pid))) {
                result.holder_.pid = pid;
                return result;
            }
            sys::sleep_ms(pause_ms); // between lock and write, or only probed by `signal_holder`: a matter of microseconds
            continue;
        } else if (why != 0) {
            return out.set({why, std::system_category()}, "lock", path), std::move(result);
        }
        struct ::stat opened {};
        if (!is_named(fd.get(), path, opened)) continue;
        basic_instance_lock lock(std::move(fd), path);
        lock.write_pid(opened.st_size, out);
        if (out.failed()) return result;
        result.lock_ = std::move(lock);
        return result;
    }
    out.set(errc::busy, "lock", path, "the file was replaced or asked about again and again");
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

template <class M> auto basic_instance_lock<M>::acquire_directory(const std::string& directory, deadline until, error_out out)
    -> basic_instance_lock {
    constexpr long first_ms = 1, longest_ms = 20; // a start takes a few ms; 20 keeps a hundred waiters under 1% of a core
    unique_fd fd(sys::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (!fd) return out.set(last_error(), "open directory", directory), basic_instance_lock();
    for (long pause = first_ms;; pause = pause * 2 < longest_ms ? pause * 2 : longest_ms) {
        const int why = M::try_lock(fd.get());
        if (why == 0) break;
        if (why != EWOULDBLOCK) return out.set({why, std::system_category()}, "lock", directory), basic_instance_lock();
        if (until.passed()) return out.set(errc::timed_out, "lock", directory), basic_instance_lock();
        const long left = until.poll_timeout();
        sys::sleep_ms(pause < left ? pause : left);
    }
    basic_instance_lock lock(std::move(fd), directory);
    lock.leaves_file_ = false;
    return lock;
}

template <class M> auto basic_instance_lock<M>::read_holder(const std::string& path, error_out out) -> holder_text {
    unique_fd fd(sys::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) {
        const bool absent = errno == ENOENT;
        return out.set(absent ? make_error_code(errc::not_running) : last_error(), "open lock file", path), holder_text();
    }
    if (const int why = M::probe(fd.get()); why == 0) {
        return out.set(errc::not_running, "find holder", path), holder_text();
    } else if (why != EWOULDBLOCK) {
        return out.set({why, std::system_category()}, "lock", path), holder_text();
    }
    auto said = parse(read_text(fd.get()));
    if (said.pid <= 0) out.set(errc::malformed, "find holder", path, "the lock is held, but its file names no process");
    return said;
}

template <class M> template <class Find>
pid_t basic_instance_lock<M>::signal_holder(const std::string& path, int signal, Find find, error_out out) {
    const holder_text said = read_holder(path, out);
    if (out.failed()) return 0;
    found_process holder{unique_fd(sys::pidfd_open(said.pid)), said.pid};
    std::error_code open_error;
    if (!holder.process && (errno != ENOSYS || (sys::kill(said.pid, 0) == -1 && errno == ESRCH))) open_error = last_error();
    std::string why_not;
    if (!open_error) holder.number = prove(said, why_not) ? said.pid : 0;
    if (open_error || holder.number == 0) {
        failure unknown;
        found_process found = find(error_out(unknown));
        if (found.number > 0 && !found.process) {
            found.process = unique_fd(sys::pidfd_open(found.number));
            if (!found.process && errno != ENOSYS) found.number = 0;
        }
        if (found.number == 0 || !is_meant(said, found.number)) {
            if (open_error) return out.set(open_error, "find process " + std::to_string(said.pid), path), 0;
            return out.set(errc::holder_not_proved, "find holder", path, std::move(why_not)), 0;
        }
        holder = std::move(found);
    }
    if (const auto again = read_holder(path, out); out.failed() || !(again == said)) {
        if (!out.failed()) out.set(errc::not_running, "find holder", path, "the holder changed");
        return 0;
    }
    const int sent = holder.process ? sys::pidfd_send_signal(holder.process.get(), signal) : sys::kill(holder.number, signal);
    if (sent == -1) return out.set(last_error(), "signal process " + std::to_string(holder.number), path), 0;
    return holder.number;
}

/// Whether the file's own words prove that its number means this process here; else why not.
template <class M> bool basic_instance_lock<M>::prove(const holder_text& said, std::string& why_not) {
#if MATO_HAS_PROC
    const std::string number = "process " + std::to_string(said.pid);
    if (said.place.empty())
        why_not =
            "the lock file names " + number + " alone, not its pid namespace, boot and start; it may be another process by now";
    else if (const auto here = place_of("self"); here.empty())
        why_not = "/proc does not say this process's pid namespace, so it is not certain which one " + number + " is";
    else if (said.place != here)
        why_not = "it is " + number + " of another pid namespace, boot or machine; signal it from there";
    else if (said.start != start_of(std::to_string(said.pid)))
        why_not = number + " is not the one that took the lock: it began at another time";
#else
    static_cast<void>(said);
#endif
    return why_not.empty();
}

/// Whether what was found otherwise is the process that the file means: by its number in its own pid namespace, which is the
/// file's, and its start, which alone is no proof: several processes begin in one tick.
template <class M> bool basic_instance_lock<M>::is_meant(const holder_text& said, pid_t number) {
    if (said.place.empty()) return number == said.pid;
    const auto process = std::to_string(number);
    return said.place == place_of(process) && said.start == start_of(process) &&
           std::to_string(said.pid) == inner_pid_of(process);
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
    const auto place = place_of("self"), start = start_of("self");
    if (!place.empty() && !start.empty()) text += place + " " + start + "\n";
#endif
    const auto size = static_cast<off_t>(text.size());
    // Not emptied first: ext4 writes a file that was to disk at its close (auto_da_alloc), for which a start would wait.
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

template <class M> std::string basic_instance_lock<M>::read_text(int fd) {
    char text[max_text + 1]; // what fills it is no lock file of ours
    const ssize_t got = sys::pread(fd, text, sizeof text, 0);
    return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

template <class M> bool basic_instance_lock<M>::is_alive(pid_t pid) noexcept {
    return pid > 0 && (sys::kill(pid, 0) == 0 || errno == EPERM);
}

/// "PID\n" or "PID\nNAMESPACE BOOT START\n"; no pid for anything else.
template <class M> auto basic_instance_lock<M>::parse(const std::string& text) -> holder_text {
    holder_text said;
    const char* const end = text.data() + text.size();
    pid_t pid = 0;
    const auto [rest, why] = std::from_chars(text.data(), end, pid);
    if (why != std::errc() || pid <= 0 || rest == end || *rest != '\n') return said;
    const auto first = static_cast<std::size_t>(rest + 1 - text.data());
    if (first > max_pid_line || text.size() > max_text) return said;
    if (first < text.size()) {
        const auto space = text.find(' ', first), last = text.rfind(' ');
        if (space == std::string::npos || last <= space + 1 || last + 2 >= text.size() ||
            text.find('\n', first) != text.size() - 1)
            return said;
        said.place = text.substr(first, last - first);
        said.start = text.substr(last + 1, text.size() - last - 2);
    }
    said.pid = pid;
    return said;
}

#if MATO_HAS_PROC
/// "NAMESPACE BOOT"; empty where proc(5) does not say. Not kept: a child may be in another namespace. `process`: a number, or
/// "self".
template <class M> std::string basic_instance_lock<M>::place_of(const std::string& process) {
    const unique_fd space(sys::open(("/proc/" + process + "/ns/pid").c_str(), O_RDONLY));
    struct ::stat number {};
    const unique_fd boot(sys::open("/proc/sys/kernel/random/boot_id", O_RDONLY));
    char text[40];
    const ssize_t got = boot && space && sys::fstat(space.get(), &number) == 0 ? sys::read(boot.get(), text, sizeof text) : -1;
    if (got < 2) return {};
    return std::to_string(number.st_ino) + " " +
           std::string(text, static_cast<std::size_t>(got) - (text[got - 1] == '\n' ? 1 : 0));
}

/// proc(5) stat, field 22: when it began, in ticks since the boot. `process`: a number, or "self".
template <class M> std::string basic_instance_lock<M>::start_of(const std::string& process) {
    const unique_fd file(sys::open(("/proc/" + process + "/stat").c_str(), O_RDONLY));
    char text[1024]; // 52 numbers and a name
    const ssize_t got = file ? sys::read(file.get(), text, sizeof text) : -1;
    const std::string fields(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    std::size_t at = fields.rfind(')'); // a name may hold anything but the end of the line
    for (int field = 2; field < 22 && at != std::string::npos; ++field) at = fields.find(' ', at + 1);
    if (at == std::string::npos) return {};
    return fields.substr(at + 1, fields.find(' ', at + 1) - at - 1);
}
/// proc(5) status, the last number of NSpid: its pid in its own namespace.
template <class M> std::string basic_instance_lock<M>::inner_pid_of(const std::string& process) {
    const unique_fd file(sys::open(("/proc/" + process + "/status").c_str(), O_RDONLY));
    char text[4096];
    const ssize_t got = file ? sys::read(file.get(), text, sizeof text) : -1;
    const std::string lines(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::size_t line = lines.find("\nNSpid:");
    const std::size_t end = line == std::string::npos ? line : lines.find('\n', line + 1);
    if (end == std::string::npos) return {};
    return lines.substr(lines.rfind('\t', end) + 1, end - lines.rfind('\t', end) - 1);
}
#else
template <class M> std::string basic_instance_lock<M>::place_of(const std::string&) { return {}; }
template <class M> std::string basic_instance_lock<M>::inner_pid_of(const std::string&) { return {}; }
template <class M> std::string basic_instance_lock<M>::start_of(const std::string&) { return {}; }
#endif

template <class M> bool basic_instance_lock<M>::is_named(int fd, const std::string& path, struct ::stat& opened) noexcept {
    struct ::stat named {};
    return sys::fstat(fd, &opened) == 0 && sys::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

} // namespace MATO_ABI
} // namespace mato
