// SPDX-License-Identifier: MIT
#include "marked_output.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace mux {
namespace {

constexpr std::string_view introducer = "\033]133;";

/// Where the string ends that `text` is in, and the size of its end; npos: not in this text.
std::pair<std::size_t, std::size_t> find_end(std::string_view text) {
    const std::size_t at = text.find_first_of("\a\033");
    if (at == text.npos) return {at, 0};
    if (text[at] == '\a') return {at, 1};
    if (at + 1 == text.size()) return {text.npos, 0};
    return {at, text[at + 1] == '\\' ? 2u : 0u}; // any other sequence ends it, too
}

} // namespace

std::optional<int> marked_output::piece::code() const {
    const std::size_t begin = text.find(';');
    if (begin == text.npos) return std::nullopt;
    const std::size_t end = std::min(text.find(';', begin + 1), text.size());
    int code = 0;
    const auto [rest, why] = std::from_chars(text.data() + begin + 1, text.data() + end, code);
    if (why != std::errc() || rest != text.data() + end || code < 0) return std::nullopt;
    return code;
}

std::vector<marked_output::piece> marked_output::feed(std::string_view bytes) {
    const std::string all = std::exchange(held_, {}).append(bytes);
    std::string_view rest = all;
    std::vector<piece> pieces;
    const auto add_text = [&pieces](std::string_view text) {
        if (text.empty()) return;
        if (pieces.empty() || pieces.back().is_mark) pieces.emplace_back();
        pieces.back().text += text;
    };
    while (!rest.empty()) {
        const std::size_t escape = rest.find('\033');
        add_text(rest.substr(0, escape));
        if (escape == rest.npos) break;
        rest.remove_prefix(escape);
        if (introducer.starts_with(rest)) { // or a part of it
            held_ = rest;
            break;
        }
        if (!rest.starts_with(introducer)) {
            add_text(rest.substr(0, 1));
            rest.remove_prefix(1);
            continue;
        }
        const std::string_view mark = rest.substr(introducer.size());
        const auto [size, end] = find_end(mark);
        if (size == mark.npos && mark.size() <= most_mark) {
            held_ = rest;
            break;
        }
        if (size > most_mark) {
            add_text(introducer);
            rest.remove_prefix(introducer.size());
            continue;
        }
        pieces.push_back({std::string(mark.substr(0, size)), true});
        rest = mark.substr(size + end);
    }
    return pieces;
}

} // namespace mux
