// SPDX-License-Identifier: MIT
/// @file actions.hpp: what the keys after the prefix can do: one table, from which the keys, the help screen and the hint are
/// made. Pure.  Test: test/mato/screens_test.cpp.
#pragma once

#include "protocol/key_names.hpp"
#include "view/key_event.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

enum class action : std::uint8_t {
    detach,
    detach_others,
    suspend,
    new_tab,
    new_task,
    next_tab,
    previous_tab,
    last_tab,
    tab_by_number,
    tab_by_id, ///< without a key: a click
    next_task,
    previous_task,
    rename_tab,
    rename_task,
    close_tab,
    undo_close,
    move_tab,
    run_again,
    tab_that_needs_you,
    look_back,
    find,
    find_all,
    go_to_line, ///< without a key: a hit of find_all
    previous_prompt,
    next_prompt,
    copy_output,
    paste,
    office,
    toggle_bar,
    command,
    toggle_readonly,
    help,
};

enum class action_group : std::uint8_t { tabs, go, look_back, here };

/// One line of the table.
struct action_entry {
    action what;
    action_group group;
    std::string_view name; ///< in the configuration
    std::string_view keys; ///< its keys, separated by spaces, as protocol/key_names.hpp names them
    std::string_view text; ///< in the help screen
    std::string_view hint; ///< in the hint after the prefix; empty: not in it
};

inline constexpr auto all_actions = std::to_array<action_entry>({
    {action::new_tab, action_group::tabs, "new-tab", "c", "new tab", "new"},
    {action::next_tab, action_group::tabs, "next-tab", "n", "next tab", "next"},
    {action::previous_tab, action_group::tabs, "previous-tab", "p", "previous tab", ""},
    {action::last_tab, action_group::tabs, "last-tab", "Tab l", "last tab", ""},
    {action::tab_by_number, action_group::tabs, "tab", "1 2 3 4 5 6 7 8 9 0", "tab by number", ""},
    {action::rename_tab, action_group::tabs, "rename-tab", ",", "name", ""},
    {action::close_tab, action_group::tabs, "close-tab", "x &", "close", "close"},
    {action::undo_close, action_group::tabs, "undo-close", "u", "undo close", ""},
    {action::run_again, action_group::tabs, "run-again", "r", "run again", ""},
    {action::move_tab, action_group::tabs, "move-tab", "m", "move to a task", ""},
    {action::new_task, action_group::go, "new-task", "t", "new task", ""},
    {action::office, action_group::go, "office", "Space w s", "office: all tabs", "office"},
    {action::rename_task, action_group::go, "rename-task", "$", "name the task", ""},
    {action::tab_that_needs_you, action_group::go, "needs-you", "a", "tab that needs you", ""},
    {action::next_task, action_group::go, "next-task", "N", "next task", ""},
    {action::previous_task, action_group::go, "previous-task", "P", "previous task", ""},
    {action::look_back, action_group::look_back, "look-back", "[", "history, copy", "history"},
    {action::find, action_group::look_back, "find", "/", "find", "find"},
    {action::find_all, action_group::look_back, "find-all", "", "find in all tabs", ""},
    {action::previous_prompt, action_group::look_back, "previous-prompt", "{", "previous prompt", ""},
    {action::next_prompt, action_group::look_back, "next-prompt", "}", "next prompt", ""},
    {action::copy_output, action_group::look_back, "copy-output", "y", "copy the last output", ""},
    {action::paste, action_group::look_back, "paste", "]", "paste", ""},
    {action::detach, action_group::here, "detach", "d", "detach; programs go on", "detach"},
    {action::detach_others, action_group::here, "detach-others", "D", "detach others", ""},
    {action::toggle_readonly, action_group::here, "read-only", "o", "read only, on or off", ""},
    {action::toggle_bar, action_group::here, "bar", "b", "bar, on or off", ""},
    {action::command, action_group::here, "command", ":", "any command", ""},
    {action::suspend, action_group::here, "suspend", "C-z", "suspend", ""},
    {action::help, action_group::here, "help", "?", "this", "all"},
});

/// A key after the prefix, and what it does.
struct pressed_action {
    action what;
    std::int64_t number = 0; ///< of tab_by_number: 1 to 10; of tab_by_id: the tab's; of others: the tab meant, 0: the shown one
    std::optional<std::string> answer = {}; ///< of an action that asks: what its user has answered; of those that find: what
    std::uint64_t line = 0;                 ///< of go_to_line: where, as text_position
    int column = 0;
};

/// Null: no action has this name.
[[nodiscard]] const action_entry* entry_named(std::string_view name) noexcept;

/// The stroke of a key, as names of keys are compared with; nothing: no name fits, a character beyond ASCII for example.
[[nodiscard]] std::optional<key_stroke> stroke_of(const key_event& key);

/// The name of a key for messages: "x", "C-x", "Up"; empty: it has none.
[[nodiscard]] std::string name_of(const key_event& key);

} // namespace mux
