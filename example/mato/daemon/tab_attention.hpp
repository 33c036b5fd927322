// SPDX-License-Identifier: MIT
/// @file tab_attention.hpp: what one tab says to a person who does not look at it: bell, notices, state, ended commands.
/// Pure: time is a parameter.  Test: test/mato/tab_attention_test.cpp.
#pragma once

#include "protocol/bodies/attention.hpp"
#include "screens/bar.hpp"
#include "tab/notice_reader.hpp"

#include <mato/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mux {

/// The newest notice, and how many came since the last one that was told, with it.
struct told_notice {
    program_notice newest;
    std::uint64_t count = 0;
};

class tab_attention {
public:
    using time_point = mato::clock::time_point;

    static constexpr mato::milliseconds notice_interval{
        1000};                                    ///< between two that are told: a flood of them costs one a second
    static constexpr std::size_t most_note = 256; ///< bytes of a state's note

    // ---- what the tab says ----

    /// Its bell, or a notice, that no viewer of the tab sees.
    void ask(time_point now) noexcept;
    void say(said_state state, std::string note, time_point now);
    /// A command that its shell ran has ended: `failed`, or it was a long one.
    enum class command_end : std::uint8_t { failed, long_and_well };
    void end_command(command_end how, time_point now) noexcept;
    /// Its program has ended, or another one starts: what that one said holds no longer.
    void forget_state() noexcept;
    /// A person looks at it.
    void seen() noexcept { is_unseen_ = false; }
    /// As the daemon's process before had it.
    void restore(bool asked, said_state state, std::string note, time_point now);

    [[nodiscard]] bool has_asked() const noexcept { return is_unseen_; } ///< by a bell or a notice since a person looked
    [[nodiscard]] bool asks() const noexcept { return is_unseen_ || state_ == said_state::blocked; }
    [[nodiscard]] time_point asks_since() const noexcept;
    [[nodiscard]] said_state state() const noexcept { return state_; }
    [[nodiscard]] const std::string& note() const noexcept { return note_; }
    /// Of a person who last looked at that time. Output and the program's end are not in it.
    [[nodiscard]] bar_mark mark(time_point looked) const noexcept;

    // ---- notices, at most one each `notice_interval` ----

    /// @returns what may be told now; nothing: it waits until due()
    [[nodiscard]] std::optional<told_notice> notice(program_notice what, time_point now);
    /// When notices that wait may be told; nothing: none waits.
    [[nodiscard]] std::optional<time_point> due() const noexcept;
    /// @pre due() has passed
    [[nodiscard]] told_notice take(time_point now);
    [[nodiscard]] const std::string& last_notice() const noexcept { return newest_.text; }

private:
    bool is_unseen_ = false; // a bell or a notice
    time_point asked_at_{}, blocked_at_{}, failed_at_{}, done_at_{};
    said_state state_ = said_state::none;
    std::string note_;
    program_notice newest_;
    std::uint64_t waiting_ = 0; // notices that are not told yet
    std::optional<time_point> told_at_;
};

/// "12 s", "3 min", "2 h": whole ones, the largest unit that is not 0.
[[nodiscard]] std::string span_text(mato::clock::duration span);

} // namespace mux
