// SPDX-License-Identifier: MIT
/// @file framed.hpp: encodes a payload as a frame.
#pragma once

#include <mato/framing.hpp>

#include <string>
#include <string_view>
#include <system_error>

namespace support {

[[nodiscard]] inline std::string framed(std::string_view payload) {
    std::string bytes;
    std::error_code why;
    mato::length_prefixed<>::append(bytes, payload, why);
    if (why) throw std::system_error(why);
    return bytes;
}

} // namespace support
