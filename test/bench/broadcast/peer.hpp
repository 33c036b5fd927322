// SPDX-License-Identifier: MIT
/// @file peer.hpp: what a way of broadcasting must do to be measured.
#pragma once

#include "page.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

/// Of one run.
struct setup {
    std::string directory; ///< private, empty, and gone after the run
    std::size_t frame_bytes;
    std::size_t subscribers;
    std::size_t slow;           ///< the first so many of them read little or nothing, and nobody waits for them
    std::size_t snapshot_bytes; ///< sent to who joins, where the peer can; 0: no snapshots

    [[nodiscard]] std::string path() const { return directory + "/s"; }
};

/// The sending side, in a process of its own.
class publisher {
public:
    virtual ~publisher() = default;
    /// One frame for everybody that has joined.
    virtual void publish(std::string_view payload) = 0;
    /// Moves what can be moved. `wait`: there is nothing to publish; may wait a fraction of a millisecond for room.
    virtual void turn(bool wait) = 0;
    /// Takes connections that wait. `next`: the sequence number published next.
    virtual void accept_waiting(std::uint64_t next) { static_cast<void>(next); }
    /// Frames not sent to somebody, as it would tell its own user; nothing when it does not know.
    [[nodiscard]] virtual std::uint64_t told_lost() const { return 0; }
};

class receiver;

/// The receiving side: many subscribers in one process.
class reader {
public:
    virtual ~reader() = default;
    virtual void join(std::size_t subscriber) = 0;
    virtual void leave(std::size_t subscriber) = 0;
    /// Hands all that has arrived to the receiver; waits at most a millisecond for something.
    virtual void drain() = 0;
};

struct peer {
    std::string name;
    std::string version;
    std::function<std::unique_ptr<publisher>(const setup&, page&)> publish;
    std::function<std::unique_ptr<reader>(const setup&, receiver&)> read;
    std::size_t most_ahead = 0; ///< frames it queues for a subscriber before it loses some; 0: no limit in frames
    std::size_t most_subscribers = page::most_subscribers;
    bool snapshots = false;  ///< who joins is sent one
    bool tells_lost = false; ///< exactly
};

} // namespace bench
