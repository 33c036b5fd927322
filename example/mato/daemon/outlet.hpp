// SPDX-License-Identifier: MIT
/// @file outlet.hpp: the way to a viewer's terminal and back: the terminal itself, or the client that has it.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/viewer_process_test.cpp.
///
/// Direct is one hop less each way, a third of an echo's time. Relaying needs nothing but a byte stream, so it works where a
/// descriptor cannot be passed or reopened: another mount namespace, a terminal of another user, a forwarded socket.
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

class outlet {
public:
    struct handlers {
        // None may destroy the outlet; `close` it.
        /// Bytes of the terminal's keyboard, and whether more are there already. The view dies with the call.
        std::function<void(std::string_view, input_reader::rest)> on_typed;
        std::function<void()> on_ready; ///< `is_ready` again
        std::function<void()> on_lost;  ///< the terminal is gone; last
    };

    virtual ~outlet() = default;
    outlet() = default;
    outlet(const outlet&) = delete;
    outlet& operator=(const outlet&) = delete;

    /// Begins to read, and to call; `hide` ends both until the next `show`.
    virtual void show(handlers callbacks) = 0;
    virtual void hide() = 0;
    /// Lets go of the terminal for good.
    virtual void close() = 0;
    /// What the terminal does not take at once is kept. @pre is_ready()
    virtual void write(std::string_view bytes) = 0;
    /// The terminal's cursor is about to be given another shape than this style. A guardian has to know it: this process may
    /// be killed.
    virtual void note_shaped_cursor(int /*own_style*/) {}
    /// All that was written is taken, as far as can be told: there is room for another frame.
    [[nodiscard]] virtual bool is_ready() const noexcept = 0;
    /// False: nothing more is read from the keyboard for now.
    virtual void read_keyboard(bool wanted) = 0;
    [[nodiscard]] virtual std::size_t pending_bytes() const noexcept = 0;
    [[nodiscard]] virtual std::uint64_t sent_bytes() const noexcept = 0;
    [[nodiscard]] virtual bool is_direct() const noexcept = 0;
    /// Pixels of the terminal's cells; zero: not known.
    [[nodiscard]] virtual vt::pixel_size cell_size() const noexcept { return {}; }
};

/// A terminal passed by a client. It is opened anew through /proc, so that its non-blocking mode is no business of the shell
/// that shares the client's descriptors.
class direct_outlet final : public outlet {
public:
    /// `leash` is closed when the terminal has been let go of: whoever waits for that knows.
    /// Null when it is no terminal, or cannot be opened again. @errors of open(2).
    [[nodiscard]] static std::unique_ptr<direct_outlet> open(asio::io_context& context, mato::unique_fd passed,
                                                             mato::unique_fd leash, mato::error_out out);

    void show(handlers callbacks) override;
    void hide() override;
    void close() override;
    void write(std::string_view bytes) override;
    void note_shaped_cursor(int own_style) override;
    [[nodiscard]] bool is_ready() const noexcept override { return pending_.empty(); }
    void read_keyboard(bool wanted) override;
    [[nodiscard]] std::size_t pending_bytes() const noexcept override { return pending_.size() - taken_; }
    [[nodiscard]] std::uint64_t sent_bytes() const noexcept override { return sent_; }
    [[nodiscard]] bool is_direct() const noexcept override { return true; }
    [[nodiscard]] vt::pixel_size cell_size() const noexcept override;

private:
    direct_outlet(asio::io_context& context, mato::unique_fd terminal, mato::unique_fd leash);
    void wait_for_keys();
    void read_keys();
    void flush();
    void wait_for_room();
    void lose();
    void drop_pending() noexcept { std::string().swap(pending_), taken_ = 0; }

    static constexpr std::size_t read_bytes = 16u << 10;

    asio::posix::stream_descriptor terminal_;
    mato::unique_fd leash_;
    std::shared_ptr<direct_outlet*> self_; // handlers hold it weakly: they may outlive the object
    handlers callbacks_;
    std::string pending_;
    std::size_t taken_ = 0; // of `pending_`
    std::uint64_t sent_ = 0;
    bool shown_ = false, wants_keys_ = true, reading_ = false, writing_ = false;
};

/// Messages `output` and `input` of a client.
class relayed_outlet final : public outlet {
public:
    explicit relayed_outlet(multiplexer_daemon::session_ptr session) : session_(std::move(session)) {}

    void show(handlers callbacks) override;
    void hide() override { shown_ = false, unsent_.clear(); }
    void close() override { shown_ = false, unsent_.clear(); }
    void write(std::string_view bytes) override;
    [[nodiscard]] bool is_ready() const noexcept override;
    void read_keyboard(bool wanted) override;
    [[nodiscard]] std::size_t pending_bytes() const noexcept override { return untaken_ + unsent_.size(); }
    [[nodiscard]] std::uint64_t sent_bytes() const noexcept override { return sent_; }
    [[nodiscard]] bool is_direct() const noexcept override { return false; }

    /// An `input`. @errors malformed: more than the window.
    void input(std::string_view bytes, mato::error_out out);
    /// An `output_taken`.
    void output_taken(std::uint64_t bytes);

private:
    void send_some();
    void report(std::size_t at_least);

    // Bytes under way to the client, whose queue in the daemon must hold them: a frame with an image is longer than that.
    static constexpr std::size_t most_under_way = 512u << 10;

    multiplexer_daemon::session_ptr session_;
    handlers callbacks_;
    std::string unsent_;
    std::uint64_t untaken_ = 0, sent_ = 0, unreported_ = 0;
    bool shown_ = false, wants_keys_ = true;
};

} // namespace mux
