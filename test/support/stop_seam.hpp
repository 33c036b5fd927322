// SPDX-License-Identifier: MIT
/// @file stop_seam.hpp: a seam for sys.hpp that stops the process: with MATO_TEST_STOP_AT=listen, it stops itself just
/// before listen(2), and continues at SIGCONT. Compiled with -include into every file of a program built for that.
#pragma once

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace stop_seam {

inline void before(const char* call) noexcept {
    const char* const wanted = std::getenv("MATO_TEST_STOP_AT");
    if (wanted && std::strcmp(wanted, call) == 0) std::raise(SIGSTOP);
}

} // namespace stop_seam

#define MATO_SYSTEM(name) (::stop_seam::before(#name), ::name)
