// SPDX-License-Identifier: MIT
#include "text_mark.hpp"

#include <charconv>

namespace mux {
namespace {

/// Takes a number from the front. Only digits; `false`: there is none, or it is too large.
bool take_number(std::string_view& from, std::uint64_t& to) {
    const auto [end, problem] = std::from_chars(from.data(), from.data() + from.size(), to);
    if (problem != std::errc() || end == from.data()) return false;
    from.remove_prefix(static_cast<std::size_t>(end - from.data()));
    return true;
}

bool take(std::string_view& from, char wanted) {
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
    if (!take_number(text, mark.line) || mark.line == 0 || !take(text, '.') || !take_number(text, mark.column))
        return std::nullopt;
    --mark.line;
    if (take(text, '@') && (!take_number(text, mark.tab) || mark.tab == 0)) return std::nullopt;
    return text.empty() ? std::optional(mark) : std::nullopt;
}

} // namespace mux
