// SPDX-License-Identifier: MIT
/// @file exchange.hpp: the messages that one command exchanges with the daemon, and its result.
/// Threads: one.   Blocks: only `run_to_completion`, which runs one exchange; `control` runs many at a time.
#pragma once

#include "client/json.hpp"
#include "client/remote.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mux {

class exchange {
public:
    struct result {
        int exit_code = 0; ///< of the command; if not 0, `error` says why, or it is the program's own
        std::string error;
        json::verbatim value{"null"}; ///< what `control` answers
    };

    exchange() = default;
    exchange(const exchange&) = delete;
    virtual ~exchange() = default;

    /// Sends the first message.
    virtual void begin(remote& daemon) = 0;
    /// Handles an answer to one of its requests.
    void hear(remote& daemon, const header& answer);
    /// Called when `due` has passed.
    virtual void wake(remote& daemon);

    [[nodiscard]] bool awaits(std::uint32_t request) const {
        return std::find(asked_.begin(), asked_.end(), request) != asked_.end();
    }
    [[nodiscard]] mato::deadline due() const noexcept { return due_; }
    [[nodiscard]] const std::optional<result>& outcome() const noexcept { return outcome_; }
    /// Whether it may take as long as a program does; its answers are small then.
    [[nodiscard]] virtual bool waits_for_program() const noexcept { return false; }
    /// Whether the answer may be long: two at a time could exceed the daemon's queue for a client.
    [[nodiscard]] virtual bool is_answered_at_length() const noexcept { return false; }

protected:
    virtual void on_answer(remote& daemon, const header& answer) = 0;
    virtual void on_refused(const refusal& why) { finish({why.exit_code, why.text}); }

    template <class Body> std::uint32_t ask(remote& daemon, message type, Body body, mato::deadline until) {
        due_ = until;
        return asked_.emplace_back(daemon.post(type, std::move(body)));
    }
    /// As `decode`; ends the exchange if that fails.
    template <class Answer> std::optional<Answer> read(message expected, const header& answer) {
        auto body = answer.type == expected ? decode<Answer>(answer.body) : std::nullopt;
        if (!body)
            finish({mato::exit_code::version_mismatch,
                    "cannot read the daemon's answer; it may be of another version (see 'mato status')"});
        return body;
    }
    void wake_at(mato::deadline when) noexcept { due_ = when; }
    void finish(result how) {
        if (!outcome_) outcome_ = std::move(how);
    }

private:
    std::vector<std::uint32_t> asked_; // requests without an answer yet
    mato::deadline due_ = remote::patient();
    std::optional<result> outcome_;
};

/// One request and its answer.
template <class Body, class Answer> class request final : public exchange {
public:
    /// Makes the result for `control` and the exit code.
    using format_result = std::function<result(const Answer&)>;
    /// If `until` is remote::patient(), it waits for a program.
    request(message type, Body body, message answer, mato::deadline until, format_result format)
        : type_(type), answer_(answer), body_(std::move(body)), until_(until), format_(std::move(format)) {}

    void begin(remote& daemon) override { ask(daemon, type_, std::move(body_), until_); }
    [[nodiscard]] bool waits_for_program() const noexcept override { return until_.at() == remote::patient().at(); }
    [[nodiscard]] bool is_answered_at_length() const noexcept override {
        return std::is_same_v<Answer, tab_list> || std::is_same_v<Answer, client_list> || std::is_same_v<Answer, status_report>;
    }

private:
    void on_answer(remote&, const header& answer) override {
        if (const auto body = read<Answer>(answer_, answer)) finish(format_ ? format_(*body) : result{});
    }
    message type_, answer_;
    Body body_;
    mato::deadline until_;
    format_result format_;
};

/// Runs the exchange to its end. @returns the exit code. @throws command_failure: the error.
int run_to_completion(remote& daemon, exchange& what);

} // namespace mux
