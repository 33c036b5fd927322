// SPDX-License-Identifier: MIT
/// @file command_watch.hpp: which command a shell runs, for how long, and how the last one ended: from its marks, OSC 133.
/// Pure: time is a parameter.  Test: test/mato/command_watch_test.cpp.
#pragma once

#include "vt/terminal.hpp"

#include <mato/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mux {

class command_watch {
public:
    using time_point = mato::clock::time_point;
    static constexpr std::size_t most_command = 256; ///< bytes of a command's text
    /// Changes in one second that are news. A person's shell makes a few; a flood of marks is no news.
    static constexpr int most_reported = 100;

    struct change {
        enum class kind : std::uint8_t { prompt, started, finished };
        kind what = kind::prompt;
        std::optional<int> exit_code = {}; ///< of `finished`; nothing: the shell did not say
        mato::milliseconds took{0};        ///< of `finished`
        bool is_news = true;               ///< false: too many came in this second, so only those that wait for it learn of it
    };

    /// @param mark an event of kind `mark` · @param screen has taken the output with it, and maybe more
    /// @returns what has changed; nothing: nothing did
    [[nodiscard]] std::optional<change> take(const vt::event& mark, const vt::terminal& screen, time_point now);
    /// After a death of the daemon's process: what the marks on the screen say, unless a mark was taken since.
    void restore(const vt::terminal& screen, time_point now);
    /// Another program starts in the tab.
    void forget() { *this = {}; }

    /// A mark was seen.
    [[nodiscard]] bool is_known() const noexcept { return phase_ != phase::unknown; }
    [[nodiscard]] bool is_running() const noexcept { return phase_ == phase::running; }
    [[nodiscard]] bool is_at_prompt() const noexcept { return phase_ == phase::prompt; }
    [[nodiscard]] time_point started() const noexcept { return started_; } ///< of the command that runs, or ran last
    /// As it was typed, on one line, printable; empty: the shell does not mark where it begins.
    [[nodiscard]] const std::string& command() const noexcept { return command_; }

private:
    enum class phase : std::uint8_t { unknown, prompt, running };

    [[nodiscard]] bool may_report(time_point now) noexcept;

    phase phase_ = phase::unknown;
    bool has_taken_ = false; // a mark
    time_point started_{}, second_{};
    int reported_ = 0; // since `second_`
    std::string command_;
};

} // namespace mux
