// SPDX-License-Identifier: MIT
#include "names.hpp"

#include "utf8_length.hpp"

#include <algorithm>

namespace mux {

std::string check_name(std::string_view name) {
    constexpr std::size_t longest = 64;
    if (name.empty()) return "a name must not be empty";
    if (name.size() > longest) return "a name must not be longer than 64 bytes";
    if (name == ".") return "'.' stands for the current tab";
    if (name.find_first_not_of("0123456789") == std::string_view::npos)
        return "a name must not be a number: numbers are tab ids";
    for (std::string_view rest = name; !rest.empty(); rest.remove_prefix(utf8_length(rest))) {
        if (utf8_length(rest) == 0) return "a name must be UTF-8 text";
        const auto byte = static_cast<unsigned char>(rest[0]);
        const bool c1 =
            byte == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0; // U+0080 to U+009F: control characters such as CSI
        if (byte < 0x20 || byte == 0x7f || c1) return "a name must not contain control characters";
        if (byte == '/') return "a name must not contain '/'";
    }
    return {};
}

} // namespace mux
