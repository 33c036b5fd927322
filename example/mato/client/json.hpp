// SPDX-License-Identifier: MIT
/// @file json.hpp: values for `--json`, in the order they are added (RFC 8259).
/// Pure.  Test: test/mato/json_test.cpp.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace mux::json {

/// A string literal. Bytes that are not UTF-8 become U+FFFD, since JSON text must be Unicode. Control characters
/// (printable.hpp), which a terminal would execute, are written as \\uXXXX.
[[nodiscard]] std::string quote(std::string_view text);

[[nodiscard]] inline std::string value(std::string_view text) { return quote(text); }
[[nodiscard]] inline std::string value(const char* text) { return quote(text); }
[[nodiscard]] inline std::string value(std::same_as<bool> auto flag) { return flag ? "true" : "false"; }
template <class T>
requires(std::integral<T> && !std::same_as<T, bool>) [[nodiscard]] std::string value(T number) {
    return std::to_string(number);
}
[[nodiscard]] std::string value(double number); ///< one decimal

/// A value that is JSON already.
struct verbatim {
    std::string text;
};
[[nodiscard]] inline std::string value(const verbatim& json) { return json.text; }

class object {
public:
    object& add(std::string_view key, const auto& member) {
        text_ += (text_.empty() ? "" : ", ") + quote(key) + ": " + value(member);
        return *this;
    }
    [[nodiscard]] verbatim done() const { return {"{" + text_ + "}"}; }

private:
    std::string text_;
};

/// One member a line.
[[nodiscard]] verbatim array(const std::vector<verbatim>& members);

} // namespace mux::json
