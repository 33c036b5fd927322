// SPDX-License-Identifier: MIT
#include "cli.hpp"

#include <mato/config.hpp>
#include <mato/policies.hpp>

#include <cxxopts.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace mux {
namespace {

struct command_syntax {
    std::string_view name;
    mux::command command;
    std::size_t least, most; // operands; most_any: no limit
    std::string_view usage, text;
};
constexpr std::size_t most_any = 1'000'000;

constexpr std::array commands{
    command_syntax{"new", command::new_tab, 0, most_any,
                   "new [-d] [-W] [-t TASK] [-n NAME] [-c DIR] [-e K=V]… [-x COLS] [-y ROWS] [--emulator NAME] [--relay] "
                   "[--nest] [-- CMD ARG…]",
                   "open a tab and attach to it; inside a tab, switch this terminal to it"},
    command_syntax{"attach", command::attach, 0, 1, "attach [-r] [-d] [--ignore-size] [--relay] [--nest] [TAB]",
                   "show a tab in this terminal; inside a tab, switch this terminal to it"},
    command_syntax{"detach", command::detach, 0, 1, "detach [-a | CLIENT]",
                   "detach the client of this tab, all clients, or one"},
    command_syntax{"ls", command::ls, 0, 0, "ls [--json]", "list tasks and tabs"},
    command_syntax{"clients", command::clients, 0, 0, "clients [--json]", "list clients"},
    command_syntax{"has", command::has, 1, 1, "has TAB", "exit 0 when the tab exists"},
    command_syntax{"send", command::send, 2, most_any, "send TAB [-l] TEXT…",
                   "type keys, or with -l text, into a tab; '-' is standard input"},
    command_syntax{"capture", command::capture, 1, 1, "capture TAB [-S LINES] [-J] [--ansi] [--json]",
                   "print a tab's screen, with LINES of history above it"},
    command_syntax{"record", command::record, 2, 2, "record TAB FILE [--for DUR] [--exact] [--force]",
                   "record a tab to FILE ('-': standard output) as asciicast v2, until its program ends or C-c"},
    command_syntax{"resize", command::resize, 2, 2, "resize TAB COLSxROWS|auto",
                   "set a tab's size; auto: follow the size of its viewers again"},
    command_syntax{"wait", command::wait, 1, 1, "wait TAB --exit | --idle DUR | --text REGEX [--timeout DUR]",
                   "wait until a tab's program ends, writes nothing for DUR, or shows a text"},
    command_syntax{"kill", command::kill, 0, 1, "kill TAB | kill -t TASK", "end the programs of a tab or task and remove it"},
    command_syntax{"respawn", command::respawn, 1, 1, "respawn [-k] TAB",
                   "start a tab's program again as it was started; -k ends it first if it runs"},
    command_syntax{"rename", command::rename, 2, 2, "rename TARGET NAME", "rename a tab or a task"},
    command_syntax{"move", command::move, 2, 2, "move TAB TASK", "move a tab to another task, which is created if needed"},
    command_syntax{"events", command::events, 0, 0, "events [--json]", "print events, one per line, until interrupted"},
    command_syntax{"control", command::control, 0, 0, "control",
                   "read commands from standard input, print answers and events as lines of JSON"},
    command_syntax{"status", command::status, 0, 0, "status [--json]", "show the daemon's state"},
    command_syntax{"reload", command::reload, 0, 0, "reload", "read the configuration again"},
    command_syntax{"stop", command::stop, 0, 0, "stop [--now]", "stop the daemon and every tab"},
    command_syntax{"daemon", command::daemon, 0, 0, "daemon [--foreground]", "start the daemon without opening a tab"},
    command_syntax{"log", command::log, 0, 0, "log [-f]", "print the daemon's log"},
};

[[noreturn]] void usage_error(const std::string& what) {
    throw command_failure{mato::exit_code::usage, what + "; see 'mato --help'"};
}

const command_syntax& find_command(const std::string& word) {
    const auto at =
        std::find_if(commands.begin(), commands.end(), [&](const command_syntax& each) { return each.name == word; });
    if (at == commands.end()) usage_error("unknown command '" + word + "'");
    return *at;
}

cxxopts::ParseResult parse(cxxopts::Options& options, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "mato");
    std::vector<const char*> argv;
    for (const std::string& each : arguments) argv.push_back(each.c_str());
    return options.parse(static_cast<int>(argv.size()), argv.data());
}

