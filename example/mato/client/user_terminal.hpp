// SPDX-License-Identifier: MIT
/// @file user_terminal.hpp: the user's terminal while it shows a tab, and as it was before.
/// Threads: one.   Blocks: never, but for `leave`, which gives a stalled terminal a moment.
/// Source: termios(3), ioctl_tty(2); xterm control sequences for the modes that are put back.
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
    /// Standard input's terminal. It is opened anew, so that making it non-blocking is no business of the shell that shares
    /// 0-2.
    /// @errors ENOTTY: standard input or output is none.
    [[nodiscard]] static user_terminal open(mato::error_out out);

    user_terminal(user_terminal&&) noexcept = default;
    user_terminal& operator=(user_terminal&&) = delete;
    ~user_terminal() { leave(); }

    /// In two steps, so that who is asked for something in between need not wait. @errors as guardian::prepare.
    void prepare_guard(mato::error_out out) { guardian_ = guardian::prepare(out); }
    /// From now on the terminal is given back whatever happens to this process. @errors as guardian::guard.
    void guard(mato::error_out out) { guardian_.guard(fd(), before_, out); }
    [[nodiscard]] mux::guardian& guardian() noexcept { return guardian_; }

    /// Raw mode, alternate screen. Again after `leave`, and after somebody else had the terminal (SIGCONT).
    /// @errors of tcsetattr(3).
    void enter(mato::error_out out);
    /// Every mode a program may have left behind is reset, the screen and the settings are as before `enter`. Twice is once.
    void leave() noexcept;
    /// Its cursor is about to be given another style: `leave` gives back this one.
    void cursor_is_shaped(int own_style) noexcept;

    /// What was typed; empty when nothing was. @errors closed, EIO: the terminal is gone.
    [[nodiscard]] std::string_view read(mato::error_out out);
    /// Reads away what the terminal still answers about itself, up to its DA1, which is the last. Blocks until then, or
    /// `until`.
    void discard_answers(mato::clock::time_point until) noexcept;
    /// Queues and writes what the terminal takes.
    void write(std::string_view bytes, mato::error_out out);
    void flush(mato::error_out out);
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return out_.size() - out_begin_; }
    [[nodiscard]] size_of_terminal size() const noexcept; ///< 80x24 when the terminal does not know

    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); }

private:
    user_terminal() = default;
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    mato::unique_fd fd_; // a description of our own where /proc and permissions allow, else a copy of descriptor 0
    termios before_{};
    mux::guardian guardian_;
    bool entered_ = false, shares_description_ = false;
    std::optional<int> cursor_style_; // its own, when it was changed
    std::string out_;
    std::size_t out_begin_ = 0;
    char buffer_[16'384];
};

} // namespace mux
