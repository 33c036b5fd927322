// SPDX-License-Identifier: MIT
/// @file tab_table.hpp: the open tabs, by number: their programs, their names, and when each was last used.
/// Threads: the io_context's.   Blocks: never.
#pragma once

#include "protocol/protocol.hpp"
#include "tab/command_watch.hpp"
#include "tab/tab.hpp"
#include "tab_attention.hpp"
#include "tab_changes.hpp"
#include "typed_lines.hpp"
#include "workspace.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mux {

struct tab_entry {
    std::shared_ptr<tab> program;
    bool has_fixed_size = false;  ///< set by `resize`
    tab_attention says;           ///< to a person who does not look at it
    notice_reader reads;          ///< its program's notices
    command_watch commands;       ///< of its shell
    tab_changes came;             ///< what commands may wait for
    typed_lines typed;            ///< by `send`
    bool is_active = false;       ///< it has written, and its silence is awaited: notice_board.hpp
    bool has_written = false;     ///< since a viewer looked, and bars were told: bars.hpp
    mato::clock::time_point seen; ///< when a person last looked at it, or it was opened
    bool has_focus = false;       ///< a viewer's terminal has the focus; the program is told if it has enabled focus reports
    std::uint64_t used = 0;       ///< when a person last attached or typed: tab_table::act; 0: never
    std::uint64_t touched = 0;    ///< when it was opened, or last changed by a command
    std::optional<text_mark> end; ///< of what its program wrote, once it has ended and the tab remains
    bool closed_by_key = false;   ///< by a person
    std::string directory;        ///< of a tab that closes: where its program could be started again
};

/// What a person who last looked at the tab at that time should know of it.
[[nodiscard]] bar_mark mark_of(const tab_entry& which, mato::clock::time_point looked);

class tab_table {
public:
    /// Numbers continue after `last`.
    explicit tab_table(tab_id last) noexcept : names_(last) {}

    /// Adds it under the number in its options: next_id(), or that of a tab that was there before. @pre the task and the name
    /// are valid
    tab_entry& add(const std::string& task, std::string name, std::shared_ptr<tab> program);
    void remove(tab_id id);
    [[nodiscard]] tab_id next_id() const noexcept { return names_.last_id() + 1; }

    /// Null: it does not exist. Its address does not change while it does.
    [[nodiscard]] tab_entry* find(tab_id id) noexcept;
    [[nodiscard]] tab& at(tab_id id) { return *tabs_.at(id).program; }
    [[nodiscard]] const tab_entry& entry(tab_id id) const { return tabs_.at(id); }
    [[nodiscard]] bool empty() const noexcept { return tabs_.empty(); }
    [[nodiscard]] std::size_t count() const noexcept { return tabs_.size(); }
    [[nodiscard]] auto begin() noexcept { return tabs_.begin(); }
    [[nodiscard]] auto end() noexcept { return tabs_.end(); }
    [[nodiscard]] auto begin() const noexcept { return tabs_.begin(); }
    [[nodiscard]] auto end() const noexcept { return tabs_.end(); }
    /// A copy, for loops in which tabs may end.
    [[nodiscard]] std::vector<std::shared_ptr<tab>> all() const;

    /// Counts an action of a user. @returns its number
    std::uint64_t act() noexcept { return ++acts_; }
    /// As `act`, by a person in this tab.
    std::uint64_t use(tab_entry& which) noexcept {
        if (which.used != acts_) changed(); // not at each key that a person types
        return which.used = which.touched = act();
    }
    /// As `act`, by a command.
    void touch(tab_entry& which) noexcept {
        changed();
        which.touched = act();
    }
    [[nodiscard]] std::uint64_t last_act() const noexcept { return acts_; }
    /// Acts continue after that number.
    void continue_acts(std::uint64_t last) noexcept { acts_ = last; }
    /// A member of an entry has changed.
    void changed() noexcept { ++changes_; }
    /// Grows with each change of names, order and entries.
    [[nodiscard]] std::uint64_t revision() const noexcept { return names_.revision() + changes_; }
    /// The tab last used by a person, else by a command. Null: there is none. Skips `except` and closing tabs.
    [[nodiscard]] std::shared_ptr<tab> last_used(tab_id except = 0) const;

    [[nodiscard]] workspace& names() noexcept { return names_; }
    [[nodiscard]] const workspace& names() const noexcept { return names_; }
    [[nodiscard]] tab_name name_of(tab_id id) const;

private:
    workspace names_;
    std::map<tab_id, tab_entry> tabs_;
    std::uint64_t acts_ = 0, changes_ = 0;
};

} // namespace mux
