// SPDX-License-Identifier: MIT
/// @file shared_exchanges.hpp: what `buffer` and `channel` ask of the daemon.
/// Threads: one.   Blocks: never.   Test: test/mato/shared_names_process_test.cpp.
#pragma once

#include "client/cli.hpp"
#include "client/paths.hpp"
#include "exchange.hpp"

#include <cstdint>
#include <string>

namespace mux {

enum class buffer_verb : std::uint8_t { set, get, ls, rm, paste };

/// A `buffer` command.
struct buffer_use {
    buffer_verb verb;
    std::string name, text;
    bool from_input = false; ///< `set`: the text is what standard input has
    target which;            ///< `paste`
};
/// @throws command_failure, exit code 64: no such verb, or too many or too few operands.
[[nodiscard]] buffer_use buffer_use_of(const invocation& what, const program_paths& paths);

/// Whether a `channel` command signals; else it waits. @throws command_failure, exit code 64: it is another word.
[[nodiscard]] bool signals_channel(const invocation& what);

/// Waits for a signal.
class awaiting_signal final : public exchange {
public:
    awaiting_signal(std::string channel, mato::deadline until) : channel_(std::move(channel)), until_(until) {}
    void begin(remote& daemon) override { ask<message::wait_channel>(daemon, {channel_}, until_); }
    void wake(remote&) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    void on_answer(remote&, const header&) override { finish({}); }

    std::string channel_;
    mato::deadline until_;
};

} // namespace mux
