// SPDX-License-Identifier: MIT
/// @file bytes.hpp: writes numbers as bytes and reads them back with bounds checks.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mux::vt {

/// Writes into a buffer from its start, and grows it. Reusing a buffer costs no allocation. Numbers are LEB128: seven bits per
/// byte, lowest first.
class byte_writer {
public:
    /// Bytes of a number at most.
    static constexpr std::size_t most_number = 10;

    /// What the buffer held is overwritten.
    explicit byte_writer(std::string& buffer) : buffer_(buffer), at_(buffer.data()), end_(at_ + buffer.size()) {}
    byte_writer(const byte_writer&) = delete;
    byte_writer& operator=(const byte_writer&) = delete;

    /// Room for `count` bytes, to be written and then passed to `advance`.
    [[nodiscard]] char* room(std::size_t count) {
        if (static_cast<std::size_t>(end_ - at_) < count) grow(count);
        return at_;
    }
    void advance(char* to) noexcept { at_ = to; }
    /// Writes a number at `to`, which has room for it. @returns its end
    static char* put_number(char* to, std::uint64_t value) noexcept {
        for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>((value & 0x7f) | 0x80);
        *to++ = static_cast<char>(value);
        return to;
    }

    void byte(unsigned value) {
        *room(1) = static_cast<char>(value);
        ++at_;
    }
    void number(std::uint64_t value) { at_ = put_number(room(most_number), value); }
    void flag(bool value) { byte(value ? 1 : 0); }
    void text(std::string_view s) {
        number(s.size());
        raw(s);
    }
    void raw(std::string_view s) { at_ += s.copy(room(s.size()), s.size()); }

    /// What was written. Valid until the next write.
    [[nodiscard]] std::string_view written() const noexcept {
        return {buffer_.data(), static_cast<std::size_t>(at_ - buffer_.data())};
    }

private:
    void grow(std::size_t count) {
        const std::size_t size = written().size();
        buffer_.resize(std::max(size + count, 2 * buffer_.size()));
        at_ = buffer_.data() + size;
        end_ = buffer_.data() + buffer_.size();
    }

    std::string& buffer_;
    char *at_, *end_;
};

/// Reads what byte_writer wrote. After an error (past the end, out of bounds) all reads return zero and ok() is false.
class byte_reader {
public:
    explicit byte_reader(std::string_view in) noexcept : in_(in) {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return in_.empty(); }
    void fail() noexcept {
        ok_ = false;
        in_ = {};
    }

    unsigned byte() noexcept {
        if (in_.empty()) {
            fail();
            return 0;
        }
        const auto value = static_cast<unsigned char>(in_.front());
        in_.remove_prefix(1);
        return value;
    }
    std::uint64_t number() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const unsigned b = byte();
            value |= std::uint64_t{b & 0x7f} << shift;
            if (b < 0x80) return value;
        }
        fail();
        return 0;
    }
    /// A number of [0, most].
    template <class Number = int> Number bounded(std::uint64_t most) noexcept {
        const std::uint64_t value = number();
        if (value > most) fail();
        return value > most ? Number{} : static_cast<Number>(value);
    }
    bool flag() noexcept { return bounded<int>(1) == 1; }
    std::string_view raw(std::size_t count) noexcept {
        if (count > in_.size()) {
            fail();
            return {};
        }
        const std::string_view s = in_.substr(0, count);
        in_.remove_prefix(count);
        return s;
    }
    std::string_view text(std::size_t most) noexcept { return raw(bounded<std::size_t>(most)); }

private:
    std::string_view in_;
    bool ok_ = true;
};

} // namespace mux::vt
