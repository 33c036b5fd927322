// SPDX-License-Identifier: MIT
/// @file history.hpp: the lines that left the screen, packed.
/// Layer: vt core.  Test: test/mato/vt/storage_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// Lines are kept as the program wrote them, unwrapped: a resize changes nothing here, and a viewer wraps the lines it
/// shows. A line whose last row is still on the screen is open: the next row pushed is appended to it.
#pragma once

#include "block_list.hpp"
#include "geometry.hpp"
#include "row.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mux::vt {

struct history_limits {
    std::size_t lines = 10'000;
    /// Bytes of all blocks together. 16 MiB hold 10 000 lines of 1600 bytes. The oldest lines are removed first.
    std::size_t bytes = 16u << 20;
    /// Where the blocks lie; null: on the heap. It must outlive the history.
    block_store* store = nullptr;
};

class history {
public:
    /// Columns; a longer line is cut in two, which shows only when it is wrapped again at another width.
    /// The edge: without it the line of a program that never ends one could not be evicted.
    static constexpr int max_line = 16 * 1024;

    /// Columns of a line that is read back: a row that goes over `max_line` may be in it.
    static constexpr int readable_columns = max_line + max_columns;

    explicit history(history_limits limits);

    /// Takes a row that leaves the screen; `r.wraps` says whether its line goes on.
    void push(const row& r);
    /// Closes the open line, if there is one.
    void end_line();
    void clear();

    [[nodiscard]] std::size_t size() const noexcept { return lines_.size() + (is_open_ ? 1u : 0u); }
    /// The number, counted from the first line ever, of line 0 of those kept.
    [[nodiscard]] std::uint64_t first() const noexcept { return evicted_; }
    [[nodiscard]] bool is_open() const noexcept { return is_open_; }
    /// Line `i` of size(), oldest first.
    void read(std::size_t i, row& out) const;
    /// Removes the newest line and returns it. @pre size() > 0
    row pop();

    /// Rows all lines take on a screen of `columns`, and row `i` of them. Remembered per block, so cheap to repeat.
    [[nodiscard]] std::size_t rows(int columns) const;
    void read_row(std::size_t i, int columns, row& out) const;
    /// Calls `visit` with the rows from row `first` on, oldest first, until it returns false. Each line is read once, so this
    /// is the way to read many.
    void read_rows(std::size_t first, int columns, const std::function<bool(const row&)>& visit) const;

    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    [[nodiscard]] history_limits limits() const noexcept { return limits_; }

    enum class earlier_links : std::uint8_t { none, unknown };
    /// From now on notes the links of each line, so that `links` is cheap. `earlier`: what is known of those so far.
    void note_links(earlier_links earlier);
    /// Adds the links of all lines.
    /// @returns the bytes of the lines that had to be read for it: those of the oldest block, and those not noted
    std::size_t links(link_set& found) const;

    /// For snapshots: all lines packed, the open one into `scratch`. Valid until the next change.
    [[nodiscard]] std::vector<std::string_view> packed_lines(std::string& scratch) const;
    enum class line_end : std::uint8_t { closed, open };
    /// @returns false if the bytes are no packed line
    bool push_packed(std::string_view bytes, line_end end);
    void restore_first(std::uint64_t first) noexcept { evicted_ = first; }

    /// For checkpoints: the closed lines stay where they are (block_list.hpp), the open one is written by the caller.
    [[nodiscard]] const block_list& closed_lines() const noexcept { return lines_; }
    [[nodiscard]] const row& open_line() const noexcept { return open_; }
    /// @pre nothing was pushed
    [[nodiscard]] bool adopt(byte_reader& in, std::span<block_head* const> left);
    void restore_open(row line) noexcept {
        open_ = std::move(line);
        is_open_ = true;
    }
    void published() noexcept { lines_.published(); }

private:
    // What an open line may keep for the next one: a few rows of an ordinary screen.
    static constexpr std::size_t kept_open_bytes = 4 * 1024;

    // The bound of a packed line may be five times its size. Up to here that much room at a block's end is wasted at most.
    static constexpr std::size_t most_packed_in_place = block_bytes / 2;

    [[nodiscard]] char* begin_line(std::size_t bytes) {
        char* const to = lines_.begin_record(bytes);
        return to ? to : begin_line_in_full_store(bytes);
    }
    [[nodiscard]] char* begin_line_in_full_store(std::size_t bytes);
    void close_line(const row& line);
    void note_links_of(const row& line);
    void close_long_line(const row& line, std::size_t bound);
    void evict();
    [[nodiscard]] static std::size_t rows_of(const block_list::block& b, int columns);

    history_limits limits_;
    block_list lines_; // the closed ones
    std::uint64_t evicted_ = 0;
    row open_;
    bool is_open_ = false;
    bool notes_links_ = false;
};

} // namespace mux::vt
