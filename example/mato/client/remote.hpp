// SPDX-License-Identifier: MIT
/// @file remote.hpp: a connection to the daemon: finds or starts it, greets it, sends requests.
/// Threads: one.   Blocks: until an answer or the deadline.   Fork: `open` may fork the daemon; call it first.
#pragma once

#include "cli.hpp"
#include "protocol/messages.hpp"
#include "protocol/policies.hpp"

#include <mato/client.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace mux {

enum class start { if_needed, never };

/// No daemon is running, and none was to be started.
struct no_daemon final : command_failure {};
/// The connection was lost before the answer: whether the request was carried out is unknown.
struct daemon_gone final : command_failure {};
/// The wait for the daemon was given up.
struct wait_ended final : command_failure {};

/// Waits until `connection` is readable (-1: there is none), or `until`. @returns false: the wait is given up.
using daemon_wait = std::function<bool(int connection, mato::deadline until)>;

/// Sleeps, or waits without a connection. @throws wait_ended
void pause_for(mato::milliseconds span, const daemon_wait& wait);

class remote {
public:
    /// A greeted connection. Waits for a stopping daemon, and starts a new one if `mode` allows it. Asks a daemon that has lost
    /// its socket to create it again, and tells the user.
    /// @throws no_daemon (exit code 1) · command_failure: no answer (2), protocol versions differ (3), refused, cannot be
    /// started, still stopping at `until` (75).
    /// `meanwhile`, if any, runs before each wait: for the daemon's start, and for its welcome.
    /// `wait`, if any, waits instead of this function, and later for answers, until `waits_itself`. @throws wait_ended
    [[nodiscard]] static remote open(const program_paths& paths, start mode, mato::deadline until,
                                     const std::function<void()>& meanwhile = {}, const daemon_wait& wait = {});
    void waits_itself() { wait_ = {}; }

    /// Sends a request and waits for its one answer. @throws command_failure with the daemon's reason, or when the connection
    /// is lost.
    template <message Number, message Answer = answer_to<Number>>
    requires answers<Number, Answer> body_of<Answer> ask(body_of<Number> body, mato::deadline until = patient()) {
        return await<Answer>(post<Number>(std::move(body)), until);
    }
    /// As `ask`, for requests answered by `done`.
    template <message Number>
    requires answers<Number, message::done>
    void tell(body_of<Number> body, mato::deadline until = patient()) {
        static_cast<void>(ask<Number>(std::move(body), until));
    }

    /// Sends a request; returns its id.
    template <message Number> std::uint32_t post(body_of<Number> body) { return post_as<Number>(++last_id_, std::move(body)); }
    template <message Number> std::uint32_t post_as(std::uint32_t id, body_of<Number> body);
    /// As `post`, with file descriptors. Waits until they are sent.
    template <message Number>
    std::uint32_t post_with(body_of<Number> body, std::span<const int> descriptors, mato::deadline until);
    /// The answer to the request `id`. @throws as `ask`.
    template <message Answer> body_of<Answer> await(std::uint32_t id, mato::deadline until);
    /// The next message of any kind; empty when `until` has passed. @throws daemon_gone.
    [[nodiscard]] std::optional<header> next(mato::deadline until);

    /// The daemon has announced that it stops, or the connection is lost.
    [[nodiscard]] bool is_ending() const noexcept { return stopping_ || gone_; }
    /// The daemon has announced that it stops, and has not reported that the requested tab was opened: it never will be.
    [[nodiscard]] bool has_stopped_before_opening() const noexcept { return stopping_ && !opened_; }
    [[nodiscard]] mato::basic_client<policies>& connection() noexcept { return client_; }
    /// If the connection is lost without a reason, the daemon's next process has the same tabs.
    [[nodiscard]] bool survives() const noexcept { return !stopping_ && (welcome_.features & tabs_survive) != 0; }
    /// How long to wait for that process: the daemon's setting `reconnect`.
    [[nodiscard]] mato::milliseconds patience() const noexcept { return mato::milliseconds(welcome_.reconnect_ms); }
    [[nodiscard]] const welcome& daemon() const noexcept { return welcome_; }
    /// The variables of this process's environment that the daemon has asked for.
    [[nodiscard]] std::vector<std::string> environment_for_daemon() const;

    /// For requests that take as long as a program does.
    [[nodiscard]] static mato::deadline patient() noexcept { return mato::deadline(mato::clock::time_point::max()); }

private:
    bool greet(mato::deadline until, const std::function<void()>& meanwhile, mato::failure& why);
    [[nodiscard]] std::optional<std::string_view> receive(mato::deadline until, mato::failure& why);

    mato::basic_client<policies> client_;
    daemon_wait wait_;
    welcome welcome_;
    std::uint32_t last_id_ = 0;
    bool stopping_ = false, gone_ = false, opened_ = false; // set by the daemon's messages
};

// ---- implementation ----

template <message Number> std::uint32_t remote::post_as(std::uint32_t id, body_of<Number> body) {
    mato::failure why;
    client_.queue(encode<Number>(id, std::move(body)), why);
    if (why.code == mato::errc::frame_too_large)
        throw command_failure{mato::exit_code::usage, "the request is too large: " + why.message()};
    return id; // a lost connection is reported by the next read, after the daemon's last messages
}

template <message Number>
std::uint32_t remote::post_with(body_of<Number> body, std::span<const int> descriptors, mato::deadline until) {
    mato::failure why;
    client_.send_with(encode<Number>(++last_id_, std::move(body)), descriptors, until, why);
    if (why.code == mato::errc::frame_too_large)
        throw command_failure{mato::exit_code::usage, "the request is too large: " + why.message()};
    return last_id_;
}

template <message Answer> body_of<Answer> remote::await(std::uint32_t id, mato::deadline until) {
    while (const auto frame = next(until)) {
        if (frame->id != id) continue;
        if (frame->type == message::error) {
            const auto why =
                read_as<message::error>(*frame).value_or(refusal{1, "the daemon refused the request without a reason"});
            throw command_failure{why.exit_code, why.text};
        }
        const auto result = read_as<Answer>(*frame);
        if (!result)
            throw command_failure{mato::exit_code::version_mismatch,
                                  "cannot read the daemon's answer; it may be of another version (see 'mato status')"};
        return *result;
    }
    throw command_failure{mato::exit_code::not_answering,
                          "the daemon does not answer; try again, or end it with 'mato stop --now'"};
}

} // namespace mux
