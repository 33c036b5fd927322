// SPDX-License-Identifier: MIT
/// @file prompt_marks.hpp: where a shell's prompts, commands and their outputs begin and end, by numbers of lines.
/// Layer: vt core.  Test: test/mato/vt/prompt_marks_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Source: FinalTerm, OSC 133.
///
/// A mark is a line's number and a column of the unwrapped line, so neither scrolling nor a resize changes it, and text without
/// marks costs nothing. Marks are in the order of the text: a new one removes those that are not before it, because the text
/// there was written again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mux::vt {

class byte_reader;
class byte_writer;

/// In the order of one command: OSC 133 A, B, C, D.
enum class mark_kind : std::uint8_t { prompt, input, output, end };

struct prompt_mark {
    std::uint64_t line = 0; ///< counted from the terminal's first line ever
    std::int32_t column = 0;
    mark_kind kind = mark_kind::prompt;
    std::int32_t exit_code = unknown_code; ///< of `end`

    static constexpr std::int32_t unknown_code = -1;
    friend bool operator==(const prompt_mark&, const prompt_mark&) = default;
};

class prompt_marks {
public:
    /// The oldest half is dropped beyond it: 512 commands, in 48 KiB.
    static constexpr std::size_t most = 2048;
    static constexpr std::int32_t most_column = 1 << 20; ///< larger ones become this

    /// @param first the oldest line that is kept: marks of older ones are dropped
    void add(const prompt_mark& made, std::uint64_t first);
    /// Removes the marks after this place: the text there is erased.
    void drop_after(std::uint64_t line, std::int32_t column);
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    /// In the order of the text; those of lines before `first` are left out.
    [[nodiscard]] std::span<const prompt_mark> from(std::uint64_t first) const noexcept;
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return all_.capacity() * sizeof(prompt_mark) + packed_.capacity();
    }

    /// For snapshots. Their bytes are kept until a mark changes, because checkpoints come more often than prompts.
    void put(byte_writer& out) const;
    /// @returns false if the bytes are not those of `put`
    [[nodiscard]] bool take(byte_reader& in);

private:
    std::vector<prompt_mark> all_;
    mutable std::string packed_; // all_, or empty: not packed yet
};

} // namespace mux::vt
