// SPDX-License-Identifier: MIT
/// @file returning_clients.hpp: the clients that showed tabs when the daemon's process died, until they are back.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/returning_clients_test.cpp.
///
/// They come back one after the other. If each changed the size of its tab at once, programs would redraw for sizes that do not
/// stay. So a tab keeps its size until all of its clients are back, or have been given up.
#pragma once

#include "protocol/ids.hpp"

#include <mato/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mux {

class returning_clients {
public:
    struct client {
        std::uint32_t pid = 0;
        tab_id tab = 0;
        std::uint64_t activity = 0; ///< when it was last active: tab_table::act
        std::optional<bool> bar{};  ///< as its user chose it; nothing: as configured
        bool operator==(const client&) const = default;
    };
    /// Longer than a client needs that comes back at all.
    static constexpr mato::milliseconds patience{1000};

    void expect(std::vector<client> all) { expected_ = std::move(all); }
    [[nodiscard]] bool empty() const noexcept { return expected_.empty(); }
    [[nodiscard]] bool awaits(tab_id tab) const noexcept {
        return std::any_of(expected_.begin(), expected_.end(), [&](const client& each) { return each.tab == tab; });
    }
    /// That client shows that tab. @returns what is known of it, if it is one that was expected
    std::optional<client> arrived(std::uint32_t pid, tab_id tab) {
        const auto at = std::find_if(expected_.begin(), expected_.end(),
                                     [&](const client& each) { return each.pid == pid && each.tab == tab; });
        if (at == expected_.end()) return std::nullopt;
        const client found = *at;
        expected_.erase(at);
        return found;
    }
    void give_up() noexcept { expected_.clear(); }

private:
    std::vector<client> expected_;
};

} // namespace mux
