// SPDX-License-Identifier: MIT
/// @file viewer.hpp: one client's terminal that shows one tab.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/viewer_process_test.cpp.
///
/// A tab with an emulator is shown by frames, made from the newest state when the terminal has room for one. A tab without an
/// emulator is shown by its bytes, from the viewer's own position; a viewer that falls out of the kept bytes gets a replay.
#pragma once

#include "outlet.hpp"
#include "prefix_keys.hpp"
#include "screens/bar.hpp"
#include "screens/key_map.hpp"
#include "screens/look_back_screen.hpp"
#include "screens/screen.hpp"
#include "tab/tab.hpp"
#include "view/frame.hpp"
#include "view/input_reader.hpp"
#include "view/key_decoder.hpp"
#include "view/notification.hpp"
#include "view/pacer.hpp"
#include "view/replay_filter.hpp"

#include <asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

/// Whether queries were sent to a terminal; its answers then arrive as keys.
enum class terminal_queries : std::uint8_t { none, sent };

/// `readonly`: its keys do not reach the program, and its size does not count.
enum class viewer_access : std::uint8_t { full, readonly };

/// What keys and the wheel mean to mato.
struct viewer_keys {
    char prefix = '\x1c';
    std::string prefix_name;                                           ///< as users write it
    std::shared_ptr<const key_map> keys = std::make_shared<key_map>(); ///< after the prefix; never null
    own_mouse mouse = own_mouse::none;                                 ///< the wheel scrolls the history; drags select
};

struct viewer_options : viewer_keys {
    vt::screen_size size;
    terminal_features features;
    bool readonly = false;
};

class viewer final : input_sink {
public:
    struct handlers {
        std::function<void(std::string_view)> on_typed;       ///< for the program
        std::function<void(const pressed_action&)> on_action; ///< what a key stands for, if the viewer does not handle it
        std::function<void()> on_answered;                    ///< the terminal has answered all queries
        /// The cursor is about to get another shape than this style, its own. Called again when the style is known better.
        std::function<void(int)> on_shaped_cursor;
        std::function<void()> on_known;             ///< host() has changed: also when no more answers are expected
        std::function<void()> on_focus;             ///< has_focus() has changed
        std::function<void()> on_lost;              ///< the terminal is gone
        std::function<void(std::string)> on_copied; ///< the user has copied this text
        std::function<void(bool)> on_paste;         ///< the terminal is within a paste, or no longer
    };

    viewer(asio::io_context& context, std::unique_ptr<mux::outlet> terminal, viewer_options options, handlers callbacks);

    /// Nothing is shown before the first `show`. Call it again after another program had the terminal.
    void show(terminal_queries queries);
    void hide();
    void close();

    /// Shows this tab from now on, beginning with its current state.
    void watch(std::shared_ptr<tab> shown);
    /// The tab has new output or a new size.
    void update(output_rate rate = output_rate::ordinary);
    /// As `update`, but sends everything before it returns, as far as the terminal accepts it: the tab has ended.
    void finish();
    void resize(vt::screen_size size);
    /// Pixels of the terminal's cells; zero: unknown.
    [[nodiscard]] vt::pixel_size cell_size() const noexcept { return cell_; }
    /// The image protocols of its terminal; until it has answered, those that it may support.
    [[nodiscard]] vt::picture_protocols pictures() const noexcept;
    /// The facts about its terminal for programs. Until it has answered, for half a second at most, answers are expected.
    [[nodiscard]] vt::host_terminal host() const;
    /// It is shown, and its terminal has the focus, as far as it reports that.
    [[nodiscard]] bool has_focus() const noexcept { return shown_ && focused_ && !options_.readonly; }
    void set_keys(viewer_keys keys);
    void set_access(viewer_access access);
    /// The last row is the bar's, or the tab's if there is none.
    void set_bar(std::optional<bar_state> bar);
    /// The terminal's title while the program sets none. @pre without control characters
    void set_title(std::string title);
    /// The tab that a screen of mato's own passes the keys to; 0: none.
    [[nodiscard]] tab_id types_to() const noexcept { return screen_ ? screen_->types_to() : 0; }
    [[nodiscard]] int bar_rows() const noexcept { return bar_ ? 1 : 0; }
    void ring();
    /// A desktop notification on its terminal, about any tab. A terminal without such strings rings. @pre both are printable
    void notify(notice_form form, std::string_view title, std::string_view text);
    /// Shows the text in the last row for `message_span`, or until a key is pressed. A tab without emulator rings instead.
    void tell(std::string text);
    /// Shows a screen of mato's own over the tab until its user closes it.
    void ask(std::unique_ptr<screen> asks) { open(std::move(asks)); }
    /// The same over the screen that is open, if there is one: its user comes back to that.
    void ask_over(std::unique_ptr<screen> asks);
    /// Opens a look back at a line, with all hits for `answer` marked.
    void go_to_line(const pressed_action& where);
    /// Bytes for the terminal itself, between two frames: a clipboard.
    void pass(std::string_view bytes);
    /// Before `show`: the terminal is within a paste that began under a process before this one.
    void resume_paste(bool program_has_begin);
    void read_keyboard(keyboard_reading wanted) { outlet_->read_keyboard(wanted); }

