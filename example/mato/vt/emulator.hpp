// SPDX-License-Identifier: MIT
/// @file emulator.hpp: the state to which the parser's output is applied. Internal: use terminal.hpp.
/// Layer: vt core.  Test: through terminal.hpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Bodies: emulator_text (printing), _cursor (movement, tabs), _control (C0 and ESC), _sequence (CSI), _edit (erasing,
/// scrolling, rectangles), _modes, _report (answers), _redraw, _string (OSC, DCS, APC), _mark (prompts), _host (colours,
/// and other facts about the host terminal), _picture (images).
#pragma once

#include "changes.hpp"
#include "charset.hpp"
#include "cursor.hpp"
#include "events.hpp"
#include "history.hpp"
#include "keyboard.hpp"
#include "kitty_graphics.hpp"
#include "links.hpp"
#include "modes.hpp"
#include "options.hpp"
#include "parser.hpp"
#include "picture_store.hpp"
#include "prompt_marks.hpp"
#include "reflow.hpp"
#include "screen.hpp"
#include "sgr_scan.hpp"
#include "styled_text.hpp"

#include <algorithm>
#include <bitset>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mux::vt {

/// What DECSC saves and DECRC restores.
struct cursor_state {
    position at;
    bool pending_wrap = false; ///< the last column is written; the next character wraps first
    bool origin = false;       ///< only in saved cursors; the current one uses the mode
    style pen;
    vt::charsets sets;
};

struct title_pair {
    std::string title;
    std::string icon;
};

/// A program's query about the host terminal.
struct host_question {
    enum class subject : std::uint8_t { colour, theme, keyboard, attributes };
    subject about = subject::attributes;
    std::uint16_t index = 0; ///< of a colour
    bool bell = false;       ///< the query ended with BEL, and so does the answer
};

class emulator {
public:
    explicit emulator(terminal_options options);

    // The parser's sink.
    const char* text(const char* p, const char* end);
    void control(char c) { // most are ends of lines
        last_printed_ = 0;
        if (c == '\r') return carriage_return();
        if (c == '\n' && !modes_.is_set(mode::newline)) return line_feed();
        other_control(c);
    }
    void escape(std::uint16_t intermediates, char final);
    void control_sequence_done(const control_sequence& seq);
    const char* graphic_rendition(const char* p, detail::sequence_shape shape) noexcept {
        last_printed_ = 0;
        return scan_sgr(p, shape, cursor_.pen);
    }
    const char* coloured_text(const char* p, const char* end);
    void string_begin(string_kind kind, const control_sequence& seq);
    void string_data(std::string_view data);
    void string_done(string_end how);
    void begin(const char* end) noexcept { stop_ = end; }
    [[nodiscard]] const char* stop() const noexcept { return stop_; }
    [[nodiscard]] std::uint32_t unfinished() noexcept {
        if (repeats_left_ > 0) last_printed_ = repeated_; // it is not part of the sequence yet
        return std::exchange(repeats_left_, 0);
    }

    void begin_change() noexcept;
    void resize(screen_size size);
    void reset();
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    friend class terminal;
    friend struct snapshot_access;

private:
    static constexpr int default_tab = 8;
    /// Cost of a row that is rotated, cleared or filled, in cells written one by one.
    static constexpr int row_cost = 16;
    /// Bytes of a string, or of history, that are read in the time of writing one cell.
    static constexpr int string_share = 4;
    static constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max() / 2;
    /// XTPUSHTITLE, XTPUSHSGR: xterm keeps ten of each.
    static constexpr std::size_t max_stack = 10;
    /// Links opened between two collections of a full table: a collection reads all of history.
    static constexpr std::uint32_t links_between_sweeps = 1024;
    /// Bytes of a title. Longer ones are cut: no window shows more.
    static constexpr std::size_t max_title = 1024;
    /// Pixels of a cell whose size is unknown: the VT340's, for which sixels are made.
    static constexpr pixel_size assumed_cell{10, 20};
    /// Queries that wait for the host's answers; further ones stay unanswered. Programs query a palette of at most 256.
    static constexpr std::size_t most_waiting = 512;

    struct waiting_answer {
        host_question question;
        std::string later; ///< answers that were produced later
    };

    [[nodiscard]] bool on_alternate() const noexcept { return modes_.is_set(mode::alternate_screen); }
    screen& grid() noexcept { return on_alternate() ? *alternate_ : primary_; }
    [[nodiscard]] const screen& grid() const noexcept { return on_alternate() ? *alternate_ : primary_; }
    [[nodiscard]] int rows() const noexcept { return size_.rows; }
    [[nodiscard]] int columns() const noexcept { return size_.columns; }
    /// Counts work that is not proportional to the bytes: cells that one sequence touches in addition to those it prints.
    void spend(std::int64_t cells) noexcept {
        if ((work_left_ -= cells) <= 0) stop_ = nullptr;
    }
    [[nodiscard]] bool is_spent() const noexcept { return stop_ == nullptr; }
    void spend_rows(int count) noexcept { spend(std::int64_t{count} * row_cost); }
    void spend(const rectangle& area) noexcept {
        if (!area.empty()) spend(std::int64_t{area.bottom - area.top} * (area.right - area.left));
    }
    row& line() noexcept { return screen_->touch(cursor_.at.row); }

