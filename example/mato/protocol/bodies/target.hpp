// SPDX-License-Identifier: MIT
/// @file target.hpp: a tab as the user names it, and its name.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include <cstdint>
#include <string>

namespace mux {

/// A tab as the user named it. `current` is the tab in which the command runs (0: none); "." and an empty target mean it.
struct target {
    std::string name;
    std::uint64_t current = 0;
    void fields(auto& f) { f(name, current); }
};
struct tab_name {
    std::uint64_t id = 0;
    std::string task, name;
    void fields(auto& f) { f(id, task, name); }
};

} // namespace mux
