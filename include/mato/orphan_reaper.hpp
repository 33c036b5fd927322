// SPDX-License-Identifier: MIT
/// @file orphan_reaper.hpp: reaps orphans that this process has adopted as pid 1 of a container or as a subreaper.
/// Layer: 3 (asio).  Test: test/toolkit/orphan_reaper_test.cpp.
/// Threads: the thread that runs the io_context, which must be the process's first one.   Blocks: never.
/// Fork: create it after the last fork.   Source: pid_namespaces(7), proc(5) "children", wait(2).
///
/// When a process ends, its children become children of pid 1 (or of the nearest subreaper), which must wait for them; else
/// each of them stays a zombie. No system call tells an orphan from an own child. So a zombie is reaped only after it was one
/// for `patience`: a program that waits for its own children when they end (`child` does) loses none.
#pragma once

#include "clock.hpp"
#include "detail/asio_loop.hpp"
#include "sys.hpp"
#include "sys_process.hpp"
#include "unique_fd.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// Reaps adopted processes; `orphan_reaper` is the one for asio::io_context. `basic_daemon` has one if it is pid 1; a subreaper
/// (prctl(2)) creates its own.
///
/// It must not outlive the io_context.
///
/// @threads only the thread that runs the io_context.
/// @fork create it after the last fork.
/// @blocks never.
///
/// @code
/// mato::orphan_reaper reaper(context);
/// reaper.child_changed(); // at each SIGCHLD
/// @endcode
template <class Loop> class basic_orphan_reaper {
public:
    static constexpr milliseconds usual_patience{1000}; ///< a program waits for its own children within milliseconds

    explicit basic_orphan_reaper(Loop& context, milliseconds patience = usual_patience)
        : timer_(context), patience_(patience) {}
    basic_orphan_reaper(const basic_orphan_reaper&) = delete;
    basic_orphan_reaper& operator=(const basic_orphan_reaper&) = delete;

    /// Call it at SIGCHLD, after the program has waited for its own children.
    void child_changed();
    [[nodiscard]] std::uint64_t reaped() const noexcept { return reaped_; }

private:
    void look_later();
    void look();
    [[nodiscard]] static std::vector<pid_t> zombies();

    asio::steady_timer timer_;
    milliseconds patience_;
    std::vector<pid_t> seen_; // zombies of the last look
    std::uint64_t reaped_ = 0;
    bool waits_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// basic_orphan_reaper on an io_context: the contract is the same. That one is a template, so a program that does not use it
/// compiles none of it.
class orphan_reaper : public basic_orphan_reaper<asio::io_context> {
public:
    using basic_orphan_reaper<asio::io_context>::basic_orphan_reaper;
};

// ---- implementation ----

template <class L> void basic_orphan_reaper<L>::child_changed() {
    if (!waits_) look_later();
}

template <class L> void basic_orphan_reaper<L>::look_later() {
    timer_.expires_at(deadline::in(patience_).at());
    timer_.async_wait([this, held = std::weak_ptr<bool>(alive_)](std::error_code cancelled) {
        if (cancelled || held.expired()) return;
        waits_ = false;
        look();
    });
    waits_ = true;
}

template <class L> void basic_orphan_reaper<L>::look() {
    std::vector<pid_t> left;
    for (const pid_t each : zombies()) {
        bool is_old = false;
        for (const pid_t before : seen_) is_old = is_old || before == each; // the pid of a zombie is not used again
        if (is_old && sys::waitpid(each, nullptr, WNOHANG) == each)
            ++reaped_;
        else
            left.push_back(each);
    }
    seen_ = std::move(left);
    if (!seen_.empty()) look_later();
}

/// Children that have ended and were not waited for. If /proc is not of this pid namespace, only the first one is known.
template <class L> std::vector<pid_t> basic_orphan_reaper<L>::zombies() {
    std::vector<pid_t> found;
    const std::string own = std::to_string(sys::getpid());
    char self[16]{};
    const bool is_own_proc = sys::readlink("/proc/self", self, sizeof self - 1) > 0 && own == self;
    const std::string path = "/proc/self/task/" + own + "/children";
    const unique_fd list(is_own_proc ? sys::open(path.c_str(), O_RDONLY) : -1);
    if (!list) {
        const pid_t first = sys::ended_child();
        if (first > 0) found.push_back(first);
        return found;
    }
    pid_t pid = 0;
    char room[4096];
    for (ssize_t got; (got = sys::read(list.get(), room, sizeof room)) > 0;)
        for (ssize_t i = 0; i < got; ++i) {
            if (room[i] >= '0' && room[i] <= '9') {
                pid = pid * 10 + (room[i] - '0');
                continue;
            }
            int status = 0;
            if (pid > 0 && sys::look_at_child(pid, &status) == pid) found.push_back(pid);
            pid = 0;
        }
    return found;
}

} // namespace MATO_ABI
} // namespace mato
