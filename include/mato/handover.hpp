// SPDX-License-Identifier: MIT
/// @file handover.hpp: whether a daemon survives a crash of its process.
/// Layer: 2 (policy).  Test: test/toolkit/handover_policy_test.cpp.
/// Threads: values.   Blocks: never.
///
/// `keeper` (keeper.hpp) is the other model: a second process holds what must not be lost and starts the next worker.
#pragma once

#include "clock.hpp"

#include <concepts>
#include <cstdint>

namespace mato {
inline namespace MATO_ABI {

/// The number of this process among those that serve one after the other. A daemon returns it from `generation()`.
struct generation {
    enum class why : std::uint8_t { first, crashed, upgraded };
    std::uint32_t number = 1; ///< from 1
    why reason = why::first;
    int last_signal = 0; ///< that ended the generation before; 0: none did
    milliseconds gap{0}; ///< without a process that serves; in `setup`, until now
};

/// How a child ended. One of the two members is set.
struct child_status {
    int exit_code = -1; ///< -1: a signal ended it
    int signal = 0;     ///< 0: it exited

    bool operator==(const child_status&) const = default;
};

/// When the next worker starts. The first two start at once; then after 100 ms, 1 s, and `longest`. Only deaths of the last
/// `within` count.
struct restart_limits {
    std::size_t deaths = 8;      ///< within `within`: then it rests until a client connects; at most 64, or `unlimited`
    milliseconds within{60'000}; ///< a fault that comes back within a minute is the program's, not an accident
    milliseconds longest{5'000}; ///< between a death and the next start; 0: at once
};

/// `outlives`: the listener, the lock and what `kept()` got survive the process. Such a model has two more types: `worker`,
/// the serving process's side, and `process`, the keeper's.
template <class H> concept handover_policy = requires {
    { H::outlives } -> std::convertible_to<bool>;
};

/// The default: the daemon is one process. When it dies, everything that it has open is closed.
struct no_handover {
    static constexpr bool outlives = false;
};

static_assert(handover_policy<no_handover>);

namespace detail {
template <class H> concept survives = requires { requires bool(H::outlives); };
struct no_worker {};
template <class H> struct worker_of { using type = no_worker; };
template <survives H> struct worker_of<H> { using type = typename H::worker; };
} // namespace detail

} // namespace MATO_ABI
} // namespace mato
