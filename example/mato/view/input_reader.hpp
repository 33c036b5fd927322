// SPDX-License-Identifier: MIT
/// @file input_reader.hpp: what a viewer's terminal sends, sorted: for the program, for this viewer, for mato.
/// Pure.  Test: test/mato/input_reader_test.cpp, test/fuzz/input_reader_fuzz.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.   Fails: never; what is not understood
/// is for the program. Source: xterm ctlseqs; kitty keyboard protocol; bracketed paste as in xterm ctlseqs.
///
/// The viewer's terminal has the program's keyboard modes, so keys pass byte for byte. It reports the mouse in SGR, always.
#pragma once

#include "answers.hpp"
#include "input_context.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mux {

/// Who is told. None of these may destroy the reader or feed it. Views die when the call returns.
class input_sink {
public:
    virtual void typed(std::string_view bytes) = 0; ///< for the program, in order
    virtual void command(char key) = 0;             ///< the key after the prefix
    virtual void scroll(int rows) = 0;              ///< this viewer's view: positive further back
    virtual void scroll_pages(int pages) = 0;       ///< as scroll
    virtual void scroll_to_bottom() = 0;            ///< before `typed`, when the context is scrolled
    virtual void answer(const terminal_answer& what) = 0;
    virtual void focus(bool gained) = 0; ///< told also when the program does not want to know

protected:
    ~input_sink() = default;
};

/// Bytes are passed on unchanged and in order, but for these:
/// - The prefix key and the key after it, as bytes and as kitty and xterm encode them; the prefix twice is passed once, as it
/// came.
///   A key without a byte (an arrow, Alt-d) after the prefix is dropped. Its releases, where reported, are dropped with a key.
/// - Mouse reports: written anew for the program, or dropped. The wheel, when the program has no mouse mode, scrolls the viewer
/// on
///   the primary screen and types arrows on the alternate one if it asked for that (1007). While scrolled the mouse is the
///   viewer's.
/// - Shift-PageUp and Shift-PageDown scroll the viewer, but on the alternate screen.
/// - Focus reports the program did not ask for; answers to our own questions. An answer that was not asked for was typed.
/// - Pastes: nothing in them is interpreted; the marks around them reach programs that asked for them. A mark of an end that
///   another follows in the same bytes was in the text and is removed, as is one that ends nothing. Only the terminal knows for
///   sure where its paste ends: one that does not remove the mark from what it pastes (most do) can still be made to end a
///   paste early, by text that spans more than one read.
///
/// Any split of the same bytes has the same effect, but for that lookahead, and for ESC: one that ends what was read is
/// passed at once, so a sequence cut there that is not passed on leaves the program that ESC.
class input_reader {
public:
    /// Longest key, mouse or focus sequence that is recognised, in bytes; a longer one is passed on. Kitty's, with text, are
    /// the longest: under 40.
    static constexpr std::size_t longest_sequence = 64;
    static constexpr int wheel_rows = 3; ///< as xterm, VTE and tmux have it nearly
    /// Bytes to the program for one read are at most this times those read: a short report may become one of large numbers.
    static constexpr std::size_t amplification = 4;
    /// A sequence cut short for longer than this was typed by hand: its parts arrive together, or seconds apart.
    static constexpr std::chrono::milliseconds key_patience{25};
    /// An answer is never typed by hand: it may come in two segments over a slow line.
    static constexpr std::chrono::milliseconds answer_patience{500};

    /// Whether the bytes at hand are all there were: after a read that filled its buffer, an ESC at the end is no lone one.
    enum class rest : std::uint8_t { unknown, follows };

    void feed(std::string_view bytes, const input_context& context, input_sink& to, rest more = rest::unknown);

    /// A part of a sequence waits for more: call flush() if nothing comes within patience(). Never in a paste.
    [[nodiscard]] bool pending() const noexcept { return !held_.empty() && !in_paste_; }
    [[nodiscard]] std::chrono::milliseconds patience() const noexcept;
    /// What waits was typed by hand: passes it on.
    void flush(const input_context& context, input_sink& to);

    /// A paste has begun and not ended; the prefix is not heard. A terminal ends what it begins, unless it is lost on the way.
    [[nodiscard]] bool in_paste() const noexcept { return in_paste_; }
    /// Ends it: what the caller does when a paste is silent for seconds.
    void end_paste(const input_context& context, input_sink& to);

private:
    class round;

    /// Keys whose press was not passed on: neither are their repeats and their release. Four: prefix and key overlap when typed
    /// fast.
    std::array<int, 4> swallowed_{};
    std::size_t next_swallowed_ = 0;
    std::string held_;      // the beginning of a sequence, at most longest_answer bytes
    bool ahead_ = false;    // the first byte of held_, an ESC, has been passed on
    bool awaiting_ = false; // the prefix was typed
    bool in_paste_ = false;
    bool paste_marked_ = false;  // its beginning was passed on
    bool button_down_ = false;   // the program knows of a press
    int skip_ = 0;               // continuation bytes of a character that followed the prefix
    mouse_report last_report_{}; // to the program
};

/// `text` as a terminal pastes it, for programs that asked for marks (2004) and for others. What could pass for the end mark is
/// removed, also when removing makes one.
[[nodiscard]] std::string pasted(std::string_view text, bool bracketed);

} // namespace mux
