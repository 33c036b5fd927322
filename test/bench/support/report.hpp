// SPDX-License-Identifier: MIT
/// @file report.hpp: tables in Markdown, and replacing a part of a document.
#pragma once

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

class table {
public:
    explicit table(std::vector<std::string> head) : rows_{std::move(head)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] std::string markdown() const {
        std::string text;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            for (const std::string& cell : rows_[i]) text += "| " + cell + " ";
            text += "|\n";
            if (i > 0) continue;
            for (std::size_t column = 0; column < rows_[0].size(); ++column) text += column == 0 ? "|---" : "|---:";
            text += "|\n";
        }
        return text;
    }

private:
    std::vector<std::vector<std::string>> rows_;
};

/// Three significant digits, no exponent; "–" if not measured.
[[nodiscard]] inline std::string figure(double value) {
    if (!std::isfinite(value)) return "–";
    const double size = std::fabs(value);
    char digits[64];
    std::snprintf(digits, sizeof digits, "%.*f",
                  size >= 99.95 || value == 0 ? 0
                  : size >= 9.995             ? 1
                  : size >= 0.995             ? 2
                                              : 3,
                  value);
    return digits;
}

/// Replaces the text between `<!-- NAME -->` and `<!-- end of NAME -->`.
inline void replace_part(const std::string& path, const std::string& name, const std::string& text) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    std::string document = all.str();
    const std::string begin = "<!-- " + name + " -->\n", end = "<!-- end of " + name + " -->";
    const auto from = document.find(begin), to = document.find(end);
    if (from == std::string::npos || to == std::string::npos || to < from)
        throw std::runtime_error(path + " has no part " + name);
    document.replace(from + begin.size(), to - from - begin.size(), text);
    std::ofstream(path) << document;
}

} // namespace bench
