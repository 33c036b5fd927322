// SPDX-License-Identifier: MIT
#include "commands.hpp"

#include "attach.hpp"
#include "key_names.hpp"
#include "listings.hpp"
#include "recorder.hpp"
#include "remote.hpp"
#include "terminal.hpp"
#include "view/terminfo.hpp"

#include <mato/lock.hpp>
#include <mato/version.hpp>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <regex>

namespace mux {
namespace {

using namespace std::chrono_literals;

constexpr auto start_patience = 20s; // a daemon that another client starts on a busy machine
constexpr auto answer_patience = 5s; // any request that does not wait for a program
constexpr auto status_patience = 1s; // the contract of `status`
constexpr auto send_patience = 5s;   // without one byte taken by the program

std::optional<std::string> variable(const char* name) {
    const char* const value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

program_paths paths_of(const invocation& what) {
    mato::failure why;
    auto paths = resolve_paths(what.paths, variable, why);
    if (why) throw command_failure{mato::exit_code::usage, why.message()};
    if (!what.paths.config.empty() &&
        !std::filesystem::exists(paths.config)) // a missing default is fine, a missing choice is not
        throw command_failure{mato::exit_code::bad_config, "there is no configuration " + paths.config.native()};
    return paths;
}

/// The tab this command runs in, when it is one of the daemon asked.
tab_id current_tab(const program_paths& paths) {
    const auto enclosing = parse_enclosing_tab(variable("MATO").value_or(""));
    return enclosing && enclosing->socket == paths.daemon.socket ? enclosing->tab : 0;
}

remote open_existing(const program_paths& paths) {
    return remote::open(paths, start::never, mato::deadline::in(answer_patience));
}
remote open_or_start(const invocation& what, const program_paths& paths) {
    return remote::open(paths, what.no_start ? start::never : start::if_needed, mato::deadline::in(start_patience));
}
mato::deadline soon() { return mato::deadline::in(answer_patience); }

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw command_failure{1, "cannot write to standard output: " + mato::last_error().message()};
}

/// Of the terminal this command runs in, before it was asked.
terminal_features own_features() {
    const auto value = [](const char* name) { return variable(name).value_or(""); };
    const std::string term = value("TERM"), colorterm = value("COLORTERM"), program = value("TERM_PROGRAM"),
                      all = value("LC_ALL"), type = value("LC_CTYPE"), lang = value("LANG");
    return features_of({term, colorterm, program, all, type, lang}, read_terminfo(term));
}

view_options view_of(const invocation& what, const remote& daemon, size_of_terminal size) {
    view_options view;
    view.size = {what.columns ? what.columns : size.cols, what.rows ? what.rows : size.rows};
    view.readonly = what.readonly;
    view.detach_others = what.detached;
    view.ignore_size = what.ignore_size;
    view.environment = daemon.environment_for_daemon();
    view.terminal = own_features();
    return view;
}

void refuse_nesting(const program_paths& paths) {
    if (const tab_id tab = current_tab(paths))
        throw command_failure{
            1, "this terminal is tab " + std::to_string(tab) +
                   " of the same daemon; showing it in itself would never end. Use another daemon (-L NAME), or 'new -d'"};
}

terminal open_terminal() {
    mato::failure why;
    terminal tty = terminal::open(why);
    if (why) throw command_failure{1, why.message()};
    return tty;
}

/// Asks for a tab with `view` inside `request`, and shows it until the end.
template <class Request>
int show(const invocation& what, remote& daemon, terminal& tty, message type, Request request, view_options Request::*view) {
    mato::failure why;
    tty.prepare_guard(why);
    if (why) throw command_failure{1, why.message()};
    const auto until = mato::deadline::in(start_patience);
    (request.*view).passes_terminal = !what.relay;
    const std::string ask = questions((request.*view).terminal);
    if (!(request.*view).terminal.addresses)
        throw command_failure{1, "this terminal (TERM=" + variable("TERM").value_or("") + ") cannot place its cursor"};
    const int descriptors[] = {tty.native_handle(), tty.guardian().leash()};
    const auto passed = what.relay ? std::span<const int>() : std::span<const int>(descriptors);
    const auto id = daemon.post_with(type, std::move(request), passed, until);
    tty.guard(why); // while the daemon is at it; nothing is drawn before show_tab
    if (why) throw command_failure{1, why.message()};
    const auto shown = daemon.await<attachment_info>(id, message::attached, until);
    tty.guardian().leash_is_passed();
    const attach_result result = show_tab(daemon, tty, shown.direct, ask);
    tty.guardian().dismiss();
    print(result.last_line + "\n");
    return result.exit_code;
}

new_tab new_tab_of(const invocation& what, const program_paths& paths) {
    new_tab wanted;
    wanted.task = what.task;
    wanted.name = what.name;
    wanted.emulator = what.emulator;
    wanted.current = current_tab(paths);
    wanted.argv = what.program;
    wanted.environment = what.environment;
    std::error_code why;
    const auto here = std::filesystem::current_path(why);
    if (why && (what.directory.empty() || what.directory[0] != '/'))
        throw command_failure{1, "the working directory cannot be told (" + why.message() + "); name one with -c"};
    wanted.cwd = (here / what.directory).lexically_normal().native();
    return wanted;
}

/// Sends a request for a tab; a daemon that has begun to stop meanwhile is replaced once.
template <class Request> int ask_until_started(const invocation& what, const program_paths& paths, Request request) {
    for (bool again = !what.no_start;; again = false) {
        remote daemon = open_or_start(what, paths);
        try {
            return request(daemon);
        } catch (const command_failure& why) {
            if (!again || why.exit_code != mato::exit_code::unavailable) throw;
        }
    }
}

int run_new(const invocation& what) {
    const auto paths = paths_of(what);
    new_tab wanted = new_tab_of(what, paths);
    if (what.detached || what.wait) {
        wanted.then = what.wait ? after_opening::wait : after_opening::nothing;
        return ask_until_started(what, paths, [&](remote& daemon) {
            wanted.view = view_of(what, daemon, {});
            if (what.wait)
                return static_cast<int>(daemon.ask<exit_status>(message::new_tab, wanted, message::exit_status).code);
            const auto opened =
                daemon.ask<tab_name>(message::new_tab, wanted, message::tab_opened, mato::deadline::in(start_patience));
            if (!what.quiet) print(std::to_string(opened.id) + "\n");
            return 0;
        });
    }
    refuse_nesting(paths);
    terminal tty = open_terminal();
    wanted.then = after_opening::attach;
    return ask_until_started(what, paths, [&](remote& daemon) {
        wanted.view = view_of(what, daemon, tty.size());
        wanted.view.detach_others = false;
        return show(what, daemon, tty, message::new_tab, wanted, &new_tab::view);
    });
}

int run_attach(const invocation& what) {
    const auto paths = paths_of(what);
    refuse_nesting(paths);
    terminal tty = open_terminal();
    remote daemon = open_existing(paths);
    attach_request wanted;
    if (!what.operands.empty()) wanted.which.name = what.operands[0];
    wanted.view = view_of(what, daemon, tty.size());
    return show(what, daemon, tty, message::attach, wanted, &attach_request::view);
}

int run_attach_or_new(const invocation& what) {
    const auto paths = paths_of(what);
    refuse_nesting(paths);
    terminal tty = open_terminal();
    return ask_until_started(what, paths, [&](remote& daemon) {
        const auto view = view_of(what, daemon, tty.size());
        if (daemon.ask<tab_list>(message::list_tabs, nothing{}, message::tabs, soon()).tabs.empty()) {
            new_tab wanted = new_tab_of(what, paths);
            wanted.view = view;
            wanted.then = after_opening::attach;
            return show(what, daemon, tty, message::new_tab, wanted, &new_tab::view);
        }
        attach_request latest;
        latest.view = view;
        return show(what, daemon, tty, message::attach, latest, &attach_request::view);
    });
}

int run_detach(const invocation& what) {
    const auto paths = paths_of(what);
    detach_request wanted{what.all, 0, current_tab(paths)};
    if (!what.operands.empty()) {
        const std::string& text = what.operands[0];
        const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), wanted.client);
        if (why != std::errc() || rest != text.data() + text.size() || wanted.client == 0 || what.all)
            throw command_failure{mato::exit_code::usage,
                                  "detach takes -a or a client's number, not '" + text + "'; see 'mato clients'"};
    }
    open_existing(paths).tell(message::detach, wanted, soon());
    return 0;
}

