// SPDX-License-Identifier: MIT
#include "man_pages.hpp"

#include "help.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <cctype>
#include <span>
#include <string_view>
#include <vector>

namespace mux {
namespace {

constexpr std::string_view written = "2026-12-01"; // when the texts of the table of commands last changed

/// Text that roff does not interpret.
std::string as_roff(std::string_view text) {
    std::string out;
    if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
    for (; !text.empty(); text.remove_prefix(1)) {
        if (text.starts_with("…")) {
            out += "...";
            text.remove_prefix(2);
        } else if (text[0] == '\\') {
            out += "\\e";
        } else if (text[0] == '-') {
            out += "\\-";
        } else {
            out += text[0];
        }
    }
    return out;
}

std::string in_capitals(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

std::string page_begin(const std::string& name, std::string_view what) {
    return ".TH " + in_capitals(name) + " 1 " + std::string(written) + " \"mato " MATO_VERSION_STRING "\" \"mato manual\"\n" +
           ".SH NAME\n" + as_roff(name) + " \\- " + as_roff(what) + "\n";
}

void add_item(std::string& page, std::string_view tag, std::string_view text) {
    page.append(".TP\n.B ").append(as_roff(tag)).append("\n").append(as_roff(text)).append("\n");
}

std::string option_tag(const option& each) {
    std::string tag = each.spelling();
    if (!each.letter.empty() && !each.word.empty()) tag.append(", --").append(each.word);
    if (each.value_is_optional) return tag.append(" [").append(each.value).append("]");
    return each.value.empty() ? tag : tag.append(" ").append(each.value);
}

void add_exits(std::string& page, std::vector<exit_meaning> exits) {
    for (const exit_meaning& each : common_exits())
        if (std::none_of(exits.begin(), exits.end(), [&](const exit_meaning& own) { return own.code == each.code; }))
            exits.push_back(each);
    std::sort(exits.begin(), exits.end(), [](const exit_meaning& a, const exit_meaning& b) {
        return static_cast<unsigned>(a.code) < static_cast<unsigned>(b.code); // the program's code is the last one
    });
    page += ".SH EXIT STATUS\n";
    for (const exit_meaning& each : exits)
        add_item(page, each.code == programs_code ? "program's" : std::to_string(each.code), each.text);
}

} // namespace

std::string man_page() {
    std::string page = page_begin("mato", "tabs that keep running when you leave");
    page += ".SH SYNOPSIS\n.B mato\n[OPTION...] [COMMAND ...]\n"
            ".SH DESCRIPTION\n"
            "mato is a terminal multiplexer: a daemon runs programs in tabs, and terminals show them.\n"
            "Without a command it attaches to the tab used last, or opens one.\n"
            "While attached, C\\-\\e d detaches, and C\\-\\e ? lists the keys.\n"
            ".PP\nTAB is a tab's number, TASK/TAB by name or number, the beginning of a name, or . for the current tab.\n"
            "A task's name means its tab used last, where a tab is shown, typed into, read or waited for.\n"
            ".SH OPTIONS\n";
    for (const option& each : global_options()) add_item(page, option_tag(each), each.text);
    page += ".SH COMMANDS\n";
    for (const command_entry& each : command_table()) add_item(page, usage_of(each), each.text);
    add_exits(page, {});
    page += ".SH FILES\n";
    add_item(page, "~/.config/mato/config.toml", "the configuration, or the file of the same name below XDG_CONFIG_HOME");
    page += ".SH SEE ALSO\n";
    const auto all = command_table();
    for (const command_entry& each : all)
        page.append(".BR mato\\-").append(each.name).append(&each == &all.back() ? " (1)\n" : " (1),\n");
    return page;
}

std::string man_page_of(const command_entry& entry) {
    std::string page = page_begin("mato-" + std::string(entry.name), entry.text);
    page.append(".SH SYNOPSIS\n.B mato\n").append(as_roff(usage_of(entry))).append("\n.SH DESCRIPTION\n");
    std::string text(entry.text);
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    page.append(as_roff(text)).append(".\n");
    for (const std::string_view alias : entry.aliases)
        page.append(".PP\n").append(as_roff("'" + std::string(alias) + "' is another name of this command.")).append("\n");
    if (!entry.options.empty()) page += ".SH OPTIONS\n";
    for (const option& each : entry.options) add_item(page, option_tag(each), each.text);
    add_exits(page, {entry.exits.begin(), entry.exits.end()});
    page += ".SH EXAMPLES\n.nf\n";
    for (const std::string_view each : entry.examples) page.append(as_roff(each)).append("\n");
    return page + ".fi\n.SH SEE ALSO\n.BR mato (1)\n";
}

} // namespace mux
