// SPDX-License-Identifier: MIT
/// @file peer.hpp: the interface of each measured way of broadcasting.
#pragma once

#include "page.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

/// The parameters of one run.
struct setup {
    std::string directory; ///< private, empty, and removed after the run
    std::size_t frame_bytes;
    std::size_t subscribers;
    std::size_t slow;           ///< this many of them read little or nothing, and the publisher does not wait for them
    std::size_t snapshot_bytes; ///< sent on joining, if the peer can; 0: no snapshots

    [[nodiscard]] std::string path() const { return directory + "/s"; }
};

/// The sending side, in a separate process.
class publisher {
public:
    virtual ~publisher() = default;
    /// Publishes one frame to all that have joined.
    virtual void publish(std::string_view payload) = 0;
    /// Sends what can be sent. `wait`: there is nothing to publish; may wait a fraction of a millisecond for room.
    virtual void turn(bool wait) = 0;
    /// Accepts waiting connections. `next`: the next sequence number to be published.
    virtual void accept_waiting(std::uint64_t next) { static_cast<void>(next); }
    /// Frames not sent to some subscriber, as reported to its user; empty if not known.
    [[nodiscard]] virtual std::uint64_t told_lost() const { return 0; }
};

class receiver;

/// The receiving side: many subscribers in one process.
class reader {
public:
    virtual ~reader() = default;
    virtual void join(std::size_t subscriber) = 0;
    virtual void leave(std::size_t subscriber) = 0;
    /// Passes everything that has arrived to the receiver; waits at most a millisecond.
    virtual void drain() = 0;
};

struct peer {
    std::string name;
    std::string version;
    std::function<std::unique_ptr<publisher>(const setup&, page&)> publish;
    std::function<std::unique_ptr<reader>(const setup&, receiver&)> read;
    std::size_t most_ahead = 0; ///< frames queued for a subscriber before frames are lost; 0: no limit in frames
    std::size_t most_subscribers = page::most_subscribers;
    bool snapshots = false;  ///< sends a snapshot on joining
    bool tells_lost = false; ///< reports the exact number
};

} // namespace bench
