// SPDX-License-Identifier: MIT
#include "words.hpp"

namespace mux {
namespace {

/// Appends the text before the closing quote to `word`; returns how many bytes were read, npos if there is no closing quote.
std::size_t take_quoted(std::string_view rest, char quote, std::string& word) {
    constexpr std::string_view escapable = "\\\"$`";
    for (std::size_t at = 0; at < rest.size(); ++at) {
        if (rest[at] == quote) return at + 1;
        const bool escapes =
            quote == '"' && rest[at] == '\\' && at + 1 < rest.size() && escapable.find(rest[at + 1]) != std::string_view::npos;
        word += rest[escapes ? ++at : at];
    }
    return std::string_view::npos;
}

} // namespace

std::vector<std::string> split_words(std::string_view line, std::string& problem) {
    std::vector<std::string> words;
    bool in_word = false;
    const auto word = [&]() -> std::string& {
        if (!in_word) words.emplace_back();
        in_word = true;
        return words.back();
    };
    while (!line.empty()) {
        const char c = line[0];
        line.remove_prefix(1);
        if (c == ' ' || c == '\t') {
            in_word = false;
        } else if (c == '\'' || c == '"') {
            const std::size_t size = take_quoted(line, c, word());
            if (size == std::string_view::npos)
                return problem = std::string("a quotation that begins with ") + c + " is not closed", words;
            line.remove_prefix(size);
        } else if (c == '\\') {
            if (line.empty()) return problem = "the line ends after a \\", words;
            word() += line[0];
            line.remove_prefix(1);
        } else {
            word() += c;
        }
    }
    return words;
}

} // namespace mux
