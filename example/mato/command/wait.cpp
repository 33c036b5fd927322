// SPDX-License-Identifier: MIT
/// @file wait.cpp: `wait`: until a program has ended, is silent, or shows a text.
#include "command/commands.hpp"

#include "command/common.hpp"

#include <mato/sys.hpp>

#include <algorithm>
#include <regex>

namespace mux {
namespace {

/// Looks again whenever the tab has changed, but no more often than this: a flood is not searched at every read.
constexpr auto look_again = std::chrono::milliseconds(20);

} // namespace

int run_wait(const invocation& what) {
    const auto paths = paths_of(what);
    remote daemon = open_existing(paths);
    const target which{what.operands[0], current_tab(paths)};
    const auto until = what.timeout.count() > 0 ? mato::deadline::in(what.timeout) : remote::patient();
    const auto timed_out = [&]() -> command_failure {
        return {1, "tab " + what.operands[0] + ": not so within the time given"};
    };
    if (what.exit) {
        const auto id = daemon.post(message::wait_exit, which);
        while (const auto frame = daemon.next(until)) {
            if (frame->id != id) continue;
            if (frame->type == message::error) {
                const auto why = decode<refusal>(frame->body).value_or(refusal{});
                throw command_failure{why.exit_code, why.text};
            }
            return decode<exit_status>(frame->body).value_or(exit_status{}).code;
        }
        throw timed_out();
    }
    std::regex pattern;
    try {
        if (what.pattern) pattern.assign(*what.pattern, std::regex::ECMAScript | std::regex::multiline);
    } catch (const std::regex_error& wrong) {
        throw command_failure{mato::exit_code::usage, "--text '" + *what.pattern + "': " + wrong.what()};
    }
    for (;;) {
        const auto now =
            daemon.ask<captured>(message::capture, capture_request{which, 0, 0, false, true}, message::captured, soon());
        if (what.pattern ? std::regex_search(now.text, pattern) : now.idle_ms >= static_cast<std::uint64_t>(what.idle.count()))
            return 0;
        if (!now.running) throw command_failure{1, "the program of tab " + what.operands[0] + " has ended"};
        if (until.passed()) throw timed_out();
        if (!what.pattern) {
            const auto left = what.idle - mato::milliseconds(static_cast<long>(now.idle_ms));
            mato::sys::sleep_ms(std::min<long>(left.count(), until.poll_timeout()));
            continue;
        }
        const auto id = daemon.post(message::wait_output, wait_output{which, now.revision});
        for (;;) {
            const auto frame = daemon.next(until);
            if (!frame) throw timed_out();
            if (frame->id != id) continue;
            if (frame->type == message::error) {
                const auto why = decode<refusal>(frame->body).value_or(refusal{});
                throw command_failure{why.exit_code, why.text};
            }
            break;
        }
        mato::sys::sleep_ms(look_again.count());
    }
}

} // namespace mux
