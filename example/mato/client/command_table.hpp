// SPDX-License-Identifier: MIT
/// @file command_table.hpp: every command of the command line with its options, operands, exit codes and help, in one table.
/// Pure.  Test: test/mato/command_table_test.cpp.
///
/// The command line is parsed by this table, and help, usage errors and the table of commands in README.md are made from it.
#pragma once

#include "cli.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mux {

/// What the value of an option or an operand is.
enum class value_kind : std::uint8_t {
    flag, ///< an option without a value
    text,
    tab,
    task,
    client,
    command,
    name,
    file,
    directory,
    variable, ///< NAME=VALUE
    number,
    cells,
    size, ///< COLSxROWS
    duration,
    pattern,
    keys,
    emulator,
    program, ///< a command and its arguments
};

/// Options and operands of one command that are alternatives. A command has at most one such group.
enum class choice : std::uint8_t { none, at_most_one, exactly_one };

struct option {
    std::string_view letter{}, word{}; ///< without dashes; one may be empty
    std::string_view value{};          ///< the name of its value in texts; empty: it has none
    value_kind kind = value_kind::flag;
    choice in = choice::none;
    bool repeats = false;
    bool value_is_optional = false; ///< its value is a number then
    std::string_view text;          ///< what it does
    /// Stores a value in an invocation. @throws command_failure if the value is invalid.
    void (*take)(invocation& to, const option& which, const std::string& value);

    /// As a user writes it: the letter, or else the word.
    [[nodiscard]] std::string spelling() const {
        return std::string(letter.empty() ? "--" : "-").append(letter.empty() ? word : letter);
    }
    /// `argument` is this option, without a value in the same argument.
    [[nodiscard]] bool is(std::string_view argument) const noexcept {
        if (argument.starts_with("--")) return !word.empty() && argument.substr(2) == word;
        return argument.size() == 2 && argument[0] == '-' && argument.substr(1) == letter;
    }
};

struct operand {
    std::string_view name;
    value_kind kind;
    enum class count : std::uint8_t { one, optional, at_least_one, any_number } count = count::one;
    choice in = choice::none;
    [[nodiscard]] constexpr bool is_needed() const noexcept { return count == count::one || count == count::at_least_one; }
    [[nodiscard]] constexpr bool repeats() const noexcept { return count == count::at_least_one || count == count::any_number; }
    /// Checks a value and stores it, or nothing. @throws command_failure if the value is invalid.
    void (*take)(invocation& to, const std::string& value) = nullptr;
};

struct exit_meaning {
    int code;
    std::string_view text;
};
inline constexpr int programs_code = -1; ///< the code of the tab's program

struct command_entry {
    std::string_view name;
    mux::command command;
    std::span<const std::string_view> aliases{}; ///< other names; one with dashes stands among the options before the command
    std::string_view text;                       ///< what it does
    std::span<const option> options{};
    std::span<const operand> operands{};
    std::span<const exit_meaning> exits{}; ///< in addition to `common_exits`
    std::span<const std::string_view> examples{};

    /// `word` is its name or one of its aliases.
    [[nodiscard]] bool is(std::string_view word) const noexcept;
    /// Its last operand is a program, whose options are not the command's.
    [[nodiscard]] bool runs_program() const noexcept {
        return !operands.empty() && operands.back().kind == value_kind::program;
    }
};

[[nodiscard]] std::span<const command_entry> command_table() noexcept;
/// The options before the command.
[[nodiscard]] std::span<const option> global_options() noexcept;
/// Exit codes that every command may have.
[[nodiscard]] std::span<const exit_meaning> common_exits() noexcept;

/// By name or alias; null if there is none.
[[nodiscard]] const command_entry* find_command(std::string_view word) noexcept;
/// Null if the command has no such option. `written`: as cxxopts names it, the word, or else the letter.
[[nodiscard]] const option* find_option(std::span<const option> options, std::string_view written) noexcept;

} // namespace mux
