// SPDX-License-Identifier: MIT
/// @file stop_seam.hpp: the seam of sys.hpp as a place to stop: with MATO_TEST_STOP_AT=listen, a process stops itself right
/// before listen(2), and goes on at SIGCONT. Included by force into every file of a program built for that.
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
