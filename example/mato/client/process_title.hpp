// SPDX-License-Identifier: MIT
/// @file process_title.hpp: what ps(1) calls this process, in place of the command line it was started by.
/// Threads: one.   Fork: a child has a title of its own.   Blocks: never.   Test: test/mato/environment_process_test.cpp.
#pragma once

namespace mux {

/// Where main()'s arguments lie. Before set_process_title; without it nothing is changed.
void remember_arguments(int argc, char** argv) noexcept;

/// Overwrites all arguments, so that neither a command nor what was passed to it is shown any more. A title is cut where they
/// had less room. The arguments must not be read afterwards.
void set_process_title(const char* title) noexcept;

} // namespace mux
