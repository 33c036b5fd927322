// SPDX-License-Identifier: MIT
/// @file text_pattern.hpp: a regular expression and a search for it in steps of bounded work.
/// Pure.  Threads: distinct objects are independent.   Blocks: never.   Test: test/mato/text_pattern_test.cpp.
///
/// The syntax is RE2's: Perl's without look-around and back-references, which no matcher can search in linear time.
#pragma once

#include "byte_range.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

class text_pattern {
public:
    static constexpr std::size_t most_bytes = 4096;      ///< of a pattern: longer ones are mistakes, such as a file's content
    static constexpr std::size_t most_memory = 1u << 20; ///< bytes, of the compiled pattern and its caches
    static constexpr std::size_t step_work = 1u << 26;   ///< of one search step, in instructions times bytes: at most 0.3 s
    static constexpr std::size_t least_step = 4096, most_step = 1u << 20; ///< bytes of text: a whole screen

    enum class letters : std::uint8_t { exact, of_any_case };

    /// `^` and `$` match at line ends. @returns empty if it is not valid: `problem` says what is wrong, and where.
    [[nodiscard]] static std::optional<text_pattern> compile(std::string_view pattern, std::string& problem,
                                                             letters match = letters::exact);
    text_pattern(text_pattern&&) noexcept;
    text_pattern& operator=(text_pattern&&) noexcept;
    ~text_pattern();

    /// Whether the text holds a match that ends in [from, to) and begins there too.
    /// `^`, `$` and `\b` see the text around the range. Linear in to - from.
    [[nodiscard]] bool matches_within(std::string_view text, std::size_t from, std::size_t to) const;
    /// The first match within [from, to) of a text; leftmost, and of those the one that Perl prefers.
    [[nodiscard]] std::optional<byte_range> find(std::string_view text, std::size_t from, std::size_t to) const;
    [[nodiscard]] std::optional<byte_range> find(std::string_view text, std::size_t from) const {
        return find(text, from, text.size());
    }
    /// Of the compiled pattern: the steps that one byte of text may need.
    [[nodiscard]] std::size_t instructions() const noexcept { return instructions_; }
    /// Bytes of text that one step searches: fewer for patterns that need more work per byte.
    [[nodiscard]] std::size_t step_bytes() const noexcept { return step_bytes_; }

private:
    class engine;
    explicit text_pattern(std::unique_ptr<engine> compiled);

    std::unique_ptr<engine> engine_;
    std::size_t instructions_ = 1, step_bytes_ = most_step;
};

/// A search that can be interrupted between two steps. Steps overlap by half, so in a text longer than one step a match is
/// certain to be found if it is not longer than half a step.
class text_search {
public:
    enum class state { searching, found, absent };

    /// @pre The pattern and the text outlive the search.
    text_search(const text_pattern& pattern, std::string_view text) noexcept : pattern_(pattern), text_(text) {}
    state step();
    /// Searches on from this byte. @pre step() has returned `found`
    void go_on(std::size_t from) noexcept;
    /// @pre step() has returned `found`
    [[nodiscard]] byte_range found() const noexcept { return found_; }

private:
    const text_pattern& pattern_;
    std::string_view text_;
    std::size_t from_ = 0;
    byte_range found_;
    state state_ = state::searching;
};

} // namespace mux
