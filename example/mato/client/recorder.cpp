// SPDX-License-Identifier: MIT
#include "recorder.hpp"

#include "asciicast.hpp"
#include "next_process.hpp"

#include <mato/signals.hpp>

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace mux {
namespace {

// After the end: a file that accepts no byte for this time is given up, also if the user interrupts a second time.
constexpr mato::milliseconds last_patience{10'000};

class recorder {
public:
    recorder(const program_paths& paths, remote& daemon, line_file file, const record_options& wanted)
        : paths_(paths), daemon_(daemon), file_(std::move(file)), wanted_(wanted), cast_(file_.lines()) {}

    int run() {
        struct sigaction ignore {};
        ignore.sa_handler = SIG_IGN; // write(2) reports a reader that has left
        mato::sys::signal_action(SIGPIPE, &ignore, nullptr);
        mato::failure why;
        auto signals = mato::default_signal_source::open(mato::make_signal_set({SIGTERM, SIGHUP, SIGINT, SIGQUIT}), why);
        if (why) throw command_failure{1, why.message()};
        info_ = daemon_.ask<message::record>(record_request{wanted_.which, wanted_.exact, false, 0});
        if (wanted_.duration.count() > 0) until_ = mato::deadline::in(wanted_.duration);
        handle_messages(); // those that arrived with the answer
        while (!has_ended_) turn(signals);
        finish(signals);
        return result();
    }

private:
    void turn(mato::default_signal_source& signals) {
        auto& connection = daemon_.connection();
        // poll(2) ignores a negative number: while the file is full, new data stays in the daemon.
        pollfd ready[] = {{file_.is_full() ? -1 : connection.native_handle(), POLLIN, 0},
                          {signals.native_handle(), POLLIN, 0},
                          {file_.is_empty() ? -1 : file_.native_handle(), POLLOUT, 0}};
        if (mato::sys::poll(ready, 3, until_.poll_timeout()) == -1) return;
        const bool is_told = ready[1].revents && is_told_to_end(signals);
        mato::failure why;
        if (ready[0].revents) {
            connection.fill(why);
            handle_messages(); // including those that arrived before the end
            if (why && !has_ended_ && !is_told)
                go_on_with_next(signals, "lost the connection to the daemon (" + why.message() + ")");
        }
        write();
        if (is_told || until_.passed()) has_ended_ = true;
    }

    /// Records what the daemon's next process sends, from the first byte that is missing. If there is none, ends with `lost`.
    void go_on_with_next(mato::default_signal_source& signals, const std::string& lost) {
        if (!daemon_.survives() || !info_.can_go_on) return end(lost);
        const auto wait = [&](int connection, mato::deadline until) {
            pollfd ready[] = {{connection, POLLIN, 0}, {signals.native_handle(), POLLIN, 0}};
            const int span = until_.poll_timeout(), next = until.poll_timeout();
            mato::sys::poll(ready, 2, span < 0 || (next >= 0 && next < span) ? next : span);
            return !until_.passed() && !(ready[1].revents && is_told_to_end(signals));
        };
        try {
            daemon_ =
                ask_process(paths_, {.patience = daemon_.patience(), .needs_tabs = true, .wait = wait}, [&](remote& next) {
                    const record_request rest{{std::to_string(info_.tab), 0}, wanted_.exact, has_begun_, offset_};
                    info_ = next.ask<message::record>(rest);
                    next.waits_itself();
                    return std::move(next);
                });
        } catch (const wait_ended&) {
            has_ended_ = true;
            return;
        } catch (const daemon_gone&) {
            return end(lost);
        } catch (const no_daemon&) {
            return end(lost);
        } catch (const command_failure& refused) {
            return end(refused.text);
        }
        was_replaced_ = true;
        if (!info_.can_go_on) return end("the daemon's program was replaced by one that cannot go on with a recording");
        handle_messages();
    }

    /// Writes the rest to the file, up to the end of a line if possible.
    void finish(mato::default_signal_source& signals) {
        if (has_begun_) cast_.cut(last_at_);
        auto until = mato::deadline::in(last_patience);
        for (std::size_t left = 0; !file_.is_empty(); left = file_.lines().size()) {
            if (file_.lines().size() != left) until = mato::deadline::in(last_patience);
            pollfd ready[] = {{signals.native_handle(), POLLIN, 0}, {file_.native_handle(), POLLOUT, 0}};
            mato::sys::poll(ready, 2, until.poll_timeout());
            if (until.passed() || (ready[0].revents && is_told_to_end(signals))) {
                end(file_.path() + " accepts no more data");
                file_.give_up();
            }
            write();
        }
    }

    /// One signal at a time: the second one means that the user does not want to wait.
    static bool is_told_to_end(mato::default_signal_source& signals) { return signals.try_next().has_value(); }

    void write() {
        mato::failure why;
        file_.write(why);
        if (why) end(why.message());
    }

    void end(std::string problem) {
        has_ended_ = true;
        if (problem_.empty()) problem_ = std::move(problem);
    }

    int result() {
        std::string text = problem_;
        const auto add = [&](const std::string& more) { text.append(text.empty() ? "" : "; ").append(more); };
        if (!has_begun_ && problem_.empty()) add("the recording ended before the tab's screen was received");
        if (lost_ > 0)
            add(std::to_string(lost_) +
                " bytes of the tab's output are missing: " + (was_replaced_ ? "the daemon's process was replaced, or " : "") +
                "the file was slower than the tab. Markers in the recording show where");
        if (file_.ends_in_half()) add("its last line is incomplete");
        if (!text.empty()) throw command_failure{1, "recording to " + file_.path() + ": " + text};
        if (!wanted_.quiet && file_.path() != "-")
            std::printf("[recorded %llu s of tab %llu]\n", static_cast<unsigned long long>(cast_.seconds()),
                        static_cast<unsigned long long>(info_.tab));
        return 0;
    }

    // ---- what the daemon sends ----

    void handle_messages() {
        mato::failure why;
        while (!has_ended_) {
            const auto payload = daemon_.connection().next(why);
            if (why) return end("the daemon sent an invalid message (" + why.message() + ")");
            if (!payload) return;
            if (const auto frame = parse_header(*payload)) handle(*frame);
        }
    }

    void handle(const header& frame) {
        switch (frame.type) {
        case message::stream_screen: return with<message::stream_screen>(frame, [this](const auto& screen) { show(screen); });
        case message::stream_output:
            return with<message::stream_output>(frame, [this](const stream_output& output) {
                go_on_at(output.at, output.offset);
                cast_.output(output.at, output.bytes);
                offset_ = output.offset + output.bytes.size();
            });
        case message::stream_size:
            return with<message::stream_size>(frame, [this](const auto& now) { resize(now.at, now.size); });
        case message::stream_end:
            return with<message::stream_end>(frame, [this](const stream_end& its) {
                if (its.reason.empty()) go_on_at(its.at, its.offset);
                has_ended_ = true;
                problem_ = its.reason;
            });
        default: return; // from a newer daemon; not for this client
        }
    }

    template <message Number, class Handler> void with(const header& frame, Handler handler) {
        if (const auto body = read_as<Number>(frame))
            handler(*body);
        else
            end("cannot read the daemon's message; it may be of another version");
    }

    void show(const stream_screen& screen) {
        if (!has_begun_) {
            begin(screen);
        } else {
            go_on_at(screen.at, screen.offset);
            resize(screen.at, screen.size);
        }
        cast_.output(screen.at, screen.bytes);
        offset_ = screen.offset;
    }

    void begin(const stream_screen& screen) {
        has_begun_ = true;
        size_ = screen.size;
        asciicast_header head{size_, std::time(nullptr), info_.title.empty() ? info_.name : info_.title, info_.command, {}};
        head.environment.emplace_back("TERM", "xterm-256color"); // the TERM of the tab's program
        if (const char* const shell = std::getenv("SHELL")) head.environment.emplace_back("SHELL", shell);
        cast_.begin(head, screen.at);
    }

    void resize(std::uint64_t at, vt::screen_size size) {
        last_at_ = at;
        if (size == size_) return;
        size_ = size;
        cast_.resize(at, size);
    }

    /// The next output begins at byte `offset`; the bytes before it that were not received are lost.
    void go_on_at(std::uint64_t at, std::uint64_t offset) {
        last_at_ = at;
        if (offset <= offset_) return;
        cast_.cut(at);
        cast_.marker(at, std::to_string(offset - offset_) + " bytes of output are missing here");
        lost_ += offset - offset_;
    }

    const program_paths& paths_;
    remote& daemon_;
    line_file file_;
    const record_options& wanted_;
    asciicast_writer cast_;
    recording_info info_;
    vt::screen_size size_;
    mato::deadline until_ = remote::patient();
    std::uint64_t offset_ = 0; // of the output: everything before it is in the file or lost
    std::uint64_t lost_ = 0, last_at_ = 0;
    std::string problem_;
    bool has_begun_ = false, has_ended_ = false, was_replaced_ = false;
};

} // namespace

int record_tab(const program_paths& paths, remote& daemon, line_file file, const record_options& wanted) {
    return recorder(paths, daemon, std::move(file), wanted).run();
}

} // namespace mux
