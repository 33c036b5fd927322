// SPDX-License-Identifier: MIT
#include "attach.hpp"

#include <mato/signals.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace mux {
namespace {

constexpr std::size_t typed_limit =
    16u << 20; // input that the program has not read yet: a large paste; beyond it the terminal waits
// A terminal that has not answered by then never will. A later answer would be typed into the program that runs after us.
constexpr mato::milliseconds terminal_patience{300};
constexpr int most_cursor_style = 6; // DECSCUSR
constexpr mato::milliseconds hide_patience{
    1000}; // a daemon that does not release the terminal within this time may draw over the shell

constexpr mato::milliseconds quiet_wait{300};   // without the daemon; then the last row says so
constexpr mato::milliseconds silent_wait{2000}; // then keys can end the wait
constexpr char default_prefix = '\x1c';

/// Ends a sequence that the dead process left, and writes on the last row. What it changes is reset by
/// user_terminal::take_over.
std::string notice_on_last_row(vt::screen_size size) {
    std::string text = " mato: the daemon has died; waiting for the next one; C-c gives up ";
    if (text.size() > static_cast<std::size_t>(size.columns)) text.resize(static_cast<std::size_t>(size.columns));
    return "\x18\x0f\033(B\033[m\033[?6l\033[r\033[" + std::to_string(size.rows) + ";1H\033[7m" + text + "\033[m\033[K";
}

/// One attachment: guards the terminal, relays between terminal and daemon if the daemon does not use it directly, and decides
/// when to end.
class attachment {
public:
    attachment(remote& daemon, user_terminal& tty, const attachment_info& shown, const std::string& questions,
               const attach_again& again)
        : daemon_(daemon), tty_(tty), direct_(shown.direct), shown_(shown.tab.id), questions_(questions), again_(again),
          stopping_(daemon.is_ending()) {}

