// SPDX-License-Identifier: MIT
#include "help.hpp"

#include <algorithm>
#include <string_view>

namespace mux {
namespace {

constexpr std::size_t text_column = 22; // of the texts of options

/// "-t TASK", or "-S, --socket PATH" with both spellings.
std::string option_text(const option& each, bool with_both) {
    std::string text = each.spelling();
    if (with_both && !each.letter.empty() && !each.word.empty()) text.append(", --").append(each.word);
    if (each.value_is_optional)
        text.append(" [").append(each.value).append("]");
    else if (!each.value.empty())
        text.append(" ").append(each.value);
    return text;
}

struct part {
    std::string text;
    choice in;
    bool is_required, repeats;
};

std::vector<part> usage_parts_of(const command_entry& entry) {
    std::vector<part> parts;
    for (const option& each : entry.options) parts.push_back({option_text(each, false), each.in, false, each.repeats});
    for (const operand& each : entry.operands) {
        const bool is_program = each.kind == value_kind::program;
        parts.push_back({(is_program ? "-- " : "") + std::string(each.name), each.in, each.is_needed(), each.repeats()});
    }
    return parts;
}

/// "  NAME  text", the texts in one column.
void append_help_row(std::string& to, std::string_view name, std::string_view text) {
    to.append("  ").append(name);
    if (name.size() + 2 < text_column)
        to.append(text_column - name.size() - 2, ' ');
    else
        to.append("\n").append(text_column, ' ');
    to.append(text).append("\n");
}

void append_options(std::string& to, std::span<const option> options) {
    for (const option& each : options) append_help_row(to, option_text(each, true), each.text);
}

} // namespace

std::string usage_of(const command_entry& entry) {
    std::string text(entry.name);
    const auto parts = usage_parts_of(entry);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        text += ' ';
        if (parts[i].in == choice::none) {
            const std::string repeated = parts[i].repeats ? "…" : "";
            text += parts[i].is_required ? parts[i].text + repeated : "[" + parts[i].text + "]" + repeated;
            continue;
        }
        const bool required = parts[i].in == choice::exactly_one;
        text += (required ? "(" : "[") + parts[i].text;
        if (parts[i].repeats) text += "…";
        for (; i + 1 < parts.size() && parts[i + 1].in != choice::none; ++i)
            text += " | " + parts[i + 1].text + (parts[i + 1].repeats ? "…" : "");
        text += required ? ")" : "]";
    }
    return text;
}

std::string alternatives_of(const command_entry& entry, const std::string& last) {
    std::vector<std::string> names;
    for (const option& each : entry.options)
        if (each.in != choice::none) names.push_back(each.spelling());
    for (const operand& each : entry.operands)
        if (each.in != choice::none) names.emplace_back(each.name);
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : i + 1 == names.size() ? " " + last + " " : ", ") + names[i];
    return text;
}

std::string help_text() {
    std::string text = "mato: tabs that keep running when you leave\n\n"
                       "usage: mato [OPTION…] [COMMAND …]\n\n"
                       "With no command: attach to the tab used last, or open one.\n\n";
    for (const command_entry& each : command_table())
        text.append("  mato ").append(usage_of(each)).append("\n        ").append(each.text).append("\n");
    text += "\n'mato help COMMAND' explains the options of a command.\n\noptions before the command:\n";
    append_options(text, global_options());
    for (const command_entry& each : command_table())
        for (const std::string_view alias : each.aliases)
            if (alias.starts_with('-')) append_help_row(text, alias, "the same as the command " + std::string(each.name));
    text += "\nshort names of commands:\n";
    for (const command_entry& each : command_table())
        for (const std::string_view alias : each.aliases)
            if (!alias.starts_with('-')) append_help_row(text, alias, "the same as " + std::string(each.name));
    return text + "\ntmux's names of commands, such as new-session, are understood too.\n\nTAB is a tab's number, TASK/TAB by "
                  "name or number, the beginning of a name, or '.' for the current tab.\n"
                  "A task's name means its tab used last, where a tab is shown, typed into, read or waited for.\n"
                  "While attached, C-\\ d detaches and C-\\ ? lists the keys.\n";
}

std::string help_of(const command_entry& entry) {
    std::string text =
        "mato " + std::string(entry.name) + ": " + std::string(entry.text) + "\n\nusage: mato " + usage_of(entry) + "\n";
    if (!entry.options.empty()) text += "\noptions:\n";
    append_options(text, entry.options);
    text += "\nexit codes:\n";
    std::vector<exit_meaning> exits(entry.exits.begin(), entry.exits.end());
    for (const exit_meaning& each : common_exits())
        if (std::none_of(exits.begin(), exits.end(), [&](const exit_meaning& own) { return own.code == each.code; }))
            exits.push_back(each);
    std::sort(exits.begin(), exits.end(), [](const exit_meaning& a, const exit_meaning& b) {
        return static_cast<unsigned>(a.code) < static_cast<unsigned>(b.code); // the program's code is the last one
    });
    for (const exit_meaning& each : exits)
        append_help_row(text, each.code == programs_code ? "program's" : std::to_string(each.code), each.text);
    text += "\nexamples:\n";
    for (const std::string_view each : entry.examples) text.append("  ").append(each).append("\n");
    return text;
}

std::vector<std::string> manual_rows() {
    std::vector<std::string> rows;
    for (const command_entry& each : command_table()) {
        std::string usage;
        for (const char c : usage_of(each)) usage += c == '|' ? std::string("\\|") : std::string(1, c);
        rows.push_back("| `" + usage + "` | " + std::string(each.text) + " |");
    }
    return rows;
}

} // namespace mux
