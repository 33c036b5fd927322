// SPDX-License-Identifier: MIT
/// @file bytes.hpp: numbers written to bytes and read back within bounds.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mux::vt {

/// Appends to a string. Numbers are LEB128: seven bits a byte, lowest first.
class byte_writer {
public:
    explicit byte_writer(std::string& out) : out_(out) {}

    void byte(unsigned value) { out_.push_back(static_cast<char>(value)); }
    void number(std::uint64_t value) {
        while (value >= 0x80) {
            byte(static_cast<unsigned>(value & 0x7f) | 0x80);
            value >>= 7;
        }
        byte(static_cast<unsigned>(value));
    }
    void flag(bool value) { byte(value ? 1 : 0); }
    void text(std::string_view s) {
        number(s.size());
        out_.append(s);
    }
    void raw(std::string_view s) { out_.append(s); }

private:
    std::string& out_;
};

/// Reads what byte_writer wrote. Past the end or out of bounds everything reads as zero and ok() turns false for good.
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
