// SPDX-License-Identifier: MIT
/// @file tab_changes.hpp: what of the changes that commands wait for has come in a tab since this process began.
/// Pure.  Test: test/mato/wait_change_process_test.cpp.
///
/// A client that waited for a change when the process before died asks the next one again. What came between its end and that
/// request is here.
#pragma once

#include "protocol/bodies/changes.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace mux {

class tab_changes {
public:
    void note(tab_changed what) {
        auto& last = last_[static_cast<std::size_t>(what.what)];
        last = std::move(what);
    }
    /// Null: none came.
    [[nodiscard]] const tab_changed* last(tab_change what) const noexcept {
        const auto& last = last_[static_cast<std::size_t>(what)];
        return last ? &*last : nullptr;
    }

private:
    std::array<std::optional<tab_changed>, static_cast<std::size_t>(last_of(tab_change())) + 1> last_;
};

} // namespace mux
