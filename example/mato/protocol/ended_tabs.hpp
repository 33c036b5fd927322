// SPDX-License-Identifier: MIT
/// @file ended_tabs.hpp: exit codes and last screens of ended tabs.
/// Threads: one object, one thread.   Blocks: `load` and `save`, for a small file.
/// Test: test/mato/ended_tabs_test.cpp.
///
/// A script that opens a tab and then waits for its end may ask after the tab is removed, and after the daemon has stopped with
/// its last tab. So the daemon remembers the latest ended tabs, and saves them in a file when it stops.
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
    std::string last_screen{}; ///< as text; empty if it was longer than the limit, or unknown
    std::uint16_t columns = 0, rows = 0;
    bool operator==(const ended_tab&) const = default;
};

class ended_tabs {
public:
    static constexpr std::size_t limit = 1000;             ///< tabs remembered; the oldest are dropped
    static constexpr std::size_t most_screen_bytes = 4096; ///< of one last screen: 4 MiB for all

    /// Loads what `save` wrote: everything except the last screens. A missing file and invalid lines are ignored.
    [[nodiscard]] static ended_tabs load(const std::string& path);
    /// From the text that `save` writes.
    [[nodiscard]] static ended_tabs parse(std::string_view text);
    /// @errors of open(2) and write(2).
    void save(const std::string& path, mato::error_out out) const;
    [[nodiscard]] std::string to_text() const;           ///< at most `most_text` bytes
    static constexpr std::size_t most_text = 256u << 10; ///< bytes: a line is two numbers and two names of 64 bytes
    /// Next to that socket: its name with `.ended.tabs`.
    [[nodiscard]] static std::string path_next_to(const std::string& socket);

    void remember(ended_tab gone);
    /// Finds a tab by number, "TASK/NAME" or "NAME", not by prefix; of several, the one that ended last. "." is `current`.
    /// @returns null if it is not remembered
    [[nodiscard]] const ended_tab* find(std::string_view target, tab_id current) const;
    [[nodiscard]] const std::deque<ended_tab>& all() const noexcept { return tabs_; }

private:
    std::deque<ended_tab> tabs_;
};

} // namespace mux
