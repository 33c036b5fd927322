// SPDX-License-Identifier: MIT
/// @file ended_tabs.hpp: how the programs of tabs that are gone have ended.
/// Threads: one object, one thread.   Blocks: `load` and `save`, as long as a small file takes.
/// Test: test/mato/ended_tabs_test.cpp.
///
/// A script that opens a tab and then waits for its end may ask after the tab is gone, and after the daemon is: the last tab's
/// end may stop it. So the daemon remembers the last ones, and leaves them in a file when it stops.
#pragma once

#include "protocol/ids.hpp"

#include <mato/error.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace mux {

struct ended_tab {
    tab_id id = 0;
    int exit_code = 0; ///< of its last program, or 128 + signal
    std::string task, name;
    std::string last_screen{}; ///< as text; empty when it was longer than is kept, or not known
    std::uint16_t columns = 0, rows = 0;
    bool operator==(const ended_tab&) const = default;
};

class ended_tabs {
public:
    static constexpr std::size_t limit = 1000;             ///< tabs remembered; the oldest are dropped
    static constexpr std::size_t most_screen_bytes = 4096; ///< of a last screen: 4 MiB for all

    /// What `save` wrote, which is all but the last screens. A file that is missing, or lines that are none of its, count as
    /// nothing.
    [[nodiscard]] static ended_tabs load(const std::string& path);
    /// @errors of open(2) and write(2).
    void save(const std::string& path, mato::error_out out) const;
    /// Next to that socket: its name with `.ended.tabs`.
    [[nodiscard]] static std::string path_next_to(const std::string& socket);

    void remember(ended_tab gone);
    /// By number, "TASK/NAME" or "NAME", whole; the one that ended last, when several were called so. "." is `current`.
    /// @returns null when it is not remembered
    [[nodiscard]] const ended_tab* find(std::string_view target, tab_id current) const;
    [[nodiscard]] const std::deque<ended_tab>& all() const noexcept { return tabs_; }

private:
    std::deque<ended_tab> tabs_;
};

} // namespace mux
