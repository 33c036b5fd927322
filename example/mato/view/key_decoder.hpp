// SPDX-License-Identifier: MIT
/// @file key_decoder.hpp: turns the bytes that a terminal sends for keys into key events, whatever keyboard mode it is in.
/// Pure.  Test: test/mato/key_decoder_test.cpp, test/fuzz/input_reader_fuzz.cpp.
/// Source: xterm ctlseqs "PC-Style Function Keys"; kitty keyboard protocol; bracketed paste as in xterm ctlseqs.
///
/// For screens of mato's own: their viewer's terminal keeps the keyboard modes of the program below.
#pragma once

#include "key_event.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace mux {

class key_decoder {
public:
    /// Returns false to receive no more keys of these bytes.
    using receiver = std::function<bool(const key_event&)>;

    /// Presses and repeats; releases and modifiers are dropped, and so are sequences that are no keys. Of pasted text the
    /// printable characters are keys; the others are dropped: a paste confirms nothing. Any split of the same bytes has the
    /// same effect, but an ESC at the end of a read: see pending().
    /// @returns how many of the bytes were read: all, unless the receiver ended it
    std::size_t feed(std::string_view bytes, const receiver& to);
    /// It holds an ESC or an incomplete sequence: call flush() if no more bytes arrive within input_reader::key_patience.
    [[nodiscard]] bool pending() const noexcept { return !held_.empty(); }
    /// What is held was typed by hand.
    void flush(const receiver& to);
    void reset() noexcept { held_.clear(), in_paste_ = false; }

private:
    static constexpr std::size_t longest_sequence = 64;

    /// @returns how many bytes were read; 0: more are needed
    std::size_t read_one(std::string_view bytes, bool is_last, const receiver& to);
    std::size_t read_escape(std::string_view bytes, bool is_last, const receiver& to);
    void tell(const key_event& key, const receiver& to);

    std::string held_; // less than longest_sequence bytes
    bool in_paste_ = false;
    bool ended_ = false; // the receiver wants no more
};

} // namespace mux
