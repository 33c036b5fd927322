// SPDX-License-Identifier: MIT
/// @file descriptor_census.hpp: lists the open descriptors of this process, so that a test can detect a leak.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace support {

/// "number -> target", sorted; compare a list from before with one from after.
[[nodiscard]] inline std::vector<std::string> open_descriptors() {
    std::vector<std::string> result;
    DIR* const table = ::opendir("/proc/self/fd");
    if (!table) return result;
    while (const dirent* entry = ::readdir(table)) {
        if (entry->d_name[0] == '.' || std::atoi(entry->d_name) == ::dirfd(table)) continue;
        char target[256];
        const std::string name = entry->d_name;
        const ssize_t size = ::readlink(("/proc/self/fd/" + name).c_str(), target, sizeof target);
        result.push_back(name + " -> " + std::string(target, static_cast<std::size_t>(size > 0 ? size : 0)));
    }
    ::closedir(table);
    std::sort(result.begin(), result.end());
    return result;
}

} // namespace support
