// SPDX-License-Identifier: MIT
/// @file scratch.hpp: a private directory for the files of one run, removed with the object.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

namespace bench {

class scratch_directory {
public:
    scratch_directory() : path_("/tmp/mato-bench-XXXXXX") {
        if (!::mkdtemp(path_.data())) throw std::runtime_error("mkdtemp");
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

} // namespace bench
