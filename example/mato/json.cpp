// SPDX-License-Identifier: MIT
#include "json.hpp"

#include "utf8.hpp"

#include <cstdio>

namespace mux::json {

namespace {

/// Bytes at the start that stand for themselves.
std::size_t plain_run(std::string_view text) noexcept {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
    }
    return at;
}

/// RFC 8259, section 7: the two-character forms where there are some.
void append_escaped(std::string& to, char c) {
    constexpr std::string_view named("\"\\\b\f\n\r\t"), letters("\"\\bfnrt");
    if (const auto at = named.find(c); at != named.npos) {
        (to += '\\') += letters[at];
        return;
    }
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(c));
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
        const std::size_t length = utf8_length(text);
        if (length == 0)
            result += "\xef\xbf\xbd";
        else if (length == 1)
            append_escaped(result, text[0]);
        else
            result.append(text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
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
