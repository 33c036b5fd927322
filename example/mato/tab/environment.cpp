// SPDX-License-Identifier: MIT
#include "environment.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <array>

namespace mux {
namespace {

/// Variables about the service manager, the multiplexer or the terminal in which the daemon was started. They are wrong in a
/// tab, which is another terminal and outlives that one.
constexpr std::array<std::string_view, 51> foreign{
    // service manager
    "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
    // multiplexers
    "TMUX", "TMUX_PANE", "STY", "WINDOW", "ABDUCO_SESSION", "ABDUCO_SOCKET", "ZELLIJ",
    // the terminal: its size, name, version, window and features
    "LINES", "COLUMNS", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TERM_SESSION_ID", "TERM_FEATURES", "TERMCAP", "TERMINFO",
    "TERMINFO_DIRS", "TERMINAL_EMULATOR", "TERMINAL_NAME", "TERMINAL_VERSION_STRING", "TERMINAL_VERSION_TRIPLE", "COLORFGBG",
    "WINDOWID", "VTE_VERSION", "SHELL_SESSION_ID", "WT_SESSION", "WT_PROFILE_ID", "XTERM_VERSION", "XTERM_LOCALE",
    "XTERM_SHELL", "RXVT_SOCKET", "TERMINOLOGY", "TILIX_ID", "ROXTERM_ID", "ROXTERM_NUM", "ROXTERM_PID", "TERMINATOR_UUID",
    "TERMINATOR_DBUS_NAME", "TERMINATOR_DBUS_PATH", "MINTTY_SHORTCUT", "CONTOUR_PROFILE", "INSIDE_EMACS", "VIM_TERMINAL",
    "NVIM", "VSCODE_INJECTION", "VSCODE_NONCE"};

/// Prefixes of names, for terminals that set several variables.
constexpr std::array<std::string_view, 15> foreign_beginnings{
    "KITTY_",  "WEZTERM_", "ITERM_", "KONSOLE_", "LC_TERMINAL", "GNOME_TERMINAL_", "ALACRITTY_", "GHOSTTY_",
    "PTYXIS_", "GUAKE_",   "WARP_",  "ConEmu",   "ZELLIJ_",     "VSCODE_SHELL_",   "YAKUAKE_"};

bool is_foreign(std::string_view name) noexcept {
    return std::find(foreign.begin(), foreign.end(), name) != foreign.end() ||
           std::any_of(foreign_beginnings.begin(), foreign_beginnings.end(),
                       [&](std::string_view each) { return name.starts_with(each); });
}

} // namespace

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
    std::erase_if(base, [](const auto& each) { return is_foreign(each.first); });
    base["MATO"] = std::string(socket) + "," + std::to_string(daemon_pid) + "," + std::to_string(tab);
    base["MATO_TAB"] = std::to_string(tab);
    base["TERM"] = "xterm-256color";
    base["COLORTERM"] = "truecolor";
    base["TERM_PROGRAM"] = "mato";
    base["TERM_PROGRAM_VERSION"] = MATO_VERSION_STRING;
    for (auto& [name, value] : parse_environment(extra)) base[name] = value;
    return base;
}

} // namespace mux
