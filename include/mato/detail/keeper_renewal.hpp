// SPDX-License-Identifier: MIT
/// @file keeper_renewal.hpp: how a keeper becomes the program that has taken over from its worker.
/// Layer: 3 (mechanism; no asio).  Test: test/process/keeper_renewal_process_test.cpp.
/// Threads: one.   Blocks: never.
/// Source: execve(2): pid, children, subreaper, mask, pending signals and descriptors stay.
///
/// Members of keeper_process; keeper.hpp includes this file. Once the new program serves and nothing is under way, a child
/// executes it, reads a copy of the keeper's state, and says whether it could go on. Only then the keeper executes it in its
/// own place. Whatever fails before that leaves the keeper as it is: it starts the new program again after a death anyway.
#pragma once

#include "../keeper.hpp"

#include <string>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// Nothing is under way that the next program would not know of.
inline bool keeper_process::is_calm() const noexcept {
    return worker_ != 0 && is_serving_ && link_.native_handle() >= 0 && program_ && candidate_.at == step::none &&
           !giving_.is_on && !has_pending_ && !is_stopping_;
}

inline detail::keeper_state keeper_process::state() const {
    const auto nanoseconds = [](clock::time_point at) {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count());
    };
    detail::keeper_state all;
    all.generation = number_, all.worker = worker_;
    all.link = link_.native_handle(), all.report = report_.get(), all.program = program_.get(), all.lock = lock_;
    all.listener = listener_.socket.get(), all.device = listener_.device, all.inode = listener_.inode;
    all.started_at = nanoseconds(started_at_), all.died_at = nanoseconds(died_at_), all.last_signal = last_signal_;
    all.start = start_;
    const auto& records = table_.records();
    for (std::size_t slot = 0; slot < records.size(); ++slot) {
        const detail::kept_record& each = records[slot];
        if (each.name.empty()) continue;
        all.items.push_back(
            {slot, each.name, each.descriptor.get(), each.child, each.is_memory, each.has_ended, each.is_told, each.status});
    }
    return all;
}

/// Returns only after an error; then the descriptors are as before.
inline void keeper_process::execute(const detail::keeper_state& all, const memory_file& file, renewal_use use) {
    std::vector<int> passed{all.link, all.report, all.program, all.lock, all.listener, file.native_handle()};
    for (const auto& each : all.items) passed.push_back(each.descriptor);
    const auto close_on_exec = [&](int flag) {
        for (const int fd : passed)
            if (fd >= 0) sys::fcntl(fd, F_SETFD, flag);
    };
    const std::string what = std::string(detail::worker_program::keeper_variable) + "=" + std::to_string(sys::getpid()) + ":" +
                             std::to_string(file.native_handle()) + (use == renewal_use::check ? ":1" : ":0");
    std::vector<char*> arguments, variables;
    for (const std::string& each : all.start.arguments) arguments.push_back(const_cast<char*>(each.c_str()));
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) variables.push_back(*each);
    variables.push_back(const_cast<char*>(what.c_str()));
    arguments.push_back(nullptr), variables.push_back(nullptr);
    close_on_exec(0);
    sys::fexecve(all.program, arguments.data(), variables.data());
    const int why = errno;
    close_on_exec(FD_CLOEXEC);
    errno = why;
}

template <class Events> void keeper_process::work_on_renewal(Events& events) {
    if (!renewal_.is_due || !is_calm()) return;
    failure why;
    if (renewal_.is_checked) {
        const auto all = state();
        const auto file = all.write(why);
        if (!why) execute(all, file, renewal_use::take_place), why = {last_error(), "execute the new program", {}, {}};
        return end_renewal(why.message(), events);
    }
    if (renewal_.checker != 0) return;
    const auto all = state();
    renewal_.file = all.write(why);
    if (why) return end_renewal(why.message(), events);
    const pid_t pid = sys::fork();
    if (pid == -1) return end_renewal(failure{last_error(), "fork", {}, {}}.message(), events);
    if (pid == 0) {
        execute(all, renewal_.file, renewal_use::check);
        ::_exit(127);
    }
    renewal_.checker = pid;
    renewal_.until = deadline::in(renewal_patience);
}

template <class Events> void keeper_process::checker_ended(int status, Events& events) {
    renewal_.checker = 0;
    renewal_.until = deadline::never();
    renewal_.is_checked = WIFEXITED(status) && WEXITSTATUS(status) == 0 && detail::keeper_state::is_accepted(renewal_.file);
    renewal_.file = {};
    if (renewal_.is_checked) return;
    end_renewal(WIFSIGNALED(status) ? "it died of signal " + std::to_string(WTERMSIG(status))
                                    : "it exited with " + std::to_string(WEXITSTATUS(status)),
                events);
}

template <class Events> void keeper_process::end_renewal(const std::string& why, Events& events) {
    give_up_renewal();
    events.on_trouble("the keeper stays that of the earlier program, because the new one cannot go on from it: " + why);
}

/// Also before a program is replaced again.
inline void keeper_process::give_up_renewal() noexcept {
    if (renewal_.checker > 1) sys::kill(renewal_.checker, SIGKILL); // reaped as any orphan
    renewal_ = {};
}

inline int keeper_process::resume(const worker_environment& from, error_out out) {
    const auto file = memory_file::adopt(unique_fd(from.state), out);
    if (out.failed()) return -1;
    const auto all = detail::keeper_state::read(file, out);
    if (out.failed()) return -1;
    std::vector<int> passed{all.link, all.report, all.program, all.lock, all.listener};
    for (const auto& each : all.items) passed.push_back(each.descriptor);
    for (const int fd : passed)
        if (fd >= 0 && sys::fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
            return out.set(last_error(), "go on as keeper", {}, "descriptor " + std::to_string(fd) + " is not open"), -1;
    if (from.is_check) {
        detail::keeper_state::accept(file);
        ::_exit(0);
    }
    const auto time_of = [](std::uint64_t nanoseconds) {
        return clock::time_point(std::chrono::duration_cast<clock::duration>(
            std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(nanoseconds))));
    };
    number_ = static_cast<std::uint32_t>(all.generation);
    worker_ = all.worker;
    link_ = detail::keeper_link(unique_fd(all.link));
    report_ = unique_fd(all.report);
    program_ = unique_fd(all.program);
    lock_ = all.lock;
    listener_ = {unique_fd(all.listener), static_cast<dev_t>(all.device), static_cast<ino_t>(all.inode)};
    started_at_ = time_of(all.started_at), died_at_ = time_of(all.died_at);
    last_signal_ = all.last_signal;
    start_ = all.start;
    is_serving_ = has_served_ = true;
    for (const auto& each : all.items) table_.restore(each.slot, each.name, unique_fd(each.descriptor), each.child);
    for (const auto& each : all.items) {
        detail::kept_record& record = table_.records()[each.slot];
        record.is_memory = each.is_memory, record.has_ended = each.has_ended, record.is_told = each.is_told;
        record.status = each.status;
        has_pending_ = has_pending_ || !each.is_told;
    }
    return lock_;
}

} // namespace MATO_ABI
} // namespace mato
