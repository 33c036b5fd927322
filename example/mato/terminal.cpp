// SPDX-License-Identifier: MIT
#include "terminal.hpp"

#include <mato/clock.hpp>
#include <mato/sys.hpp>

#include <unistd.h>

#include <utility>

namespace mux {
namespace {

namespace sys = mato::sys;

// Everything a program can leave switched on, in the order: appearance, region, keys, mouse, reports, cursor.
constexpr std::string_view reset_modes = "\033[0m"                                      // SGR 0
                                         "\033(B\017"                                   // ASCII in G0, shift in
                                         "\033[?2026l"                                  // synchronised output
                                         "\033[4l\033[?6l\033[?7h\033[r"                // insert, origin, wrap, region
                                         "\033[?1l\033>\033[>4;0m"                      // cursor keys, keypad, modifyOtherKeys
                                         "\033[?9l\033[?1000l\033[?1002l\033[?1003l"    // mouse protocols
                                         "\033[?1005l\033[?1006l\033[?1015l\033[?1016l" // mouse encodings
                                         "\033[?1004l\033[?2004l"                       // focus, bracketed paste
                                         "\033[0 q\033[?25h";                           // cursor shape, visible
constexpr std::string_view enter_screen = "\033[?1049h\033[H\033[2J";                   // xterm: alternate screen, cursor saved
constexpr std::string_view leave_screen = "\033[?1049l";
// Kitty keyboard flags: the alternate screen has a stack of its own; emptied while that is shown.
constexpr std::string_view pop_kitty_flags = "\033[<9u";

} // namespace

terminal terminal::open(mato::error_out out) {
    terminal result;
    if (!::isatty(0) || !::isatty(1)) {
        out.set({ENOTTY, std::system_category()}, "attach", {}, "standard input and output must be a terminal");
        return result;
    }
    char name[256];
    if (::ttyname_r(0, name, sizeof name) == 0) result.fd_ = mato::unique_fd(sys::open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
    if (!result.fd_) { // another mount namespace, or su: the inherited description, left blocking
        result.fd_ = mato::unique_fd(sys::fcntl(0, F_DUPFD_CLOEXEC, 3));
        result.shares_description_ = true;
    }
    if (!result.fd_ || ::tcgetattr(result.fd(), &result.before_) == -1) out.set(mato::last_error(), "open terminal");
    return result;
}

void terminal::enter(mato::error_out out) {
    termios raw = before_;
    ::cfmakeraw(&raw);
    if (::tcsetattr(fd(), TCSANOW, &raw) == -1) return out.set(mato::last_error(), "set terminal to raw mode");
    entered_ = true;
    write(enter_screen, out);
}

void terminal::reenter() noexcept {
    termios raw = before_;
    ::cfmakeraw(&raw);
    ::tcsetattr(fd(), TCSANOW, &raw);
}

void terminal::leave() noexcept {
    if (!std::exchange(entered_, false)) return;
    constexpr mato::milliseconds patience{200}; // a terminal that takes nothing for so long is stopped or gone
    std::error_code gone;
    try {
        out_.erase(0, out_begin_); // what a program wrote last must be finished, or its half sequence would eat ours
        out_begin_ = 0;
        out_.append(reset_modes).append(pop_kitty_flags).append(leave_screen).append(reset_modes);
        const auto until = mato::deadline::in(patience);
        for (flush(gone); !gone && queued_bytes() > 0 && !until.passed(); flush(gone)) {
            pollfd writable{fd(), POLLOUT, 0};
            sys::poll(&writable, 1, until.poll_timeout());
        }
    } catch (...) { // no memory: the settings at least
    }
    ::tcsetattr(fd(), TCSANOW, &before_);
}

std::string_view terminal::read(mato::error_out out) {
    const ssize_t got = sys::read(fd(), buffer_, sizeof buffer_);
    if (got > 0) return {buffer_, static_cast<std::size_t>(got)};
    if (got == 0)
        out.set(mato::errc::closed, "read terminal");
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        out.set(mato::last_error(), "read terminal");
    return {};
}

void terminal::write(std::string_view bytes, mato::error_out out) {
    if (queued_bytes() == 0 && !shares_description_) { // the common case: no copy
        const ssize_t took = sys::write(fd(), bytes.data(), bytes.size());
        if (took > 0)
            bytes.remove_prefix(static_cast<std::size_t>(took));
        else if (took < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return out.set(mato::last_error(), "write terminal");
    }
    out_ += bytes;
    if (shares_description_) flush(out);
}

void terminal::flush(mato::error_out out) {
    constexpr std::size_t blocking_chunk = 1024; // a blocking terminal that polls writable takes at least so much
    while (queued_bytes() > 0) {
        if (shares_description_) {
            pollfd writable{fd(), POLLOUT, 0};
            if (sys::poll(&writable, 1, 0) != 1) return;
        }
        const std::size_t size = shares_description_ ? std::min(queued_bytes(), blocking_chunk) : queued_bytes();
        const ssize_t took = sys::write(fd(), out_.data() + out_begin_, size);
        if (took < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) out.set(mato::last_error(), "write terminal");
            return;
        }
        out_begin_ += static_cast<std::size_t>(took);
    }
    out_.clear();
    out_begin_ = 0;
}

void terminal::clear() {
    out_ += reset_modes;
    out_ += "\033[H\033[2J";
}

size_of_terminal terminal::size() const noexcept {
    winsize cells{};
    if (sys::ioctl(fd(), TIOCGWINSZ, &cells) == -1 || cells.ws_row == 0 || cells.ws_col == 0) return {};
    return {cells.ws_col, cells.ws_row};
}

} // namespace mux