bool takes_value(const std::string& option) {
    for (const char* name : {"-S", "--socket", "-L", "--label", "-f", "--config"})
        if (option == name) return true;
    return false;
}

/// Parses the options before the command; returns how many arguments they are.
std::size_t parse_global(const std::vector<std::string>& arguments, invocation& result) {
    std::size_t count = 0;
    while (count < arguments.size() && arguments[count].starts_with('-') && arguments[count] != "-" && arguments[count] != "--")
        count += takes_value(arguments[count]) ? 2 : 1;
    count = std::min(count, arguments.size());
    cxxopts::Options options("mato");
    options.add_options()("S,socket", "", cxxopts::value<std::string>())("L,label", "", cxxopts::value<std::string>())(
        "f,config", "", cxxopts::value<std::string>())("N,no-start", "")("q,quiet", "")("h,help", "")("V,version", "")(
        "status", "")("kill", "")("reload", "")("daemon", "")("foreground", "")("json", "");
    const auto given = parse(options, {arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(count)});
    for (const auto& [name, to] :
         {std::pair{"socket", &result.paths.socket}, {"label", &result.paths.label}, {"config", &result.paths.config}}) {
        if (!given.count(name)) continue;
        *to = given[name].as<std::string>();
        if (to->empty()) usage_error(std::string("--") + name + " needs a value");
    }
    result.no_start = given.count("no-start") > 0;
    result.quiet = given.count("quiet") > 0;
    result.foreground = given.count("foreground") > 0;
    result.json = given.count("json") > 0;
    int named = 0;
    for (const auto& [name, which] : {std::pair{"status", command::status},
                                      {"kill", command::stop},
                                      {"reload", command::reload},
                                      {"daemon", command::daemon}})
        if (given.count(name)) result.command = which, ++named;
    if (given.count("version")) result.command = command::version, named = 1;
    if (given.count("help")) result.command = command::help, named = 1;
    if (named > 1) usage_error("use only one of --status, --kill, --reload and --daemon");
    if (result.foreground && result.command != command::daemon && result.command != command::help)
        usage_error("--foreground can only be used with --daemon");
    if (result.json && result.command != command::status) usage_error("--json must come after the command");
    if (named > 0 && count < arguments.size() && result.command != command::help)
        usage_error("unexpected argument '" + arguments[count] + "'");
    return count;
}

/// Where the options of `new` end: at "--", or at the first word of the program, whose options are its own.
std::size_t own_options_of_new(const std::vector<std::string>& arguments) {
    std::size_t count = 0;
    while (count < arguments.size()) {
        const std::string& word = arguments[count];
        if (!word.starts_with('-') || word == "-" || word == "--") break;
        const bool takes_next = word.starts_with("--") ? word == "--emulator" : word.find_first_of("tncexy") == word.size() - 1;
        count += takes_next ? 2 : 1;
    }
    return std::min(count, arguments.size());
}

void parse_size(const std::string& text, invocation& result) {
    if (text == "auto") return;
    unsigned columns = 0, rows = 0;
    char x = 0, more = 0;
    if (std::sscanf(text.c_str(), "%5u%c%5u%c", &columns, &x, &rows, &more) != 3 || x != 'x' || columns < 1 || rows < 1 ||
        columns > 10'000 || rows > 10'000)
        usage_error("'" + text + "' is not a size; give COLSxROWS, such as 80x24, or auto");
    result.columns = static_cast<std::uint16_t>(columns);
    result.rows = static_cast<std::uint16_t>(rows);
}

