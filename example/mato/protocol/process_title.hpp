// SPDX-License-Identifier: MIT
/// @file process_title.hpp: the name that ps(1) shows for this process, in place of its command line.
/// Threads: one.   Fork: a child has its own title.   Blocks: never.   Test: test/mato/environment_process_test.cpp.
#pragma once

namespace mux {

/// Records where main()'s arguments are. Call it before set_process_title, which has no effect without it.
void remember_arguments(int argc, char** argv) noexcept;

/// Overwrites all arguments, so that the command line is no longer visible. A title that needs more room than they had is cut.
/// The arguments must not be read afterwards.
void set_process_title(const char* title) noexcept;

} // namespace mux
