// SPDX-License-Identifier: MIT
/// @file child_process.hpp: runs a lambda in a forked child, waits for it with a deadline; gates between processes.
///
/// Calls the system directly and not through mato's seam, so that injected faults do not affect it.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace support {

using namespace std::chrono_literals;

/// Whether `fd` became readable, or its writers closed, in time.
[[nodiscard]] inline bool await_readable(int fd, std::chrono::milliseconds limit = 10s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        pollfd waiting{fd, POLLIN, 0};
        const int ready = ::poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

/// A pipe as a gate: `pass` waits until every other holder of the write end has called `open` or died.
class gate {
public:
    gate() {
        if (::pipe2(ends_, O_CLOEXEC) == -1) throw std::runtime_error("pipe2");
    }
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() {
        open();
        ::close(ends_[0]);
    }
    void open() {
        if (ends_[1] != -1) ::close(std::exchange(ends_[1], -1));
    }
    /// Closes the own write end; false if the gate was not opened in time.
    bool pass(std::chrono::milliseconds limit = 30s) {
        open();
        return await_readable(ends_[0], limit);
    }

private:
    int ends_[2]{-1, -1};
};

/// Plain values from children to the test; each at most PIPE_BUF bytes, so that writes are atomic.
template <class T> class mailbox {
    static_assert(sizeof(T) <= 512);

public:
    mailbox() {
        if (::pipe2(ends_, O_CLOEXEC) == -1) throw std::runtime_error("pipe2");
    }
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    ~mailbox() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    void put(const T& value) const {
        if (::write(ends_[1], &value, sizeof value) != static_cast<ssize_t>(sizeof value)) std::abort();
    }
    [[nodiscard]] std::optional<T> take(std::chrono::milliseconds limit = 10s) const {
        T value;
        if (!await_readable(ends_[0], limit) || ::read(ends_[0], &value, sizeof value) != static_cast<ssize_t>(sizeof value))
            return std::nullopt;
        return value;
    }

private:
    int ends_[2]{-1, -1};
};

/// A forked child that runs `body`, an `int()`, and exits with its result. The destructor kills and reaps it.
class child_process {
public:
    static constexpr int timed_out = -1000; ///< the result of `wait` for a child that it had to kill

    /// The child starts with default dispositions, without the test framework's handlers.
    template <class F> explicit child_process(F body) {
        sigset_t all, before;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        pid_ = ::fork();
        if (pid_ == 0)
            for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        if (pid_ == -1) throw std::runtime_error("fork");
        if (pid_ == 0) ::_exit(body());
    }
    child_process(child_process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process() {
        if (pid_ > 0) wait(0ms);
    }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    void signal(int number) const { ::kill(pid_, number); }

    /// The exit status, the negative signal that killed it, or `timed_out`.
    int wait(std::chrono::milliseconds limit = 20s) {
        if (pid_ <= 0) return timed_out;
        const int watched = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U));
        const bool ended = watched != -1 && await_readable(watched, limit);
        if (watched != -1) ::close(watched);
        if (!ended) ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) == -1 && errno == EINTR) {
        }
        pid_ = -1;
        if (!ended) return timed_out;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

private:
    pid_t pid_ = -1;
};

template <class F> [[nodiscard]] int in_child(F body) { return child_process(std::move(body)).wait(); }

/// For bodies of children: changes from root to a user that owns nothing here.
[[nodiscard]] inline bool become_nobody() {
    constexpr uid_t other_user = 65534;
    return ::setgid(other_user) == 0 && ::setuid(other_user) == 0;
}
[[nodiscard]] inline bool is_root() { return ::geteuid() == 0; }

} // namespace support
