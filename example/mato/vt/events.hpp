// SPDX-License-Identifier: MIT
/// @file events.hpp: output of a program that is not shown on the screen.
/// Layer: vt core.  Test: test/mato/vt/20_strings.vt.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Source: xterm ctlseqs "Operating System Commands"; kitty graphics protocol; iTerm2 inline images; FinalTerm marks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mux::vt {

enum class event_kind : std::uint8_t {
    bell,
    title, ///< text: the new title, now also terminal::title()
    icon_name,
    directory,       ///< OSC 7: text as sent, "file://host/path" or a path
    clipboard_set,   ///< OSC 52: target "c", "p", …; text base64 as sent
    clipboard_query, ///< OSC 52 with "?": the caller may answer
    mark,            ///< OSC 133: text "A", "B", "C", "D;0", …
    notification,    ///< OSC 9, 99, 777: target the number, text as sent
    kitty_image,     ///< APC: text from the G on
    sixel_image,     ///< DCS: text "numbers q data"
    iterm_image,     ///< OSC 1337: text from "File=" on
};

struct event {
    event_kind kind = event_kind::bell;
    std::string text;
    std::string target;
    /// The cursor's row, counted from the first row that ever scrolled off: minus terminal::rows_scrolled() it is a row of the
    /// screen, if it was moved only by scrolling. Of a mark on the primary screen: its line, as in prompt_mark.
    std::uint64_t row = 0;
    int column = 0;
};

/// Limits on the events that wait for the caller; the newest ones beyond a limit are counted and dropped.
struct event_limits {
    std::size_t events = 1024;
    std::size_t bytes = 16u << 20; ///< room for a few large images
};

class event_queue {
public:
    explicit event_queue(event_limits limits) noexcept : limits_(limits) {}

    void push(event e) {
        const std::size_t size = e.text.size() + e.target.size();
        if (events_.size() >= limits_.events || bytes_ + size > limits_.bytes) {
            ++lost_;
            return;
        }
        bytes_ += size;
        events_.push_back(std::move(e));
    }
    [[nodiscard]] std::vector<event> take() {
        bytes_ = 0;
        return std::exchange(events_, {});
    }
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return bytes_ + events_.capacity() * sizeof(event); }

private:
    event_limits limits_;
    std::vector<event> events_;
    std::size_t bytes_ = 0;
    std::uint64_t lost_ = 0;
};

} // namespace mux::vt
