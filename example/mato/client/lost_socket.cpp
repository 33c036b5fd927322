// SPDX-License-Identifier: MIT
#include "lost_socket.hpp"

#include <mato/lock.hpp>
#include <mato/sys.hpp>

#include <charconv>
#include <csignal>
#include <string_view>

#include <sys/stat.h>

namespace mux {
namespace {

namespace sys = mato::sys;

constexpr mato::milliseconds most_start{200}; // the time from a daemon's lock to its socket, on a machine that is not busy

/// Whether that process blocks SIGUSR1, as one does that reads signals from a descriptor. False if /proc does not say.
bool keeps_signal(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/status";
    const mato::unique_fd file(sys::open(path.c_str(), O_RDONLY));
    char buffer[4096];
    const ssize_t got = file ? sys::read(file.get(), buffer, sizeof buffer) : 0;
    const std::string_view text(buffer, static_cast<std::size_t>(got > 0 ? got : 0));
    constexpr std::string_view name = "\nSigBlk:\t";
    const auto at = text.find(name);
    if (at == std::string_view::npos) return false;
    unsigned long long blocked = 0;
    std::from_chars(text.data() + at + name.size(), text.data() + text.size(), blocked, 16);
    return (blocked >> (SIGUSR1 - 1) & 1) != 0;
}

} // namespace

std::optional<pid_t> lost_socket::look() {
    mato::failure why;
    const pid_t holder = mato::instance_lock::signal_holder(paths_.lock, 0, why);
    if (why.code == mato::cond::not_running) return std::nullopt;
    if (holder <= 0) return 0;
    const auto now = mato::clock::now();
    if (holder != holder_) holder_ = holder, seen_at_ = now;
    struct ::stat socket {};
    const bool is_missing = sys::lstat(paths_.socket.c_str(), &socket) == -1 && errno == ENOENT;
    if (!is_missing || asked_ == holder || now - seen_at_ < most_start || !keeps_signal(holder)) return holder;
    if (mato::instance_lock::signal_holder(paths_.lock, SIGUSR1, why) == holder) asked_ = holder;
    return holder;
}

std::string lost_socket::found(pid_t pid) const {
    if (pid != asked_) return {};
    return "the socket " + paths_.socket + " had been removed; the daemon, pid " + std::to_string(pid) +
           ", has created it again";
}

std::string lost_socket::not_found(pid_t holder) const {
    const std::string who = holder > 0 ? "the daemon, pid " + std::to_string(holder) + "," : std::string("a daemon");
    return "cannot connect to " + paths_.socket + ": " + who + " holds " + paths_.lock +
           " but does not accept connections there; it may be starting or stopping: try again, or end it with 'mato stop "
           "--now'";
}

} // namespace mux
