// SPDX-License-Identifier: MIT
/// @file help_screen.hpp: the keys after the prefix, as configured. A key pressed here does its work.
/// Pure.  Test: test/mato/screens_test.cpp.
#pragma once

#include "key_map.hpp"
#include "screen.hpp"

#include <memory>
#include <string>
#include <utility>

namespace mux {

class help_screen final : public screen {
public:
    /// @param prefix as users write it
    help_screen(std::string prefix, std::shared_ptr<const key_map> keys) : prefix_(std::move(prefix)), map_(std::move(keys)) {}

    /// Two columns of groups where they fit, else one below the other; scrolls where rows are missing.
    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// Arrows, page keys, Home and End scroll; Escape, q and Enter go back; a key of the table does its work.
    screen_reply press(const key_event& key) override;

private:
    std::string prefix_;
    std::shared_ptr<const key_map> map_;
    int top_ = 0;  // lines scrolled away
    int most_ = 0; // at the last drawing
    int page_ = 1;
};

} // namespace mux
