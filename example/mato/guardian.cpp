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

// Kitty keyboard flags: the alternate screen has a stack of its own, emptied while that is shown. The title comes back from
// the terminal's own stack.
constexpr std::string_view leave_screen =
    "\033[<9u\033]110\033\\\033]111\033\\\033]112\033\\\033]8;;\033\\\033[?1049l\033[23;0t";

/// Waits until the client has died, and the daemon has let go, or had the time to. @returns false when all was restored: then
/// the terminal may be somebody else's by now.
bool await_end() {
    constexpr mato::milliseconds patience{1000}; // a daemon that lives sees its client's end at once
    char last = restored, next = 0;
    while (sys::read(1, &next, 1) == 1) last = next;
    if (last == restored) return false;
    const auto until = mato::deadline::in(patience);
    pollfd released{2, POLLIN, 0};
    while (sys::poll(&released, 1, until.poll_timeout()) == -1 && errno == EINTR) {
    }
    return true;
}

[[noreturn]] void watch(int terminal, int alive, int leash, const termios& before) {
    sigset_t all;
    sigfillset(&all);
    sys::signal_mask(SIG_SETMASK, &all, nullptr);       // SIGTTOU above all
    ::setpgid(0, 0);                                    // what is sent to the client's group is not for us,
    ::pthread_setname_np(::pthread_self(), "ttyguard"); // nor what is sent to everything called "mato"
    // 0, 1 and 2 are what is kept; above them first, so that none is overwritten before it is moved.
    const int kept[] = {sys::fcntl(terminal, F_DUPFD, 3), sys::fcntl(alive, F_DUPFD, 3), sys::fcntl(leash, F_DUPFD, 3)};
    for (int i = 0; i < 3; ++i) sys::dup2(kept[i], i);
    sys::close_from(3);
    sys::chdir("/");
    if (await_end()) restore_terminal(0, before);
    ::_exit(0);
}

} // namespace

void restore_terminal(int terminal, const termios& before) noexcept {
    constexpr mato::milliseconds patience{200}; // a terminal that takes nothing for so long is stopped or gone
    try {
        std::string out(reset_sequence());
        out.append(leave_screen).append(reset_sequence());
        std::string_view left = out;
        const auto until = mato::deadline::in(patience);
        while (!left.empty() && !until.passed()) {
            // The description may be one that blocks: a terminal that polls writable takes at least a little.
            pollfd writable{terminal, POLLOUT, 0};
            if (sys::poll(&writable, 1, until.poll_timeout()) != 1 || !(writable.revents & POLLOUT)) break;
            const ssize_t took = sys::write(terminal, left.data(), std::min<std::size_t>(left.size(), 256));
            if (took > 0)
                left.remove_prefix(static_cast<std::size_t>(took));
            else if (errno != EAGAIN)
                break;
        }
    } catch (...) { // no memory: the settings at least
    }
    ::tcsetattr(terminal, TCSANOW, &before);
}

guardian guardian::prepare(mato::error_out out) {
    guardian result;
    int alive[2], leash[2];
    if (sys::pipe(alive) == -1) return out.set(mato::last_error(), "guard terminal"), guardian();
    result.alive_end_ = mato::unique_fd(alive[0]);
    result.alive_ = mato::unique_fd(alive[1]);
    if (sys::pipe(leash) == -1) return out.set(mato::last_error(), "guard terminal"), guardian();
    result.leash_end_ = mato::unique_fd(leash[0]);
    result.leash_ = mato::unique_fd(leash[1]);
    return result;
}

void guardian::guard(int terminal, const termios& before, mato::error_out out) {
    const pid_t child = sys::fork();
    if (child == 0) watch(terminal, alive_end_.get(), leash_end_.get(), before);
    if (child == -1) out.set(mato::last_error(), "guard terminal");
    alive_end_.reset();
    leash_end_.reset();
}

void guardian::terminal_is_taken() noexcept {
    if (alive_) static_cast<void>(!sys::write(alive_.get(), &taken, 1));
}

void guardian::terminal_is_restored() noexcept {
    if (alive_) static_cast<void>(!sys::write(alive_.get(), &restored, 1));
}

void guardian::dismiss() noexcept {
    terminal_is_restored();
    alive_.reset();
    leash_.reset();
}

} // namespace mux
