// SPDX-License-Identifier: MIT
#include "mixed_classes.hpp"

namespace mux::vt {

namespace {

constexpr detail::byte_rows make_every_byte() noexcept {
    detail::byte_rows all{};
    for (std::size_t b = 0; b < all.size(); ++b)
        for (unsigned char& each : all[b]) each = static_cast<unsigned char>(b);
    return all;
}

} // namespace

alignas(64) constinit const detail::byte_rows detail::every_byte = make_every_byte();

} // namespace mux::vt
