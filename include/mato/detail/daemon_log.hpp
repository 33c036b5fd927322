// SPDX-License-Identifier: MIT
/// @file daemon_log.hpp: what the log says about clients, in a limited number of lines.
/// Layer: 4 (composition).  Test: test/toolkit/daemon_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: as daemon.hpp.
///
/// Members of basic_daemon; daemon.hpp includes this file.
#pragma once

#include "../daemon.hpp"

#include <optional>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

template <class P> void basic_daemon<P>::log_what_the_server_reports() {
    const auto who = [](std::uint64_t id, const peer_credentials& peer) {
        return "client " + std::to_string(id) + " (uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid) + ")";
    };
    auto& callbacks = server_.on;
    callbacks.on_refused = [this, who, next = std::move(callbacks.on_refused)](const peer_credentials& peer,
                                                                               const failure& why) {
        log_some(refused_lines_, "refused", "refused " + who(0, peer) + ": " + why.message());
        return next ? next(peer, why) : std::optional<std::string>();
    };
    callbacks.on_closed = [this, who, next = std::move(callbacks.on_closed)](const session_ptr& gone, const failure& why) {
        // A peer that closes with unread data shows as a reset, which is as normal as a close.
        const bool usual = why.code == errc::closed || why.code == errc::stopping || !why.code ||
                           why.code == std::errc::connection_reset || why.code == std::errc::broken_pipe;
        if (const auto level = usual ? log_level::debug : log_level::warning; log_.takes(level))
            log_.write(level, "closed " + who(gone->id(), gone->peer()) + ": " + why.message());
        if (next) next(gone, why);
    };
    callbacks.on_exception = [this, who, next = std::move(callbacks.on_exception)](const session_ptr& whose,
                                                                                   const failure& why) {
        log_.error((whose ? who(whose->id(), whose->peer()) + ": " : std::string()) + why.message());
        if (next) return next(whose, why);
        if (whose) whose->close(why);
    };
    callbacks.on_accept_paused = [this, next = std::move(callbacks.on_accept_paused)](const failure& why) {
        log_some(paused_lines_, "accepting paused", why.message() + "; accepting clients is paused");
        if (next) next(why);
    };
}

// Clients can cause these lines at any rate, so their number is limited.
template <class P> void basic_daemon<P>::log_some(line_rate& rate, const char* what, const std::string& text) {
    if (!rate.takes(clock::now())) return;
    log_left_out(rate, what);
    log_.warning(text);
}

template <class P> void basic_daemon<P>::log_left_out(line_rate& rate, const char* what) {
    if (const auto more = rate.take_left_out()) log_.warning(std::string(what) + " " + std::to_string(more) + " times more");
}

} // namespace MATO_ABI
} // namespace mato
