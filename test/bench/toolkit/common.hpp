// SPDX-License-Identifier: MIT
/// @file common.hpp: common parts of the toolkit benchmark.
#pragma once

#include <mato/daemon.hpp>

#include "support/temp_directory.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/un.h>

namespace bench {

using benchmark::State;

[[noreturn]] inline void give_up(const char* step) {
    std::perror(step);
    std::_Exit(1);
}
inline int need(int result, const char* step) { return result == -1 ? give_up(step), 0 : result; }

/// The directory for all files of the run.
inline const support::temp_directory& scratch() {
    static const support::temp_directory directory;
    return directory;
}

inline sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

inline mato::daemon_options options_in(const std::filesystem::path& directory) {
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    options.level = mato::log_level::error;
    return options;
}
inline const auto echo = [](auto& self) {
    self.server().on.on_frame = [](const auto& from, std::string_view frame) {
        from->established();
        from->send(frame);
    };
};

} // namespace bench
