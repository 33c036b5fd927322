// SPDX-License-Identifier: MIT
#include "json.hpp"

#include "utf8.hpp"

#include <cstdio>

namespace mux::json {

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
