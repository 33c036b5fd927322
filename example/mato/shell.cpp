// SPDX-License-Identifier: MIT
#include "shell.hpp"

#include "utf8.hpp"
#include "workspace.hpp"

#include <pwd.h>
#include <unistd.h>

#include <vector>

namespace mux {

std::string login_shell(const std::string& configured, const environment& variables) {
    if (!configured.empty()) return configured;
    if (const auto at = variables.find("SHELL"); at != variables.end() && at->second.starts_with('/')) return at->second;
    std::vector<char> buffer(16'384); // getpwuid_r(3): sysconf's own suggestion is smaller
    passwd entry{}, *found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found && found->pw_shell &&
        *found->pw_shell)
        return found->pw_shell;
    return "/bin/sh";
}

std::string base_name(std::string_view path) {
    const auto slash = path.rfind('/');
    return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string tab_name_for(std::string_view command) {
    constexpr std::size_t longest = 32;
    const auto word = command.substr(0, command.find_first_of(" \t\n;|&<>"));
    const std::string whole = base_name(word);
    std::string name;
    for (std::string_view rest = whole; const std::size_t size = utf8_length(rest); rest.remove_prefix(size)) {
        if (name.size() + size > longest) break;
        name += rest.substr(0, size);
    }
    return workspace::check_name(name).empty() ? name : "tab";
}

} // namespace mux
