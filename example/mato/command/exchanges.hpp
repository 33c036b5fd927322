// SPDX-License-Identifier: MIT
/// @file exchanges.hpp: the commands that take several messages: `send`, `capture`, `wait`.
/// Threads: one.   Blocks: never.
#pragma once

#include "command/exchange.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <regex>

namespace mux {

/// Types `bytes` into a tab, and gives up when for some seconds the program has taken none.
class sending final : public exchange {
public:
    sending(target which, std::string bytes) : which_(std::move(which)), bytes_(std::move(bytes)) {}
    void begin(remote& daemon) override { send_more(daemon); }
    void wake(remote& daemon) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    void on_answer(remote& daemon, const header& answer) override;
    void on_refused(const refusal& why) override;
    void send_more(remote& daemon);
    void finish_if_done();

    target which_;
    std::string bytes_;
    std::map<std::uint32_t, std::size_t> under_way_; // requests, with their bytes
    std::size_t offset_ = 0, taken_ = 0;
    bool cancelled_ = false;
};

/// A tab's screen and the history asked for, however long.
class capturing final : public exchange {
public:
    explicit capturing(capture_request wanted) : wanted_(std::move(wanted)) {}
    void begin(remote& daemon) override;
    [[nodiscard]] bool is_answered_at_length() const noexcept override { return true; }
    [[nodiscard]] const captured& last() const noexcept { return last_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; } ///< of all parts

private:
    void on_answer(remote& daemon, const header& answer) override;

    capture_request wanted_;
    captured last_;
    std::string text_;
};

/// Until a tab shows a text, or has been silent for a time.
class watching_screen final : public exchange {
public:
    /// @throws command_failure, exit code 64: `pattern` is no regular expression.
    watching_screen(target which, const std::optional<std::string>& pattern, std::chrono::milliseconds idle,
                    mato::deadline until);
    void begin(remote& daemon) override { look(daemon); }
    void wake(remote& daemon) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    enum class phase : std::uint8_t { looking, watching, resting };

    void on_answer(remote& daemon, const header& answer) override;
    void look(remote& daemon);
    void judge(remote& daemon, const captured& now);
    void rest(std::chrono::milliseconds span);
    void time_out();

    target which_;
    std::optional<std::regex> pattern_;
    std::chrono::milliseconds idle_;
    mato::deadline until_;
    phase phase_ = phase::looking;
};

/// Until a tab's program has ended; its exit code is the command's.
class awaiting_exit final : public exchange {
public:
    awaiting_exit(target which, mato::deadline until) : which_(std::move(which)), until_(until) {}
    void begin(remote& daemon) override { ask(daemon, message::wait_exit, which_, until_); }
    void wake(remote&) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    void on_answer(remote& daemon, const header& answer) override;

    target which_;
    mato::deadline until_;
};

/// The one that `wait` asks for. @throws as watching_screen.
[[nodiscard]] std::unique_ptr<exchange> wait_exchange(const invocation& what, target which);
/// What a program's end is to who waits for it.
[[nodiscard]] exchange::result program_ended(const exit_status& how);

} // namespace mux
