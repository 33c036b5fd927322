// SPDX-License-Identifier: MIT
/// @file output_stream.hpp: all that a tab's program writes, as one stream to any number of clients that copy it.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/record_process_test.cpp.
///
/// The bytes lie in one ring, whoever reads them. A reader that is too slow for it costs the program, the tab and the other
/// readers nothing: it goes on from the screen as it is then, or, if it must have every byte, its stream ends with the reason.
#pragma once

#include "multiplexer_daemon.hpp"
#include "protocol/protocol.hpp"
#include "tab/tab.hpp"

#include <mato/broadcast.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace mux {

class output_stream final : tab_observer {
public:
    using session = multiplexer_daemon::session;

    output_stream(asio::io_context& context, std::shared_ptr<tab> source);
    output_stream(const output_stream&) = delete;
    ~output_stream();

    /// Sends `to` the screen, and what the program writes from then on.
    void subscribe(const std::shared_ptr<session>& to, bool exact);
    /// Publishes what waits for the rest of a sequence: the program has ended. @returns what to send to every reader, last.
    [[nodiscard]] std::string finish();

    [[nodiscard]] bool is_followed() const noexcept { return hub_.size() > 0; }
    [[nodiscard]] std::optional<mato::subscriber_status> status(session* reader) const { return hub_.status(reader); }

private:
    void on_output(std::string_view bytes) override;
    void on_resized() override;
    void begin_between();
    void publish(std::size_t size);
    [[nodiscard]] std::string screen() const;  // a frame
    [[nodiscard]] std::string drawing() const; // its bytes

    static constexpr std::size_t ring_bytes = 1u << 20;
    static constexpr std::size_t queue_bytes =
        3 * (ring_bytes / 4);                           // of one reader; the rest is for what comes before it is asked
    static constexpr std::size_t most_held = 16u << 10; // bytes of a sequence waited for; only images are longer

    std::shared_ptr<tab> tab_;
    mato::basic_broadcast<session, mato::any_overflow> hub_;
    std::string held_;          // the beginning of a sequence that is not whole yet
    std::uint64_t held_at_ = 0; // when it came
    std::uint64_t offset_ = 0;  // bytes published
    bool begins_amid_ = false;  // the tab was in a sequence when this began, and has not left it
};

} // namespace mux
