// SPDX-License-Identifier: MIT
#include "environment.hpp"

#include <algorithm>

namespace mux {

environment parse_environment(const std::vector<std::string>& items) {
    environment result;
    for (const std::string& item : items)
        if (const auto equals = item.find('='); equals != std::string::npos && equals > 0)
            result[item.substr(0, equals)] = item.substr(equals + 1);
    return result;
}

std::vector<std::string> to_strings(const environment& variables) {
    std::vector<std::string> result;
    for (const auto& [name, value] : variables) result.push_back(name + "=" + value);
    return result;
}

void update(environment& base, const std::vector<std::string>& names, const std::vector<std::string>& client) {
    for (const std::string& item : client) {
        const auto equals = item.find('=');
        const std::string name = item.substr(0, equals);
        if (std::find(names.begin(), names.end(), name) == names.end()) continue;
        if (equals == std::string::npos)
            base.erase(name);
        else
            base[name] = item.substr(equals + 1);
    }
}

environment for_tab(environment base, std::string_view socket, int daemon_pid, tab_id tab,
                    const std::vector<std::string>& extra) {
    for (const char* name : {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
                             "TMUX", "TMUX_PANE", "STY", "WINDOW", "LINES", "COLUMNS"})
        base.erase(name);
    base["MATO"] = std::string(socket) + "," + std::to_string(daemon_pid) + "," + std::to_string(tab);
    base["MATO_TAB"] = std::to_string(tab);
    base["TERM"] = "xterm-256color";
    base["COLORTERM"] = "truecolor";
    for (auto& [name, value] : parse_environment(extra)) base[name] = value;
    return base;
}

} // namespace mux
