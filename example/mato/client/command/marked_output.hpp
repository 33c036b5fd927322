// SPDX-License-Identifier: MIT
/// @file marked_output.hpp: splits a shell's output at its marks (OSC 133), however it is cut into pieces.
/// Pure.  Test: test/mato/marked_output_test.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

class marked_output {
public:
    static constexpr std::size_t most_mark = 1024; ///< bytes; a longer one is text

    struct piece {
        std::string text{}; ///< of the output, or of the mark: "A", "D;0"
        bool is_mark = false;
        [[nodiscard]] char letter() const noexcept { return is_mark && !text.empty() ? text[0] : '\0'; }
        /// Of "D;0"; nothing: it has none.
        [[nodiscard]] std::optional<int> code() const;
        friend bool operator==(const piece&, const piece&) = default;
    };
    /// Text and marks, in order. The begin of a mark is kept until its rest comes.
    [[nodiscard]] std::vector<piece> feed(std::string_view bytes);

private:
    std::string held_;
};

} // namespace mux