    attach_result run() {
        mato::failure why;
        auto signals = mato::default_signal_source::open(
            mato::make_signal_set({SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP}), why);
        if (why) throw command_failure{1, why.message()};
        signals_ = &signals;
        enter();
        handle_messages(); // those that arrived with the answer
        while (!result_) {
            tty_.flush(why);
            if (why)
                end("[terminal lost]", 1);
            else
                turn(signals);
        }
        if (ends_first_) hide(); // otherwise the daemon would keep drawing over the shell
        if (unanswered_) tty_.discard_answers(asked_at_ + terminal_patience);
        tty_.leave();
        return *result_;
    }

private:
    void turn(mato::default_signal_source& signals) {
        auto& connection = daemon_.connection();
        if (untaken_ > 0 && tty_.queued_bytes() == 0) // before the wait: the daemon may be waiting for this message
            daemon_.post_as<message::output_taken>(0, bytes_taken{std::exchange(untaken_, 0)});
        const bool may_type = !direct_ && typed_.size() < typed_limit;
        const bool waits = tty_.queued_bytes() > 0;
        const auto events = [](bool in, bool out) { return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)); };
        pollfd ready[] = {{direct_ && !waits ? -1 : tty_.native_handle(), events(may_type, waits), 0},
                          {connection.native_handle(), events(true, connection.queued_bytes() > 0), 0},
                          {signals.native_handle(), POLLIN, 0}};
        if (mato::sys::poll(ready, 3, -1) == -1) return;
        if (ready[2].revents) handle_signals(signals);
        if (!direct_ && ready[0].revents & (POLLIN | POLLHUP | POLLERR)) handle_keys();
        mato::failure why;
        if (ready[1].revents & POLLOUT) connection.flush(why);
        if (ready[1].revents & (POLLIN | POLLHUP | POLLERR)) {
            connection.fill(why);
            handle_messages(); // including those that arrived before the end
            if (why && !result_) lost();
        }
    }

    /// The daemon's process has died.
    void lost() {
        if (stopping_ || !daemon_.survives()) return end(stopping_ ? "[daemon stopped]" : "[daemon lost]", 1);
        if (unanswered_) tty_.discard_answers(asked_at_ + terminal_patience); // the next process asks again
        asked_once_ = unanswered_ = false;
        if (received_) { // the process was replaced, and has told what it had of this client
            const auto rest = std::min<std::uint64_t>(sent_bytes_ - std::min(sent_bytes_, *received_), sent_.size());
            typed_.insert(0, sent_, sent_.size() - static_cast<std::size_t>(rest), std::string::npos);
        }
        received_.reset();
        sent_.clear(); // typed, and perhaps lost: it is not repeated
        sent_bytes_ = 0;
        untaken_ = 0;
        outage gap(*this);
        attached_again next;
        try {
            next = again_(daemon_, shown_, [&](int connection, mato::deadline until) { return gap.wait(connection, until); });
        } catch (const command_failure&) {
            return end("[daemon lost]", 1);
        }
        come_back(next);
    }

    /// The tab is shown again, or has ended.
    void come_back(const attached_again& next) {
        if (next.exit_code) return end("[exited " + std::to_string(*next.exit_code) + "]", 0);
        direct_ = next.drawing == drawn_by::daemon;
        stopping_ = daemon_.is_ending();
        mato::failure gone;
        tty_.take_over(gone);
        if (gone) return end("[terminal lost]", 1);
        if (tty_.size() == next.size) // a size that is no news would make this client the latest one
            enter_again();
        else
            resume();
        send_typed();
        handle_messages(); // those that arrived with the answer
    }

    /// The time without a process of the daemon.
    class outage {
    public:
        explicit outage(attachment& of) : of_(of) {}

        /// As daemon_wait: gives up at a signal, or when the user does.
        bool wait(int connection, mato::deadline until) {
            const auto now = mato::clock::now();
            if (!is_told_ && now >= tell_at_) tell();
            const bool listens = now >= listen_at_;
            const mato::deadline next(std::min(until.at(), !is_told_ ? tell_at_ : listens ? until.at() : listen_at_));
            pollfd ready[] = {{connection, POLLIN, 0},
                              {of_.signals_->native_handle(), POLLIN, 0},
                              {listens ? of_.tty_.native_handle() : -1, POLLIN, 0}};
            static_cast<void>(mato::sys::poll(ready, 3, next.poll_timeout()));
            if (ready[1].revents) take_signals();
            if (ready[2].revents && !gives_up_) read_keys();
            return !of_.result_ && !gives_up_;
        }

    private:
        void tell() {
            is_told_ = true;
            mato::failure gone;
            of_.tty_.write(notice_on_last_row(of_.tty_.size()), gone);
            if (gone) of_.end("[terminal lost]", 1);
        }

        void take_signals() { // the size is sent once there is a process again
            while (const auto signal = of_.signals_->try_next()) {
                if (*signal == SIGTERM) of_.end("[terminated]", 1);
                if (*signal == SIGHUP) of_.end("[terminal lost]", 1);
            }
        }

        /// What is typed now is for no program: its daemon may never come back. Only the keys that give up count.
        void read_keys() {
            mato::failure gone;
            for (const char key : of_.tty_.read(gone)) {
                gives_up_ = gives_up_ || key == '\003' || (is_after_prefix_ && key == 'd');
                is_after_prefix_ = !is_after_prefix_ && key == default_prefix;
            }
            if (gone) of_.end("[terminal lost]", 1);
        }

        attachment& of_;
        const mato::clock::time_point tell_at_ = mato::clock::now() + quiet_wait, listen_at_ = mato::clock::now() + silent_wait;
        bool is_told_ = false, is_after_prefix_ = false, gives_up_ = false;
    };

    void end(std::string last_line, int exit_code) {
        if (!result_) result_ = attach_result{std::move(last_line), exit_code};
    }

    /// Takes the terminal; the daemon may draw from now on.
    void enter() {
        mato::failure why;
        tty_.enter(why);
        if (why) throw command_failure{1, why.message()};
        const bool asks = !questions_.empty() && !asked_once_;
        if (asks) {
            tty_.write(questions_, why);
            asked_once_ = unanswered_ = true;
            asked_at_ = mato::clock::now();
        }
        daemon_.post_as<message::show>(0, show_request{asks});
    }

    void handle_signals(mato::default_signal_source& signals) {
        while (const auto signal = signals.try_next()) {
            switch (*signal) {
            case SIGWINCH: daemon_.post_as<message::resize>(0, resized_terminal{tty_.size()}); break;
            case SIGHUP: end_first("[terminal lost]"); break;
            case SIGTERM: end_first("[terminated]"); break;
            case SIGCONT: resume(); break;
            case SIGTSTP: suspend(); break;
            default: break; // INT and QUIT come from other processes: in raw mode typed ones go to the program
            }
        }
    }

    /// Ends before the daemon knows of it.
    void end_first(std::string last_line) {
        if (!result_) ends_first_ = true;
        end(std::move(last_line), 1);
    }

    /// Waits until the daemon has released the terminal, is gone, or `hide_patience` is over.
    void hide() {
        hiding_ = daemon_.post<message::hide>(nothing{});
        const auto until = mato::deadline::in(hide_patience);
        while (hiding_ != 0 && !until.passed()) {
            mato::failure why;
            pollfd ready{daemon_.connection().native_handle(), POLLIN, 0};
            if (mato::sys::poll(&ready, 1, until.poll_timeout()) == -1) continue;
            daemon_.connection().fill(why);
            handle_messages();
            if (why) return end(stopping_ ? "[daemon stopped]" : "[daemon lost]", 1);
        }
    }

    /// Stops this process after the daemon has released the terminal. Execution continues in `resume`.
    void suspend() {
        hide();
        if (result_) return;
        if (unanswered_) { // they would be typed into the shell; after SIGCONT the questions are sent again
            tty_.discard_answers(asked_at_ + terminal_patience);
            asked_once_ = unanswered_ = false;
        }
        tty_.leave();
        bool continued = false; // during the wait: no second SIGCONT would come
        while (const auto signal = signals_->try_next()) {
            continued = continued || *signal == SIGCONT;
            if (*signal == SIGTERM) end("[terminated]", 1); // the daemon no longer draws
            if (*signal == SIGHUP) end("[terminal lost]", 1);
        }
        if (continued) return resume();
        if (!result_) mato::sys::kill(mato::sys::getpid(), SIGSTOP);
    }

    void resume() {
        daemon_.post_as<message::resize>(0, resized_terminal{tty_.size()});
        enter_again();
    }

    void enter_again() {
        try {
            enter();
        } catch (const command_failure&) {
            end("[terminal lost]", 1);
        }
    }

    void handle_keys() {
        mato::failure why;
        constexpr int follows_ms = 10; // after a full buffer the kernel may need time to deliver the rest
        for (bool follows = true; follows && !why;) {
            const auto bytes = tty_.read(why);
            typed_ += bytes;
            // The bytes after an ESC decide whether it is a key or begins a sequence.
            pollfd more{tty_.native_handle(), POLLIN, 0};
            follows =
                bytes.ends_with('\033') && mato::sys::poll(&more, 1, bytes.size() >= full_terminal_bytes ? follows_ms : 0) == 1;
        }
        if (why) return end("[terminal lost]", 1);
        send_typed();
    }

    /// Limits the input in flight to the window, so that a program that does not read costs the daemon no memory.
    void send_typed() {
        while (!received_ && !typed_.empty() && sent_.size() < input_window_bytes) {
            const std::size_t size = std::min({typed_.size(), input_chunk_bytes, input_window_bytes - sent_.size()});
            mato::failure why; // a lost connection is reported by the next read
            daemon_.connection().queue(encode_bytes(message::input, 0, std::string_view(typed_).substr(0, size)), why);
            sent_.append(typed_, 0, size);
            typed_.erase(0, size);
            sent_bytes_ += size;
        }
    }

    void handle_messages() {
        mato::failure why;
        while (!result_ || hiding_ != 0) {
            const auto payload = daemon_.connection().next(why);
            if (why) return end("[daemon lost]", 1);
            if (!payload) return;
            if (const auto frame = parse_header(*payload)) handle(*frame);
        }
    }

    void handle(const header& frame) {
        mato::failure gone;
        switch (frame.type) {
        case message::output:
            untaken_ += frame.body.size();
            if (hiding_ == 0) tty_.write(frame.body, gone);
            if (gone) end("[terminal lost]", 1);
            return;
        case message::input_taken:
            if (const auto taken = read_as<message::input_taken>(frame))
                sent_.erase(0, static_cast<std::size_t>(std::min<std::uint64_t>(sent_.size(), taken->bytes)));
            return send_typed();
        case message::restarting:
            if (const auto now = read_as<message::restarting>(frame))
                received_ = now->is_over ? std::nullopt : std::optional(now->input_bytes);
            return send_typed();
        case message::tab_exited:
            if (const auto status = read_as<message::tab_exited>(frame); status && !stopping_)
                end("[exited " + std::to_string(status->code) + "]", 0);
            return;
        case message::run_instead:
            if (auto wanted = read_as<message::run_instead>(frame)) then_ = std::move(*wanted);
            return;
        case message::detached:
            end("[detached]", 0);
            result_->then = std::exchange(then_, {});
            return;
        case message::terminal_lost: return end("[terminal lost]", 1);
        case message::suspend: return suspend();
        case message::answered: unanswered_ = false; return;
        case message::cursor_shaped:
            if (const auto style = read_as<message::cursor_shaped>(frame); style && style->own <= most_cursor_style)
                tty_.cursor_is_shaped(style->own);
            return;
        case message::stopping: stopping_ = true; return;
        case message::switched:
            if (const auto now = read_as<message::switched>(frame)) shown_ = now->id;
            return;
        case message::done:
            if (frame.id == hiding_) hiding_ = 0;
            return;
        default: return; // from a newer daemon; not for this client
        }
    }

    remote& daemon_;
    user_terminal& tty_;
    mato::default_signal_source* signals_ = nullptr;
    bool direct_;
    tab_id shown_;
    const std::string& questions_;
    const attach_again& again_;
    bool asked_once_ = false, unanswered_ = false;
    mato::clock::time_point asked_at_{};
    std::string typed_;
    std::string sent_;                      // and not yet taken by the program
    std::uint64_t sent_bytes_ = 0;          // ever, on this connection
    std::optional<std::uint64_t> received_; // of them, by a process that is being replaced: the rest is for the next one
    std::uint64_t untaken_ = 0;             // shown, and not yet reported to the daemon
    std::uint32_t hiding_ = 0;              // the request after whose answer the daemon draws nothing more
    std::optional<attach_result> result_;
    after_detaching then_;                       // what the daemon has asked for, at the detach that follows
    bool stopping_ = false, ends_first_ = false; // ends_first_: the daemon does not know of the end
};

} // namespace

attach_result show_tab(remote& daemon, user_terminal& tty, const attachment_info& shown, const std::string& questions,
                       const attach_again& again) {
    return attachment(daemon, tty, shown, questions, again).run();
}

} // namespace mux
