// SPDX-License-Identifier: MIT
/// @file line_exchange.hpp: a line of `control` as what is to be said to the daemon.
/// Test: test/mato/control_process_test.cpp.
#pragma once

#include "client/paths.hpp"
#include "exchange.hpp"

#include <memory>
#include <string>

namespace mux {

/// @throws command_failure: why the line is no command here, and what would be.
[[nodiscard]] std::unique_ptr<exchange> exchange_of(const std::string& line, const program_paths& paths, const remote& daemon);

} // namespace mux
