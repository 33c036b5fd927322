// SPDX-License-Identifier: MIT
#include "json.hpp"

#include <mato/printable.hpp>

#include <cstdio>

namespace mux::json {

namespace {

/// Number of bytes at the start that need no escape.
std::size_t plain_run(std::string_view text) noexcept {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') break;
    }
    return at;
}

/// RFC 8259, section 7: the two-character forms where they exist. @pre code is at most U+FFFF
void append_escaped(std::string& to, char32_t code) {
    constexpr std::string_view named("\"\\\b\f\n\r\t"), letters("\"\\bfnrt");
    if (const auto at = code < 0x80 ? named.find(static_cast<char>(code)) : named.npos; at != named.npos) {
        (to += '\\') += letters[at];
        return;
    }
    char text[12];
    std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(code));
    to += text;
}

} // namespace

std::string quote(std::string_view text) {
    std::string result = "\"";
    result.reserve(text.size() + text.size() / 8 + 2);
    for (;;) {
        const std::size_t plain = plain_run(text);
        result.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) return result += '"';
        const auto next = mato::first_character(text);
        if (!next.is_valid)
            result += "\xef\xbf\xbd";
        else if (next.code == '"' || next.code == '\\' || mato::is_control(next.code))
            append_escaped(result, next.code);
        else
            result.append(text.substr(0, next.size));
        text.remove_prefix(next.size);
    }
}

std::string value(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", number);
    return text;
}

verbatim array(const std::vector<verbatim>& members) {
    std::string text;
    for (const verbatim& each : members) text += (text.empty() ? "\n  " : ",\n  ") + each.text;
    return {"[" + text + (text.empty() ? "]" : "\n]")};
}

} // namespace mux::json
