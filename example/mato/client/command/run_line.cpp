// SPDX-License-Identifier: MIT
/// @file run_line.cpp: `run TAB`: types a line at a shell's prompt; prints its output, ends with its code.
#include "commands.hpp"

#include "common.hpp"
#include "marked_output.hpp"
#include "plain_output.hpp"
#include "waits.hpp"
#include "watching.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace mux {
namespace {

/// One line. It goes on with the daemon's next process, from the first byte of output that was not received.
class line_run {
public:
    line_run(target which, std::string line, mato::deadline until)
        : which_(std::move(which)), line_(std::move(line)), until_(until) {}

    /// @returns the exit code
    int go_on(remote& daemon) {
        if (typed_ == typing_state::asked)
            throw command_failure{1, "the daemon restarted while the line was typed into tab " + which_.name +
                                         "; it may or may not run there"};
        if (typed_ == typing_state::no) find_prompt(daemon);
        follow(daemon);
        if (typed_ == typing_state::no) type(daemon);
        while (!code_) {
            const auto frame = daemon.next(until_);
            if (!frame) throw command_failure{not_in_time, "the time is over; what was typed goes on in tab " + which_.name};
            take(*frame);
        }
        return *code_;
    }

private:
    enum class typing_state : std::uint8_t { no, asked, done };
    enum class phase : std::uint8_t { prompt, running };

    void find_prompt(remote& daemon) {
        change_wait wanted{which_, tab_change::prompt, said_state::none, false};
        const auto id = daemon.post<message::wait_change>(wanted);
        std::optional<tab_changed> there;
        try {
            there = daemon.await<message::change_came>(id, until_);
        } catch (const command_failure& why) {
            if (why.exit_code != mato::exit_code::not_answering || !until_.passed()) throw;
            throw command_failure{not_in_time,
                                  "tab " + which_.name + ": its shell showed no prompt in time; nothing was typed"};
        }
        if (!there->text.empty())
            throw command_failure{1, "tab " + which_.name + ": something is typed at the prompt already; nothing was typed"};
        which_ = {std::to_string(there->tab), 0}; // its name may mean another one later
    }

    void follow(remote& daemon) {
        const bool goes_on = typed_ != typing_state::no;
        const auto info = daemon.ask<message::record>(record_request{which_, true, goes_on, offset_}, soon());
        if (!output_) output_.emplace(info.size, [](std::string_view text) { print(std::string(text)); });
    }

    void type(remote& daemon) {
        send_request keys{which_, line_, {}};
        keys.keys.push_back({line_.size(), "Enter"});
        sent_id_ = daemon.post<message::send>(std::move(keys));
        typed_ = typing_state::asked;
    }

    void take(const header& frame) {
        if (frame.id == sent_id_ && frame.id != 0) {
            typed_ = typing_state::done;
            if (frame.type != message::error) return;
            const auto why = read_as<message::error>(frame).value_or(refusal{});
            throw command_failure{why.exit_code, why.text};
        }
        if (const auto screen = read_as<message::stream_screen>(frame)) return begin(*screen);
        if (const auto size = read_as<message::stream_size>(frame)) return output_->resize(size->size);
        if (const auto bytes = read_as<message::stream_output>(frame)) return take_output(*bytes);
        if (const auto end = read_as<message::stream_end>(frame)) return take_end(*end);
    }

    void begin(const stream_screen& screen) {
        if (phase_ == phase::running) throw command_failure{1, "output was lost: the daemon did not have it any more"};
        offset_ = screen.offset;
    }

    void take_output(const stream_output& output) {
        std::string_view bytes = output.bytes;
        if (output.offset < offset_) bytes.remove_prefix(std::min<std::uint64_t>(offset_ - output.offset, bytes.size()));
        offset_ = output.offset + output.bytes.size();
        for (const auto& each : marks_.feed(bytes)) {
            if (code_) return;
            if (!each.is_mark && phase_ == phase::running) output_->feed(each.text);
            if (each.is_mark) take_mark(each);
        }
    }

    void take_mark(const marked_output::piece& mark) {
        const bool ran = phase_ == phase::running;
        if (mark.letter() == 'C' && !ran) phase_ = phase::running;
        if (mark.letter() != 'D' && !(mark.letter() == 'A' && ran)) return;
        if (ran) output_->finish();
        if (!mark.code())
            throw command_failure{cannot_be_answered, "the shell in tab " + which_.name + " did not say the exit code"};
        if (!ran) std::fprintf(stderr, "mato: the shell in tab %s did not run the line; it shows why\n", which_.name.c_str());
        code_ = mark.code();
    }

    void take_end(const stream_end& end) {
        if (!end.reason.empty()) throw command_failure{1, "output was lost: " + end.reason};
        output_->finish();
        std::fprintf(stderr, "mato: the shell in tab %s has ended\n", which_.name.c_str());
        code_ = end.exit_code;
    }

    target which_;
    std::string line_;
    mato::deadline until_;
    typing_state typed_ = typing_state::no;
    std::uint32_t sent_id_ = 0;
    phase phase_ = phase::prompt;
    marked_output marks_;
    std::optional<plain_output> output_;
    std::uint64_t offset_ = 0; // of the first byte that was not received
    std::optional<int> code_;
};

/// The line, which the daemon types at once: a client that dies leaves all of it at the prompt, or nothing.
const std::string& line_of(const invocation& what) {
    if (!what.task.empty() || !what.name.empty() || !what.directory.empty() || !what.environment.empty() || what.columns != 0 ||
        what.rows != 0 || what.remains)
        throw command_failure{mato::exit_code::usage,
                              "of the options of 'run', only --timeout can be used with a line for a tab that is open"};
    if (what.program.size() != 1)
        throw command_failure{mato::exit_code::usage, "give the line for the tab's shell as one argument, such as 'make -j4'"};
    const std::string& line = what.program[0];
    if (line.empty()) throw command_failure{mato::exit_code::usage, "the line is empty"};
    if (line.size() > input_chunk_bytes / 2)
        throw command_failure{mato::exit_code::usage, "the line has more than " + std::to_string(input_chunk_bytes / 2) +
                                                          " bytes; write it to a file, and run that"};
    for (const char c : line)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
            throw command_failure{
                mato::exit_code::usage,
                "the line has a control character, which is a key for the shell; write $'\\t' or $'\\n' instead"};
    return line;
}

} // namespace

int run_line(const invocation& what) {
    const auto paths = paths_of(what);
    line_run run({what.operands[0], current_tab(paths)}, line_of(what), deadline_of(what));
    return ask_process(paths, {.needs_tabs = true}, [&](remote& daemon) { return run.go_on(daemon); });
}

} // namespace mux
