// SPDX-License-Identifier: MIT
/// @file parameters.hpp: the numbers of a control sequence.
/// Layer: vt core.  Test: test/mato/vt/30_parser.vt.
/// Threads: values.   Blocks: never.
/// Source: ECMA-48 5.4.2; ISO 8613-6 for sub-parameters after a colon.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mux::vt {

/// At most `max_count` numbers, including sub-parameters; further ones are dropped, as in xterm (30 there). An SGR with more
/// than 32 numbers loses its end.
class parameters {
public:
    static constexpr std::size_t max_count = 32;
    static constexpr std::uint32_t max_value = 65535;

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// 0 for a missing number.
    [[nodiscard]] int operator[](std::size_t i) const noexcept { return i < count_ ? values_[i] : 0; }
    /// ECMA-48: zero and absent mean the function's default.
    [[nodiscard]] int at(std::size_t i, int fallback) const noexcept {
        return i < count_ && values_[i] != 0 ? values_[i] : fallback;
    }
    /// True if number `i` follows a colon.
    [[nodiscard]] bool is_sub(std::size_t i) const noexcept { return i < count_ && (subs_ >> i & 1) != 0; }

    void clear() noexcept {
        count_ = 0;
        subs_ = 0;
    }
    void push(std::uint32_t value, bool sub) noexcept {
        if (count_ == max_count) return;
        values_[count_] = static_cast<std::uint16_t>(value < max_value ? value : max_value);
        subs_ |= std::uint32_t{sub} << count_;
        ++count_;
    }

    /// Room for `max_count` numbers, without sub-parameters and at most max_value, to be written and then counted by finish().
    std::uint16_t* start() noexcept {
        clear();
        return values_.data();
    }
    void finish(std::size_t count) noexcept { count_ = static_cast<std::uint32_t>(count); }

private:
    std::array<std::uint16_t, max_count> values_;
    std::uint32_t subs_ = 0;
    std::uint32_t count_ = 0;
};

/// One control sequence: CSI `prefix` `numbers` `intermediates` `final`. Prefix is one of < = > ? or 0. Intermediates are
/// packed as bytes, first lowest, at most two; a sequence with more, or with its parts out of order, has `malformed` there,
/// which belongs to no function.
inline constexpr std::uint16_t malformed = 0xffff;

struct control_sequence {
    parameters numbers;
    char prefix = 0;
    std::uint16_t intermediates = 0;
    char final = 0;
};

} // namespace mux::vt
