// SPDX-License-Identifier: MIT
#include "tmux_words.hpp"

#include "option_values.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <span>
#include <string_view>
#include <utility>

namespace mux {
namespace {

using tmux_line = std::vector<std::string>;

/// A command of tmux that was parsed as getopt(3) does it.
struct tmux_call {
    std::string_view name;
    std::multimap<char, std::string> options;
    tmux_line rest;
    run_where where;

    [[nodiscard]] bool has(char letter) const { return options.contains(letter); }
    [[nodiscard]] std::string value(char letter, std::string fallback = {}) const {
        const auto at = options.find(letter);
        return at == options.end() ? fallback : at->second;
    }
};

[[noreturn]] void no_counterpart(std::string_view command, const std::string& part, std::string_view instead) {
    usage_error("tmux's '" + std::string(command) + (part.empty() ? "" : " " + part) + "' has no counterpart" +
                (instead.empty() ? "" : "; " + std::string(instead)));
}

/// "SESSION:WINDOW.PANE" as TASK/TAB.
std::string tab_named(const tmux_call& call, std::string text) {
    if (text.empty()) {
        if (call.where == run_where::inside) return ".";
        usage_error("'" + std::string(call.name) + "' needs a target, -t TASK or -t TASK:TAB, outside of a tab");
    }
    if (text.find_first_of("%@${!") == 0)
        usage_error("the target '" + text + "' is tmux's own; name TASK:TAB, or a tab as 'mato ls' lists it");
    if (text[0] == '=') text.erase(0, 1);
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return text;
    std::string task = text.substr(0, colon), tab = text.substr(colon + 1);
    if (!task.empty() && task[0] == '=') task.erase(0, 1);
    const std::size_t dot = tab.rfind('.');
    if (dot != std::string::npos && tab.find_first_not_of("0123456789", dot + 1) == std::string::npos) tab.erase(dot);
    if (tab.empty()) return task;
    return task.empty() ? tab : task + "/" + tab;
}

std::string target_of(const tmux_call& call) { return tab_named(call, call.value('t')); }

void add(tmux_line& to, std::initializer_list<std::string> words) { to.insert(to.end(), words); }

/// The options with which tabs are opened.
void add_opening(tmux_line& to, const tmux_call& call) {
    for (const char each : {'n', 'c', 'x', 'y'})
        if (call.has(each)) add(to, {std::string("-") + each, call.value(each)});
    for (auto [at, end] = call.options.equal_range('e'); at != end; ++at) add(to, {"-e", at->second});
    if (call.rest.empty()) return;
    to.emplace_back("--");
    to.insert(to.end(), call.rest.begin(), call.rest.end());
}

tmux_line new_session(const tmux_call& call) {
    tmux_line line{"new"};
    if (call.has('A'))
        line.emplace_back("-A");
    else if (call.has('d'))
        line.emplace_back("-d");
    if (call.has('s')) add(line, {"-t", call.value('s')});
    add_opening(line, call);
    return line;
}

/// tmux shows the new window in the session's clients; from outside none is known.
tmux_line new_window(const tmux_call& call) {
    tmux_line line{"new"};
    if (call.has('d') || call.where == run_where::outside) line.emplace_back("-d");
    if (call.has('t')) {
        const std::string target = target_of(call);
        add(line, {"-t", target.substr(0, target.find('/'))});
    }
    add_opening(line, call);
    return line;
}

tmux_line attach_session(const tmux_call& call) {
    tmux_line line{"attach"};
    for (const char each : {'d', 'r'})
        if (call.has(each)) line.push_back(std::string("-") + each);
    if (call.has('t')) line.push_back(target_of(call));
    return line;
}

tmux_line detach_client(const tmux_call& call) {
    tmux_line line{"detach"};
    if (call.has('a')) line.emplace_back("--others");
    if (call.has('s')) add(line, {"-t", call.value('s')});
    if (call.has('t')) add(line, {"-c", call.value('t')});
    if (call.has('P')) line.emplace_back("-P");
    if (call.has('E')) add(line, {"-E", call.value('E')});
    return line;
}

tmux_line switch_client(const tmux_call& call) {
    tmux_line line{"switch"};
    if (call.has('c')) add(line, {"-c", call.value('c')});
    line.push_back(call.has('l') ? "-" : target_of(call));
    return line;
}

tmux_line send_keys(const tmux_call& call) {
    tmux_line line{"send"};
    if (call.has('l')) line.emplace_back("-l");
    add(line, {"--", target_of(call)});
    line.insert(line.end(), call.rest.begin(), call.rest.end());
    return line;
}

tmux_line capture_pane(const tmux_call& call) {
    if (!call.has('p')) usage_error("'capture-pane' without -p fills a buffer; use 'mato capture TAB | mato buffer set NAME'");
    tmux_line line{"capture"};
    if (call.has('J')) line.emplace_back("-J");
    if (call.has('e')) line.emplace_back("--ansi");
    if (const std::string start = call.value('S'); start == "-")
        add(line, {"-S", std::to_string(std::numeric_limits<std::uint32_t>::max())});
    else if (start.starts_with('-'))
        add(line, {"-S", start.substr(1)});
    else if (start.find_first_not_of('0') != std::string::npos)
        no_counterpart(call.name, "-S " + start, "-S takes -LINES, or - for all lines of history");
    line.push_back(target_of(call));
    return line;
}

tmux_line rename_to(const tmux_call& call) {
    if (call.rest.size() != 1) usage_error("usage: " + std::string(call.name) + " [-t TARGET] NAME");
    return {"rename", target_of(call), call.rest[0]};
}

tmux_line kill_session(const tmux_call& call) { return {"kill", "-t", call.value('t', target_of(call))}; }
tmux_line kill_window(const tmux_call& call) {
    if (call.has('a')) return {"kill", "--others"};
    return {"kill", target_of(call)};
}

tmux_line channel_for(const tmux_call& call) {
    if (call.rest.size() != 1) usage_error("usage: " + std::string(call.name) + " [-S] CHANNEL");
    return {"channel", call.has('S') ? "signal" : "wait", call.rest[0]};
}

tmux_line respawn(const tmux_call& call) {
    tmux_line line{"respawn"};
    if (call.has('k')) line.emplace_back("-k");
    line.push_back(target_of(call));
    return line;
}

tmux_line resize_window(const tmux_call& call) {
    if (call.has('A')) return {"resize", target_of(call), "auto"};
    if (!call.has('x') || !call.has('y')) usage_error("'" + std::string(call.name) + "' needs -x COLUMNS and -y ROWS, or -A");
    return {"resize", target_of(call), call.value('x') + "x" + call.value('y')};
}

tmux_line display_message(const tmux_call& call) {
    std::string text;
    for (const std::string& each : call.rest) text += (text.empty() ? "" : " ") + each;
    tmux_line line{"notice"};
    if (call.has('t')) add(line, {"--tab", target_of(call)});
    add(line, {"--", text});
    return line;
}

std::string buffer_of(const tmux_call& call) { return call.value('b', "copied"); }
tmux_line set_buffer(const tmux_call& call) {
    if (call.rest.size() != 1) usage_error("usage: " + std::string(call.name) + " [-b NAME] TEXT");
    return {"buffer", "--", "set", buffer_of(call), call.rest[0]};
}
tmux_line load_buffer(const tmux_call& call) {
    if (call.rest.size() != 1 || call.rest[0] != "-")
        no_counterpart(call.name, "FILE", "use 'mato buffer set NAME < FILE', or - for standard input");
    return {"buffer", "set", buffer_of(call)};
}
tmux_line save_buffer(const tmux_call& call) {
    if (call.rest.size() != 1 || call.rest[0] != "-")
        no_counterpart(call.name, "FILE", "use 'mato buffer get NAME > FILE', or - for standard output");
    return {"buffer", "get", buffer_of(call)};
}
tmux_line paste_buffer(const tmux_call& call) { return {"buffer", "paste", buffer_of(call), target_of(call)}; }

/// `letters`: the options with a meaning here, as for getopt(3).
struct tmux_command {
    std::string_view name, alias, letters, instead;
    tmux_line (*as_mato)(const tmux_call&) = nullptr; ///< null: there is no counterpart
};

constexpr std::string_view no_panes = "a tab is one program; open another tab, or another terminal";
constexpr std::string_view by_key = "it is a key of an attached client; C-\\ ? lists the keys";
constexpr std::string_view by_config = "mato has a configuration file; see 'Configure it' in the manual";

constexpr std::array tmux_commands{
    tmux_command{"new-session", "", "dAs:n:c:e:x:y:", "see 'mato help new'", new_session},
    tmux_command{"new-window", "neww", "dn:c:e:t:", "see 'mato help new'", new_window},
    tmux_command{"attach-session", "at", "drt:", "see 'mato help attach'", attach_session},
    tmux_command{"list-sessions", "", "", "see 'mato ls --json'", [](const tmux_call&) { return tmux_line{"ls"}; }},
    tmux_command{"list-windows", "lsw", "at:", "see 'mato ls --json'", [](const tmux_call&) { return tmux_line{"ls"}; }},
    tmux_command{"list-panes", "lsp", "ast:", "see 'mato ls --json'", [](const tmux_call&) { return tmux_line{"ls"}; }},
    tmux_command{"list-clients", "lsc", "t:", "see 'mato clients --json'",
                 [](const tmux_call&) { return tmux_line{"clients"}; }},
    tmux_command{"has-session", "", "t:", "",
                 [](const tmux_call& call) {
                     return tmux_line{"has", target_of(call)};
                 }},
    tmux_command{"detach-client", "", "as:t:E:P", "see 'mato help detach'", detach_client},
    tmux_command{"switch-client", "switchc", "c:lt:", "see 'mato help switch'", switch_client},
    tmux_command{"select-window", "selectw", "t:", "",
                 [](const tmux_call& call) {
                     return tmux_line{"switch", target_of(call)};
                 }},
    tmux_command{"last-window", "last", "", "",
                 [](const tmux_call&) {
                     return tmux_line{"switch", "-"};
                 }},
    tmux_command{"send-keys", "", "lt:", "see 'mato help send'", send_keys},
    tmux_command{"capture-pane", "capturep", "pJeS:t:", "see 'mato help capture'", capture_pane},
    tmux_command{"rename-session", "", "t:", "", rename_to},
    tmux_command{"rename-window", "renamew", "t:", "", rename_to},
    tmux_command{"kill-session", "", "t:", "see 'mato help kill'", kill_session},
    tmux_command{"kill-window", "killw", "at:", "see 'mato help kill'", kill_window},
    tmux_command{"kill-pane", "killp", "t:", "see 'mato help kill'", kill_window},
    tmux_command{"kill-server", "", "", "", [](const tmux_call&) { return tmux_line{"stop"}; }},
    tmux_command{"start-server", "", "", "", [](const tmux_call&) { return tmux_line{"daemon"}; }},
    tmux_command{"source-file", "source", "", "", [](const tmux_call&) { return tmux_line{"reload"}; }},
    tmux_command{"wait-for", "", "S", "channels have no locks", channel_for},
    tmux_command{"respawn-window", "respawnw", "kt:", "see 'mato help respawn'", respawn},
    tmux_command{"respawn-pane", "respawnp", "kt:", "see 'mato help respawn'", respawn},
    tmux_command{"resize-window", "resizew", "At:x:y:", "see 'mato help resize'", resize_window},
    tmux_command{"display-message", "display", "t:", "for what -p and formats print, see 'mato ls --json'", display_message},
    tmux_command{"set-buffer", "setb", "b:", "", set_buffer},
    tmux_command{"show-buffer", "showb", "b:", "",
                 [](const tmux_call& call) {
                     return tmux_line{"buffer", "get", buffer_of(call)};
                 }},
    tmux_command{"delete-buffer", "deleteb", "b:", "",
                 [](const tmux_call& call) {
                     return tmux_line{"buffer", "rm", buffer_of(call)};
                 }},
    tmux_command{"list-buffers", "lsb", "", "see 'mato buffer ls --json'",
                 [](const tmux_call&) {
                     return tmux_line{"buffer", "ls"};
                 }},
    tmux_command{"load-buffer", "loadb", "b:", "", load_buffer},
    tmux_command{"save-buffer", "saveb", "b:", "", save_buffer},
    tmux_command{"paste-buffer", "pasteb", "b:pt:", "see 'mato help buffer'", paste_buffer},
    tmux_command{"list-commands", "lscm", "", "", [](const tmux_call&) { return tmux_line{"help"}; }},
    tmux_command{"split-window", "splitw", "", no_panes},
    tmux_command{"select-pane", "selectp", "", no_panes},
    tmux_command{"resize-pane", "resizep", "", no_panes},
    tmux_command{"swap-pane", "swapp", "", no_panes},
    tmux_command{"join-pane", "joinp", "", no_panes},
    tmux_command{"break-pane", "breakp", "", no_panes},
    tmux_command{"select-layout", "selectl", "", no_panes},
    tmux_command{"next-window", "next", "", by_key},
    tmux_command{"previous-window", "prev", "", by_key},
    tmux_command{"copy-mode", "", "", by_key},
    tmux_command{"choose-tree", "", "", by_key},
    tmux_command{"command-prompt", "", "", by_key},
    tmux_command{"list-keys", "lsk", "", by_key},
    tmux_command{"bind-key", "", "", by_config},
    tmux_command{"unbind-key", "", "", by_config},
    tmux_command{"set-option", "", "", by_config},
    tmux_command{"set-window-option", "setw", "", by_config},
    tmux_command{"show-options", "", "", by_config},
};

/// The options at the beginning, as getopt(3) reads them.
tmux_call parsed(const tmux_command& known, std::span<const std::string> words, run_where where) {
    tmux_call call{known.name, {}, {}, where};
    std::size_t at = 0;
    for (; at < words.size() && words[at].size() > 1 && words[at][0] == '-'; ++at) {
        const std::string& word = words[at];
        if (word == "--") {
            ++at;
            break;
        }
        for (std::size_t i = 1; i < word.size(); ++i) {
            const std::size_t place = known.letters.find(word[i]);
            if (word[i] == ':' || place == std::string_view::npos)
                no_counterpart(known.name, std::string("-") + word[i], known.instead);
            if (place + 1 == known.letters.size() || known.letters[place + 1] != ':') {
                call.options.emplace(word[i], "");
                continue;
            }
            if (i + 1 == word.size() && at + 1 == words.size())
                usage_error("'" + std::string(known.name) + "' -" + word[i] + " needs a value");
            call.options.emplace(word[i], i + 1 < word.size() ? word.substr(i + 1) : words[++at]);
            break;
        }
    }
    call.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    return call;
}

} // namespace

std::optional<std::vector<std::string>> from_tmux(const std::vector<std::string>& words, run_where where) {
    if (words.empty()) return std::nullopt;
    const auto known = std::find_if(tmux_commands.begin(), tmux_commands.end(), [&](const tmux_command& each) {
        return words[0] == each.name || (!each.alias.empty() && words[0] == each.alias);
    });
    if (known == tmux_commands.end()) return std::nullopt;
    if (!known->as_mato) no_counterpart(known->name, {}, known->instead);
    return known->as_mato(parsed(*known, std::span(words).subspan(1), where));
}

} // namespace mux
