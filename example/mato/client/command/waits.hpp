// SPDX-License-Identifier: MIT
/// @file waits.hpp: a `wait` command as an exchange: for one tab, for several, or for the first of several.
/// Threads: one.   Blocks: never.   Test: test/mato/wait_change_process_test.cpp.
#pragma once

#include "client/cli.hpp"
#include "exchange.hpp"
#include "protocol/ids.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mux {

/// Waits until something happens in a tab, or is so.
class awaiting_change final : public exchange {
public:
    awaiting_change(change_wait wanted, mato::deadline until) : wanted_(std::move(wanted)), until_(until) {}
    void begin(remote& daemon) override { ask<message::wait_change>(daemon, wanted_, until_); }
    void wake(remote&) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    void on_answer(remote& daemon, const header& answer) override;

    change_wait wanted_;
    mato::deadline until_;
};

/// What a `wait` command has seen until now. It is kept by the caller, for the exchange with the daemon's next process.
struct wait_progress {
    bool was_asked = false;                                 ///< the process before
    std::vector<std::optional<exchange::result>> results{}; ///< of the command's tabs, in their order
};

/// Waits for each tab that the command names, or with --any for one of them. For several tabs the exit code is the first one
/// that is not 0, in the order of the tabs. A failure of a tab ends it; with --any the last one does.
class waiting final : public exchange {
public:
    /// `on_result`: is called with each tab that is done. `kept`: for a command that goes on with the next process
    using report = std::function<void(const std::string& tab, const result& how)>;
    /// @throws command_failure, exit code 64 or 65: the command is wrong
    waiting(const invocation& what, tab_id current, mato::deadline until, report on_result = {}, wait_progress* kept = nullptr);

    void begin(remote& daemon) override;
    void hear(remote& daemon, const header& answer) override;
    void wake(remote& daemon) override;
    [[nodiscard]] bool awaits(std::uint32_t request) const override;
    [[nodiscard]] mato::deadline due() const noexcept override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    void on_answer(remote&, const header&) override {}
    void note(std::size_t which);
    void finish_with_all();

    const std::vector<std::string> names_;
    const bool is_any_;
    wait_progress own_;
    wait_progress& done_; // own_, or the caller's
    report on_result_;
    std::vector<std::unique_ptr<exchange>> tabs_; // null: done by the process before
};

/// When the command's time is over.
[[nodiscard]] mato::deadline deadline_of(const invocation& what);

} // namespace mux
