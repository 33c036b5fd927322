// SPDX-License-Identifier: MIT
/// @file remote.hpp: a conversation with the daemon: found or started, greeted, asked.
/// Threads: one.   Blocks: until an answer or the deadline.   Fork: `open` may fork the daemon; call it first.
#pragma once

#include "cli.hpp"
#include "protocol/policies.hpp"
#include "protocol/protocol.hpp"

#include <mato/client.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace mux {

enum class start { if_needed, never };

/// No daemon runs, and none was to be started.
struct no_daemon final : command_failure {};
/// The daemon went away before it answered: whether it did what was asked is not known.
struct daemon_gone final : command_failure {};

class remote {
public:
    /// A greeted connection. A daemon that is stopping is waited for, and a new one started where that is allowed. One that
    /// has lost its socket is asked to make it again, and the user is told.
    /// @throws no_daemon (exit code 1) · command_failure: not answering (2), versions that do not meet (3), refused, not to be
    /// started, still stopping at `until` (75).
    /// `meanwhile`, if any, runs before each wait: for the daemon to start, and for its welcome.
    [[nodiscard]] static remote open(const program_paths& paths, start mode, mato::deadline until,
                                     const std::function<void()>& meanwhile = {});

    /// Asks and waits for the one answer. @throws command_failure with the daemon's own reason, or when it goes away.
    template <class Answer, class Body> Answer ask(message type, Body body, message answer, mato::deadline until = patient());
    /// As `ask`, for requests answered by `done`.
    template <class Body> void tell(message type, Body body, mato::deadline until = patient()) {
        ask<nothing>(type, std::move(body), message::done, until);
    }

    /// Sends a request; returns its id.
    template <class Body> std::uint32_t post(message type, Body body) { return post_as(type, ++last_id_, std::move(body)); }
    template <class Body> std::uint32_t post_as(message type, std::uint32_t id, Body body);
    /// As `post`, with descriptors that come along. Waits until they are under way.
    template <class Body>
    std::uint32_t post_with(message type, Body body, std::span<const int> descriptors, mato::deadline until);
    /// The answer to the request `id`. @throws as `ask`.
    template <class Answer> Answer await(std::uint32_t id, message answer, mato::deadline until);
    /// The next message of any kind; empty when `until` has passed. @throws daemon_gone.
    [[nodiscard]] std::optional<header> next(mato::deadline until);

    /// The daemon has said that it stops, or has gone away.
    [[nodiscard]] bool is_ending() const noexcept { return stopping_ || gone_; }
    /// It has said so, and not that it had opened the tab asked for before: then it has not opened one, and never will.
    [[nodiscard]] bool has_stopped_before_opening() const noexcept { return stopping_ && !opened_; }
    [[nodiscard]] mato::basic_client<policies>& connection() noexcept { return client_; }
    [[nodiscard]] const welcome& daemon() const noexcept { return welcome_; }
    /// What the daemon wants to know of this process's environment.
    [[nodiscard]] std::vector<std::string> environment_for_daemon() const;

    /// For requests that take as long as a program does.
    [[nodiscard]] static mato::deadline patient() noexcept { return mato::deadline(mato::clock::time_point::max()); }

private:
    bool greet(mato::deadline until, const std::function<void()>& meanwhile, mato::failure& why);

    mato::basic_client<policies> client_;
    welcome welcome_;
    std::uint32_t last_id_ = 0;
    bool stopping_ = false, gone_ = false, opened_ = false; // as the daemon's messages say
};

// ---- implementation ----

template <class Body> std::uint32_t remote::post_as(message type, std::uint32_t id, Body body) {
    mato::failure why;
    client_.queue(encode(type, id, std::move(body)), why);
    if (why.code == mato::errc::frame_too_large)
        throw command_failure{mato::exit_code::usage, "the request is too large: " + why.message()};
    return id; // a connection that is gone shows at the next read, behind what the daemon said last
}

template <class Body>
std::uint32_t remote::post_with(message type, Body body, std::span<const int> descriptors, mato::deadline until) {
    mato::failure why;
    client_.send_with(encode(type, ++last_id_, std::move(body)), descriptors, until, why);
    if (why.code == mato::errc::frame_too_large)
        throw command_failure{mato::exit_code::usage, "the request is too large: " + why.message()};
    return last_id_;
}

template <class Answer, class Body> Answer remote::ask(message type, Body body, message answer, mato::deadline until) {
    return await<Answer>(post(type, std::move(body)), answer, until);
}

template <class Answer> Answer remote::await(std::uint32_t id, message answer, mato::deadline until) {
    while (const auto frame = next(until)) {
        if (frame->id != id) continue;
        if (frame->type == message::error) {
            const auto why =
                decode<refusal>(frame->body).value_or(refusal{1, "the daemon refused the request without a reason"});
            throw command_failure{why.exit_code, why.text};
        }
        const auto result = frame->type == answer ? decode<Answer>(frame->body) : std::nullopt;
        if (!result)
            throw command_failure{mato::exit_code::version_mismatch,
                                  "cannot read the daemon's answer; it may be of another version (see 'mato status')"};
        return *result;
    }
    throw command_failure{mato::exit_code::not_answering,
                          "the daemon does not answer; try again, or end it with 'mato stop --now'"};
}

} // namespace mux
