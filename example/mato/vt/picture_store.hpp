// SPDX-License-Identifier: MIT
/// @file picture_store.hpp: the pictures on a terminal's screens.
/// Layer: vt core.  Test: test/mato/vt/picture_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
#pragma once

#include "picture.hpp"

#include <vector>

namespace mux::vt {

/// Beyond a limit the oldest are dropped.
struct picture_limits {
    std::size_t pictures = 64;    ///< a screen of thumbnails; also the number of kitty's images that are kept by id
    std::size_t bytes = 8u << 20; ///< of all images on the screens, and separately of those kept by id
};

class picture_store {
public:
    explicit picture_store(picture_limits limits) noexcept : limits_(limits) {}

    /// Assigns the next number. @returns it; 0 if the image alone exceeds the limit
    std::uint16_t add(picture p);
    [[nodiscard]] const picture* find(std::uint16_t number) const noexcept;
    void remove(std::uint16_t number);
    /// Removes those that are not in `kept`.
    void keep(const std::vector<std::uint16_t>& kept);
    void clear() noexcept { pictures_.clear(), bytes_ = 0; }

    [[nodiscard]] bool empty() const noexcept { return pictures_.empty(); }
    [[nodiscard]] const std::vector<picture>& all() const noexcept { return pictures_; } ///< the oldest first
    [[nodiscard]] std::uint16_t last_number() const noexcept { return last_; }
    void restore_number(std::uint16_t last) noexcept { last_ = last; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return bytes_ + pictures_.capacity() * sizeof(picture); }

private:
    void drop(std::size_t i);

    picture_limits limits_;
    std::vector<picture> pictures_;
    std::size_t bytes_ = 0;  // an image that is shown twice counts twice
    std::uint16_t last_ = 0; // a number is reused after 65535 others
};

} // namespace mux::vt
