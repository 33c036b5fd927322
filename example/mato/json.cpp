// SPDX-License-Identifier: MIT
#include "json.hpp"

#include <cstdio>

namespace mux::json {
namespace {

/// Bytes of the UTF-8 sequence at the start of `text`; 0 when there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto tail = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xbf; };
    const unsigned first = byte(0), second = byte(1);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool fits = (first != 0xe0 || second >= 0xa0) && (first != 0xed || second <= 0x9f);
        return fits && tail(1) && tail(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool fits = (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second <= 0x8f);
        return fits && tail(1) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

} // namespace

std::string quote(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const auto byte = static_cast<unsigned char>(text[0]);
        if (length == 0) {
            result += "\xef\xbf\xbd";
        } else if (byte == '"' || byte == '\\') {
            result += '\\';
            result += text[0];
        } else if (byte < 0x20) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            result += escaped;
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result += '"';
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
