// SPDX-License-Identifier: MIT
#include "attach.hpp"

#include "key_names.hpp"
#include "prefix_keys.hpp"

#include <mato/signals.hpp>

#include <algorithm>
#include <optional>

namespace mux {
namespace {

constexpr std::size_t typed_limit = 16u << 20;  // typed ahead of the program: a large paste; beyond it the terminal waits
constexpr std::size_t shown_limit = 256u << 10; // shown but not yet taken by the terminal; beyond it the daemon waits

/// One attachment: copies between terminal and daemon, and knows when to end.
class attachment {
public:
    attachment(remote& daemon, terminal& tty, bool readonly)
        : daemon_(daemon), tty_(tty), readonly_(readonly), keys_(parse_prefix(daemon.daemon().prefix).value_or('\x1c')) {}

    attach_result run() {
        mato::failure why;
        auto signals = mato::default_signal_source::open(
            mato::make_signal_set({SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP}), why);
        if (why) throw command_failure{1, why.message()};
        tty_.enter(why);
        if (why) throw command_failure{1, why.message()};
        handle_messages(); // what came with the answer
        while (!result_) {
            tty_.flush(why);
            if (why)
                end("[terminal lost]", 1);
            else
                turn(signals);
        }
        tty_.leave();
        return *result_;
    }

private:
    void turn(mato::default_signal_source& signals) {
        const bool may_type = typed_.size() < typed_limit, may_show = tty_.queued_bytes() < shown_limit;
        auto& connection = daemon_.connection();
        const auto events = [](bool in, bool out) { return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)); };
        pollfd ready[] = {{tty_.native_handle(), events(may_type, tty_.queued_bytes() > 0), 0},
                          {connection.native_handle(), events(may_show, connection.queued_bytes() > 0), 0},
                          {signals.native_handle(), POLLIN, 0}};
        if (mato::sys::poll(ready, 3, -1) == -1) return;
        if (ready[2].revents) handle_signals(signals);
        if (ready[0].revents & (POLLIN | POLLHUP | POLLERR)) handle_keys();
        mato::failure why;
        if (ready[1].revents & POLLOUT) connection.flush(why);
        if (ready[1].revents & (POLLIN | POLLHUP | POLLERR)) {
            connection.fill(why);
            handle_messages(); // also what came before the end
            if (why) end(stopping_ ? "[daemon stopped]" : "[daemon lost]", 1);
        }
    }

    void end(std::string last_line, int exit_code) {
        if (!result_) result_ = attach_result{std::move(last_line), exit_code};
    }

    void handle_signals(mato::default_signal_source& signals) {
        while (const auto signal = signals.try_next()) {
            switch (*signal) {
            case SIGWINCH: daemon_.post_as(message::resize, 0, tty_.size()); break;
            case SIGHUP: end("[terminal lost]", 1); break;
            case SIGTERM: end("[terminated]", 1); break;
            case SIGCONT:
                tty_.reenter();
                daemon_.post_as(message::refresh, 0, nothing{});
                break;
            default: break; // INT, QUIT, TSTP from outside: typed ones are the program's, by raw mode
            }
        }
    }

    void handle_keys() {
        mato::failure why;
        const auto bytes = tty_.read(why);
        if (why) return end("[terminal lost]", 1);
        if (bytes.empty()) return;
        if (help_shown_) { // any key goes back
            help_shown_ = false;
            daemon_.post_as(message::refresh, 0, nothing{});
            return;
        }
        keys_.feed(bytes, {[this](std::string_view typed) { typed_ += typed; }, [this](char key) { handle_command(key); }});
        if (readonly_) typed_.clear();
        send_typed();
    }

    void handle_command(char key) {
        if (key == 'd') return end("[detached]", 0);
        if (key != '?') {
            mato::failure gone;
            return tty_.write("\a", gone);
        }
        mato::failure gone;
        help_shown_ = true;
        const std::string prefix = daemon_.daemon().prefix;
        tty_.clear();
        tty_.write("keys, each after " + prefix +
                       "\r\n\r\n  d    detach: leave, the program goes on\r\n  ?    this list\r\n  " + prefix + "  type " +
                       prefix + " itself\r\n\r\nany key goes back\r\n",
                   gone);
    }

    /// No more than the window is under way, so that a program that does not read costs the daemon no memory.
    void send_typed() {
        while (!typed_.empty() && outstanding_ < input_window_bytes) {
            const std::size_t size = std::min({typed_.size(), input_chunk_bytes, input_window_bytes - outstanding_});
            mato::failure why; // a daemon that is gone shows at the next read
            daemon_.connection().queue(encode_bytes(message::input, 0, std::string_view(typed_).substr(0, size)), why);
            typed_.erase(0, size);
            outstanding_ += size;
        }
    }

    void handle_messages() {
        mato::failure why;
        while (!result_) {
            const auto payload = daemon_.connection().next(why);
            if (why) return end("[daemon lost]", 1);
            if (!payload) return;
            if (const auto frame = parse_header(*payload)) handle(*frame);
        }
    }

    void handle(const header& frame) {
        mato::failure gone; // shows at the next flush
        switch (frame.type) {
        case message::output:
            if (!help_shown_) tty_.write(frame.body, gone);
            if (gone) end("[terminal lost]", 1);
            return;
        case message::resync:
            if (!help_shown_) tty_.clear();
            return;
        case message::input_taken:
            if (const auto taken = decode<input_taken>(frame.body))
                outstanding_ -= std::min<std::size_t>(outstanding_, taken->bytes);
            return send_typed();
        case message::tab_exited:
            if (const auto status = decode<exit_status>(frame.body); status && !stopping_)
                end("[exited " + std::to_string(status->code) + "]", 0);
            return;
        case message::detached: return end("[detached]", 0);
        case message::stopping: stopping_ = true; return;
        case message::prefix_changed:
            if (const auto prefix = decode<text_message>(frame.body))
                if (const auto key = parse_prefix(prefix->text)) keys_.set_prefix(*key);
            return;
        default: return; // of a newer daemon: not for this client
        }
    }

    remote& daemon_;
    terminal& tty_;
    const bool readonly_;
    prefix_keys keys_;
    std::string typed_;
    std::size_t outstanding_ = 0;
    std::optional<attach_result> result_;
    bool stopping_ = false, help_shown_ = false;
};

} // namespace

attach_result show_tab(remote& daemon, terminal& tty, bool readonly) { return attachment(daemon, tty, readonly).run(); }

} // namespace mux