/// Key names become keys, other words are typed as they are; with -l all are.
std::string bytes_to_send(const invocation& what) {
    const std::vector<std::string> words(what.operands.begin() + 1, what.operands.end());
    std::string bytes;
    if (words.size() == 1 && words[0] == "-") {
        char buffer[65'536];
        for (ssize_t got; (got = mato::sys::read(0, buffer, sizeof buffer)) != 0;) {
            if (got < 0) throw command_failure{1, "cannot read standard input: " + mato::last_error().message()};
            bytes.append(buffer, static_cast<std::size_t>(got));
        }
        return bytes;
    }
    for (const std::string& word : words) bytes += what.literal ? word : key_bytes(word).value_or(word);
    return bytes;
}

int run_send(const invocation& what) {
    const auto paths = paths_of(what);
    const std::string bytes = bytes_to_send(what);
    remote daemon = open_existing(paths);
    const target which{what.operands[0], current_tab(paths)};
    constexpr std::size_t most_under_way = 4; // chunks; enough to keep a fast reader busy, little enough to queue
    std::map<std::uint32_t, std::size_t> under_way;
    std::size_t offset = 0, taken = 0;
    bool cancelled = false, first = true;
    while (first || offset < bytes.size() || !under_way.empty()) {
        while (!cancelled && under_way.size() < most_under_way && (first || offset < bytes.size())) {
            first = false; // an empty text is sent too: it asks whether the tab is there
            const std::string chunk = bytes.substr(offset, input_chunk_bytes);
            offset += chunk.size();
            under_way[daemon.post(message::send, send_request{which, chunk})] = chunk.size();
        }
        const auto frame = daemon.next(mato::deadline::in(send_patience));
        if (!frame) {
            if (cancelled) throw command_failure{mato::exit_code::not_answering, "the daemon does not answer"};
            cancelled = true;
            offset = bytes.size();
            for (const auto& [id, size] : under_way) daemon.post_as(message::cancel_send, id, nothing{});
            continue;
        }
        if (!under_way.contains(frame->id)) continue;
        if (frame->type == message::error) {
            const auto why = decode<refusal>(frame->body).value_or(refusal{});
            const std::string progress =
                bytes.size() > input_chunk_bytes
                    ? " (" + std::to_string(taken) + " of " + std::to_string(bytes.size()) + " bytes were taken before)"
                    : "";
            throw command_failure{why.exit_code, why.text + progress};
        }
        taken += decode<sent>(frame->body).value_or(sent{}).bytes;
        under_way.erase(frame->id);
    }
    if (taken == bytes.size()) return 0;
    throw command_failure{1, std::to_string(taken) + " of " + std::to_string(bytes.size()) +
                                 " bytes were taken; the program in tab " + what.operands[0] + " does not read its input"};
}

int run_has(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell(message::find_tab, target{what.operands[0], current_tab(paths)}, soon());
    return 0;
}

int run_capture(const invocation& what) {
    const auto paths = paths_of(what);
    remote daemon = open_existing(paths);
    capture_request wanted{{what.operands[0], current_tab(paths)}, what.history, 0, what.ansi, false};
    captured part = daemon.ask<captured>(message::capture, wanted, message::captured, soon());
    std::string text = part.text;
    while (part.next != 0) {
        wanted.from = part.next;
        part = daemon.ask<captured>(message::capture, wanted, message::captured, soon());
        text += part.text;
    }
    print(what.json ? format_capture(part, text) : text);
    return 0;
}

int run_record(const invocation& what) {
    const auto paths = paths_of(what);
    remote daemon = open_existing(paths);
    const target which{what.operands[0], current_tab(paths)};
    daemon.tell(message::find_tab, which, soon()); // before there is a file
    mato::failure why;
    const std::string& path = what.operands[1];
    line_file file = line_file::open(path, what.force ? line_file::existing::replace : line_file::existing::refuse, why);
    if (why.code == std::errc::file_exists)
        throw command_failure{1, path + " is there already; name another file, or replace it with --force"};
    if (why) throw command_failure{1, why.message()};
    if (path == "-" && ::isatty(STDOUT_FILENO))
        throw command_failure{mato::exit_code::usage, "a recording is not for a terminal; redirect standard output"};
    return record_tab(daemon, std::move(file), {which, what.exact, what.duration, what.quiet});
}

int run_resize(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell(message::resize_tab,
                              resize_request{{what.operands[0], current_tab(paths)}, {what.columns, what.rows}}, soon());
    return 0;
}

/// Looks again whenever the tab has changed, but no more often than this: a flood is not searched at every read.
constexpr auto look_again = 20ms;

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

int run_kill(const invocation& what) {
    const auto paths = paths_of(what);
    const std::string name = what.operands.empty() ? std::string() : what.operands[0];
    open_existing(paths).tell(message::kill, kill_request{{name, current_tab(paths)}, what.task});
    return 0;
}

int run_rename(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell(message::rename, rename_request{{what.operands[0], current_tab(paths)}, what.operands[1]},
                              soon());
    return 0;
}

int run_ls(const invocation& what) {
    remote daemon = open_existing(paths_of(what));
    print(format_tabs(daemon.ask<tab_list>(message::list_tabs, nothing{}, message::tabs, soon()), what.json));
    return 0;
}

int run_clients(const invocation& what) {
    remote daemon = open_existing(paths_of(what));
    print(format_clients(daemon.ask<client_list>(message::list_clients, nothing{}, message::clients, soon()), what.json));
    return 0;
}

int run_status(const invocation& what) {
    const auto paths = paths_of(what);
    const auto until = mato::deadline::in(status_patience);
    try {
        remote daemon = remote::open(paths, start::never, until);
        print(format_status(daemon.ask<status_report>(message::status, nothing{}, message::status_report, until), what.json));
        return 0;
    } catch (const command_failure& why) {
        if (why.exit_code == 1)
            print(format_no_daemon(what.json));
        else if (why.exit_code == mato::exit_code::not_answering)
            print(format_silent_daemon(what.json));
        else
            throw;
        return why.exit_code;
    }
}

int run_reload(const invocation& what) {
    open_existing(paths_of(what)).tell(message::reload, nothing{}, soon());
    if (!what.quiet) print("reloaded\n");
    return 0;
}

/// End-of-file from the daemon means that socket, pid file and lock are gone.
int run_stop(const invocation& what) {
    const auto paths = paths_of(what);
    constexpr auto patience = 80s; // the longest grace, a minute, and what the daemon adds to it
    try {
        const auto greeting_patience = what.now ? mato::deadline::in(status_patience) : mato::deadline::in(answer_patience);
        remote daemon = remote::open(paths, start::never, greeting_patience);
        daemon.tell(message::stop, stop_request{what.now}, soon());
        const auto until = mato::deadline::in(patience);
        try {
            while (daemon.next(until)) {
            }
        } catch (const command_failure&) {
            if (!what.quiet) print("stopped\n");
            return 0;
        }
    } catch (const command_failure& why) {
        if (why.exit_code != mato::exit_code::not_answering || !what.now) throw;
        mato::failure problem;
        const pid_t pid = mato::instance_lock::signal_holder(paths.daemon.lock, SIGKILL, problem);
        if (problem)
            throw command_failure{mato::exit_code::not_answering, "the daemon does not answer, and " + problem.message()};
        if (!what.quiet) print("killed: daemon " + std::to_string(pid) + " did not answer\n");
        return 0;
    }
    throw command_failure{mato::exit_code::not_answering, "the daemon is stopping, but not done yet"};
}

int run_daemon(const invocation& what) {
    const auto paths = paths_of(what);
    if (what.foreground) return serve_in_foreground(paths);
    const auto outcome = launch_daemon(paths);
    if (outcome.what == mato::start_outcome::kind::already_running)
        throw command_failure{mato::exit_code::already_running,
                              "the daemon is already running, pid " + std::to_string(outcome.holder)};
    if (!outcome) throw command_failure{mato::exit_code_for(outcome.why.code), outcome.why.message()};
    if (!what.quiet) print("the daemon is running (" + paths.daemon.socket + ")\n");
    return 0;
}

int run_log(const invocation& what) {
    constexpr long look_again_ms = 200;
    const auto paths = paths_of(what);
    const std::string path = paths.daemon.log;
    mato::unique_fd file(mato::sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW));
    if (!file) throw command_failure{1, "cannot read " + path + ": " + mato::last_error().message()};
    char buffer[65'536];
    for (;;) {
        const ssize_t got = mato::sys::read(file.get(), buffer, sizeof buffer);
        if (got < 0) throw command_failure{1, "cannot read " + path + ": " + mato::last_error().message()};
        if (got > 0) {
            print(std::string(buffer, static_cast<std::size_t>(got)));
            continue;
        }
        if (!what.follow) return 0;
        struct ::stat mine {
        }, named{};
        const bool rotated = mato::sys::fstat(file.get(), &mine) == 0 && mato::sys::lstat(path.c_str(), &named) == 0 &&
                             mine.st_ino != named.st_ino;
        if (mato::unique_fd next(rotated ? mato::sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW) : -1); next)
            file = std::move(next);
        else
            mato::sys::sleep_ms(look_again_ms);
    }
}

} // namespace

int run_command(const invocation& what) {
    switch (what.command) {
    case command::attach_or_new: return run_attach_or_new(what);
    case command::new_tab: return run_new(what);
    case command::attach: return run_attach(what);
    case command::detach: return run_detach(what);
    case command::ls: return run_ls(what);
    case command::clients: return run_clients(what);
    case command::has: return run_has(what);
    case command::send: return run_send(what);
    case command::capture: return run_capture(what);
    case command::record: return run_record(what);
    case command::resize: return run_resize(what);
    case command::wait: return run_wait(what);
    case command::kill: return run_kill(what);
    case command::rename: return run_rename(what);
    case command::status: return run_status(what);
    case command::reload: return run_reload(what);
    case command::stop: return run_stop(what);
    case command::daemon: return run_daemon(what);
    case command::log: return run_log(what);
    case command::help: print(help_text()); return 0;
    case command::version: print("mato " MATO_VERSION_STRING "\n"); return 0;
    }
    return mato::exit_code::usage;
}

} // namespace mux
