// SPDX-License-Identifier: MIT
/// @file temp_directory.hpp: a private directory, removed at the end of the test.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace support {

/// Created with mode 0700 by mkdtemp(3), short enough for socket paths below it.
class temp_directory {
public:
    temp_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "mato-test-XXXXXX").native();
        if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
        path_ = name;
    }
    temp_directory(const temp_directory&) = delete;
    temp_directory& operator=(const temp_directory&) = delete;
    ~temp_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

    /// The names in it, sorted.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) result.push_back(entry.path().filename().native());
        std::sort(result.begin(), result.end());
        return result;
    }

private:
    std::filesystem::path path_;
};

inline void write_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

[[nodiscard]] inline std::string read_file(const std::filesystem::path& path);
/// Including its newline; in a lock file, the holder's pid.
[[nodiscard]] inline std::string first_line(const std::filesystem::path& path) {
    const std::string text = read_file(path);
    const auto end = text.find('\n');
    return end == std::string::npos ? text : text.substr(0, end + 1);
}
[[nodiscard]] inline std::string read_file(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// Permission bits of the name itself; 07777 and more if it does not exist.
[[nodiscard]] inline unsigned mode_of(const std::filesystem::path& path) {
    struct ::stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777u : 0100000u;
}

[[nodiscard]] inline ino_t inode_of(const std::filesystem::path& path) {
    struct ::stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

/// Sets the umask for a scope. It is per process: no other thread may create files in the meantime.
class umask_scope {
public:
    explicit umask_scope(mode_t mask) : before_(::umask(mask)) {}
    umask_scope(const umask_scope&) = delete;
    umask_scope& operator=(const umask_scope&) = delete;
    ~umask_scope() { ::umask(before_); }

private:
    mode_t before_;
};

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace support