    // emulator_control.cpp
    void other_control(char c);

    // emulator_text.cpp
    const char* append_plain(const char* p, const char* end);
    void put_plain(char c);
    void printed(char32_t code, int to, int limit) noexcept;
    const char* plain_run(const char* p, const char* end);
    void print(char32_t code);
    void put(char32_t code, int width);
    void combine(char32_t mark);
    bool join_cluster(char32_t code);
    void repeat(int count);
    void wrap();
    [[nodiscard]] int wrap_limit() const noexcept;
    void update_text_path() noexcept;

    // emulator_cursor.cpp
    void move_to(int row, int column) noexcept;
    void address(int row, int column) noexcept;
    void address_by(int rows, int columns) noexcept;
    [[nodiscard]] position addressed() const noexcept;
    void move_up(int count) noexcept;
    void move_down(int count) noexcept;
    void move_left(int count) noexcept;
    void move_right(int count) noexcept;
    void carriage_return() noexcept;
    void next_line();
    void reverse_index();
    void backspace() noexcept;
    void tab_forward(int count) noexcept;
    void tab_back(int count) noexcept;
    void reset_tabs() noexcept;
    void save_cursor() noexcept;
    void restore_cursor() noexcept;
    [[nodiscard]] bool inside_margins() const noexcept;
    void set_top_bottom(int top, int bottom) noexcept;
    void set_left_right(int left, int right) noexcept;
    void reset_margins() noexcept;
    void set_cursor_shape(int number) noexcept;

    // emulator_edit.cpp
    void scroll_between_margins(int top, int bottom, int count);
    void line_feed();
    void release_rows(int top, int bottom, int count);
    void scroll_up(int top, int bottom, int count);
    void scroll_down(int top, int bottom, int count);
    void break_line_above(int row);
    void erase_display(int how, bool selective);
    void erase_line(int how, bool selective);
    void erase_area(const rectangle& area, bool selective);
    void erase_characters(int count);
    void insert_characters(int count);
    void delete_characters(int count);
    void insert_lines(int count);
    void delete_lines(int count);
    void shift_columns(int column, int count);
    void back_index();
    void forward_index();
    void alignment_pattern();
    [[nodiscard]] std::optional<rectangle> area(const parameters& p, std::size_t first) const noexcept;
    [[nodiscard]] std::optional<rectangle> stretch(const parameters& p) const noexcept;
    [[nodiscard]] rectangle corners(const parameters& p, std::size_t first) const noexcept;
    void change_attributes(const parameters& p, bool reverse);
    void copy_area(const parameters& p);
    void fill_area(const parameters& p);

    // emulator_sequence.cpp
    void plain_sequence(const control_sequence& seq);
    void marked_sequence(const control_sequence& seq);
    void private_sequence(const control_sequence& seq);

    // emulator_modes.cpp
    void set_modes(const control_sequence& seq, bool on);
    void set_mode(mode m, bool on);
    void set_dec_number(int number, bool on);
    void show_alternate(bool on);
    void save_modes(const parameters& p);
    void restore_modes(const parameters& p);
    void soft_reset();
    void keyboard_sequence(const control_sequence& seq);
    void modify_keys(const parameters& p);
    kitty_keyboard& kitty() noexcept { return kitty_[on_alternate() ? 1 : 0]; }

    // emulator_report.cpp
    void answer(std::initializer_list<std::string_view> parts);
    template <class... Parts> void answer_csi(const Parts&... parts) { answer({"\x1b[", parts...}); }
    void device_status(int what, int request, bool dec);
    void report_mode(mode_space space, int number);
    void report_window(const parameters& p);
    void report_checksum(const parameters& p);
    void report_setting(std::string_view what);
    void report_capabilities(std::string_view hex_names);

    // emulator_redraw.cpp
    [[nodiscard]] std::string entry() const;
    [[nodiscard]] std::string drawing_state() const;
    void append_cursor(const cursor_state& c, bool origin_mode, position origin, std::string& out) const;

    // emulator_string.cpp
    void finish_osc(bool bell);
    void finish_dcs();
    void finish_apc();
    void set_title(std::string_view text, bool title, bool icon);
    void push_title(int which);
    void pop_title(int which);
    void link_osc(std::string_view rest);
    void clipboard_osc(std::string_view rest);
    void tell(event_kind kind, std::string_view text, std::string_view target = {});
    void sweep_links();

    // emulator_mark.cpp
    struct text_place {
        std::uint64_t line = 0; ///< as in prompt_mark
        std::int32_t column = 0;
    };
    [[nodiscard]] text_place screen_place() const noexcept;
    [[nodiscard]] text_place cursor_place() const noexcept;
    void mark_prompt(std::string_view rest);
    void unmark_erased(int how);