void parse_command(const command_syntax& syntax, std::vector<std::string> arguments, invocation& result) {
    result.command = syntax.command;
    const auto dashes = syntax.command == command::new_tab
                            ? arguments.begin() + static_cast<std::ptrdiff_t>(own_options_of_new(arguments))
                            : std::find(arguments.begin(), arguments.end(), "--");
    std::vector<std::string> after_dashes;
    if (dashes != arguments.end()) {
        after_dashes.assign(dashes + (*dashes == "--" ? 1 : 0), arguments.end());
        arguments.erase(dashes, arguments.end());
    }
    cxxopts::Options options("mato");
    auto add = options.add_options();
    add("h,help", "");
    switch (syntax.command) {
    case command::new_tab:
        add("d", "")("W", "")("t", "", cxxopts::value<std::string>())("n", "", cxxopts::value<std::string>())(
            "c", "", cxxopts::value<std::string>())("e", "", cxxopts::value<std::vector<std::string>>())("x", "",
                                                                                                         cxxopts::value<int>())(
            "y", "", cxxopts::value<int>())("emulator", "", cxxopts::value<std::string>())("relay", "")("nest", "");
        break;
    case command::attach: add("r", "")("d", "")("ignore-size", "")("relay", "")("nest", ""); break;
    case command::detach: add("a", ""); break;
    case command::send: add("l", ""); break;
    case command::capture: add("S", "", cxxopts::value<std::uint32_t>())("J", "")("ansi", "")("json", ""); break;
    case command::wait:
        add("exit", "")("idle", "", cxxopts::value<std::string>())("text", "", cxxopts::value<std::string>())(
            "timeout", "", cxxopts::value<std::string>());
        break;
    case command::record: add("for", "", cxxopts::value<std::string>())("exact", "")("force", ""); break;
    case command::kill: add("t", "", cxxopts::value<std::string>()); break;
    case command::respawn: add("k", ""); break;
    case command::stop: add("now", ""); break;
    case command::daemon: add("foreground", ""); break;
    case command::log: add("f", ""); break;
    case command::ls:
    case command::clients:
    case command::events:
    case command::status: add("json", ""); break;
    default: break;
    }
    const auto given = parse(options, std::move(arguments));
    if (given.count("help")) {
        result.command = command::help;
        return;
    }
    const auto has = [&](const char* name) {
        // cxxopts throws for an option that the command does not have
        return std::any_of(given.arguments().begin(), given.arguments().end(),
                           [&](const auto& each) { return each.key() == name; });
    };
    const auto text = [&](const char* name, std::string& to) {
        if (has(name)) to = given[name].as<std::string>();
    };
    const auto cells = [&](const char* name, std::uint16_t& to) {
        if (!has(name)) return;
        const int count = given[name].as<int>();
        if (count < 1 || count > 10'000)
            usage_error(std::string("-") + name + " takes a number of cells from 1 to 10000, not " + std::to_string(count));
        to = static_cast<std::uint16_t>(count);
    };
    result.json = result.json || has("json");
    result.detached = has("d");
    result.wait = has("W");
    result.readonly = has("r");
    result.ignore_size = has("ignore-size");
    result.relay = has("relay");
    result.nest = has("nest");
    result.all = has("a");
    result.literal = has("l");
    result.now = has("now");
    result.foreground = has("foreground");
    result.follow = has("f");
    text("t", result.task);
    text("n", result.name);
    text("c", result.directory);
    text("emulator", result.emulator);
    cells("x", result.columns);
    cells("y", result.rows);
    for (const auto& each : given.arguments()) // not as<vector>: that splits values at commas
        if (each.key() == "e") {
            if (each.value().find('=') == std::string::npos || each.value().starts_with('='))
                usage_error("-e takes NAME=VALUE, not '" + each.value() + "'");
            result.environment.push_back(each.value());
        }
    const auto span = [&](const char* name, std::chrono::milliseconds& to) {
        if (!has(name)) return;
        const auto value = mato::config::parse_duration(given[name].as<std::string>());
        if (!value || *value <= std::chrono::milliseconds(0))
            usage_error("--" + std::string(name) + " takes a time such as 500ms or 2s, not '" + given[name].as<std::string>() +
                        "'");
        to = *value;
    };
    result.ansi = has("ansi");
    result.join = has("J");
    result.exit = has("exit");
    if (has("S")) result.history = given["S"].as<std::uint32_t>();
    if (has("text")) result.pattern = given["text"].as<std::string>();
    span("idle", result.idle);
    span("timeout", result.timeout);
    span("for", result.duration);
    result.exact = has("exact");
    result.force = has("force");
    result.kill_first = has("k");
    result.operands = given.unmatched();
    if (syntax.command == command::new_tab) {
        result.program = std::move(result.operands);
        result.operands.clear();
        result.program.insert(result.program.end(), after_dashes.begin(), after_dashes.end());
    } else {
        result.operands.insert(result.operands.end(), after_dashes.begin(), after_dashes.end());
    }
    if (result.operands.size() < syntax.least || result.operands.size() > syntax.most)
        usage_error("usage: mato " + std::string(syntax.usage));
    if (!result.operands.empty() && result.operands[0].empty()) // an unset variable of a script must not mean "the last one"
        usage_error("the name is empty; usage: mato " + std::string(syntax.usage));
    if (result.detached && result.wait) usage_error("-d and -W cannot be used together");
    if (syntax.command == command::wait && result.exit + (result.idle.count() > 0) + result.pattern.has_value() != 1)
        usage_error("usage: mato " + std::string(syntax.usage));
    if (syntax.command == command::resize) parse_size(result.operands[1], result);
    const bool both_or_none = syntax.command == command::kill && result.operands.empty() == result.task.empty();
    const bool both = syntax.command == command::detach && result.all && !result.operands.empty();
    if (both_or_none || both) usage_error("usage: mato " + std::string(syntax.usage));
}

} // namespace

