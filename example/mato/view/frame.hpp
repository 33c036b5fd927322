// SPDX-License-Identifier: MIT
/// @file frame.hpp: what one viewer's terminal shows of a tab, and the bytes that bring it up to date.
/// Pure.  Test: test/mato/frame_test.cpp.
///
/// A frame is made from the newest state only: a slow viewer gets one frame, not a backlog. It keeps the viewer's screen, so it
/// sends only the cells that differ; memory is O(screen) for any program.
#pragma once

#include "canvas.hpp"
#include "features.hpp"
#include "mirror.hpp"
#include "overlay.hpp"
#include "picture_layer.hpp"
#include "vt/terminal.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

class frame_composer {
public:
    struct request {
        std::size_t rows_back = 0;     ///< into history; 0: the screen
        const overlay* over = nullptr; ///< shown over the tab
        int reserved = 0;              ///< rows at the bottom that are never the tab's: the tab is shown above them
        own_mouse mouse = own_mouse::none;
        bool readonly = false;
        std::string_view title = {}; ///< of the terminal, while the program has set none
    };

    explicit frame_composer(vt::screen_size size, terminal_features features);

    void set_features(const terminal_features& features);
    /// Of the terminal's cells.
    void set_cell_size(vt::pixel_size cell) noexcept { cell_ = cell; }
    /// The terminal has another size; its contents are unknown.
    void resize(vt::screen_size size);
    /// The terminal's contents and modes are unknown, or another tab follows: the next frame starts with a reset.
    void forget();
    /// Appends the frame. Nothing if the terminal is up to date.
    void compose(const vt::terminal& source, const request& wanted, std::string& out);
    /// There were more images than fit into one frame.
    [[nodiscard]] bool is_incomplete() const noexcept { return incomplete_; }

    /// A frame has changed the shape of the terminal's cursor at least once.
    [[nodiscard]] bool has_shaped_cursor() const noexcept { return mirror_.has_shaped_cursor(); }
    void set_own_cursor_style(int style) noexcept { mirror_.set_own_cursor_style(style); }
    [[nodiscard]] int own_cursor_style() const noexcept { return mirror_.own_cursor_style(); }
    [[nodiscard]] vt::screen_size size() const noexcept { return size_; }
    [[nodiscard]] const terminal_features& features() const noexcept { return features_; }
    /// The tab's row and column at the terminal's top left. 0-based.
    [[nodiscard]] vt::position offset() const noexcept { return offset_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

private:
    void forget_indexed_colours();
    void follow_cursor(const vt::terminal& source);
    void repeat_scrolls(const std::vector<vt::scrolled>& scrolls);
    /// `source_rows(i)`: the row to show in the terminal's row i, or nothing. Rows are drawn from the top.
    template <class Rows> void draw_row(int r, int source_columns, const Rows& source_rows);
    void draw_screen(const vt::terminal& source, const vt::changes& since);
    void draw_history(const vt::terminal& source, std::size_t rows_back);
    void draw_overlay(const overlay& over);
    /// Notes which rows `over` covers. @returns true if these are other rows than in the last frame
    bool cover(const overlay* over);
    [[nodiscard]] bool is_covered(int row) const noexcept { return row >= covered_from_ && row < covered_to_; }
    [[nodiscard]] int tab_rows() const noexcept { return size_.rows - reserved_; } ///< of the terminal, for the tab
    void draw_note(const std::string& text);

    vt::screen_size size_;
    terminal_features features_;
    std::vector<vt::row> shown_;
    canvas canvas_;
    mirror mirror_;
    picture_layer pictures_;
    vt::pixel_size cell_;
    vt::position offset_;
    std::uint64_t revision_ = 0; // of the tab that is shown
    std::uint64_t palette_ = 0;  // stamp of the colours the rows were drawn with
    int reserved_ = 0;
    int covered_from_ = 0, covered_to_ = 0; // rows of the terminal that do not show the tab: half open
    bool everything_ = true;                // every row must be compared
    bool unknown_ = false;                  // the terminal must be reset first
    bool off_screen_ = false;               // history or an overlay was shown last
    bool incomplete_ = false;
};

} // namespace mux
