// SPDX-License-Identifier: MIT
#include "guardian.hpp"

#include "view/mirror.hpp"

#include <mato/clock.hpp>
#include <mato/sys.hpp>

#include <pthread.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace mux {
namespace {

namespace sys = mato::sys;

constexpr char taken = 't', restored = 'r';
constexpr int most_style = 6; // DECSCUSR

// Kitty keyboard flags: the alternate screen has its own stack; this empties it while that screen is shown. The cursor goes to
// the last row, so that on a terminal without an alternate screen the shell's next output comes below what was drawn.
constexpr std::string_view prepare_to_leave = "\033[<9u\033]110\033\\\033]111\033\\\033]112\033\\\033]8;;\033\\\033[999H";
// Restores the user's screen and cursor, then the title from the terminal's own stack. Nothing after this may move the cursor;
// DECSTBM and DECOM do, so they come earlier.
constexpr std::string_view leave_screen = "\033[?1049l\033[23;0t";

struct last_state {
    bool is_taken = false;           ///< not restored yet; if it was, another program may own the terminal now
    std::optional<int> cursor_style; ///< the cursor's original style, if it was changed
};

/// Waits until the client has died, and the daemon has released the terminal or the patience is over.
last_state await_end() {
    constexpr mato::milliseconds patience{1000}; // a live daemon notices its client's end immediately
    last_state result;
    char next = 0;
    const auto note = [&] {
        if (next >= guardian_note_of(0) && next <= guardian_note_of(most_style))
            result.cursor_style = next - guardian_note_of(0);
    };
    while (sys::read(1, &next, 1) == 1) {
        if (next == taken || next == restored) result.is_taken = next == taken;
        note();
    }
    if (!result.is_taken) return result;
    const auto until = mato::deadline::in(patience);
    for (pollfd said{2, POLLIN, 0}; !until.passed();) {
        if (sys::poll(&said, 1, until.poll_timeout()) != 1) continue;
        if (sys::read(2, &next, 1) != 1) break; // released
        note();
    }
    return result;
}

[[noreturn]] void watch(int terminal, int alive, int release_pipe, const termios& before) {
    ::setpgid(0, 0);                                    // signals to the client's group do not reach the guardian,
    ::pthread_setname_np(::pthread_self(), "ttyguard"); // nor do those of "killall mato"
    // Descriptors 0, 1 and 2 are kept; they are moved above 2 first, so that none is overwritten.
    const int kept[] = {sys::fcntl(terminal, F_DUPFD, 3), sys::fcntl(alive, F_DUPFD, 3), sys::fcntl(release_pipe, F_DUPFD, 3)};
    for (int i = 0; i < 3; ++i) sys::dup2(kept[i], i);
    sys::close_from(3);
    sys::chdir("/");
    if (const last_state end = await_end(); end.is_taken) restore_terminal(0, before, end.cursor_style);
    ::_exit(0);
}

} // namespace

void restore_terminal(int terminal, const termios& before, std::optional<int> cursor_style) noexcept {
    constexpr mato::milliseconds patience{200}; // a terminal that accepts nothing for this time is stopped or gone
    try {
        std::string out(reset_sequence());
        if (cursor_style) out += select_cursor_style(*cursor_style);
        out.append(prepare_to_leave).append(leave_screen).append(reset_modes());
        std::string_view left = out;
        const auto until = mato::deadline::in(patience);
        while (!left.empty() && !until.passed()) {
            // The description may be blocking: a terminal that polls writable accepts at least a few bytes.
            pollfd writable{terminal, POLLOUT, 0};
            if (sys::poll(&writable, 1, until.poll_timeout()) != 1 || !(writable.revents & POLLOUT)) break;
            const ssize_t took = sys::write(terminal, left.data(), std::min<std::size_t>(left.size(), 256));
            if (took > 0)
                left.remove_prefix(static_cast<std::size_t>(took));
            else if (errno != EAGAIN)
                break;
        }
    } catch (...) { // no memory: restore at least the settings
    }
    ::tcsetattr(terminal, TCSANOW, &before);
}

guardian guardian::prepare(mato::error_out out) {
    guardian result;
    int alive[2], release_pipe[2];
    if (sys::pipe(alive) == -1) return out.fail<guardian>(mato::last_error(), "guard terminal");
    result.alive_end_ = mato::unique_fd(alive[0]);
    result.alive_ = mato::unique_fd(alive[1]);
    if (sys::pipe(release_pipe) == -1) return out.fail<guardian>(mato::last_error(), "guard terminal");
    result.release_end_ = mato::unique_fd(release_pipe[0]);
    result.release_pipe_ = mato::unique_fd(release_pipe[1]);
    return result;
}

void guardian::guard(int terminal, const termios& before, mato::error_out out) {
    sigset_t all, before_fork;
    sigfillset(&all); // stays in the guardian, mainly for SIGTTOU; set before the fork, so that it never runs without
    sys::signal_mask(SIG_SETMASK, &all, &before_fork);
    const pid_t child = sys::fork();
    if (child == 0) watch(terminal, alive_end_.get(), release_end_.get(), before);
    const std::error_code why = child == -1 ? mato::last_error() : std::error_code();
    if (child > 0) ::setpgid(child, child); // set here too: a signal to the group may arrive before the child has run
    sys::signal_mask(SIG_SETMASK, &before_fork, nullptr);
    alive_end_.reset();
    release_end_.reset();
    if (!why) return;
    alive_.reset(); // a pipe without a reader
    out.set(why, "guard terminal");
}

void guardian::say(char what) noexcept {
    if (alive_ && sys::write(alive_.get(), &what, 1) == -1) alive_.reset(); // the guardian is gone
}

void guardian::terminal_is_taken() noexcept { say(taken); }

void guardian::terminal_is_restored() noexcept { say(restored); }

void guardian::dismiss() noexcept {
    terminal_is_restored();
    alive_.reset();
    release_pipe_.reset();
}

} // namespace mux
