// SPDX-License-Identifier: MIT
#include "shell.hpp"

#include <algorithm>
#include <array>

#include "protocol/ids.hpp"
#include "protocol/names.hpp"
#include "protocol/utf8_length.hpp"

#include <mato/sys.hpp>
#include <mato/unique_fd.hpp>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace mux {

namespace {

/// `configured`, $SHELL, the password file's, /bin/sh: those that are set.
std::vector<std::string> shells(const std::string& configured, const environment& variables, bool all) {
    std::vector<std::string> result;
    if (!configured.empty()) result.push_back(configured);
    if (!all && !result.empty()) return result; // the password file may be on another machine
    if (const auto at = variables.find("SHELL"); at != variables.end() && at->second.starts_with('/'))
        result.push_back(at->second);
    if (!all && !result.empty()) return result;
    std::vector<char> buffer(16'384); // getpwuid_r(3): sysconf's own suggestion is smaller
    passwd entry{}, *found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found && found->pw_shell &&
        *found->pw_shell)
        result.emplace_back(found->pw_shell);
    result.emplace_back("/bin/sh");
    return result;
}

bool can_run(const std::string& path) {
    struct stat about {};
    return ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

} // namespace

std::string login_shell(const std::string& configured, const environment& variables) {
    return shells(configured, variables, false).front();
}

std::string runnable_shell(const std::string& configured, const environment& variables, std::string& missing) {
    const std::string wanted = login_shell(configured, variables);
    if (can_run(wanted)) return wanted;
    missing = wanted;
    for (const std::string& each : shells(configured, variables, true))
        if (can_run(each)) return each;
    return wanted; // starting it then fails with the reason
}

bool needs_no_shell(const std::string& word) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+,:@-";
    if (!word.starts_with('/') || word.find_first_not_of(plain) != std::string::npos) return false;
    const mato::unique_fd file(mato::sys::open(word.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat about {};
    if (!file || ::fstat(file.get(), &about) == -1 || !S_ISREG(about.st_mode) || ::access(word.c_str(), X_OK) == -1)
        return false;
    char magic[4] = {}; // execve(2): any other file is ENOEXEC, or the shell has to decide
    const ssize_t size = mato::sys::read(file.get(), magic, sizeof magic);
    const std::string_view begins(magic, size > 0 ? static_cast<std::size_t>(size) : 0);
    return begins.starts_with("#!/") || begins == "#! /" || begins == "\177ELF";
}

bool is_shell(std::string_view command) noexcept {
    constexpr std::array<std::string_view, 14> names{"sh",   "bash", "zsh",  "fish", "dash",  "ash",    "ksh",
                                                     "mksh", "csh",  "tcsh", "nu",   "xonsh", "elvish", "pwsh"};
    return std::find(names.begin(), names.end(), command.substr(command.rfind('/') + 1)) != names.end();
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
    return check_name(name).empty() ? name : "tab";
}

} // namespace mux
