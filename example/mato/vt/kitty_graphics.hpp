// SPDX-License-Identifier: MIT
/// @file kitty_graphics.hpp: the commands of kitty's graphics protocol, and the images a program has sent by it.
/// Layer: vt core.  Test: test/mato/vt/picture_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.   Fails: never, it refuses.
/// Source: "Terminal graphics protocol", sw.kovidgoyal.net/kitty/graphics-protocol.
///
/// Taken are images sent directly (t=d), whole or in pieces. Files and shared memory (t=f, t, s) are refused: a program could
/// have the terminal read what is not the program's, and a viewer's terminal may be another machine's. So are animations,
/// placements by characters (U=1) and relative ones (P=).
#pragma once

#include "picture_store.hpp"

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace mux::vt {

/// "a=T,f=100,i=7;payload". A key not given is 0; `action` and the like have their defaults.
struct kitty_command {
    char action = 't', transmission = 'd', deletes = 'a', compression = 0;
    bool has_other_keys = false; ///< than m and q: it is no further piece
    std::string_view payload;

    /// A letter's number.
    [[nodiscard]] std::int64_t operator[](char key) const noexcept { return values[index(key)]; }
    /// The same, within [0, most].
    [[nodiscard]] int number(char key, int most = 1 << 20) const noexcept;

    static constexpr std::size_t index(char key) noexcept {
        return static_cast<std::size_t>(key >= 'a' ? key - 'a' + 26 : key - 'A');
    }
    std::array<std::int64_t, 52> values{};
};

/// @returns nothing if it is not of the protocol's form
[[nodiscard]] std::optional<kitty_command> parse_kitty(std::string_view text) noexcept;

struct kitty_transmission {
    std::uint32_t id = 0;     ///< 0: nobody can refer to it
    std::uint32_t number = 0; ///< the program's own, of `I`
    std::shared_ptr<const vt::image> image;
};

/// The pieces of one image, or of one refused command, come together here.
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

    /// Takes a command's payload. @returns the whole when this was the last piece
    [[nodiscard]] std::optional<pending> gather(const kitty_command& c);
    void abandon() noexcept { pending_.reset(); }

    /// Keeps it by its id, which replaces another of that id; past a bound the oldest go. @returns its id, a new one for a
    /// number
    std::uint32_t keep(transmitted t);
    [[nodiscard]] const transmitted* find(std::uint32_t id, std::uint32_t number) const noexcept;
    void remove(std::uint32_t id);
    void clear() noexcept;
    [[nodiscard]] const std::deque<transmitted>& all() const noexcept { return kept_; } ///< the oldest first
    [[nodiscard]] std::uint64_t too_long() const noexcept { return too_long_; }         ///< images over the bound, so far
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

/// The image of a whole transmission, or why not: "EINVAL:…".
struct kitty_image_result {
    std::shared_ptr<const image> made;
    std::string_view problem;
};
[[nodiscard]] kitty_image_result make_kitty_image(const kitty_command& c, std::string data);

} // namespace mux::vt
