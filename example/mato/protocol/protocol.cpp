// SPDX-License-Identifier: MIT
#include "protocol.hpp"

namespace mux {

std::optional<header> parse_header(std::string_view payload) noexcept {
    if (payload.size() < 8) return std::nullopt;
    field_reader read(payload);
    std::uint32_t type = 0, id = 0;
    read(type, id);
    return header{static_cast<message>(type), id, payload.substr(8)};
}

std::string encode_bytes(message type, std::uint32_t id, std::string_view bytes) {
    std::string payload;
    payload.reserve(8 + bytes.size());
    field_writer write(payload);
    auto number = static_cast<std::uint32_t>(type);
    write(number, id);
    return payload.append(bytes);
}

} // namespace mux
