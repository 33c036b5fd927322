// SPDX-License-Identifier: MIT
/// @file guardian.hpp: a process that restores the user's terminal when client and daemon are gone.
/// Test: test/mato/viewer_process_test.cpp.
/// Threads: one.   Fork: `guard` forks; the child holds the terminal and two pipes and nothing else.
/// Source: termios(3): a background process may change a terminal's settings while it blocks SIGTTOU.
///
/// An attached client restores its terminal itself, whether the daemon is alive or not. After SIGKILL of the client the
/// guardian does, once the daemon has released the terminal too, so that nothing is drawn after the restore.
#pragma once

#include "protocol/guardian_note.hpp"

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <termios.h>

#include <optional>

namespace mux {

/// Resets every mode, leaves the alternate screen, and restores `before` and the cursor's style if it was changed. Waits a
/// moment for a stalled terminal.
void restore_terminal(int terminal, const termios& before, std::optional<int> cursor_style) noexcept;

class guardian {
public:
    guardian() noexcept = default;
    guardian(guardian&&) noexcept = default;
    guardian& operator=(guardian&&) noexcept = default;
    ~guardian() { dismiss(); }

    /// Creates its pipes; nothing is guarded yet. @errors of pipe(2).
    [[nodiscard]] static guardian prepare(mato::error_out out);
    /// Guards from `terminal_is_taken` on; call it once. Signals to this process's group do not reach the guardian.
    /// @errors of fork(2): nothing is guarded then, and the functions below have no effect.
    void guard(int terminal, const termios& before, mato::error_out out);

    /// For the process that draws on the terminal, which closes it when done.
    [[nodiscard]] int release_pipe() const noexcept { return release_pipe_.get(); }
    void release_pipe_is_passed() noexcept { release_pipe_.reset(); }

    /// Call it before the terminal's cursor gets another style, if this process draws on the terminal. A daemon that draws on
    /// it writes the same guardian_note_of() to the release pipe.
    void cursor_is_shaped(int own_style) noexcept { say(guardian_note_of(own_style)); }
    /// Call it before the terminal is changed.
    void terminal_is_taken() noexcept;
    /// Call it after the terminal was restored. While a client is suspended, other programs use the terminal, and the client
    /// may be killed: the guardian must not touch it.
    void terminal_is_restored() noexcept;
    /// Ends the guardian: there is nothing left to guard.
    void dismiss() noexcept;

private:
    void say(char what) noexcept;

    mato::unique_fd alive_;                   // end-of-file in the guardian: this process is gone
    mato::unique_fd release_pipe_;            // end-of-file in the guardian: the daemon has released the terminal
    mato::unique_fd alive_end_, release_end_; // the guardian's ends, until `guard`
};

} // namespace mux
