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
#include <utility>
#include <vector>

namespace mux {

class exchange {
public:
    struct result {
        int exit_code = 0; ///< of the command; if not 0, `error` says why, or it is the program's own
        std::string error;
        json::verbatim value{"null"}; ///< what `control` answers
        std::string text{};           ///< what the command prints, without a newline
    };

    exchange() = default;
    exchange(const exchange&) = delete;
    virtual ~exchange() = default;

    /// Sends the first message.
    virtual void begin(remote& daemon) = 0;
    /// Handles an answer to one of its requests.
    virtual void hear(remote& daemon, const header& answer);
    /// Called when `due` has passed.
    virtual void wake(remote& daemon);

    [[nodiscard]] virtual bool awaits(std::uint32_t request) const {
        return std::find(asked_.begin(), asked_.end(), request) != asked_.end();
    }
    [[nodiscard]] virtual mato::deadline due() const noexcept { return due_; }
    [[nodiscard]] const std::optional<result>& outcome() const noexcept { return outcome_; }
    /// What is said when the daemon's process has died before the result, and another one serves.
    [[nodiscard]] virtual std::string interrupted() const {
        return "the daemon restarted before it answered; the command may or may not have been carried out";
    }
    /// Whether it may take as long as a program does; its answers are small then.
    [[nodiscard]] virtual bool waits_for_program() const noexcept { return false; }
    /// Whether the answer may be long: two at a time could exceed the daemon's queue for a client.
    [[nodiscard]] virtual bool is_answered_at_length() const noexcept { return false; }

protected:
    virtual void on_answer(remote& daemon, const header& answer) = 0;
    virtual void on_refused(const refusal& why) { finish({why.exit_code, why.text}); }

    template <message Number> std::uint32_t ask(remote& daemon, body_of<Number> body, mato::deadline until) {
        due_ = until;
        return asked_.emplace_back(daemon.post<Number>(std::move(body)));
    }
    /// As `read_as`; ends the exchange if that fails.
    template <message Answer> std::optional<body_of<Answer>> read(const header& answer) {
        auto body = read_as<Answer>(answer);
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
template <message Number, message Reply = answer_to<Number>>
requires answers<Number, Reply>
class request final : public exchange {
public:
    /// Makes the result for `control` and the exit code.
    using format_result = std::function<result(const body_of<Reply>&)>;
    /// If `until` is remote::patient(), it waits for a program.
    request(body_of<Number> body, mato::deadline until, format_result format)
        : body_(std::move(body)), until_(until), format_(std::move(format)) {}

    void begin(remote& daemon) override { ask<Number>(daemon, std::move(body_), until_); }
    [[nodiscard]] bool waits_for_program() const noexcept override { return until_.at() == remote::patient().at(); }
    [[nodiscard]] bool is_answered_at_length() const noexcept override {
        return Reply == message::tabs || Reply == message::clients || Reply == message::status_report;
    }

private:
    void on_answer(remote&, const header& answer) override {
        if (const auto body = read<Reply>(answer)) finish(format_ ? format_(*body) : result{});
    }
    body_of<Number> body_;
    mato::deadline until_;
    format_result format_;
};

/// Runs the exchange to its end. @returns the exit code. @throws command_failure: the error.
int run_to_completion(remote& daemon, exchange& what);

} // namespace mux
