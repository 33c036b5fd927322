// SPDX-License-Identifier: MIT
/// @file markdown.hpp: the tables and code spans of a document, for tests that compare it with the code.
#pragma once

#include "temp_directory.hpp"

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace support {

inline std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::istringstream text(read_file(file));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

/// The rows of a table without its head: of the first one whose head begins with `head`, below the line `heading`. Empty
/// heading: anywhere.
inline std::vector<std::string> table_rows(const std::filesystem::path& file, std::string_view head,
                                           std::string_view heading = {}) {
    std::vector<std::string> rows;
    int at = heading.empty() ? 1 : 0; // 0: before the heading, 1: before the table, 2: at its rule, 3: in it
    for (const std::string& line : lines_of(file)) {
        if (at == 0)
            at = line == heading ? 1 : 0;
        else if (at == 1)
            at = line.starts_with(head) ? 2 : 1;
        else if (at == 2)
            at = 3;
        else if (line.starts_with('|'))
            rows.push_back(line);
        else
            break;
    }
    return rows;
}

/// The cells of a row. No cell may contain a bar.
inline std::vector<std::string> cells_of(const std::string& row) {
    std::vector<std::string> cells;
    std::istringstream text(row.substr(1));
    for (std::string cell; std::getline(text, cell, '|');) cells.push_back(cell);
    return cells;
}

/// What stands between pairs of backticks.
inline std::vector<std::string> code_spans(const std::string& text) {
    std::vector<std::string> spans;
    for (std::size_t from = text.find('`'); from != std::string::npos; from = text.find('`', from)) {
        const std::size_t end = text.find('`', ++from);
        if (end == std::string::npos) break;
        spans.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return spans;
}

/// All lines as one text, each with its end.
inline std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

} // namespace support
