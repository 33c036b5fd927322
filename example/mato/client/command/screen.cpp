// SPDX-License-Identifier: MIT
/// @file screen.cpp: the contents of a tab: `capture`, `read` and `record`.
#include "commands.hpp"

#include "client/listings.hpp"
#include "client/recorder.hpp"
#include "common.hpp"
#include "exchanges.hpp"
#include "following.hpp"
#include "watching.hpp"

#include <mato/policies.hpp>

#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace mux {

int run_capture(const invocation& what) {
    const auto paths = paths_of(what);
    print(ask_running_daemon(
        paths,
        [&](remote& daemon) {
            capturing screen({{what.operands[0], current_tab(paths)}, what.history, 0, what.ansi, what.join});
            run_to_completion(daemon, screen);
            return what.json ? format_capture(screen.last(), screen.text()) : screen.text();
        },
        mato::exit_code::unavailable));
    return 0;
}

namespace {

/// The output of a command as its shell's marks enclose it: without a newline at the end if it has none.
int print_output(const invocation& what, const program_paths& paths, const target& which) {
    print(ask_running_daemon(
        paths,
        [&](remote& daemon) {
            reading_output output(which, *what.output);
            run_to_completion(daemon, output);
            return what.json ? output.outcome()->value.text + "\n" : output.outcome()->text;
        },
        mato::exit_code::unavailable));
    return 0;
}

/// Lines as they end, until the program has ended.
int follow_lines(const invocation& what, const program_paths& paths, const target& which) {
    if (what.json || what.output)
        throw command_failure{mato::exit_code::usage, "--follow cannot be used with --json or --output"};
    following::progress done;
    done.begin = origin_of(what, which);
    ask_process(paths, {.needs_tabs = true}, [&](remote& daemon) {
        following lines(which, done, remote::patient(), [](std::string_view text) { print(std::string(text)); });
        return run_to_completion(daemon, lines);
    });
    if (done.lost > 0 && !what.quiet)
        std::fprintf(stderr, "mato: %llu lines were evicted from the history before they were read\n",
                     static_cast<unsigned long long>(done.lost));
    if (done.is_removed)
        throw command_failure{1, "tab " + which.name +
                                     " was closed before its last lines were read; a tab of 'new --keep' stays after its end"};
    return 0;
}

} // namespace

int run_read(const invocation& what) {
    const auto paths = paths_of(what);
    const target which{what.operands[0], current_tab(paths)};
    if (what.follow) return follow_lines(what, paths, which);
    if (what.output) return print_output(what, paths, which);
    print(ask_running_daemon(
        paths,
        [&](remote& daemon) {
            reading lines(which, origin_of(what, which));
            run_to_completion(daemon, lines);
            if (what.json) return as_json(lines.seen()).text + "\n";
            if (lines.seen().lost_lines() > 0)
                throw command_failure{1, std::to_string(lines.seen().lost_lines()) +
                                             " lines were evicted from the history while the text was read; read again"};
            std::string text = lines.seen().text();
            if (!text.empty() && !text.ends_with('\n')) text += '\n';
            return text;
        },
        mato::exit_code::unavailable));
    return 0;
}

int run_record(const invocation& what) {
    const auto paths = paths_of(what);
    remote daemon = open_existing(paths);
    const target which{what.operands[0], current_tab(paths)};
    daemon.tell<message::find_tab>(which, soon()); // before the file is created
    mato::failure why;
    const std::string& path = what.operands[1];
    line_file file = line_file::open(path, what.force ? line_file::existing::replace : line_file::existing::refuse, why);
    if (why.code == std::errc::file_exists)
        throw command_failure{1, path + " already exists; choose another file, or replace it with --force"};
    if (why) throw command_failure{1, why.message()};
    if (path == "-" && ::isatty(STDOUT_FILENO))
        throw command_failure{mato::exit_code::usage,
                              "cannot write a recording to a terminal; redirect standard output, or name a file"};
    return record_tab(paths, daemon, std::move(file), {which, what.exact, what.duration, what.quiet});
}

} // namespace mux
