// SPDX-License-Identifier: MIT
/// @file channels.hpp: named signals between scripts: one waits, another one signals.
/// Pure.  Threads: one object, one thread.   Test: test/mato/channels_test.cpp.
///
/// A signal reaches all that wait at that moment. If none waits, it is kept for the next one that does.
#pragma once

#include "protocol/reply_target.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

class channels {
public:
    static constexpr std::size_t most_kept = 1000;    ///< signals for which none waits; a name has at most 64 bytes
    static constexpr std::size_t most_waiting = 4096; ///< requests

    /// Whether a signal can be kept, or need not be.
    [[nodiscard]] bool may_signal(std::string_view name) const noexcept;
    /// @returns those that waited, to be answered. If none did, the signal is kept. @pre may_signal
    [[nodiscard]] std::vector<reply_target> signal(std::string_view name);
    [[nodiscard]] bool may_wait() const noexcept { return waiting_ < most_waiting; }
    /// @returns whether a signal was kept: it is used up. Otherwise `who` waits.
    [[nodiscard]] bool take_or_wait(std::string_view name, reply_target who);
    /// That client has disconnected.
    void forget(std::uint64_t client);

private:
    std::map<std::string, std::vector<reply_target>, std::less<>> channels_; // if none waits, a signal is kept
    std::size_t waiting_ = 0, kept_ = 0;
};

} // namespace mux
