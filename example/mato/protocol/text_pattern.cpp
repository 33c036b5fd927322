// SPDX-License-Identifier: MIT
#include "text_pattern.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t most_located = 256; // bytes of a pattern whose error is located: each prefix is compiled

RE2::Options options() {
    RE2::Options all(RE2::Quiet);
    all.set_max_mem(text_pattern::most_memory);
    all.set_never_capture(true);
    return all;
}

// The matcher's message without its quotation, which shows a prefix that the user did not write.
std::string_view reason_of(const RE2& wrong, std::string_view pattern) {
    switch (wrong.error_code()) {
    case RE2::ErrorBadEscape: return "this escape is unknown; back-references are not supported";
    case RE2::ErrorBadCharClass: return "this character class is not valid";
    case RE2::ErrorBadCharRange: return "this range of characters is not valid";
    case RE2::ErrorMissingBracket: return "this '[' has no ']'";
    case RE2::ErrorMissingParen: return pattern.starts_with(')') ? "this ')' has no '('" : "this '(' has no ')'";
    case RE2::ErrorUnexpectedParen: return "this ')' has no '('";
    case RE2::ErrorTrailingBackslash: return "a backslash at the end escapes nothing";
    case RE2::ErrorRepeatArgument: return "there is nothing to repeat";
    case RE2::ErrorRepeatSize: return "this repeats too often; at most 1000 times are allowed";
    case RE2::ErrorRepeatOp: return "one repetition directly follows another";
    case RE2::ErrorBadPerlOp: return "this group is unknown; look-ahead and look-behind are not supported";
    case RE2::ErrorBadUTF8: return "this is not valid UTF-8";
    case RE2::ErrorBadNamedCapture: return "this group's name is not valid";
    case RE2::ErrorPatternTooLarge: return "it is too large once its repetitions are expanded";
    default: return "it is not a regular expression";
    }
}

/// Where the error begins. The parser stops at the first error, so it is at the end of the longest valid prefix, or, if the
/// message quotes a part, at the end of the shortest prefix with the same error.
std::size_t place_of(std::string_view pattern, const RE2& wrong) {
    const std::string& part = wrong.error_arg();
    const bool is_quoted = !part.empty() && part.size() <= pattern.size() && part != pattern;
    std::size_t longest_valid = 0;
    for (std::size_t size = 0; size <= pattern.size(); ++size) {
        const RE2 prefix(re2::StringPiece(pattern.data(), size), options());
        if (prefix.ok()) longest_valid = size;
        if (is_quoted && size >= part.size() && prefix.error_code() == wrong.error_code() && prefix.error_arg() == part)
            return size - part.size();
    }
    return longest_valid;
}

std::string describe_fault(std::string_view pattern) {
    const RE2 wrong(re2::StringPiece(pattern.data(), pattern.size()), options()); // once more, without what compile() adds
    if (wrong.ok()) return "it is not a regular expression";
    if (pattern.size() > most_located || wrong.error_code() == RE2::ErrorPatternTooLarge)
        return std::string(reason_of(wrong, {}));
    const std::size_t at = place_of(pattern, wrong);
    const std::string_view rest = pattern.substr(at);
    std::string text = rest.empty() ? std::string("at its end: ") : "at byte " + std::to_string(at + 1) + ", '";
    if (!rest.empty()) text.append(rest).append("': ");
    return text.append(reason_of(wrong, rest));
}

} // namespace

class text_pattern::engine {
public:
    engine(const std::string& pattern, const RE2::Options& how) : compiled(pattern, how) {}
    RE2 compiled;
};

text_pattern::text_pattern(std::unique_ptr<engine> compiled) : engine_(std::move(compiled)) {
    instructions_ = static_cast<std::size_t>(std::max(engine_->compiled.ProgramSize(), 1));
    step_bytes_ = std::clamp(step_work / instructions_, least_step, most_step);
}
text_pattern::text_pattern(text_pattern&&) noexcept = default;
text_pattern& text_pattern::operator=(text_pattern&&) noexcept = default;
text_pattern::~text_pattern() = default;

std::optional<text_pattern> text_pattern::compile(std::string_view pattern, std::string& problem, letters match) {
    if (pattern.size() > most_bytes) {
        problem = "it has " + std::to_string(pattern.size()) + " bytes; at most " + std::to_string(most_bytes) + " are allowed";
        return std::nullopt;
    }
    RE2::Options how = options();
    how.set_case_sensitive(match == letters::exact);
    auto made = std::make_unique<engine>("(?m)" + std::string(pattern), how);
    if (made->compiled.ok()) return text_pattern(std::move(made));
    problem = describe_fault(pattern);
    return std::nullopt;
}

bool text_pattern::matches_within(std::string_view text, std::size_t from, std::size_t to) const {
    return engine_->compiled.Match({text.data(), text.size()}, from, to, RE2::UNANCHORED, nullptr, 0);
}

std::optional<byte_range> text_pattern::find(std::string_view text, std::size_t from, std::size_t to) const {
    if (!matches_within(text, from, to)) return std::nullopt; // most lines; faster than to ask for the place
    re2::StringPiece found;
    if (!engine_->compiled.Match({text.data(), text.size()}, from, to, RE2::UNANCHORED, &found, 1)) return std::nullopt;
    const auto begin = static_cast<std::size_t>(found.data() - text.data());
    return byte_range{begin, begin + found.size()};
}

text_search::state text_search::step() {
    if (state_ != state::searching) return state_;
    const std::size_t to = std::min(text_.size(), from_ + pattern_.step_bytes());
    if (const auto place = pattern_.find(text_, from_, to)) {
        found_ = *place;
        state_ = state::found;
    } else if (to == text_.size()) {
        state_ = state::absent;
    } else {
        from_ += pattern_.step_bytes() / 2;
    }
    return state_;
}

void text_search::go_on(std::size_t from) noexcept {
    from_ = from;
    state_ = from_ < text_.size() ? state::searching : state::absent;
}

} // namespace mux
