// SPDX-License-Identifier: MIT
#include "text_moves.hpp"

#include <algorithm>
#include <string_view>

namespace mux {
namespace {

enum class sort : std::uint8_t { blank, word, sign };

sort sort_of(const vt::row& line, int column) {
    vt::unit u = line.at(column);
    if (u == vt::units::tail && column > 0) u = line.at(column - 1);
    char32_t code = u & vt::units::code_mask;
    if ((u & vt::units::cluster) != 0) code = line.cluster(u).empty() ? U' ' : line.cluster(u).front();
    if (code == 0 || code == U' ' || code == 0xa0) return sort::blank;
    const bool is_word = code >= 0x80 || code == U'_' || (code >= U'0' && code <= U'9') || (code >= U'A' && code <= U'Z') ||
                         (code >= U'a' && code <= U'z');
    return is_word ? sort::word : sort::sign;
}

/// Columns up to the last one that is not blank.
int length_of(const vt::row& line) {
    int end = line.used();
    while (end > 0 && sort_of(line, end - 1) == sort::blank) --end;
    return end;
}

/// The column where its character begins.
int head_of(const vt::row& line, int column) { return column > 0 && line.at(column) == vt::units::tail ? column - 1 : column; }

/// A line of the text, and the others as they are needed.
struct reader {
    const text_source& text;
    text_position at;
    vt::row line{};
    int length = 0;
    int blank_lines = 0;

    reader(const text_source& from, text_position where) : text(from), at(where) { read(); }
    void read() {
        text.read_line(at.line, line);
        length = length_of(line);
        blank_lines += length == 0;
    }
    [[nodiscard]] sort here() const { return sort_of(line, at.column); }
    bool go_down() {
        if (at.line + 1 >= text.end_line() || blank_lines > most_lines_of_a_step) return false;
        ++at.line, at.column = 0;
        read();
        return true;
    }
    bool go_up() {
        if (at.line <= text.first_line() || blank_lines > most_lines_of_a_step) return false;
        --at.line;
        read();
        at.column = std::max(0, length - 1);
        return true;
    }
    void skip_right(sort what) {
        while (at.column < length && here() == what) ++at.column;
    }
    [[nodiscard]] text_position result() const {
        return {at.line, head_of(line, std::clamp(at.column, 0, std::max(0, line.used() - 1)))};
    }
};

} // namespace

text_position left_of(const text_source& text, text_position at) {
    vt::row line;
    text.read_line(at.line, line);
    return {at.line, head_of(line, std::max(0, at.column - 1))};
}

text_position right_of(const text_source& text, text_position at) {
    vt::row line;
    text.read_line(at.line, line);
    int next = at.column + 1;
    if (line.at(next) == vt::units::tail) ++next;
    return next < line.used() ? text_position{at.line, next} : at;
}

text_position line_end(const text_source& text, text_position at) {
    vt::row line;
    text.read_line(at.line, line);
    return {at.line, head_of(line, std::max(0, length_of(line) - 1))};
}

text_position next_word(const text_source& text, text_position from) {
    reader r(text, from);
    if (r.at.column < r.length && r.here() != sort::blank) r.skip_right(r.here());
    r.skip_right(sort::blank);
    while (r.at.column >= r.length) {
        if (!r.go_down()) return line_end(text, r.at);
        if (r.length == 0) break; // an empty line counts
        r.skip_right(sort::blank);
    }
    return r.result();
}

text_position previous_word(const text_source& text, text_position from) {
    reader r(text, from);
    r.at.column = std::min(r.at.column, r.length) - 1;
    while (r.at.column >= 0 && r.here() == sort::blank) --r.at.column;
    while (r.at.column < 0) {
        if (!r.go_up()) return {r.at.line, 0};
        if (r.length == 0) return {r.at.line, 0};
    }
    const sort what = r.here();
    while (r.at.column > 0 && sort_of(r.line, r.at.column - 1) == what) --r.at.column;
    return r.result();
}

text_position word_end(const text_source& text, text_position from) {
    reader r(text, from);
    r.at.column = right_of(text, from).column;
    if (r.at.column == from.column) r.at.column = r.length;
    r.skip_right(sort::blank);
    while (r.at.column >= r.length) {
        if (!r.go_down()) return line_end(text, r.at);
        r.skip_right(sort::blank);
    }
    const sort what = r.here();
    while (r.at.column + 1 < r.length && sort_of(r.line, r.at.column + 1) == what) ++r.at.column;
    return r.result();
}

column_range word_at(const text_source& text, text_position at) {
    constexpr std::string_view joined = "-_.,/~:@%+#?&=";
    vt::row line;
    text.read_line(at.line, line);
    const auto is_joined = [&](int column) {
        const vt::unit u = line.at(column);
        if (u == vt::units::tail || (u & vt::units::cluster) != 0) return true;
        const char32_t code = u & vt::units::code_mask;
        if (code >= 0x80) return true;
        const auto c = static_cast<char>(code);
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c != 0 && joined.find(c) != joined.npos);
    };
    column_range word{at.column, at.column + 1};
    if (at.column >= line.used() || !is_joined(at.column)) return word;
    while (word.from > 0 && is_joined(word.from - 1)) --word.from;
    while (word.to < line.used() && is_joined(word.to)) ++word.to;
    return word;
}

} // namespace mux
