// SPDX-License-Identifier: MIT
/// @file paths.hpp: the paths of the daemon's files and of the configuration, from options and environment.
/// Pure: the environment is passed in.  Test: test/mato/paths_test.cpp.
#pragma once

#include <mato/error.hpp>
#include <mato/policies.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace mux {

struct path_options {
    std::string socket, label, config; ///< -S, -L, -f; empty: not given
};

struct program_paths {
    mato::daemon_paths daemon;
    std::filesystem::path config;
};

using environment_lookup = std::function<std::optional<std::string>(const char* name)>;

/// -S, then -L, then the socket of the tab the command runs in (`MATO`), then the default.
/// @errors EINVAL with what to do: neither HOME nor an XDG variable is set, one is relative, a label contains '/'.
[[nodiscard]] program_paths resolve_paths(const path_options& options, const environment_lookup& environment,
                                          mato::error_out out);

/// The contents of `MATO` inside a tab: socket, daemon pid, tab id.
struct enclosing_tab {
    std::string socket;
    int daemon_pid = 0;
    std::uint64_t tab = 0;
};
[[nodiscard]] std::optional<enclosing_tab> parse_enclosing_tab(const std::string& text);

} // namespace mux
