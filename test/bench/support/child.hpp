// SPDX-License-Identifier: MIT
/// @file child.hpp: a part of a benchmark in a separate process on its own core, which ends with the benchmark.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace bench {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

[[nodiscard]] inline std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(clock_type::now().time_since_epoch()).count());
}

/// Waits for the measured interval.
inline void let_pass(std::chrono::nanoseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const timespec left{seconds.count(), (time - seconds).count()};
    ::ppoll(nullptr, 0, &left, nullptr);
}

/// Waits, in steps of a millisecond, until `holds`; false after `limit`.
inline bool wait_until(milliseconds limit, const std::function<bool()>& holds) {
    for (const auto end = clock_type::now() + limit; !holds(); let_pass(milliseconds(1)))
        if (clock_type::now() >= end) return false;
    return true;
}

/// Seconds of processor time of all threads of `pid`; 0 if it has ended.
[[nodiscard]] inline double cpu_seconds(pid_t pid) {
    clockid_t id{};
    timespec used{};
    if (pid <= 0 || ::clock_getcpuclockid(pid, &id) != 0 || ::clock_gettime(id, &used) != 0) return 0;
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

/// A number from /proc/PID/FILE after "FIELD:"; 0 if not known.
[[nodiscard]] inline long proc_number(pid_t pid, const char* file, const std::string& field) {
    std::ifstream lines("/proc/" + std::to_string(pid) + "/" + file);
    for (std::string line; std::getline(lines, line);)
        if (line.compare(0, field.size() + 1, field + ":") == 0) return std::atol(line.c_str() + field.size() + 1);
    return 0;
}

/// Memory that only this process uses: anonymous memory, KiB.
[[nodiscard]] inline long own_memory_kib(pid_t pid) { return pid <= 0 ? 0 : proc_number(pid, "smaps_rollup", "Pss_Anon"); }

inline void run_on_core(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(core), &set);
    ::sched_setaffinity(0, sizeof set, &set); // fails on a machine with one core; ignored
}

/// Raises the limit of open files to the maximum: a thousand subscribers are a thousand sockets.
inline void all_descriptors() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

class child {
public:
    static constexpr int any_core = -1;

    child() = default;
    /// Runs `work` in a new process; an exception there is printed, and its exit code is 1.
    child(int core, const std::function<void()>& work) : pid_(::fork()) {
        if (pid_ == -1) throw std::runtime_error("fork");
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (core != any_core) run_on_core(core);
        int code = 0;
        try {
            work();
        } catch (const std::exception& why) {
            std::fprintf(stderr, "benchmark: %s\n", why.what());
            code = 1;
        }
        ::_exit(code);
    }
    child(child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    child& operator=(child&& other) noexcept {
        std::swap(pid_, other.pid_);
        return *this;
    }
    ~child() { end(milliseconds(0)); }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    void signal(int number) const {
        if (pid_ > 0) ::kill(pid_, number);
    }
    /// Whether it has ended; its pid may then be reused.
    bool ended() {
        int status = 0;
        if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            succeeded_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
        return pid_ <= 0;
    }
    /// Waits for its end at most this long, then kills it. @returns whether it ended by itself, with 0.
    bool end(milliseconds patience) {
        if (pid_ <= 0) return succeeded_;
        if (wait_until(patience, [this] { return ended(); })) return succeeded_;
        ::kill(pid_, SIGKILL);
        ::waitpid(std::exchange(pid_, -1), nullptr, 0);
        return false;
    }

private:
    pid_t pid_ = -1;
    bool succeeded_ = true;
};

} // namespace bench
