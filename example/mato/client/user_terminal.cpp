// SPDX-License-Identifier: MIT
#include "user_terminal.hpp"

#include "view/mirror.hpp"

#include <mato/clock.hpp>
#include <mato/sys.hpp>

#include <unistd.h>

#include <utility>

namespace mux {
namespace {

namespace sys = mato::sys;

constexpr std::string_view enter_screen =
    "\033[22;0t\033[?1049h\033[H\033[2J"; // push the title; xterm: save the cursor, switch screens

} // namespace

user_terminal user_terminal::open(mato::error_out out) {
    user_terminal result;
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

void user_terminal::enter(mato::error_out out) {
    termios raw = before_;
    ::cfmakeraw(&raw);
    guardian_.terminal_is_taken();
    if (::tcsetattr(fd(), TCSANOW, &raw) == -1) return out.set(mato::last_error(), "set terminal to raw mode");
    if (!std::exchange(entered_, true)) write(enter_screen, out);
}

void user_terminal::take_over(mato::error_out out) {
    out_.clear();
    out_begin_ = 0;
    std::string bytes("\x18"); // CAN ends a sequence that was cut
    bytes.append(reset_sequence()).append("\033[<9u").append(reset_modes()).append("\033[H\033[2J");
    write(bytes, out);
}

void user_terminal::leave() noexcept {
    if (!std::exchange(entered_, false)) return;
    out_.clear(); // an incomplete sequence is ended by the first byte of the reset
    out_begin_ = 0;
    restore_terminal(fd(), before_, cursor_style_);
    guardian_.terminal_is_restored();
}

void user_terminal::cursor_is_shaped(int own_style) noexcept {
    cursor_style_ = own_style;
    guardian_.cursor_is_shaped(own_style);
}

std::string_view user_terminal::read(mato::error_out out) {
    const ssize_t got = sys::read(fd(), buffer_, sizeof buffer_);
    if (got > 0) return {buffer_, static_cast<std::size_t>(got)};
    if (got == 0)
        out.set(mato::errc::closed, "read terminal");
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        out.set(mato::last_error(), "read terminal");
    return {};
}

void user_terminal::discard_answers(mato::clock::time_point until) noexcept {
    const mato::deadline end(until);
    std::size_t matched = 0; // of ESC [ ? … c
    while (!end.passed()) {
        pollfd readable{fd(), POLLIN, 0};
        if (sys::poll(&readable, 1, end.poll_timeout()) != 1) continue;
        const ssize_t got = sys::read(fd(), buffer_, sizeof buffer_);
        if (got <= 0) return;
        for (const char c : std::string_view(buffer_, static_cast<std::size_t>(got))) {
            if (matched >= 3 && c == 'c') return;
            if (matched >= 3 && (c == ';' || (c >= '0' && c <= '9'))) continue;
            constexpr std::string_view start = "\033[?";
            matched = matched < 3 && c == start[matched] ? matched + 1 : c == start[0] ? 1 : 0;
        }
    }
}

void user_terminal::write(std::string_view bytes, mato::error_out out) {
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

void user_terminal::flush(mato::error_out out) {
    constexpr std::size_t blocking_chunk = 1024; // a blocking terminal that polls writable accepts at least this much
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

vt::screen_size user_terminal::size() const noexcept {
    winsize cells{};
    if (sys::ioctl(fd(), TIOCGWINSZ, &cells) == -1 || cells.ws_row == 0 || cells.ws_col == 0) return {};
    return {cells.ws_row, cells.ws_col};
}

} // namespace mux
