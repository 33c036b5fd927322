// SPDX-License-Identifier: MIT
#include "line_exchange.hpp"

#include "client/event_text.hpp"
#include "client/listings.hpp"
#include "common.hpp"
#include "exchanges.hpp"
#include "shared_exchanges.hpp"
#include "waits.hpp"
#include "watching.hpp"
#include "words.hpp"

namespace mux {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw command_failure{mato::exit_code::usage, why}; }

/// A request that is answered by `done`.
template <message Number> std::unique_ptr<exchange> plain_request(body_of<Number> body, mato::deadline until = soon()) {
    return std::make_unique<request<Number, message::done>>(std::move(body), until, nullptr);
}

/// A request whose answer is shown as JSON.
template <message Number, class Format> std::unique_ptr<exchange> listing(Format format) {
    return std::make_unique<request<Number>>(nothing{}, soon(), [format](const body_of<answer_to<Number>>& all) {
        return exchange::result{0, {}, {on_one_line(format(all, output_format::json))}};
    });
}

exchange::result named_tab(const tab_name& made) {
    return {0, {}, json::object().add("tab", made.id).add("task", made.task).add("name", made.name).done()};
}

std::unique_ptr<exchange> use_buffer(const buffer_use& wanted) {
    switch (wanted.verb) {
    case buffer_verb::set:
        if (wanted.from_input) refuse("standard input contains the commands; give the text: buffer set NAME TEXT");
        return plain_request<message::set_buffer>(buffer_content{wanted.name, wanted.text});
    case buffer_verb::get:
        return std::make_unique<request<message::get_buffer>>(name_only{wanted.name}, soon(), [](const buffer_content& found) {
            return exchange::result{0, {}, json::object().add("name", found.name).add("text", found.text).done()};
        });
    case buffer_verb::ls: return listing<message::list_buffers>(format_buffers);
    case buffer_verb::rm: return plain_request<message::remove_buffer>(name_only{wanted.name});
    case buffer_verb::paste: break;
    }
    return plain_request<message::paste_buffer>(paste_request{wanted.name, wanted.which});
}

std::unique_ptr<exchange> open_tab(const invocation& what, const program_paths& paths, const remote& daemon) {
    new_tab wanted = new_tab_of(what, paths);
    if (what.rows) wanted.view.size.rows = what.rows;
    if (what.columns) wanted.view.size.columns = what.columns;
    wanted.view.environment = daemon.environment_for_daemon();
    wanted.then = what.wait ? after_opening::wait : after_opening::nothing;
    if (what.wait)
        return std::make_unique<request<message::new_tab, message::exit_status>>(std::move(wanted), remote::patient(),
                                                                                 program_ended);
    return std::make_unique<request<message::new_tab, message::tab_opened>>(std::move(wanted),
                                                                            mato::deadline::in(start_patience), named_tab);
}

invocation parse_line(const std::string& line, run_where where) {
    if (line.find('\0') != std::string::npos) refuse("the line contains a NUL byte");
    std::string problem;
    const auto words = split_words(line, problem);
    if (!problem.empty()) refuse(problem + "; words are quoted as in a shell");
    if (words.empty()) refuse("an empty line; a line is a command, such as: send 1 'ls -l' Enter");
    if (words[0].starts_with('-'))
        refuse("a line begins with a command, not with '" + words[0] + "'; give global options before 'control'");
    return parse_command_line(words, where);
}

} // namespace

std::unique_ptr<exchange> exchange_of(const std::string& line, const program_paths& paths, const remote& daemon) {
    const invocation what = parse_line(line, current_tab(paths) != 0 ? run_where::inside : run_where::outside);
    const std::string first = what.operands.empty() ? std::string() : what.operands[0];
    const target which{first, current_tab(paths)};
    switch (what.command) {
    case command::new_tab: return open_tab(what, paths, daemon);
    case command::ls:
        if (what.follow) refuse("'ls -w' draws on a terminal; read the events of 'control' instead");
        if (what.ended) return listing<message::list_ended>(format_ended);
        return listing<message::list_tabs>(format_tabs);
    case command::clients: return listing<message::list_clients>(format_clients);
    case command::status: return listing<message::status>(format_status);
    case command::has: return plain_request<message::find_tab>(which);
    case command::send:
        if (what.operands.size() == 2 && what.operands[1] == "-")
            refuse("'-' cannot be used here: standard input contains the commands");
        return std::make_unique<sending>(which, keys_of(what), what.give_mark ? mark_before::yes : mark_before::no);
    case command::capture: return std::make_unique<capturing>(capture_request{which, what.history, 0, what.ansi, what.join});
    case command::read:
        if (what.follow) refuse("'read --follow' has no end; use 'read --since' with the mark of the last answer");
        if (what.output) return std::make_unique<reading_output>(which, *what.output);
        return std::make_unique<reading>(which, origin_of(what, which));
    case command::wait: return std::make_unique<waiting>(what, which.current, deadline_of(what));
    case command::resize: return plain_request<message::resize_tab>(resize_request{which, {what.rows, what.columns}});
    case command::state: return plain_request<message::set_state>(state_of(what, paths));
    case command::notice: return plain_request<message::post_notice>(notice_of(what, paths));
    case command::rename: return plain_request<message::rename>(rename_request{which, what.operands[1]});
    case command::move: return plain_request<message::move_tab>(move_request{which, what.operands[1]});
    case command::respawn: return plain_request<message::respawn>(respawn_request{which, what.kill_first}, remote::patient());
    case command::undo: return std::make_unique<request<message::undo_close>>(target{first, which.current}, soon(), named_tab);
    case command::kill: {
        const auto wanted = kills_of(what, paths);
        if (wanted.size() != 1) refuse("'kill' takes one tab here; send a line for each");
        return plain_request<message::kill>(wanted[0], remote::patient());
    }
    case command::switch_view: return plain_request<message::switch_view>(switch_of(what, paths));
    case command::buffer: return use_buffer(buffer_use_of(what, paths));
    case command::channel:
        if (signals_channel(what)) return plain_request<message::signal_channel>(name_only{what.operands[1]});
        return std::make_unique<awaiting_signal>(what.operands[1], deadline_of(what));
    case command::detach: return plain_request<message::detach>(detach_of(what, paths));
    case command::reload: return plain_request<message::reload>(nothing{});
    case command::stop: return plain_request<message::stop>(stop_request{what.now});
    case command::help: refuse("run 'mato --help' outside of 'control'");
    default: break;
    }
    refuse("this command is not available in 'control'; run 'mato " + line.substr(0, line.find(' ')) + "'");
}

} // namespace mux
