// SPDX-License-Identifier: MIT
/// @file keyboard.hpp: the key encodings that a program has requested; the caller does the encoding.
/// Layer: vt core.  Test: test/mato/vt/14_keyboard.vt.
/// Threads: values.   Blocks: never.
/// Source: kitty keyboard protocol "Progressive enhancement"; xterm ctlseqs XTMODKEYS.
#pragma once

#include <cstdint>
#include <vector>

namespace mux::vt {

/// The flags of one screen and its stack. Each screen has its own, as the protocol requires.
class kitty_keyboard {
public:
    /// Deepest stack; then the oldest entry is dropped, as the protocol allows. Programs nest two or three deep.
    static constexpr std::size_t limit = 16;
    static constexpr int all_flags = 31;
    enum class change : std::uint8_t { replace = 1, add = 2, remove = 3 };

    [[nodiscard]] int flags() const noexcept { return flags_; }
    void push(int flags) {
        if (stack_.size() == limit) stack_.erase(stack_.begin());
        stack_.push_back(flags_);
        flags_ = static_cast<std::uint8_t>(flags & all_flags);
    }
    /// Popping more than there are empties the stack and resets the flags.
    void pop(int count) {
        for (int i = 0; i < count; ++i) {
            if (stack_.empty()) {
                flags_ = 0;
                return;
            }
            flags_ = stack_.back();
            stack_.pop_back();
        }
    }
    void apply(int flags, change how) noexcept {
        flags &= all_flags;
        if (how == change::add) flags |= flags_;
        if (how == change::remove) flags = flags_ & ~flags;
        flags_ = static_cast<std::uint8_t>(flags);
    }

    [[nodiscard]] const std::vector<std::uint8_t>& stack() const noexcept { return stack_; }

private:
    std::uint8_t flags_ = 0;
    std::vector<std::uint8_t> stack_;
};

/// XTMODKEYS: modifyKeyboard 0, modifyCursorKeys 1, modifyFunctionKeys 2, modifyOtherKeys 4.
struct modified_keys {
    std::uint8_t cursor = 2;
    std::uint8_t function = 2;
    std::uint8_t other = 0;

    friend bool operator==(const modified_keys&, const modified_keys&) = default;
};

} // namespace mux::vt
