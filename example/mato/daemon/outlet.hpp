// SPDX-License-Identifier: MIT
/// @file outlet.hpp: input and output of a viewer's terminal, either directly or through its client.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/viewer_process_test.cpp.
///
/// Direct saves one hop each way, a third of an echo's time. Relaying needs only a byte stream, so it works where a descriptor
/// cannot be passed or reopened: another mount namespace, another user's terminal, a forwarded socket.
#pragma once

#include "multiplexer_daemon.hpp"
#include "view/input_reader.hpp"
#include "vt/picture.hpp"

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mux {

/// `off`: what is typed stays in the terminal, or in the client.
enum class keyboard_reading : std::uint8_t { off, on };

class outlet {
public:
    struct handlers {
        // None may destroy the outlet; call `close` instead.
        /// Bytes from the terminal's keyboard, and whether more are available. The view is valid during the call.
        std::function<void(std::string_view, input_reader::rest)> on_typed;
        std::function<void()> on_ready; ///< `is_ready` again
        std::function<void()> on_lost;  ///< the terminal is gone; the last call
    };

    virtual ~outlet() = default;
    outlet() = default;
    outlet(const outlet&) = delete;
    outlet& operator=(const outlet&) = delete;

    /// Begins to read and to call the handlers; `hide` stops both until the next `show`.
    virtual void show(handlers callbacks) = 0;
    virtual void hide() = 0;
    /// Releases the terminal for ever.
    virtual void close() = 0;
    /// Bytes that the terminal does not accept are kept. @pre is_ready()
    virtual void write(std::string_view bytes) = 0;
    /// The terminal's cursor is about to get another shape than `own_style`. The guardian must know: this process may be
    /// killed.
    virtual void note_shaped_cursor(int /*own_style*/) {}
    /// Everything written has been accepted, as far as is known: there is room for another frame.
    [[nodiscard]] virtual bool is_ready() const noexcept = 0;
    virtual void read_keyboard(keyboard_reading wanted) = 0;
    [[nodiscard]] virtual std::size_t pending_bytes() const noexcept = 0;
    [[nodiscard]] virtual std::uint64_t sent_bytes() const noexcept = 0;
    [[nodiscard]] virtual bool is_direct() const noexcept = 0;
    /// Pixels of the terminal's cells; zero: unknown.
    [[nodiscard]] virtual vt::pixel_size cell_size() const noexcept { return {}; }
};

/// A terminal passed by a client. It is opened again through /proc: O_NONBLOCK is set on a separate open file description, so
/// the shell's is unaffected.
class direct_outlet final : public outlet {
public:
    /// `release_pipe` is closed when the terminal has been released; the guardian waits for that.
    /// Null if it is not a terminal, or cannot be opened again. @errors of open(2).
    [[nodiscard]] static std::unique_ptr<direct_outlet> open(asio::io_context& context, mato::unique_fd passed,
                                                             mato::unique_fd release_pipe, mato::error_out out);

    void show(handlers callbacks) override;
    void hide() override;
    void close() override;
    void write(std::string_view bytes) override;
    void note_shaped_cursor(int own_style) override;
    [[nodiscard]] bool is_ready() const noexcept override { return pending_.empty(); }
    void read_keyboard(keyboard_reading wanted) override;
    [[nodiscard]] std::size_t pending_bytes() const noexcept override { return pending_.size() - taken_; }
    [[nodiscard]] std::uint64_t sent_bytes() const noexcept override { return sent_; }
    [[nodiscard]] bool is_direct() const noexcept override { return true; }
    [[nodiscard]] vt::pixel_size cell_size() const noexcept override;

private:
    direct_outlet(asio::io_context& context, mato::unique_fd terminal, mato::unique_fd release_pipe);
    void wait_for_keys();
    void read_keys();
    void flush();
    void wait_for_room();
    void lose();
    void drop_pending() noexcept { std::string().swap(pending_), taken_ = 0; }

    static constexpr std::size_t read_bytes = 16u << 10;

    asio::posix::stream_descriptor terminal_;
    mato::unique_fd release_pipe_;
    std::shared_ptr<direct_outlet*> self_; // handlers hold it weakly: they may outlive the object
    handlers callbacks_;
    std::string pending_;
    std::size_t taken_ = 0; // of `pending_`
    std::uint64_t sent_ = 0;
    bool shown_ = false, wants_keys_ = true, reading_ = false, writing_ = false;
};

/// Uses the messages `output` and `input` of a client.
class relayed_outlet final : public outlet {
public:
    explicit relayed_outlet(multiplexer_daemon::session_ptr session) : session_(std::move(session)) {}

    void show(handlers callbacks) override;
    void hide() override { shown_ = false, unsent_.clear(); }
    void close() override { shown_ = false, unsent_.clear(); }
    void write(std::string_view bytes) override;
    [[nodiscard]] bool is_ready() const noexcept override;
    void read_keyboard(keyboard_reading wanted) override;
    [[nodiscard]] std::size_t pending_bytes() const noexcept override { return untaken_ + unsent_.size(); }
    [[nodiscard]] std::uint64_t sent_bytes() const noexcept override { return sent_; }
    [[nodiscard]] bool is_direct() const noexcept override { return false; }

    /// Handles an `input`. @errors malformed: more than the window.
    void input(std::string_view bytes, mato::error_out out);
    /// Handles an `output_taken`.
    void output_taken(std::uint64_t bytes);

private:
    void send_some();
    void report(std::size_t at_least);

    // Bytes in flight to the client, limited by its queue in the daemon: a frame with an image is longer than that.
    static constexpr std::size_t most_under_way = 512u << 10;

    multiplexer_daemon::session_ptr session_;
    handlers callbacks_;
    std::string unsent_;
    std::uint64_t untaken_ = 0, sent_ = 0, unreported_ = 0;
    bool shown_ = false, wants_keys_ = true;
};

} // namespace mux
