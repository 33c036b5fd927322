// SPDX-License-Identifier: MIT
#include "tab_columns.hpp"

#include "listings.hpp"
#include "screens/text_row.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace mux {
namespace {

constexpr int most_name_columns = 24, most_state_columns = 32;

/// The last cell takes the rest of the line.
struct table_line {
    std::string id, name, state, size, viewers, command;
};

table_line table_line_of(const tab_info& tab, const table_look& look) {
    const std::string says = attention_of(tab);
    return {(tab.id == look.current ? "*" : "") + std::to_string(tab.id),
            clipped(tab.name, most_name_columns, look.unicode),
            clipped(says.empty() ? state_text(tab) : says, most_state_columns, look.unicode),
            std::to_string(tab.size.columns) + "x" + std::to_string(tab.size.rows),
            tab.clients == 0 ? "" : counted(tab.clients, "client"),
            tab.command};
}

void pad(std::string& text, int columns) {
    if (columns > 0) text.append(static_cast<std::size_t>(columns), ' ');
}

} // namespace

std::string tabs_in_columns(const tab_list& list, const table_look& look) {
    std::vector<table_line> lines;
    for (const tab_info& each : list.tabs) lines.push_back(table_line_of(each, look));
    constexpr std::array cells{&table_line::name, &table_line::state, &table_line::size, &table_line::viewers};
    std::array<int, cells.size()> widths{};
    int id_width = 0;
    for (const table_line& each : lines) {
        id_width = std::max(id_width, text_columns(each.id));
        for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], text_columns(each.*cells[i]));
    }
    std::string all;
    for (std::size_t n = 0; n < lines.size(); ++n) {
        const tab_info& tab = list.tabs[n];
        if (n == 0 || tab.task != list.tabs[n - 1].task) all += clipped(tab.task, look.columns, look.unicode) + "\n";
        std::string line = " ";
        pad(line, id_width - text_columns(lines[n].id));
        line += lines[n].id;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (widths[i] == 0) continue;
            const std::string& text = lines[n].*cells[i];
            line.append("  ").append(text);
            pad(line, widths[i] - text_columns(text));
        }
        line = clipped(line.append("  ").append(lines[n].command), look.columns, look.unicode);
        line.erase(line.find_last_not_of(' ') + 1);
        all += line + "\n";
    }
    return all;
}

} // namespace mux
