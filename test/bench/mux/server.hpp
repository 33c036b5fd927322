// SPDX-License-Identifier: MIT
/// @file server.hpp: what all processes of a server use together. A server may be several processes (a keeper and its worker)
/// and may keep its data in memory files, which belong to no single process.
#pragma once

#include "../support/child.hpp"

#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <vector>

namespace bench {

/// `server` and its children that run the same program; programs of tabs run other ones. Empty if it has ended.
[[nodiscard]] inline std::vector<pid_t> server_processes(pid_t server) {
    std::error_code gone;
    const std::string proc = "/proc/" + std::to_string(server);
    const auto program = std::filesystem::read_symlink(proc + "/exe", gone);
    if (server <= 0 || gone) return {};
    std::vector<pid_t> all{server};
    std::ifstream children(proc + "/task/" + std::to_string(server) + "/children");
    for (pid_t each; children >> each;)
        if (std::filesystem::read_symlink("/proc/" + std::to_string(each) + "/exe", gone) == program && !gone)
            all.push_back(each);
    return all;
}

/// Bytes of all memory files (memfd_create) that one of the processes has open, each file once.
[[nodiscard]] inline std::uint64_t memory_file_bytes(const std::vector<pid_t>& processes) {
    std::set<ino_t> seen;
    std::uint64_t bytes = 0;
    std::error_code gone;
    for (const pid_t each : processes)
        for (std::filesystem::directory_iterator at("/proc/" + std::to_string(each) + "/fd", gone), end; !gone && at != end;
             at.increment(gone)) {
            std::error_code closed;
            struct stat file {};
            if (std::filesystem::read_symlink(at->path(), closed).string().compare(0, 7, "/memfd:") != 0) continue;
            if (::stat(at->path().c_str(), &file) == 0 && seen.insert(file.st_ino).second)
                bytes += static_cast<std::uint64_t>(file.st_blocks) * 512;
        }
    return bytes;
}

/// Memory that only the server's processes use, KiB: anonymous memory of each, and their memory files.
[[nodiscard]] inline long server_memory_kib(pid_t server) {
    const std::vector<pid_t> all = server_processes(server);
    long sum = static_cast<long>(memory_file_bytes(all) / 1024);
    for (const pid_t each : all) sum += own_memory_kib(each);
    return sum;
}

/// Seconds of processor time of all the server's processes.
[[nodiscard]] inline double server_cpu_seconds(pid_t server) {
    double sum = 0;
    for (const pid_t each : server_processes(server)) sum += cpu_seconds(each);
    return sum;
}

/// How often a thread of `pid` has gone to sleep and was woken.
[[nodiscard]] inline long context_switches(pid_t pid) {
    long sum = 0;
    std::error_code gone;
    for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid) + "/task", gone), end; !gone && at != end;
         at.increment(gone)) {
        const pid_t thread = std::atoi(at->path().filename().c_str());
        sum += proc_number(thread, "status", "voluntary_ctxt_switches");
    }
    return sum;
}

/// The same of all the server's processes.
[[nodiscard]] inline long server_switches(pid_t server) {
    long sum = 0;
    for (const pid_t each : server_processes(server)) sum += context_switches(each);
    return sum;
}

} // namespace bench
