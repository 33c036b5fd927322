// SPDX-License-Identifier: MIT
/// @file exceptions.hpp: throws and catches, and compiles without exceptions (-fno-exceptions) too.
/// Layer: 0 (platform).  Test: test/matrix.sh.
/// Threads: safe.   Blocks: never.
///
/// Without exceptions what would be thrown ends the program with its text on stderr. Every function of the toolkit that may
/// throw has a form that reports its error instead.
#pragma once

#include "abi.hpp"

#if !MATO_HAS_EXCEPTIONS
#include <cstdio>
#include <cstdlib>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace detail {

template <class Exception> [[noreturn]] void raise(Exception what) {
#if MATO_HAS_EXCEPTIONS
    throw what;
#else
    std::fprintf(stderr, "mato: %s; this program was compiled without exceptions\n", what.what());
    std::abort();
#endif
}

/// Passes on the exception that is being handled. @pre there is one
[[noreturn]] inline void raise_again() {
#if MATO_HAS_EXCEPTIONS
    throw;
#else
    std::abort();
#endif
}

/// Returns `call()`. If that throws, returns `caught()`, which is called inside the catch block.
template <class Call, class Caught> auto attempt(Call call, Caught caught) -> decltype(call()) {
#if MATO_HAS_EXCEPTIONS
    try {
        return call();
    } catch (...) {
        return caught();
    }
#else
    static_cast<void>(caught);
    return call();
#endif
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
