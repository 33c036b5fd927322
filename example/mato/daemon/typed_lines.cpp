// SPDX-License-Identifier: MIT
#include "typed_lines.hpp"

#include <algorithm>
#include <utility>

namespace mux {

void typed_lines::type(std::string_view bytes, const text_mark& cursor) {
    bool is_at_cursor = true; // lines after the first one are echoed at a place that is not known yet
    for (const char byte : bytes) {
        if (byte == '\r' || byte == '\n') {
            submit();
            is_at_cursor = false;
        } else if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f || current_.text.size() == most_bytes) {
            forget_line();
        } else if (is_known_) {
            if (current_.text.empty()) current_.at = cursor;
            is_known_ = is_at_cursor;
            current_.text += byte;
        }
    }
}

void typed_lines::forget_line() noexcept { is_known_ = false; }

void typed_lines::submit() {
    line done = std::exchange(current_, {});
    if (!std::exchange(is_known_, true)) return;
    done.text.erase(done.text.find_last_not_of(' ') + 1); // a line's text has no blanks at its end
    if (done.text.empty()) return;
    if (lines_.size() == most_lines) lines_.erase(lines_.begin());
    lines_.push_back(std::move(done));
}

std::vector<byte_range> typed_lines::echoes_in(const text_read& part) const {
    std::vector<byte_range> found;
    for (const line& each : lines_) {
        if (each.at.line < part.line) continue;
        const std::size_t from = begin_of_line(part.text, each.at.line - part.line);
        if (from == part.text.npos) continue;
        const std::uint64_t cut = each.at.line == part.line ? part.column : 0; // of the line's text, before `part`
        const std::string_view text =
            std::string_view(part.text).substr(0, std::min(part.text.find('\n', from), part.text.size()));
        const std::size_t begin = text.find(each.text, from + (each.at.column > cut ? each.at.column - cut : 0));
        if (begin != text.npos) found.push_back({begin, begin + each.text.size()});
    }
    std::ranges::sort(found, {}, &byte_range::begin);
    return found;
}

} // namespace mux
