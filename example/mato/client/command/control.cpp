// SPDX-License-Identifier: MIT
/// @file control.cpp: `control`: commands as lines, answers and events as lines of JSON, many commands at a time.
#include "commands.hpp"

#include "client/event_text.hpp"
#include "client/line_file.hpp"
#include "common.hpp"
#include "line_exchange.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <list>

namespace mux {
namespace {

// Limits on what waits; at each of them no more standard input is read.
constexpr std::size_t most_line = 1u << 20; // bytes
constexpr std::size_t most_at_once = 1024;  // commands that wait for programs
constexpr std::size_t most_prompt = 16;     // others: enough to keep the daemon busy

/// One conversation. It never makes the daemon wait: while standard output is full, no more requests are sent and no events are
/// read, and the daemon then sends a snapshot in place of the missed events.
class control_session {
public:
    control_session(remote daemon, const program_paths& paths)
        : daemon_(std::move(daemon)), paths_(paths), out_(line_file::open("-", line_file::existing::refuse, ignored_)) {}

    /// @returns 0 at the end of the input, after the last answer. @throws command_failure: the connection or the reader is
    /// lost.
    int run() {
        daemon_.tell<message::follow_events>(follow_request{}, soon());
        for (;;) {
            handle_messages(); // including those that arrived with an answer
            take_lines();
            write();
            if (has_ended_ && input_.empty() && under_way_.empty() && out_.is_empty()) return 0;
            turn();
        }
    }

private:
    struct command_under_way {
        std::uint64_t number;
        std::unique_ptr<exchange> what;
    };

    // ---- the loop ----

    void turn() {
        auto& connection = daemon_.connection();
        const auto events = [](bool in, bool out) { return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)); };
        const auto if_wanted = [](bool wanted, int fd) { return wanted ? fd : -1; }; // poll(2) ignores a negative number
        const bool sends = connection.queued_bytes() > 0, fetches = !out_.is_full() || count_prompt() > 0;
        const bool reads = !has_ended_ && may_take_more() && !has_whole_line();
        pollfd ready[] = {{if_wanted(reads, STDIN_FILENO), POLLIN, 0},
                          {if_wanted(sends || fetches, connection.native_handle()), events(fetches, sends), 0},
                          {STDOUT_FILENO, events(false, !out_.is_empty()), 0}};
        if (mato::sys::poll(ready, 3, next_due().poll_timeout()) == -1) return;
        mato::failure why;
        if (ready[1].revents & POLLOUT) connection.flush(why);
        if (ready[1].revents & (POLLIN | POLLHUP | POLLERR)) {
            why = {};
            connection.fill(why);
            if (why) lose_process();
        }
        if (ready[0].revents) read();
        check_reader(ready[2]);
        wake();
    }

    static void check_reader(const pollfd& output) {
        if (output.revents & (POLLERR | POLLHUP | POLLNVAL))
            throw command_failure{1, "cannot write to standard output: its reader has closed it"};
    }

