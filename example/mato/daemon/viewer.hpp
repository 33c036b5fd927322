// SPDX-License-Identifier: MIT
/// @file viewer.hpp: one client's terminal showing one tab.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/viewer_process_test.cpp.
///
/// Tabs with an emulator are shown by frames made from the newest state when the terminal can take one. Tabs without are
/// shown by their bytes, from a position of the viewer's own; one that falls behind the bytes kept starts anew.
#pragma once

#include "outlet.hpp"
#include "prefix_keys.hpp"
#include "tab/tab.hpp"
#include "view/frame.hpp"
#include "view/input_reader.hpp"
#include "view/pacer.hpp"
#include "view/replay_filter.hpp"

#include <asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mux {

struct viewer_options {
    vt::screen_size size;
    terminal_features features;
    char prefix = '\x1c';
    std::string prefix_name; ///< as users write it
    bool readonly = false;
    bool mouse = true; ///< the wheel moves through history
};

class viewer final : input_sink {
public:
    struct handlers {
        std::function<void(std::string_view)> on_typed; ///< for the program
        std::function<void(char)> on_command;           ///< the key after the prefix that is not the viewer's own
        std::function<void()> on_answered;              ///< what the terminal was asked about itself
        /// Its cursor is about to be given another shape than this style, its own. Again when the style is known better.
        std::function<void(int)> on_shaped_cursor;
        std::function<void()> on_known; ///< host() says something else: also that nothing more is awaited
        std::function<void()> on_focus; ///< has_focus() says something else
        std::function<void()> on_lost;  ///< the terminal is gone
    };

    viewer(asio::io_context& context, std::unique_ptr<outlet> way, viewer_options options, handlers callbacks);

    /// Nothing is shown before the first `show`. Again: the terminal was somebody else's meanwhile.
    /// `asked`: it was sent questions about itself, whose answers will be among its keys.
    void show(bool asked);
    void hide();
    void close();

    /// Shows this tab from now on, from its present state.
    void watch(std::shared_ptr<tab> shown);
    /// The tab has new output, or a new size. `flooding`: it has more than was read.
    void update(bool flooding);
    /// As `update`, but all of it must be on its way when it returns, as far as the terminal takes it: the tab has ended.
    void finish();
    void resize(vt::screen_size size);
    /// Pixels of the terminal's cells; zero: not known.
    [[nodiscard]] vt::pixel_size cell_size() const noexcept { return cell_; }
    /// Images its terminal shows; while it has not answered, what it may.
    [[nodiscard]] vt::picture_protocols pictures() const noexcept;
    /// What programs are told of its terminal. While that has not answered, for half a second at most, it is awaited.
    [[nodiscard]] vt::host_terminal host() const;
    /// It is shown, and its terminal has the keyboard, as far as it reports that.
    [[nodiscard]] bool has_focus() const noexcept { return shown_ && focused_ && !options_.readonly; }
    void set_keys(char prefix, std::string name, bool mouse);
    void ring();
    /// Shows these lines in place of the tab for `notice_span`, or until a key is pressed. Nothing where there is no emulator.
    void tell(std::vector<std::string> lines);
    /// Bytes for the terminal itself, between two frames: a clipboard.
    void pass(std::string_view bytes);
    void read_keyboard(bool wanted) { way_->read_keyboard(wanted); }

    [[nodiscard]] outlet& way() noexcept { return *way_; }
    [[nodiscard]] const outlet& way() const noexcept { return *way_; }
    [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; } ///< states of the tab, or replays, not shown
    [[nodiscard]] std::uint64_t resyncs() const noexcept { return resyncs_; } ///< replays for bytes it was too slow for

private:
    void on_keys(std::string_view bytes, input_reader::rest more);
    [[nodiscard]] const input_context& context();
    void wait_for_keys();
    void leave_help();
    void typed(std::string_view bytes) override;
    void command(char key) override;
    void scroll(int rows) override;
    void scroll_pages(int pages) override;
    void scroll_to_bottom() override;
    void answer(const terminal_answer& what) override;
    void focus(bool gained) override;
    void await_answers();
    void note_replay();
    void begin_anew();
    void learn_colours(const terminal_answer& what);
    void try_frame();
    void compose();
    void note_shaped_cursor();
    void pump();
    void wait_until(mato::clock::time_point when);
    void measure_cell();
    [[nodiscard]] std::size_t rows_back();

    static constexpr std::size_t raw_chunk = 32u << 10;
    static constexpr std::size_t most_passing = 2u << 20;     // bytes that wait for the terminal; a clipboard is half
    static constexpr std::size_t most_kept = 512u << 10;      // of the buffer for frames: one of many thousand cells
    static constexpr mato::milliseconds paste_patience{5000}; // within a paste; a slow line's bytes come more often

    static constexpr mato::milliseconds notice_span{4000};     // two lines are read by then
    static constexpr mato::milliseconds answer_patience{5000}; // a terminal that has not answered by then never will

    /// How long programs' questions wait for the terminal's answers. tmux waits as long.
    static constexpr mato::milliseconds host_patience{500};

    asio::steady_timer timer_, keys_timer_, host_timer_, notice_timer_;
    std::unique_ptr<outlet> way_;
    viewer_options options_;
    handlers callbacks_;
    prefix_keys keys_; // of a tab without emulator, whose program talks to the terminal itself
    input_reader reader_;
    input_context context_;
    frame_composer composer_;
    pacer pacer_;
    std::shared_ptr<tab> tab_;
    std::string frame_; // reused
    std::string passing_;
    std::vector<std::string> help_;
    std::uint64_t position_ = 0;    // of a tab without emulator: what has been sent
    std::uint64_t replayed_to_ = 0; // and what was written before this viewer came
    replay_filter replay_;
    std::uint64_t anchor_ = 0; // scrolled back: rows that had left the screen above the first one shown
    std::uint64_t skipped_ = 0, resyncs_ = 0;
    mato::clock::time_point asked_at_{};
    vt::host_colours learning_;                       // as the answers come
    std::shared_ptr<const vt::host_colours> colours_; // all of the last answers; null: none came
    vt::pixel_size cell_, answered_cell_;             // what counts; what the terminal said, where the kernel does not know
    bool shown_ = false, dirty_ = false, flooding_ = false, waiting_ = false, scrolled_ = false, bell_ = false;
    std::optional<int> noted_style_; // the cursor's own style, as was told when another one was about to be drawn
    bool was_shown_ = false, overdue_ = false, focused_ = true; // who attaches has the keyboard
    bool starts_anew_ = false;                                  // a tab without emulator is replayed from an empty screen
    bool is_notice_ = false;                                    // `help_` goes by itself, and keys have their meaning
};

} // namespace mux
