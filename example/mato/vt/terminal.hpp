// SPDX-License-Identifier: MIT
/// @file terminal.hpp: a terminal: takes bytes; gives screen, history, answers and events.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp, work_test.cpp and the scripts test/mato/vt/*.vt.
/// Threads: distinct objects are independent; one object, one thread.
/// Fork: plain memory.   Blocks: never.   Fails: only restore(); parsing accepts any bytes.
/// Source: ECMA-48, the VT100 to VT520 manuals, xterm's control sequence document; where they differ, xterm decides.
#pragma once

#include "changes.hpp"
#include "colour.hpp"
#include "cursor.hpp"
#include "events.hpp"
#include "geometry.hpp"
#include "links.hpp"
#include "modes.hpp"
#include "options.hpp"
#include "picture.hpp"
#include "prompt_marks.hpp"
#include "text_line.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mux::vt {

class emulator;
class parser;
class row;

enum class snapshot_error : std::uint8_t { none, not_a_snapshot, too_new, damaged };

class terminal {
public:
    explicit terminal(terminal_options options = {});
    ~terminal();
    terminal(terminal&&) noexcept;
    terminal& operator=(terminal&&) noexcept;

    // ---- input ----
    /// Bytes of the program's output, split anywhere.
    void feed(std::string_view bytes, moment now = {});
    /// Takes as much of `bytes` as costs no more than `work`, and at least one sequence. Feed the rest next: the result is the
    /// same. @returns bytes taken; 0 while a REP that an earlier call began still repeats
    /// @units `work` is cells touched, except printed ones, which cost as much as their bytes. One takes 1 to 20 ns; no
    /// sequence touches more than the screen has. @pre work > 0
    [[nodiscard]] std::size_t feed_some(std::string_view bytes, moment now, std::int64_t work);
    void resize(screen_size size);
    /// Both apply to later input.
    void set_cell_size(pixel_size size);
    void know_pictures(picture_protocols known);
    /// May release answers that waited for it.
    void know_host(host_terminal known);

    // ---- output: to the program and to viewers ----
    /// Bytes that the caller writes to the program.
    [[nodiscard]] std::string take_answers();
    [[nodiscard]] std::vector<event> take_events();
    /// Events dropped because earlier ones were not taken.
    [[nodiscard]] std::uint64_t lost_events() const noexcept;

    // ---- screen ----
    [[nodiscard]] screen_size size() const noexcept;
    [[nodiscard]] cursor_view cursor() const noexcept;
    /// Row `r` of the visible screen. @pre 0 <= r < size().rows
    void read_row(int r, text_line& out) const;
    /// The same row as it is stored (row.hpp). Valid until the next feed() or resize().
    [[nodiscard]] const row& row_at(int r) const noexcept;
    [[nodiscard]] std::uint64_t row_generation(int r) const noexcept;
    [[nodiscard]] const hyperlink* find_link(link_id id) const noexcept;
    [[nodiscard]] rgb palette_colour(std::size_t index) const noexcept; ///< see palette for the indices past 255
    [[nodiscard]] bool is_colour_changed(std::size_t index) const noexcept;
    [[nodiscard]] std::uint64_t palette_stamp() const noexcept; ///< of the changed colours: palette::stamp
    [[nodiscard]] const std::string& title() const noexcept;
    [[nodiscard]] const std::string& icon_name() const noexcept;

    // ---- pictures; marks in row_at() say where they are: picture.hpp ----
    [[nodiscard]] const std::vector<picture>& pictures() const noexcept; ///< on either screen, the oldest first
    [[nodiscard]] const picture* find_picture(std::uint16_t number) const noexcept;
    [[nodiscard]] std::uint64_t refused_images() const noexcept; ///< over a limit, in total
    [[nodiscard]] pixel_size cell_size() const noexcept;         ///< as set, or the default

