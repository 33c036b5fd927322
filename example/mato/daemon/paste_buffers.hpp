// SPDX-License-Identifier: MIT
/// @file paste_buffers.hpp: named texts that clients share: what users have copied, and what scripts have set.
/// Pure.  Threads: one object, one thread.   Test: test/mato/paste_buffers_test.cpp.
#pragma once

#include "protocol/bodies/shared_names.hpp"
#include "screens/text_selection.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

class paste_buffers {
public:
    static constexpr std::size_t most_text = most_copied; ///< bytes of one
    static constexpr std::size_t most = 64;               ///< buffers
    static constexpr std::size_t most_in_all = 8u << 20;  ///< bytes of all
    static constexpr std::string_view copied = "copied";  ///< has what a user has copied last

    /// @returns why it was not set; empty: it was. The name's rules are those of tabs.
    [[nodiscard]] std::string set(std::string_view name, std::string text);
    /// What a user has copied. The oldest other buffers make room for it.
    void copy(std::string text);
    /// Null: there is none.
    [[nodiscard]] const std::string* find(std::string_view name) const noexcept;
    bool remove(std::string_view name) noexcept; ///< @returns whether there was one
    [[nodiscard]] buffer_list list() const;

private:
    struct buffer {
        std::string name, text;
    };
    [[nodiscard]] std::size_t bytes_without(std::string_view name) const noexcept;
    void put(std::string_view name, std::string text);

    std::vector<buffer> all_; // the one that was set last is the last
};

} // namespace mux
