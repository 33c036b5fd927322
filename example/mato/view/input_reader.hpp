// SPDX-License-Identifier: MIT
/// @file input_reader.hpp: sorts the input of a viewer's terminal: for the program, for this viewer, for mato.
/// Pure.  Test: test/mato/input_reader_test.cpp, test/fuzz/input_reader_fuzz.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.   Fails: never; unknown input is for the
/// program. Source: xterm ctlseqs; kitty keyboard protocol; bracketed paste as in xterm ctlseqs.
///
/// The viewer's terminal has the program's keyboard modes, so keys pass byte for byte. It always reports the mouse in SGR.
#pragma once

#include "answers.hpp"
#include "input_context.hpp"
#include "key_event.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mux {

enum class focus_change : std::uint8_t { gained, lost };

/// The receiver. None of its functions may destroy the reader or feed it. Views are valid until the call returns.
class input_sink {
public:
    virtual void typed(std::string_view bytes) = 0; ///< for the program, in order; for the screen, if the context is captured
    virtual void command(const key_event& key) = 0; ///< the key after the prefix
    virtual void mouse(const mouse_report& report) = 0; ///< for mato; positions as the terminal reports them
    virtual void scroll(int rows) = 0;                  ///< this viewer's view: positive is further back
    virtual void scroll_pages(int pages) = 0;           ///< as scroll
    virtual void scroll_to_bottom() = 0;                ///< before `typed`, if the context is scrolled
    virtual void answer(const terminal_answer& what) = 0;
    virtual void focus(focus_change change) = 0; ///< reported also if the program has not enabled focus reports

protected:
    ~input_sink() = default;
};

/// All bytes are passed on unchanged and in order, with these exceptions:
/// - The prefix key and the key after it, as bytes and as kitty and xterm encode them; the prefix typed twice is passed on
///   once, unchanged. If releases are reported, those of keys that were not passed on are dropped too.
/// - Mouse reports: converted for the program, or dropped. If the program has no mouse mode, the wheel scrolls the viewer on
///   the primary screen, and types arrows on the alternate screen if the program asked for that (1007). While the viewer is
///   scrolled, the mouse belongs to it. Buttons and drags that the program does not use are for mato if it `selects`. While the
///   context is captured, all reports are for the screen.
/// - Shift-PageUp and Shift-PageDown scroll the viewer, except on the alternate screen.
/// - Focus reports that the program did not enable; answers to our own queries. An answer that was not requested was typed.
/// - Pastes: their text is not interpreted; the marks around them reach programs that asked for them. An end mark that is
///   followed by another in the same bytes was part of the text and is removed, and so is one that ends nothing. Only the
///   terminal knows where its paste ends: if it does not remove the mark from pasted text (most do), text that spans several
///   reads can still end a paste early.
///
/// Any split of the same bytes has the same effect, with two exceptions: that lookahead, and an ESC at the end of a read. It
/// is passed on immediately, so if the rest of its sequence is not passed on, the program still gets the ESC.
class input_reader {
public:
    /// The longest key, mouse or focus sequence that is recognised, in bytes; a longer one is passed on. Kitty's, with text,
    /// are the longest: under 40.
    static constexpr std::size_t longest_sequence = 64;
    static constexpr int wheel_rows = 3; ///< similar to xterm, VTE and tmux
    /// The bytes passed to the program for one read, at most, as a multiple of the bytes read: a report may get larger numbers.
    static constexpr std::size_t amplification = 4;
    /// A sequence interrupted for longer than this was typed by hand: its parts arrive together, or seconds apart.
    static constexpr std::chrono::milliseconds key_patience{25};
    /// An answer is never typed by hand: it may come in two segments over a slow line.
    static constexpr std::chrono::milliseconds answer_patience{500};

    /// Whether there may be more bytes than those read. After a read that filled its buffer, an ESC at the end is not a lone
    /// one.
    enum class rest : std::uint8_t { unknown, follows };

    void feed(std::string_view bytes, const input_context& context, input_sink& to, rest more = rest::unknown);

    /// An incomplete sequence is held: call flush() if nothing arrives within patience(). Never true in a paste.
    [[nodiscard]] bool pending() const noexcept { return !held_.empty() && !in_paste_; }
    [[nodiscard]] std::chrono::milliseconds patience() const noexcept;
    /// The held bytes were typed by hand: passes them on.
    void flush(const input_context& context, input_sink& to);

    /// The prefix was typed, and the key after it is awaited.
    [[nodiscard]] bool awaits_command() const noexcept { return awaiting_; }

    /// In a paste; the prefix has no effect. The terminal ends a paste, unless its end mark is lost.
    [[nodiscard]] bool in_paste() const noexcept { return in_paste_; }
    /// The terminal is within a paste that another reader has begun.
    /// @param program_has_begin the program has got the begin mark, or will get it before anything that is typed
    void resume_paste(bool program_has_begin, const input_context& context, input_sink& to);
    /// Ends the paste: called when it is silent for seconds.
    void end_paste(const input_context& context, input_sink& to);

private:
    class round;

    /// Keys whose press was not passed on; their repeats and releases are not either. Four: prefix and key overlap when typed
    /// fast.
    std::array<int, 4> swallowed_{};
    std::size_t next_swallowed_ = 0;
    std::string held_;      // the beginning of a sequence, at most longest_answer bytes
    bool ahead_ = false;    // the first byte of held_, an ESC, has been passed on
    bool awaiting_ = false; // the prefix was typed
    bool in_paste_ = false;
    bool paste_marked_ = false;  // its begin mark was passed on
    bool button_down_ = false;   // a press was reported to the program
    int skip_ = 0;               // continuation bytes of a character that followed the prefix
    mouse_report last_report_{}; // the last one passed to the program
};

enum class paste_marks : std::uint8_t { none, bracketed };

/// `text` as a terminal pastes it; bracketed if the program asked for marks (2004). Anything that could pass for the end mark
/// is removed, also if removing creates one.
[[nodiscard]] std::string pasted(std::string_view text, paste_marks marks);

} // namespace mux