    // ---- history, oldest first; its rows have the current width ----
    [[nodiscard]] std::size_t history_rows() const;
    void read_history_row(std::size_t i, text_line& out) const;
    void read_history_row(std::size_t i, row& out) const;
    /// Calls `visit` with the rows from `first` on until it returns false. Reads each line once, unlike the functions above.
    void read_history_rows(std::size_t first, const std::function<bool(const row&)>& visit) const;
    [[nodiscard]] std::size_t history_lines() const noexcept;
    void read_history_line(std::size_t i, text_line& out) const;
    void read_history_line(std::size_t i, row& out) const;
    /// True if the newest line of history continues in the first row of the primary screen.
    [[nodiscard]] bool is_history_open() const noexcept;
    /// Lines dropped so far: the number of history line 0, counted from the first ever.
    [[nodiscard]] std::uint64_t first_history_line() const noexcept;
    /// OSC 133, in the order of the text: marks of the lines that are kept. Valid until the next feed() or resize().
    [[nodiscard]] std::span<const prompt_mark> prompt_marks() const noexcept;
    /// Rows that ever scrolled off the top; see event::row.
    [[nodiscard]] std::uint64_t rows_scrolled() const noexcept;

    // ---- changes ----
    /// Increases with every call that may change something.
    [[nodiscard]] std::uint64_t revision() const noexcept;
    [[nodiscard]] changes changes_since(std::uint64_t revision) const;

    // ---- for viewers: state that decides keys, mouse and frames ----
    [[nodiscard]] bool is_set(mode m) const noexcept;
    [[nodiscard]] int kitty_keyboard_flags() const noexcept;
    [[nodiscard]] int modify_other_keys() const noexcept;
    /// True in a synchronised update that is not overdue: a viewer delays its next frame until synchronised_until() at most.
    [[nodiscard]] bool is_synchronised(moment now) const noexcept;
    [[nodiscard]] moment synchronised_until() const noexcept;

    // ---- to let another terminal of this size continue in this state ----
    /// Switches to the visible screen: before it is drawn.
    [[nodiscard]] std::string entry() const;
    /// Tab stops, margins, modes, both cursors, pen and character sets: after it was drawn, starting from the state of a reset.
    [[nodiscard]] std::string drawing_state() const;
    /// False inside an escape sequence, a string or a character.
    [[nodiscard]] bool is_between_sequences() const noexcept;

    // ---- snapshots ----
    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    /// Everything except the limits and the results of take_answers() and take_events().
    [[nodiscard]] std::string save() const;
    /// Restores the saved terminal, under its own limits. On any result except `none` it is unchanged.
    [[nodiscard]] snapshot_error restore(std::string_view bytes);
    /// True if both would save the same except for the revision: the same bytes, split differently, give the same terminal.
    [[nodiscard]] bool is_same(const terminal& other) const;

    // ---- to survive the process, when limits.history.store does ----
    /// The same as `save` in a few microseconds: what lies in the store's blocks is not copied. Everything that was fed until
    /// then is in it, as are known pictures and the cell size; what is known of the host is not.
    /// @param buffer grows when it is too small; a buffer that is passed again costs no allocation
    /// @returns bytes in `buffer`; none when the store is full. @pre the terminal has a store
    [[nodiscard]] std::string_view checkpoint(std::string& buffer);
    /// To be called when the last checkpoint has replaced the one before. Blocks that only that one needed are given back.
    void checkpointed();
    /// Blocks that wait for `checkpointed`. Output can make many; a checkpoint then is worth its time.
    [[nodiscard]] std::size_t blocks_kept_aside() const noexcept;
    /// Makes this terminal the one that another process has checkpointed, with the blocks in the store. What was fed after the
    /// checkpoint is to be fed again. @pre the terminal is new. Unchanged, with all blocks, unless the result is `none`.
    [[nodiscard]] snapshot_error restore_checkpoint(std::string_view bytes);

    /// For tests: every rule of every row holds, and the cursor and margins are on the screen.
    [[nodiscard]] bool is_valid() const;

private:
    struct core;
    std::unique_ptr<core> core_;
};

} // namespace mux::vt
