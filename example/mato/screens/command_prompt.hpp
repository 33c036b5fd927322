// SPDX-License-Identifier: MIT
/// @file command_prompt.hpp: the row in which a user types a command: any action by its name, with completion.
/// Pure.  Test: test/mato/command_prompt_test.cpp, test/mato/command_prompt_process_test.cpp.
#pragma once

#include "command_line.hpp"
#include "line_editor.hpp"
#include "screen.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace mux {

class command_prompt final : public screen {
public:
    static constexpr std::size_t most_characters = 256;
    static constexpr std::size_t most_history = 50; ///< lines of a client

    /// The oldest first; never null. It is kept for the client's next prompt.
    using history = std::shared_ptr<std::deque<std::string>>;

    command_prompt(command_names known, history lines)
        : known_(std::move(known)), history_(std::move(lines)), place_(history_->size()) {}

    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// Tab completes; Up and Down go through the history; Enter does the command, or says why not; Escape goes back.
    screen_reply press(const key_event& key) override;

private:
    void complete();
    void go_to_history(std::ptrdiff_t steps);
    [[nodiscard]] screen_reply run();

    command_names known_;
    history history_;
    std::size_t place_; // in the history; its size: the line that is typed
    line_editor typed_{most_characters};
    std::string says_; // a problem, or the completions; until the next key
};

} // namespace mux