    void read() {
        char buffer[65'536];
        const ssize_t got = mato::sys::read(STDIN_FILENO, buffer, sizeof buffer);
        if (got < 0) throw command_failure{1, "cannot read standard input: " + mato::last_error().message()};
        has_ended_ = got == 0;
        if (got > 0) input_.append(buffer, static_cast<std::size_t>(got));
    }

    void write() {
        mato::failure why;
        out_.write(why);
        if (why) throw command_failure{1, why.message()};
    }

    [[nodiscard]] mato::deadline next_due() const {
        mato::deadline next = remote::patient();
        for (const auto& each : under_way_)
            if (each.what->due().at() < next.at()) next = each.what->due();
        return next;
    }

    void wake() {
        for (auto& each : under_way_)
            if (each.what->due().passed()) advance(each, [&] { each.what->wake(daemon_); });
        answer();
    }

    // ---- commands ----

    [[nodiscard]] std::size_t count_prompt() const {
        return static_cast<std::size_t>(std::count_if(under_way_.begin(), under_way_.end(),
                                                      [](const auto& each) { return !each.what->waits_for_program(); }));
    }
    [[nodiscard]] bool may_take_more() const {
        const bool is_long = std::any_of(under_way_.begin(), under_way_.end(),
                                         [](const auto& each) { return each.what->is_answered_at_length(); });
        return !is_long && !out_.is_full() && under_way_.size() < most_at_once && count_prompt() < most_prompt;
    }
    [[nodiscard]] bool has_whole_line() const {
        return input_.find('\n') != std::string::npos || input_.size() > most_line || (has_ended_ && !input_.empty());
    }

    void take_lines() {
        while (may_take_more() && has_whole_line()) {
            const std::size_t end = std::min(input_.find('\n'), input_.size());
            std::string line = input_.substr(0, end);
            const bool is_whole = end < input_.size() || has_ended_;
            input_.erase(0, end + 1);
            const bool was_cut = std::exchange(is_cut_, !is_whole);
            if (was_cut) continue; // the rest of a line that was too long and has been answered
            begin(line);
        }
    }

    void begin(const std::string& line) {
        const std::uint64_t number = ++last_number_;
        try {
            if (line.size() > most_line)
                throw command_failure{mato::exit_code::usage,
                                      "the line is longer than 1 MiB; use 'mato send TAB -' for larger input"};
            under_way_.push_back({number, exchange_of(line, paths_, daemon_)});
            advance(under_way_.back(), [&] { under_way_.back().what->begin(daemon_); });
        } catch (const command_failure& why) {
            tell(number, {why.exit_code, why.text, {}});
        }
        answer();
    }

    /// A failed step ends the command, not the conversation.
    template <class Step> void advance(command_under_way& command, Step step) {
        try {
            step();
        } catch (const command_failure& why) {
            tell(command.number, {why.exit_code, why.text, {}});
            command.number = 0;
        }
    }

    void answer() {
        under_way_.remove_if([&](const command_under_way& each) {
            if (each.number != 0 && !each.what->outcome()) return false;
            if (each.number != 0) tell(each.number, *each.what->outcome());
            return true;
        });
    }

    void tell(std::uint64_t number, const exchange::result& how) {
        json::object line;
        line.add("reply", number).add("ok", how.error.empty());
        if (how.error.empty())
            line.add("result", how.value);
        else
            line.add("exit_code", how.exit_code).add("error", how.error);
        out_.lines() += line.done().text + "\n";
    }

    // ---- the daemon's messages ----

    void handle_messages() {
        mato::failure why;
        while (const auto payload = daemon_.connection().next(why)) {
            const auto frame = parse_header(*payload).value_or(header{});
            if (frame.id == 0) {
                is_stopping_ = is_stopping_ || frame.type == message::stopping;
                out_.lines() += events_.of(frame);
                continue;
            }
            for (auto& each : under_way_)
                if (each.what->awaits(frame.id)) {
                    advance(each, [&] { each.what->hear(daemon_, frame); });
                    break;
                }
            answer();
        }
        if (why)
            throw command_failure{mato::exit_code::version_mismatch,
                                  "the daemon sent an invalid message; it may be of another version"};
    }

    /// Goes on with the daemon's next process, if there is one. What was under way is answered: nothing is sent again.
    void lose_process() {
        handle_messages();
        const std::string text = is_stopping_ ? "the daemon has stopped" : "lost the connection to the daemon";
        if (is_stopping_ || !daemon_.survives()) end_without_daemon(text);
        const auto wait = [this](int connection, mato::deadline until) { return wait_for_process(connection, until); };
        try {
            daemon_ =
                ask_process(paths_, {.patience = daemon_.patience(), .needs_tabs = true, .wait = wait}, [this](remote& next) {
                    next.tell<message::follow_events>(events_.go_on(), soon());
                    next.waits_itself();
                    return std::move(next);
                });
        } catch (const no_daemon&) {
            end_without_daemon(text);
        } catch (const daemon_gone&) {
            end_without_daemon(text);
        }
        for (const auto& each : under_way_)
            if (each.number != 0) tell(each.number, {1, each.what->interrupted(), {}});
        under_way_.clear();
    }

    /// As daemon_wait. Meanwhile the answers are written.
    bool wait_for_process(int connection, mato::deadline until) {
        pollfd ready[] = {{connection, POLLIN, 0}, {STDOUT_FILENO, static_cast<short>(out_.is_empty() ? 0 : POLLOUT), 0}};
        if (mato::sys::poll(ready, 2, until.poll_timeout()) == -1) return true;
        check_reader(ready[1]);
        write();
        return true;
    }

    /// Answers every open command: it will get no other answer.
    [[noreturn]] void end_without_daemon(const std::string& text) {
        for (const auto& each : under_way_)
            if (each.number != 0) tell(each.number, {1, text, {}});
        while (!out_.is_empty()) {
            pollfd ready{STDOUT_FILENO, POLLOUT, 0};
            if (mato::sys::poll(&ready, 1, -1) == 1) write();
        }
        throw command_failure{1, text};
    }

    remote daemon_;
    const program_paths& paths_;
    mato::failure ignored_; // standard output is open
    line_file out_;
    event_lines events_{output_format::json};
    std::string input_;                      // read, not yet parsed
    std::list<command_under_way> under_way_; // in the order of their lines
    std::uint64_t last_number_ = 0;          // of a line
    bool has_ended_ = false;                 // the input
    bool is_cut_ = false;                    // `input_` begins with the rest of a line that was too long
    bool is_stopping_ = false;
};

} // namespace

int run_control(const invocation& what) {
    const auto paths = paths_of(what);
    return control_session(open_or_start(what, paths), paths).run();
}

} // namespace mux