invocation parse_command_line(const std::vector<std::string>& arguments) {
    invocation result;
    try {
        const std::size_t count = parse_global(arguments, result);
        if (count < arguments.size() && result.command != command::help)
            parse_command(find_command(arguments[count]),
                          {arguments.begin() + static_cast<std::ptrdiff_t>(count) + 1, arguments.end()}, result);
    } catch (const cxxopts::exceptions::exception& wrong) {
        usage_error(wrong.what());
    }
    return result;
}

std::string help_text() {
    std::string text = "mato: tabs that keep running when you leave\n\n"
                       "usage: mato [OPTION…] [COMMAND …]\n\n"
                       "With no command: attach to the tab used last, or open one.\n\n";
    for (const command_syntax& each : commands)
        text += "  mato " + std::string(each.usage) + "\n        " + std::string(each.text) + "\n";
    return text + "\noptions before the command:\n"
                  "  -S, --socket PATH   the daemon's socket; lock, pid file and log are in the same directory\n"
                  "  -L, --label NAME    use another daemon, whose files are in a directory of that name\n"
                  "  -f, --config FILE   the configuration for a daemon that this command starts\n"
                  "  -N, --no-start      never start a daemon\n"
                  "  -q, --quiet         print errors only\n"
                  "  -h, --help          print this text\n"
                  "  -V, --version       print the version\n"
                  "  --status, --kill, --reload, --daemon [--foreground]\n"
                  "                      the same as status, stop, reload, daemon\n\n"
                  "TAB is a tab's number, TASK/TAB by name or number, the beginning of a name, or '.' for the current tab.\n"
                  "While attached, C-\\ d detaches and C-\\ ? lists the keys.\n";
}

} // namespace mux