    // emulator_host.cpp
    void know_host(host_terminal known);
    void ask_host(host_question what);
    void answer_about_host(host_question what);
    void answer_theme(theme now);
    void report_size();
    void report_presentation(int what);
    void colours_osc(std::string_view rest, bool bell);
    void reset_colours_osc(std::string_view rest);
    void dynamic_osc(int number, std::string_view rest, bool bell);
    void set_or_ask_colour(std::uint16_t index, std::string_view spec, bool bell);

    // emulator_picture.cpp
    [[nodiscard]] pixel_size cell() const noexcept;
    void place_picture(picture p, bool moves);
    void advance_past_picture(int columns) noexcept;
    void show_sixels(std::string_view text);
    void show_iterm(std::string_view text);
    void kitty_graphics(std::string_view text);
    void answer_kitty(const kitty_command& c, std::string_view what, std::uint32_t id = 0);
    void take_kitty_image(const kitty_command& c, std::string data, bool is_too_long);
    void put_kitty_image(const kitty_command& c);
    void place_kitty(const kitty_command& c, std::shared_ptr<const image> shown, std::uint32_t id);
    void delete_kitty(const kitty_command& c);
    void erase_picture_cells(const std::vector<std::uint16_t>& numbers);
    void collect_unused_pictures();
    void report_graphics(const parameters& p);

    terminal_options options_;
    screen_size size_;
    screen primary_;
    std::optional<screen> alternate_; // created when first shown
    screen* screen_ = &primary_;
    vt::history history_;
    std::vector<row> below_; // of the primary screen; see reflow.hpp
    prompt_marks marks_;     // of the history and the primary screen

    cursor_state cursor_;
    std::array<std::optional<cursor_state>, 2> saved_; // one per screen
    reflow_cursor primary_left_at_; // while the alternate screen is shown: the primary screen's text ends here
    mode_set modes_;
    std::uint64_t saved_modes_ = 0;                   // XTSAVE
    int top_ = 0, bottom_ = 0, left_ = 0, right_ = 0; // margins, half open
    std::bitset<max_columns> tabs_;
    cursor_shape shape_ = cursor_shape::own;
    bool rectangular_attributes_ = false; // DECSACE
    bool guards_from_all_ = false;        // SPA came last, not DECSCA: protection then applies to ED, EL and ECH too
    bool plain_text_ = true;              // bytes can become cells without any translation: see update_text_path()
    char32_t last_printed_ = 0;           // for REP; 0 after anything except a character
    std::optional<position> cluster_at_;  // mode 2027: the cell that may be extended, while the cursor stays after it

    std::array<kitty_keyboard, 2> kitty_; // one per screen
    modified_keys modified_;
    vt::palette palette_;
    title_pair titles_;
    std::vector<title_pair> title_stack_;
    std::vector<style> pen_stack_; // XTPUSHSGR
    link_table links_;
    std::uint32_t links_to_sweep_ = 0; // links to be opened before the next collection

    string_kind string_kind_ = string_kind::osc;
    std::string string_;
    std::size_t string_limit_ = 0;
    bool string_too_long_ = false;

    picture_store pictures_;
    kitty_images images_;
    std::uint64_t refused_images_ = 0; // over a limit, without kitty's

    std::string answers_;
    std::vector<waiting_answer> waiting_;
    std::optional<theme> told_theme_; // the host's last known theme
    event_queue events_;
    moment now_{0};
    moment synchronised_since_{0};

    std::int64_t work_left_ = no_limit; // cells, of the current feed
    const char* stop_ = nullptr;        // the end of the input; null when the work is used up
    std::uint32_t repeats_left_ = 0;    // of a REP that was interrupted,
    char32_t repeated_ = 0;             // and its character

    std::uint64_t revision_ = 1;
    std::uint64_t rows_scrolled_ = 0;
    scroll_log scrolls_;
    row_end row_end_; // working memory of coloured_text(); empty between calls
};

inline void emulator::move_to(int row, int column) noexcept {
    cursor_.at = {std::clamp(row, 0, rows() - 1), std::clamp(column, 0, columns() - 1)};
    cursor_.pending_wrap = false;
}

// 0-based; with DECOM counted from the margins and kept inside them.
inline void emulator::address(int row, int column) noexcept {
    if (!modes_.is_set(mode::origin)) return move_to(row, column);
    move_to(std::min(top_ + row, bottom_ - 1), std::min(left_ + column, right_ - 1));
}

// ECMA-48 8.3.15 CR; xterm: to the left margin, or column 1 from the left of it.
inline void emulator::carriage_return() noexcept {
    const bool outside = cursor_.at.column < left_ && !modes_.is_set(mode::origin);
    cursor_.at.column = outside ? 0 : left_;
    cursor_.pending_wrap = false;
}

/// Combines intermediates for a switch.
[[nodiscard]] constexpr std::uint16_t intermediate(char first, char second = 0) noexcept {
    return static_cast<std::uint16_t>(first | second << 8);
}

/// The part of a control string before the first semicolon; removes it.
[[nodiscard]] std::string_view take_string_part(std::string_view& rest) noexcept;
/// @returns -1 for anything except digits, and for a number that is too large
[[nodiscard]] int string_number(std::string_view digits) noexcept;

} // namespace mux::vt
