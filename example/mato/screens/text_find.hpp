// SPDX-License-Identifier: MIT
/// @file text_find.hpp: a search through a text, from the newest line to the oldest, in slices of bounded work.
/// Pure.  Test: test/mato/text_find_test.cpp.
#pragma once

#include "protocol/text_pattern.hpp"
#include "text_source.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mux {

/// Columns [column, end) of a line.
struct text_hit {
    std::uint64_t line = 0;
    int column = 0, end = 0;

    [[nodiscard]] text_position position() const noexcept { return {line, column}; }
};

class text_find {
public:
    static constexpr std::size_t most_hits = 20'000; ///< the newest ones; older ones are not looked for
    static constexpr std::size_t most_hits_of_line = 1'000;
    static constexpr std::size_t slice_bytes = 64u << 10; ///< searched per call of work(), about a millisecond; at least a line
    static constexpr std::size_t slice_work = 1u << 21;   ///< the same, in instructions of the pattern times bytes
    static constexpr std::size_t most_instructions = 1u << 9; ///< of a pattern: each byte of a line may need that many steps

    text_find() noexcept = default;
    /// Of a line it finds the first `hits_of_line` hits.
    explicit text_find(std::size_t hits_of_line) noexcept : hits_of_line_(hits_of_line) {}

    /// Searches for `typed`, not regarding case unless there is a capital in it. After "re:" it is a regular expression.
    /// Lines that are added later are not searched. What was found before is forgotten.
    void begin(std::string_view typed, const text_source& text);
    /// A slice. @returns true if it has found more
    bool work(const text_source& text);
    [[nodiscard]] bool is_searching() const noexcept { return pattern_ && next_ > 0; }
    /// Not all hits are known: it is still searching, or there are too many.
    [[nodiscard]] bool is_partial() const noexcept { return is_searching() || hits_.size() >= most_hits; }
    /// Why the expression is not valid; empty: it is.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

    [[nodiscard]] std::size_t count() const noexcept { return hits_.size(); }
    [[nodiscard]] const text_hit& newest() const { return hits_.front(); } ///< @pre count() > 0
    /// Nearest to `at`, but not there; null: there is none.
    [[nodiscard]] const text_hit* older(text_position at) const;
    [[nodiscard]] const text_hit* newer(text_position at) const;
    /// The hit that begins there, counted from 1, the newest; 0: none does.
    [[nodiscard]] std::size_t number_of(text_position at) const;
    /// The rightmost first.
    [[nodiscard]] std::span<const text_hit> hits_of(std::uint64_t line) const;
    /// The hits, the newest first; they are forgotten here, and the search goes on.
    [[nodiscard]] std::vector<text_hit> take() { return std::exchange(hits_, {}); }
    /// Forgets hits in lines that are gone.
    void drop_before(std::uint64_t line);

private:
    void search_line(std::uint64_t line, const vt::row& cells);

    std::optional<text_pattern> pattern_;
    std::string problem_;
    std::string line_; // reused
    std::vector<text_hit> hits_;
    std::uint64_t next_ = 0; // the line after the next one to be searched; 0: the search has ended
    std::size_t slice_ = slice_bytes;
    std::size_t hits_of_line_ = most_hits_of_line;
};

} // namespace mux
