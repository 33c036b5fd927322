// SPDX-License-Identifier: MIT
/// @file user_terminal.hpp: the user's terminal: shows a tab, and is restored afterwards.
/// Threads: one.   Blocks: only `leave`, which waits a moment for a stalled terminal.
/// Source: termios(3), ioctl_tty(2); xterm control sequences for the modes that are reset.
#pragma once

#include "guardian.hpp"
#include "protocol/limits.hpp"
#include "protocol/protocol.hpp"

#include <mato/clock.hpp>
#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <termios.h>

#include <optional>
#include <string>
#include <string_view>

namespace mux {

class user_terminal {
public:
    /// Standard input's terminal, opened again: O_NONBLOCK is set on a separate open file description, so the shell's is
    /// unaffected.
    /// @errors ENOTTY: standard input or output is not a terminal.
    [[nodiscard]] static user_terminal open(mato::error_out out);

    user_terminal(user_terminal&&) noexcept = default;
    user_terminal& operator=(user_terminal&&) = delete;
    ~user_terminal() { leave(); }

    /// Guarding has two steps, so that a request can be sent between them without a delay. @errors as guardian::prepare.
    void prepare_guard(mato::error_out out) { guardian_ = guardian::prepare(out); }
    /// From now on the terminal is restored whatever happens to this process. @errors as guardian::guard.
    void guard(mato::error_out out) { guardian_.guard(fd(), before_, out); }
    [[nodiscard]] mux::guardian& guardian() noexcept { return guardian_; }

    /// Sets raw mode and the alternate screen. Call it again after `leave`, and after another program had the terminal
    /// (SIGCONT).
    /// @errors of tcsetattr(3).
    void enter(mato::error_out out);
    /// Resets what another process has drawn and set, and drops output that it left half written. The screen is empty then.
    void take_over(mato::error_out out);
    /// Resets every mode that a program may have set; restores the screen and the settings from before `enter`. Idempotent.
    void leave() noexcept;
    /// Its cursor is about to get another style: `leave` restores `own_style`.
    void cursor_is_shaped(int own_style) noexcept;

    /// The user's input; empty if there is none. @errors closed, EIO: the terminal is gone.
    [[nodiscard]] std::string_view read(mato::error_out out);
    /// Reads and discards the terminal's answers to queries, up to the last, DA1. Blocks until then, or until `until`.
    void discard_answers(mato::clock::time_point until) noexcept;
    /// Queues the bytes and writes what the terminal accepts.
    void write(std::string_view bytes, mato::error_out out);
    void flush(mato::error_out out);
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return out_.size() - out_begin_; }
    [[nodiscard]] vt::screen_size size() const noexcept; ///< 80x24 if the terminal does not know

    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }

private:
    user_terminal() = default;
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    mato::unique_fd fd_; // our own open file description if /proc and permissions allow it, else a copy of descriptor 0
    termios before_{};
    mux::guardian guardian_;
    bool entered_ = false, shares_description_ = false;
    std::optional<int> cursor_style_; // the original style, if it was changed
    std::string out_;
    std::size_t out_begin_ = 0;
    char buffer_[16'384];
};

} // namespace mux
