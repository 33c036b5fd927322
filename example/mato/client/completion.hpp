// SPDX-License-Identifier: MIT
/// @file completion.hpp: what the last word of an unfinished command line may become, from the table of commands.
/// Pure.  Test: test/mato/shell_completion_test.cpp.
#pragma once

#include "command_table.hpp"
#include "paths.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// The place of the last word of a command line.
struct completion_place {
    const command_entry* command = nullptr; ///< null: none stands before it
    path_options paths;                     ///< from the options before the command
    value_kind kind = value_kind::flag;     ///< what may stand here; `flag`: options only, or nothing
    std::string_view operand{};             ///< the name of that operand in the table of commands; empty: it is none
    std::string_view next_operand{};        ///< the one that stands here if the former, which is optional, is left out
    std::string head;                       ///< the part of the word that stays: "--task="
    std::string typed;                      ///< the part that is completed
    bool may_be_option = false;             ///< an option may stand here, too
};

/// @param words those after `mato`; the last one is completed, and may be empty
[[nodiscard]] completion_place completion_place_of(std::span<const std::string> words);

struct completion {
    std::string word, text; ///< the whole word, and what it means; the latter may be empty

    bool operator==(const completion&) const = default;
};

/// Names that only the daemon knows.
struct live_names {
    std::vector<completion> tabs, tasks, clients;
};

/// All words that begin with what is typed. Names of files and programs are not among them: a shell knows these.
[[nodiscard]] std::vector<completion> completions_of(const completion_place& place, const live_names& names);

/// Completions as lines for a shell's function: ":files", ":directories" or ":programs" if the shell is to complete such
/// names, then each word, a tab, and its text. Control characters are left out of both.
[[nodiscard]] std::string completion_lines(const completion_place& place, std::span<const completion> found);

/// The script that a shell evaluates; empty: there is none for a shell of that name.
[[nodiscard]] std::string_view completion_script(std::string_view shell) noexcept;

} // namespace mux
