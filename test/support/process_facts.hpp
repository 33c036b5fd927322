// SPDX-License-Identifier: MIT
/// @file process_facts.hpp: facts about other processes from proc(5).
#pragma once

#include "temp_directory.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>
#include <vector>

namespace support {

/// A sanitizer's memory and time hide the program's: such builds measure no memory and run fewer rounds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

[[nodiscard]] inline std::string proc_file(pid_t pid, const char* name) {
    return read_file("/proc/" + std::to_string(pid) + "/" + name);
}

/// proc(5) /proc/pid/stat field 3: 'R', 'S', 'T', 'Z'…; 'X' if there is no such process.
[[nodiscard]] inline char process_state(pid_t pid) {
    const std::string stat = proc_file(pid, "stat");
    const auto name_end = stat.rfind(')');
    return name_end == std::string::npos || name_end + 2 >= stat.size() ? 'X' : stat[name_end + 2];
}
[[nodiscard]] inline bool is_running(pid_t pid) {
    const char state = process_state(pid);
    return state != 'X' && state != 'Z';
}

/// Every process, except zombies, that was started with `item` ("NAME=value") in its environment.
[[nodiscard]] inline std::vector<pid_t> processes_with(std::string_view item) {
    std::vector<pid_t> result;
    DIR* const table = ::opendir("/proc");
    if (!table) return result;
    while (const dirent* entry = ::readdir(table)) {
        const pid_t pid = std::atoi(entry->d_name);
        if (pid > 0 && contains(proc_file(pid, "environ"), item) && is_running(pid)) result.push_back(pid);
    }
    ::closedir(table);
    std::sort(result.begin(), result.end());
    return result;
}

/// "pid state: command line", for messages.
[[nodiscard]] inline std::string describe_process(pid_t pid) {
    std::string command = proc_file(pid, "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    return std::to_string(pid) + " " + process_state(pid) + ": " + command;
}

[[nodiscard]] inline std::vector<pid_t> children_of(pid_t pid) {
    std::vector<pid_t> result;
    std::istringstream text(proc_file(pid, ("task/" + std::to_string(pid) + "/children").c_str()));
    for (pid_t child; text >> child;) result.push_back(child);
    return result;
}

/// In KiB; 0 if not known. `field`: "VmRSS", "VmHWM"…
[[nodiscard]] inline long memory_kib(pid_t pid, std::string_view field = "VmRSS") {
    std::istringstream lines(proc_file(pid, "status"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(std::string(field) + ":")) return std::atol(line.c_str() + field.size() + 1);
    return 0;
}

/// The open files of a process, from readlink(2) of proc(5) /proc/pid/fd.
[[nodiscard]] inline std::vector<std::string> descriptors_of(pid_t pid) {
    std::error_code why, gone;
    std::vector<std::string> result;
    for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid) + "/fd", why), end; !why && at != end;
         at.increment(why))
        result.push_back(std::filesystem::read_symlink(at->path(), gone).native());
    return result;
}
[[nodiscard]] inline std::size_t descriptor_count(pid_t pid) { return descriptors_of(pid).size(); }
/// The sockets among them: the listening one, and one for each client.
[[nodiscard]] inline std::size_t socket_count(pid_t pid) {
    const auto all = descriptors_of(pid);
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const std::string& each) { return each.starts_with("socket:"); }));
}

} // namespace support
