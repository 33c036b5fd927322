// SPDX-License-Identifier: MIT
#include "text_parts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mux {

bool text_parts::add(text_read part) {
    if (!anchors_.empty() && part.line > last_.next) lost_ += part.line - last_.next;
    anchors_.push_back({text_.size(), {part.line, part.column, part.tab}});
    for (const byte_range& each : std::exchange(part.echoes, {}))
        echoes_.push_back({text_.size() + each.begin, text_.size() + each.end});
    text_ += std::exchange(part.text, {});
    last_ = std::move(part);
    return last_.next != 0;
}

bool text_parts::ends_in_echo(std::size_t end) const noexcept {
    return std::ranges::any_of(echoes_, [&](const byte_range& each) { return each.begin < end && end <= each.end; });
}

text_mark text_parts::mark_at(std::size_t byte) const {
    const auto after =
        std::upper_bound(anchors_.begin(), anchors_.end(), byte, [](std::size_t at, const anchor& a) { return at < a.byte; });
    if (after == anchors_.begin()) return {};
    const anchor& from = *std::prev(after);
    return from.at.after(std::string_view(text_).substr(from.byte, byte - from.byte));
}

std::string text_parts::line_at(std::size_t byte) const {
    const std::size_t before = byte == 0 ? std::string::npos : text_.rfind('\n', byte - 1);
    const std::size_t from = before == std::string::npos ? 0 : before + 1;
    return text_.substr(from, std::min(text_.find('\n', byte), text_.size()) - from);
}

std::string_view text_before(std::string_view text, const text_mark& begin, const text_mark& end) {
    const std::size_t at = begin_of_line(text, end.line - begin.line);
    if (at == text.npos) return text;
    const std::uint64_t cut = end.line == begin.line ? begin.column : 0;
    return text.substr(0, at + std::min<std::uint64_t>(end.column - std::min(end.column, cut), text.size() - at));
}

} // namespace mux
