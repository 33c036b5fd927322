// SPDX-License-Identifier: MIT
/// @file field_codec.hpp: the fields of a message as little-endian bytes.
/// Pure.  Test: test/mato/protocol_test.cpp.
///
/// A body lists its members in `fields(auto&)`. An enum among them has a function `last_of`, which returns its last value: a
/// larger number in a message is an error.
#pragma once

#include "vt/geometry.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mux {

/// A last field that was added to a message. A message that ends before it comes from an older program: the value stays as it
/// is.
template <class T> struct added_field {
    T value{};
    void fields(auto& f) { f(value); }
    friend bool operator==(const added_field&, const added_field&) = default;
};

class field_writer {
public:
    explicit field_writer(std::string& to) : to_(to) {}
    void operator()(auto&... values) { (put(values), ...); }

private:
    template <class T> void number(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i)
            to_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    }
    template <class T> void put(T& value) {
        if constexpr (requires { value.fields(*this); })
            value.fields(*this);
        else
            number(value);
    }
    void put(vt::screen_size& size) {
        number(static_cast<std::uint16_t>(size.columns));
        number(static_cast<std::uint16_t>(size.rows));
    }
    void put(std::string& text) {
        number(static_cast<std::uint32_t>(text.size()));
        to_ += text;
    }
    template <class T> void put(std::vector<T>& items) {
        number(static_cast<std::uint32_t>(items.size()));
        for (T& item : items) put(item);
    }
    std::string& to_;
};

class field_reader {
public:
    explicit field_reader(std::string_view from) : from_(from) {}
    void operator()(auto&... values) { (take(values), ...); }
    [[nodiscard]] bool ok() const noexcept { return ok_; }

private:
    std::string_view bytes(std::size_t size) {
        if (size > from_.size()) return ok_ = false, std::string_view();
        const auto taken = from_.substr(0, size);
        from_.remove_prefix(size);
        return taken;
    }
    template <class T> T number() {
        std::uint64_t value = 0;
        const auto raw = bytes(sizeof(T));
        for (std::size_t i = 0; i < raw.size(); ++i)
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
        return static_cast<T>(value);
    }
    template <class T> void take(T& value) {
        if constexpr (requires { value.fields(*this); })
            value.fields(*this);
        else if constexpr (std::is_enum_v<T>)
            take_enum(value, last_of(value));
        else
            value = number<T>();
    }
    template <class T> void take(added_field<T>& last) {
        if (!from_.empty()) take(last.value);
    }
    void take(bool& value) {
        const auto byte = number<std::uint8_t>();
        if (byte > 1) ok_ = false;
        value = byte == 1;
    }
    template <class Enum> void take_enum(Enum& value, Enum last) {
        const auto byte = number<std::uint8_t>();
        if (byte > static_cast<std::uint8_t>(last))
            ok_ = false;
        else
            value = static_cast<Enum>(byte);
    }
    void take(vt::screen_size& size) {
        size.columns = number<std::uint16_t>();
        size.rows = number<std::uint16_t>();
    }
    void take(std::string& text) { text = bytes(number<std::uint32_t>()); }
    template <class T> void take(std::vector<T>& items) {
        const auto count = number<std::uint32_t>();
        if (count > from_.size()) { // every item needs at least a byte, so the count is false
            ok_ = false;
            return;
        }
        for (std::uint32_t i = 0; i < count && ok_; ++i) take(items.emplace_back());
    }
    std::string_view from_;
    bool ok_ = true;
};

} // namespace mux
