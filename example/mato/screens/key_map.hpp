// SPDX-License-Identifier: MIT
/// @file key_map.hpp: which keys after the prefix do what: the keys of the table of actions, and the user's changes.
/// Pure.  Threads: a const object may be shared.   Test: test/mato/key_map_test.cpp.
#pragma once

#include "actions.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// The names of keys for each changed action. An empty list takes its keys away.
using key_changes = std::map<std::string, std::vector<std::string>>;

class key_map {
public:
    key_map() : key_map(key_changes{}) {}
    /// A key that a change gives to one action is taken from the others. @pre problem_of is empty for each of them
    explicit key_map(const key_changes& changes);

    /// Why `action` cannot have these keys, with the other changes; empty: it can.
    [[nodiscard]] static std::string problem_of(std::string_view action, const std::vector<std::string>& keys,
                                                const key_changes& others);

    /// What the key does after the prefix. A held Ctrl counts as not held, except where a key with Ctrl is in the map.
    [[nodiscard]] std::optional<pressed_action> action_of(const key_event& key) const;
    /// The names of an action's keys.
    [[nodiscard]] const std::vector<std::string>& keys_of(action what) const;

private:
    [[nodiscard]] std::optional<pressed_action> find(const key_stroke& pressed) const;

    std::array<std::vector<std::string>, all_actions.size()> keys_; // in the order of the table
};

} // namespace mux
