// SPDX-License-Identifier: MIT
/// @file history.hpp: the lines that left the screen, packed.
/// Layer: vt core.  Test: test/mato/vt/storage_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// Lines are kept as they were written, not as they were wrapped: a resize changes nothing here, and a viewer wraps
/// the lines it shows. A line whose last row is still on the screen is open: the next row pushed goes on with it.
#pragma once

#include "row.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mux::vt {

struct history_limits {
    std::size_t lines = 10'000;
    /// Bytes of all blocks together. 16 MiB hold 10 000 lines of 1600 bytes; the oldest lines go first.
    std::size_t bytes = 16u << 20;
};

class history {
public:
    /// Columns; a longer line is cut in two, which shows only when it is wrapped anew.
    /// The edge: without it a program that never ends its line could not be evicted from.
    static constexpr int max_line = 16 * 1024;

    explicit history(history_limits limits);

    /// Takes a row that leaves the screen; `r.wraps` says whether its line goes on.
    void push(const row& r);
    /// The open line, if there is one, does not go on after all.
    void end_line();
    void clear();

    [[nodiscard]] std::size_t size() const noexcept { return packed_ + (is_open_ ? 1u : 0u); }
    /// The number, counted from the first line ever, of line 0 of those kept.
    [[nodiscard]] std::uint64_t first() const noexcept { return evicted_; }
    [[nodiscard]] bool is_open() const noexcept { return is_open_; }
    /// Line `i` of size(), oldest first.
    void read(std::size_t i, row& out) const;
    /// Removes the newest line and gives it back. @pre size() > 0
    row pop();

    /// Rows all lines take on a screen of `columns`, and row `i` of them. Remembered per block, so cheap to repeat.
    [[nodiscard]] std::size_t rows(int columns) const;
    void read_row(std::size_t i, int columns, row& out) const;

    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    [[nodiscard]] history_limits limits() const noexcept { return limits_; }

    /// For snapshots: all lines packed, the open one into `scratch`. Dies with the next change.
    [[nodiscard]] std::vector<std::string_view> packed_lines(std::string& scratch) const;
    enum class line_end : std::uint8_t { closed, open };
    /// @returns false if the bytes are no packed line
    bool push_packed(std::string_view bytes, line_end end);
    void restore_first(std::uint64_t first) noexcept { evicted_ = first; }

private:
    // Small enough that a half full last one hardly counts, large enough that allocating them does not.
    static constexpr std::size_t block_bytes = 16 * 1024;

    // What an open line may keep for the next one: a few rows of an ordinary screen.
    static constexpr std::size_t kept_open_bytes = 4 * 1024;

    struct block {
        std::unique_ptr<char[]> bytes;
        std::uint32_t capacity = 0;
        std::uint32_t used = 0;
        std::uint32_t gone = 0;            // lines evicted from the front
        std::vector<std::uint32_t> starts; // where each line begins
        mutable int counted_columns = 0;   // rows_ below hold for this width, and these lines
        mutable std::uint32_t counted_gone = 0;
        mutable std::uint32_t counted_lines = 0;
        mutable std::size_t counted_rows = 0;

        [[nodiscard]] std::size_t lines() const noexcept { return starts.size() - gone; }
        [[nodiscard]] std::string_view line(std::size_t i) const noexcept;
        [[nodiscard]] std::size_t rows(int columns) const;
    };

    char* room_for(std::size_t bytes);
    void close_line(const row& line);
    void evict();
    void drop_front_block();
    [[nodiscard]] const block* find(std::size_t& i) const noexcept;

    history_limits limits_;
    std::deque<block> blocks_;
    block spare_; // the last block evicted, to be used again
    std::size_t packed_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t evicted_ = 0;
    row open_;
    bool is_open_ = false;
};

} // namespace mux::vt