    [[nodiscard]] mux::outlet& outlet() noexcept { return *outlet_; }
    [[nodiscard]] const mux::outlet& outlet() const noexcept { return *outlet_; }
    [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; } ///< states or replays that were not shown
    [[nodiscard]] std::uint64_t resyncs() const noexcept { return resyncs_; } ///< replays because it was too slow

private:
    void on_keys(std::string_view bytes, input_reader::rest more);
    [[nodiscard]] const input_context& context();
    void wait_for_keys();
    void tell_paste();
    void open(std::unique_ptr<screen> opened);
    void show_screen();
    void keep_live();
    void close_screen();
    void close_screens();
    void look_back(const pressed_action& begins);
    [[nodiscard]] std::unique_ptr<look_back_screen> text_screen(look_back_use use);
    void click_bar(const mouse_report& report, int column);
    void select_text(const mouse_report& report, int row, int column);
    void end_selection();
    void copy_output();
    void work_for_screen();
    void answer_screen(screen_reply reply);
    void copy(std::string text);
    void leave_message();
    void draw_without_emulator();
    void watch_prefix();
    [[nodiscard]] bool press(const key_event& key);
    void act(const pressed_action& what);
    [[nodiscard]] const overlay* shown_over();
    void typed(std::string_view bytes) override;
    void command(const key_event& key) override;
    void mouse(const mouse_report& report) override;
    void scroll(int rows) override;
    void scroll_pages(int pages) override;
    void scroll_to_bottom() override;
    void answer(const terminal_answer& what) override;
    void focus(focus_change change) override;
    void await_answers();
    void note_replay();
    /// For a tab without an emulator, whose program sets the cursor's shape itself.
    [[nodiscard]] static std::string empty_screen();
    void begin_from_reset();
    void learn_colours(const terminal_answer& what);
    void try_frame();
    void compose();
    void note_shaped_cursor();
    void pump();
    void wait_until(mato::clock::time_point when);
    void measure_cell();
    [[nodiscard]] std::size_t rows_back();

    static constexpr std::size_t raw_chunk = 32u << 10;
    static constexpr std::size_t most_passing = 2u << 20;     // bytes that wait for the terminal; a clipboard has half
    static constexpr std::size_t most_kept = 512u << 10;      // of the buffer for frames: one of many thousand cells
    static constexpr mato::milliseconds paste_patience{5000}; // within a paste; on a slow line bytes arrive more often

    static constexpr mato::milliseconds click_span{400}; // between the presses of a double click
    static constexpr mato::milliseconds message_span{2000};
    static constexpr mato::milliseconds hint_delay{400};       // after the prefix: a user who knows the key is faster
    static constexpr mato::milliseconds live_interval{250};    // of a screen that shows other tabs
    static constexpr mato::milliseconds answer_patience{5000}; // a terminal that has not answered by then never will

    /// How long programs' queries wait for the terminal's answers; as long as in tmux.
    static constexpr mato::milliseconds host_patience{500};

    asio::steady_timer timer_, keys_timer_, host_timer_, message_timer_, hint_timer_, work_timer_, live_timer_;
    std::unique_ptr<mux::outlet> outlet_;
    viewer_options options_;
    handlers callbacks_;
    prefix_keys keys_; // of a tab without emulator, whose program uses the terminal directly
    input_reader reader_;
    input_context context_;
    frame_composer composer_;
    pacer pacer_;
    output_rate rate_ = output_rate::ordinary; // of the tab's last output
    std::shared_ptr<tab> tab_;
    std::string frame_; // reused
    std::string passing_;
    std::unique_ptr<screen> screen_;       // null: the tab is shown
    std::unique_ptr<screen> below_;        // screen_ was opened over it
    bool selects_ = false;                 // screen_ is a selection made with the mouse: keys are the program's
    std::optional<pointer_event> pressed_; // the left button is held, since then
    pointer_event last_press_;
    mato::clock::time_point pressed_at_{};
    key_decoder decoder_; // of the screen's keys
    overlay over_;        // the rows of the last frame that are not the tab's
    std::optional<bar_state> bar_;
    bar_drawing drawn_bar_;
    overlay bar_row_;           // drawn_bar_ as it is shown
    bool is_bar_drawn_ = false; // nothing that it depends on has changed since
    std::string title_;
    std::string message_;           // empty: none
    std::uint64_t position_ = 0;    // of a tab without emulator: sent up to here
    std::uint64_t replayed_to_ = 0; // what was written before this viewer came
    replay_filter replay_;
    std::uint64_t anchor_ = 0; // scrolled back: rows that have left the screen above the first one shown
    std::uint64_t skipped_ = 0, resyncs_ = 0;
    mato::clock::time_point asked_at_{};
    vt::host_colours learning_;                       // while answers arrive
    std::shared_ptr<const vt::host_colours> colours_; // from all of the last answers; null: there were none
    vt::pixel_size cell_, answered_cell_;             // the size in use; the terminal's answer, if the kernel does not know
    bool told_paste_ = false;                         // as the last call of on_paste says
    bool shown_ = false, dirty_ = false, waiting_ = false, scrolled_ = false, bell_ = false;
    std::optional<int> noted_style_; // the cursor's own style, as reported before another one was drawn
    bool was_shown_ = false, overdue_ = false, focused_ = true; // an attaching client has the keyboard
    bool starts_empty_ = false;                                 // a tab without emulator is replayed from an empty screen
    bool hints_ = false;                                        // the prefix was typed a while ago
};

} // namespace mux
