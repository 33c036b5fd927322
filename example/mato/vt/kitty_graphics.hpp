// SPDX-License-Identifier: MIT
/// @file kitty_graphics.hpp: the commands of kitty's graphics protocol, and the images sent with it.
/// Layer: vt core.  Test: test/mato/vt/picture_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.   Fails: never; it refuses commands.
/// Source: "Terminal graphics protocol", sw.kovidgoyal.net/kitty/graphics-protocol.
///
/// Accepted are images sent directly (t=d), whole or in chunks. Files and shared memory (t=f, t, s) are refused: the terminal
/// might read what the program may not, and a viewer's terminal may be on another machine. Animations, placeholder characters
/// (U=1) and relative placements (P=) are refused too.
#pragma once

#include "picture_store.hpp"

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace mux::vt {

/// "a=T,f=100,i=7;payload". A missing key is 0; `action` and similar keys have their defaults.
struct kitty_command {
    char action = 't', transmission = 'd', deletes = 'a', compression = 0;
    bool has_other_keys = false; ///< other than m and q: it is not a further chunk
    std::string_view payload;

    /// The value of a letter's key.
    [[nodiscard]] std::int64_t operator[](char key) const noexcept { return values[index(key)]; }
    /// The same, within [0, most].
    [[nodiscard]] int number(char key, int most = 1 << 20) const noexcept;

    static constexpr std::size_t index(char key) noexcept {
        return static_cast<std::size_t>(key >= 'a' ? key - 'a' + 26 : key - 'A');
    }
    std::array<std::int64_t, 52> values{};
};

/// @returns nothing if it does not have the protocol's form
[[nodiscard]] std::optional<kitty_command> parse_kitty(std::string_view text) noexcept;

struct kitty_transmission {
    std::uint32_t id = 0;     ///< 0: it cannot be referred to
    std::uint32_t number = 0; ///< the program's number, from `I`
    std::shared_ptr<const vt::image> image;
};

/// Collects the chunks of one image, or of one refused command.
struct kitty_pieces {
    kitty_command first; ///< without its payload
    std::string data;
    bool is_too_long = false;
};

class kitty_images {
public:
    using transmitted = kitty_transmission;
    using pending = kitty_pieces;

    kitty_images(picture_limits limits, std::size_t image_bytes) noexcept : limits_(limits), image_bytes_(image_bytes) {}

    /// Adds a command's payload. @returns the whole image if this was the last chunk
    [[nodiscard]] std::optional<pending> gather(const kitty_command& c);
    void abandon() noexcept { pending_.reset(); }

    /// Stores an image by its id, replacing another one with that id; beyond a limit the oldest are dropped. @returns its id, a
    /// new one for a number
    std::uint32_t keep(transmitted t);
    [[nodiscard]] const transmitted* find(std::uint32_t id, std::uint32_t number) const noexcept;
    void remove(std::uint32_t id);
    void clear() noexcept;
    [[nodiscard]] const std::deque<transmitted>& all() const noexcept { return kept_; } ///< the oldest first
    [[nodiscard]] std::uint64_t too_long() const noexcept { return too_long_; }         ///< images over the limit, in total
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    friend struct snapshot_access;

private:
    picture_limits limits_;
    std::size_t image_bytes_;
    std::deque<transmitted> kept_;
    std::size_t bytes_ = 0;
    std::uint64_t too_long_ = 0;
    std::optional<pending> pending_;
};

/// The image of a complete transmission, or the error: "EINVAL:…".
struct kitty_image_result {
    std::shared_ptr<const image> made;
    std::string_view problem;
};
[[nodiscard]] kitty_image_result make_kitty_image(const kitty_command& c, std::string data);

} // namespace mux::vt
