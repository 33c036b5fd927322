// SPDX-License-Identifier: MIT
/// @file published_frames.hpp: the frames published by a stream of a fan_out_model: each byte of a frame follows from its
/// stream and number.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace support {

struct published_frames {
    struct frame {
        std::optional<std::uint64_t> key;
        std::size_t size = 0; // encoded, with the two bytes of its length
    };
    std::uint8_t stream = 0;
    std::vector<frame> by_number{1}; // from 1
    std::array<std::uint64_t, 4> newest_of_key{};

    [[nodiscard]] std::uint64_t newest() const noexcept { return by_number.size() - 1; }
    [[nodiscard]] const frame& operator[](std::uint64_t number) const { return by_number[number]; }
    [[nodiscard]] std::string payload_of(std::uint64_t number) const;
    /// Encoded bytes of the stream before this frame.
    [[nodiscard]] std::uint64_t bytes_before(std::uint64_t number) const {
        std::uint64_t bytes = 0;
        for (std::uint64_t i = 1; i < number; ++i) bytes += by_number[i].size;
        return bytes;
    }
};

/// A payload of 26 bytes: its kind, its stream, and three numbers.
[[nodiscard]] inline std::string numbered(char what, std::uint8_t stream, std::uint64_t first, std::uint64_t last = 0,
                                          std::uint64_t more = 0) {
    std::string payload(26, what);
    payload[1] = static_cast<char>(stream);
    std::memcpy(payload.data() + 2, &first, 8);
    std::memcpy(payload.data() + 10, &last, 8);
    std::memcpy(payload.data() + 18, &more, 8);
    return payload;
}

/// Detects an incomplete or mixed frame.
inline std::string published_frames::payload_of(std::uint64_t number) const {
    std::string payload = numbered('F', stream, number, number * 0x9e3779b97f4a7c15, ~number);
    const std::size_t size = by_number[number].size - 2;
    if (size > payload.size()) payload.resize(size);
    for (std::size_t i = 26; i < payload.size(); ++i) payload[i] = static_cast<char>(number + i);
    return payload;
}

} // namespace support
