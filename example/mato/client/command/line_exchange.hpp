// SPDX-License-Identifier: MIT
/// @file line_exchange.hpp: turns a line of `control` into an exchange with the daemon.
/// Test: test/mato/control_process_test.cpp.
#pragma once

#include "client/paths.hpp"
#include "exchange.hpp"

#include <memory>
#include <string>

namespace mux {

/// @throws command_failure: why the line is not a command here, and what to use instead.
[[nodiscard]] std::unique_ptr<exchange> exchange_of(const std::string& line, const program_paths& paths, const remote& daemon);

} // namespace mux
