// SPDX-License-Identifier: MIT
/// @file hello.hpp: the first messages of a connection, and answers of every request.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "protocol/message_numbers.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// Bit of `welcome::features`: a client that loses the connection without a reason can attach again to the same tab: the
/// daemon's next process has it.
inline constexpr std::uint64_t tabs_survive = 1;
/// Bit of `hello::features`: the client does so.
inline constexpr std::uint64_t comes_back = 1;

struct hello {
    std::uint32_t magic = hello_magic, min_version = oldest_version, max_version = newest_version;
    std::uint64_t features = 0;
    std::uint32_t pid = 0;
    std::string tty, program;
    void fields(auto& f) { f(magic, min_version, max_version, features, pid, tty, program); }
};
struct welcome {
    std::uint32_t version = newest_version;
    std::uint64_t features = 0;
    std::uint32_t pid = 0;
    std::uint64_t client = 0;
    std::string program;
    std::vector<std::string> update_environment; ///< names of the variables that the client should send
    std::uint32_t reconnect_ms = 10'000;         ///< how long the client waits for the daemon's next process, if this one dies
    void fields(auto& f) { f(version, features, pid, client, program, update_environment, reconnect_ms); }
};

// Exit codes of commands, in addition to mato::exit_code.
inline constexpr int cannot_be_answered = 65; ///< EX_DATAERR: the tab has no emulator
inline constexpr int not_in_time = 124;       ///< as timeout(1)

/// `refused` and `error`: the reason, and the exit code for the command.
struct refusal {
    std::int32_t exit_code = 1;
    std::string text;
    void fields(auto& f) { f(exit_code, text); }
};
struct nothing {
    void fields(auto&) {}
};

} // namespace mux
