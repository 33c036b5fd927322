// SPDX-License-Identifier: MIT
#include "clipboard.hpp"

#include <cstddef>
#include <cstdint>

namespace mux {
namespace {

std::string in_base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        for (std::size_t j = 0; j < 3; ++j)
            three = three << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        for (std::size_t j = 0; j < 4; ++j) out += i + j > bytes.size() ? '=' : digits[three >> (18 - 6 * j) & 63u];
    }
    return out;
}

} // namespace

std::string set_clipboard(std::string_view text) { return "\033]52;c;" + in_base64(text) + "\033\\"; }

} // namespace mux
