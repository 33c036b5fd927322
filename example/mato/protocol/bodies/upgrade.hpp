// SPDX-License-Identifier: MIT
/// @file upgrade.hpp: the request to replace the daemon's program, and its answer.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// Comes with the descriptor of the program, unless `same_program`. Answered by `upgrade_report`; the daemon's old process ends
/// after that answer, or without one.
struct upgrade_request {
    bool check = false;        ///< changes nothing: only says whether the program could take over
    bool same_program = false; ///< the program that the daemon runs now
    void fields(auto& f) { f(check, same_program); }
};
/// A client that does not attach again by itself.
struct old_client {
    std::uint64_t id = 0;
    std::uint32_t pid = 0;
    std::string program;
    void fields(auto& f) { f(id, pid, program); }
};
struct upgrade_report {
    std::uint32_t tabs = 0, clients = 0; ///< clients: attached, recording, following events
    std::vector<old_client> too_old;     ///< of those clients
    void fields(auto& f) { f(tabs, clients, too_old); }
};

} // namespace mux
