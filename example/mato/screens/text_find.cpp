// SPDX-License-Identifier: MIT
#include "text_find.hpp"

#include <algorithm>
#include <utility>

namespace mux {
namespace {

constexpr std::string_view expression_mark = "re:";
constexpr std::size_t cost_of_line = 64; // bytes that take as long to search as reading a line
constexpr std::size_t least_slice = 1024;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

std::string quoted(std::string_view text) {
    std::string all;
    for (const char c : text) {
        if (!is_letter_or_digit(c)) all += '\\';
        all += c;
    }
    return all;
}

/// Classes such as \S are no capitals.
bool has_capital(std::string_view expression) {
    for (std::size_t i = 0; i < expression.size(); ++i) {
        if (expression[i] == '\\')
            ++i;
        else if (expression[i] >= 'A' && expression[i] <= 'Z')
            return true;
    }
    return false;
}

bool is_older(const text_hit& hit, text_position at) { return hit.position() < at; }

} // namespace

void text_find::begin(std::string_view typed, const text_source& text) {
    hits_.clear();
    problem_.clear();
    pattern_.reset();
    next_ = 0;
    const bool is_expression = typed.starts_with(expression_mark);
    if (is_expression) typed.remove_prefix(expression_mark.size());
    if (typed.empty()) return;
    const std::string expression = is_expression ? std::string(typed) : quoted(typed);
    using letters = text_pattern::letters;
    pattern_ = text_pattern::compile(expression, problem_, has_capital(expression) ? letters::exact : letters::of_any_case);
    if (pattern_ && pattern_->instructions() > most_instructions) {
        pattern_.reset();
        problem_ = "this expression is too large to search while you type";
    }
    if (!pattern_) return;
    slice_ = std::clamp(slice_work / std::max<std::size_t>(pattern_->instructions(), 1), least_slice, slice_bytes);
    next_ = text.end_line();
}

bool text_find::work(const text_source& text) {
    const std::size_t before = hits_.size();
    vt::row cells;
    next_ = std::min(next_, text.end_line());
    for (std::size_t searched = 0; is_searching() && searched < slice_; searched += line_.size() + cost_of_line) {
        if (next_ <= text.first_line() || hits_.size() >= most_hits) {
            next_ = 0;
            break;
        }
        text.read_line(--next_, cells);
        search_line(next_, cells);
    }
    if (next_ <= text.first_line() || hits_.size() >= most_hits) next_ = 0;
    return hits_.size() > before;
}

void text_find::search_line(std::uint64_t line, const vt::row& cells) {
    line_.clear();
    cells.append_text(line_, 0, cells.used());
    const std::size_t first = hits_.size();
    int column = 0;
    std::size_t bytes = 0; // of the columns before
    std::string character;
    const auto column_at = [&](std::size_t byte) {
        for (; bytes < byte && column < cells.used(); ++column) {
            character.clear();
            cells.append_text(character, column, column + 1);
            bytes += character.size();
        }
        while (column < cells.used() && cells.at(column) == vt::units::tail) ++column;
        return column;
    };
    for (std::size_t from = 0; from < line_.size() && hits_.size() - first < hits_of_line_;) {
        const auto found = pattern_->find(line_, from);
        if (!found) break;
        if (found->end > found->begin) {
            const int begin = column_at(found->begin);
            hits_.push_back({line, begin, column_at(found->end)});
            from = found->end;
        } else { // nothing can be shown of an empty match
            from = found->end + 1;
            while (from < line_.size() && (static_cast<unsigned char>(line_[from]) & 0xc0) == 0x80) ++from;
        }
    }
    std::reverse(hits_.begin() + static_cast<std::ptrdiff_t>(first), hits_.end());
}

const text_hit* text_find::older(text_position at) const {
    const auto found = std::partition_point(hits_.begin(), hits_.end(), [&](const text_hit& h) { return !is_older(h, at); });
    return found == hits_.end() ? nullptr : &*found;
}

const text_hit* text_find::newer(text_position at) const {
    const auto found = std::partition_point(hits_.begin(), hits_.end(), [&](const text_hit& h) { return h.position() > at; });
    return found == hits_.begin() ? nullptr : &*std::prev(found);
}

std::size_t text_find::number_of(text_position at) const {
    const auto found = std::partition_point(hits_.begin(), hits_.end(), [&](const text_hit& h) { return h.position() > at; });
    return found != hits_.end() && found->position() == at ? static_cast<std::size_t>(found - hits_.begin()) + 1 : 0;
}

std::span<const text_hit> text_find::hits_of(std::uint64_t line) const {
    const auto first = std::partition_point(hits_.begin(), hits_.end(), [&](const text_hit& h) { return h.line > line; });
    const auto last = std::partition_point(first, hits_.end(), [&](const text_hit& h) { return h.line == line; });
    return {first, last};
}

void text_find::drop_before(std::uint64_t line) {
    while (!hits_.empty() && hits_.back().line < line) hits_.pop_back();
}

} // namespace mux
