// SPDX-License-Identifier: MIT
/// @file guardian.hpp: a process that gives the user's terminal back when nobody else is left to do it.
/// Test: test/mato/viewer_process_test.cpp.
/// Threads: one.   Fork: `guard` forks; the child holds the terminal and two pipes and nothing else.
/// Source: termios(3): a background process may change a terminal's settings while it blocks SIGTTOU.
///
/// An attached client restores its terminal itself, whether the daemon lives or not. SIGKILL leaves it no time; then the
/// guardian does, once the daemon has let go of the terminal too, so that nothing is drawn behind it.
#pragma once

#include "protocol/guardian_note.hpp"

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <termios.h>

#include <optional>

namespace mux {

/// Resets every mode, leaves the alternate screen and puts `before` back, and the cursor's own style when it was changed. Gives
/// a stalled terminal a moment.
void restore_terminal(int terminal, const termios& before, std::optional<int> cursor_style) noexcept;

class guardian {
public:
    guardian() noexcept = default;
    guardian(guardian&&) noexcept = default;
    guardian& operator=(guardian&&) noexcept = default;
    ~guardian() { dismiss(); }

    /// Its pipes; nothing is guarded yet. @errors of pipe(2).
    [[nodiscard]] static guardian prepare(mato::error_out out);
    /// From `terminal_is_taken` on; once. What is sent to this process's group does not reach the guardian.
    /// @errors of fork(2): then nothing is guarded, and the calls below do nothing.
    void guard(int terminal, const termios& before, mato::error_out out);

    /// To be passed to whoever else draws on the terminal, who closes it when done.
    [[nodiscard]] int leash() const noexcept { return leash_.get(); }
    void leash_is_passed() noexcept { leash_.reset(); }

    /// Said before the terminal's cursor gets another style than its own, where this process draws on the terminal.
    /// A daemon that draws on it writes the same guardian_note_of() to the leash.
    void cursor_is_shaped(int own_style) noexcept { say(guardian_note_of(own_style)); }
    /// Said before the terminal is changed.
    void terminal_is_taken() noexcept;
    /// Said after it was restored, and until it is taken again: a suspended client may be killed while others have the
    /// terminal.
    void terminal_is_restored() noexcept;
    /// There is nothing to guard any more.
    void dismiss() noexcept;

private:
    void say(char what) noexcept;

    mato::unique_fd alive_;                 // the guardian sees its end: this process is gone
    mato::unique_fd leash_;                 // and this one's: the daemon has let go
    mato::unique_fd alive_end_, leash_end_; // the guardian's, until it has them
};

} // namespace mux
