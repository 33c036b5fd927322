// SPDX-License-Identifier: MIT
/// @file output_stream.hpp: the output of a tab's program, as one stream to any number of clients that record it.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/record_process_test.cpp.
///
/// The bytes are stored once, in one ring, for all readers. A slow reader does not delay the program, the tab or other readers:
/// it continues with the current screen, or, if it needs every byte, its stream ends with the reason.
#pragma once

#include "multiplexer_daemon.hpp"
#include "protocol/messages.hpp"
#include "tab/tab.hpp"

#include <mato/broadcast.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mux {

/// What a reader that is too slow gets.
enum class on_gap : std::uint8_t { screen, end };

class output_stream final : tab_observer {
public:
    using session = multiplexer_daemon::session;

    output_stream(asio::io_context& context, std::shared_ptr<tab> source);
    output_stream(const output_stream&) = delete;
    ~output_stream();

    /// Sends `to` the screen, then the program's further output.
    void subscribe(const std::shared_ptr<session>& to, on_gap then);
    /// Sends `to` the output from byte `offset` on, then the further output. @pre has(offset)
    void subscribe_from(std::uint64_t offset, const std::shared_ptr<session>& to, on_gap then);
    [[nodiscard]] bool has(std::uint64_t offset) const noexcept {
        return knows_offsets() && offset <= end() && offset >= tail_begin();
    }
    /// Offsets are those of the process before: the tab is kept, or its program was upgraded.
    [[nodiscard]] bool knows_offsets() const noexcept { return went_on_ || tab_->counts_all_output(); }

    /// In a new process: `bytes` are the newest output of the tab, which begins with byte `offset`.
    void go_on(std::uint64_t offset, std::string_view bytes);
    /// For the program of an upgrade: the newest output, which begins with byte `tail_begin()`.
    [[nodiscard]] std::string tail() const { return tail_ + held_; }
    [[nodiscard]] std::uint64_t tail_begin() const noexcept { return offset_ - tail_.size(); }

    /// Publishes the held part of an unfinished sequence: the program has ended. @returns the last message for every reader.
    [[nodiscard]] std::string finish();

    [[nodiscard]] bool is_followed() const noexcept { return hub_.size() > 0; }
    [[nodiscard]] std::optional<mato::subscriber_status> status(session* reader) const { return hub_.status(reader); }

private:
    void on_output(std::string_view bytes) override;
    void on_resized() override;
    void begin_between();
    void join(const std::shared_ptr<session>& to, on_gap then, mato::join_at where);
    [[nodiscard]] std::uint64_t end() const noexcept { return offset_ + held_.size(); }
    void publish(std::size_t size);
    [[nodiscard]] std::string screen() const;  // a frame
    [[nodiscard]] std::string drawing() const; // its bytes

    static constexpr std::size_t ring_bytes = 1u << 20;
    static constexpr std::size_t queue_bytes =
        3 * (ring_bytes / 4); // of one reader; the rest is for output that arrives before the reader is served
    static constexpr std::size_t most_held = 16u << 10; // bytes held of an unfinished sequence; only images are longer

    static constexpr std::size_t most_tail = 256u << 10; // bytes for readers that come back, which had not read all

    std::shared_ptr<tab> tab_;
    mato::basic_broadcast<session, mato::any_overflow> hub_;
    std::string held_;          // the beginning of an unfinished sequence
    std::uint64_t held_at_ = 0; // when it arrived
    std::uint64_t offset_ = 0;  // of the output that is not published yet
    std::string tail_;          // the newest output that was published: `most_tail` bytes at least, twice as many at most
    bool went_on_ = false;
    bool begins_in_sequence_ = false; // the tab was in a sequence when this began, and still is
};

} // namespace mux
