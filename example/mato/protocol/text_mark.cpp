// SPDX-License-Identifier: MIT
#include "text_mark.hpp"

#include <algorithm>
#include <charconv>

namespace mux {
namespace {

/// Takes a number from the front. Only digits; `false`: there is none, or it is too large.
bool take_decimal(std::string_view& from, std::uint64_t& to) {
    const auto [end, problem] = std::from_chars(from.data(), from.data() + from.size(), to);
    if (problem != std::errc() || end == from.data()) return false;
    from.remove_prefix(static_cast<std::size_t>(end - from.data()));
    return true;
}

bool take_character(std::string_view& from, char wanted) {
    if (from.empty() || from.front() != wanted) return false;
    from.remove_prefix(1);
    return true;
}

} // namespace

std::string text_mark::text() const {
    std::string all = std::to_string(line + 1).append(".").append(std::to_string(column));
    if (tab != 0) all.append("@").append(std::to_string(tab));
    return all;
}

std::optional<text_mark> text_mark::parse(std::string_view text) {
    text_mark mark;
    if (!take_decimal(text, mark.line) || mark.line == 0 || !take_character(text, '.') || !take_decimal(text, mark.column))
        return std::nullopt;
    --mark.line;
    if (take_character(text, '@') && (!take_decimal(text, mark.tab) || mark.tab == 0)) return std::nullopt;
    return text.empty() ? std::optional(mark) : std::nullopt;
}

text_mark text_mark::after(std::string_view text) const noexcept {
    const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    return {line + lines, lines == 0 ? column + text.size() : text.size() - text.rfind('\n') - 1, tab};
}

std::size_t begin_of_line(std::string_view text, std::uint64_t before) noexcept {
    std::size_t at = 0;
    for (; before > 0; --before) {
        at = text.find('\n', at);
        if (at == text.npos) return text.npos;
        ++at;
    }
    return at;
}

} // namespace mux
