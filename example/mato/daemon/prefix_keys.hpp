// SPDX-License-Identifier: MIT
/// @file prefix_keys.hpp: separates input for the program from commands for mato.
/// Pure.  Test: test/mato/prefix_keys_test.cpp.
#pragma once

#include <functional>
#include <string_view>

namespace mux {

class prefix_keys {
public:
    explicit prefix_keys(char prefix) noexcept : prefix_(prefix) {}

    struct sink {
        std::function<void(std::string_view)> typed; ///< for the program, in order, unchanged
        std::function<void(char)> command;           ///< the key after the prefix
    };

    /// Any split of the same bytes has the same effect. The prefix typed twice passes it on once.
    void feed(std::string_view bytes, const sink& to) {
        while (!bytes.empty()) {
            if (after_prefix_) {
                after_prefix_ = false;
                if (bytes[0] == prefix_)
                    to.typed(bytes.substr(0, 1));
                else
                    to.command(bytes[0]);
                bytes.remove_prefix(1);
                continue;
            }
            const auto at = bytes.find(prefix_);
            if (at != 0) to.typed(bytes.substr(0, at));
            if (at == std::string_view::npos) return;
            after_prefix_ = true;
            bytes.remove_prefix(at + 1);
        }
    }

    void set_prefix(char prefix) noexcept { prefix_ = prefix; }

private:
    char prefix_;
    bool after_prefix_ = false;
};

} // namespace mux
