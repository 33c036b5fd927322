// SPDX-License-Identifier: MIT
#include "shell_marks.hpp"

#include "shell.hpp"

#include <mato/sys.hpp>
#include <mato/unique_fd.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace mux {
namespace {

/// PROMPT_COMMAND of a tab's bash until its first prompt.
constexpr std::string_view bash_loader = R"sh(eval "${MATO_SHELL_MARKS-}")sh";

constexpr std::string_view bash_script = R"sh(
if [[ $- == *i* && -z ${__mato_ran+x} && "${PS0-}${PS1-}${PROMPT_COMMAND[*]-}" != *'133;'* ]]; then
    __mato_ran=
    __mato_begin() {
        local code=$?
        [[ -z $__mato_ran ]] || builtin printf '\e]133;D;%s\e\\' "$code"
        __mato_ran=
        return "$code"
    }
    __mato_end() {
        local LC_ALL=C path= rest=$PWD char
        while [[ -n $rest ]]; do
            char=${rest:0:1} rest=${rest:1}
            if [[ $char == [a-zA-Z0-9/._~-] ]]; then path+=$char; else
                builtin printf -v char '%%%02X' "'$char"
                path+=%${char: -2}
            fi
        done
        builtin printf '\e]7;file://%s%s\e\\' "${HOSTNAME-}" "$path"
        [[ $PS1 == *'133;B'* ]] || PS1='\[\e]133;A\a\]'$PS1'\[\e]133;B\a\]'
    }
    PS0=${PS0-}'\e]133;C\a${__mato_ran:$((__mato_ran=1,0)):0}'
    if [[ ${PROMPT_COMMAND@a} == *a* ]]; then
        PROMPT_COMMAND=(__mato_begin "${PROMPT_COMMAND[@]}" __mato_end)
    else
        PROMPT_COMMAND=__mato_begin${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}$'\n'__mato_end
    fi
fi
)sh";

/// What the loader runs: the script, after the loader has been taken out of PROMPT_COMMAND. A ':' stands in for it, because
/// words that a start file has added may follow.
constexpr std::string_view bash_begin = R"sh(
__mato_code=$?
unset MATO_SHELL_MARKS
__mato_loader='eval "${MATO_SHELL_MARKS-}"'
if [[ ${PROMPT_COMMAND@a} == *a* ]]; then
    PROMPT_COMMAND=("${PROMPT_COMMAND[@]//"$__mato_loader"/:}")
else
    PROMPT_COMMAND=${PROMPT_COMMAND//"$__mato_loader"/:}
fi
[[ -n ${MATO_PROMPT_COMMAND_IS_EXPORTED-} ]] || export -n PROMPT_COMMAND
unset MATO_PROMPT_COMMAND_IS_EXPORTED __mato_loader
)sh";
constexpr std::string_view bash_after = R"sh(
[[ -z ${__mato_ran+x} ]] || __mato_end
( exit "$__mato_code" )
)sh";

constexpr std::string_view zsh_script = R"sh(
if [[ -o interactive && -z ${__mato_ran+x} && "${PS1-}" != *'133;'* ]]; then
    typeset -g __mato_ran= __mato_sp=
    __mato_begin() {
        local code=$?
        [[ -z $__mato_ran ]] || print -n "\e]133;D;$code\e\\"
        __mato_ran=
        if [[ -o prompt_sp ]]; then # zsh has shown the mark of a line without its end already, before the end of the output
            __mato_sp=1
            unsetopt prompt_sp
        elif [[ -n $__mato_sp ]]; then
            print -nP -- "${PROMPT_EOL_MARK-%B%S%#%s%b}"
            print -n -- "${(l:COLUMNS-1:: :)}"$'\r \r'
        fi
        precmd_functions=(${precmd_functions:#__mato_end} __mato_end)
    }
    __mato_end() {
        emulate -L zsh
        setopt extended_glob
        local LC_ALL=C match mbegin mend
        print -rn -- $'\e]7;file://'"${HOST-}${PWD//(#m)[^a-zA-Z0-9\/._~-]/%${(l:2::0:)$(([##16]#MATCH))}}"$'\e\\'
        [[ $PS1 == *'133;B'* ]] || PS1=$'%{\e]133;A\e\\%}'$PS1$'%{\e]133;B\e\\%}'
    }
    __mato_output() {
        print -n '\e]133;C\e\\'
        __mato_ran=1
    }
    typeset -ga precmd_functions preexec_functions
    precmd_functions=(__mato_begin $precmd_functions __mato_end)
    preexec_functions+=(__mato_output)
fi
)sh";

constexpr std::string_view zsh_begin =
    R"sh(# Written by mato: restores ZDOTDIR and has zsh mark its prompts. It is written again when a tab needs it.
if [[ -n ${MATO_ZDOTDIR+x} ]]; then
    export ZDOTDIR=$MATO_ZDOTDIR
    unset MATO_ZDOTDIR
else
    unset ZDOTDIR
fi
[[ ! -r ${ZDOTDIR-$HOME}/.zshenv ]] || source ${ZDOTDIR-$HOME}/.zshenv
)sh";

constexpr std::string_view fish_script = R"sh(
if status is-interactive; and not set -q __mato_marks; and string match -qr '^[0-3]\.' $version
    set -g __mato_marks 1
    function __mato_begin --on-event fish_prompt
        printf '\e]133;A\e\\'
    end
    function __mato_output --on-event fish_preexec
        printf '\e]133;C\e\\'
    end
    function __mato_end --on-event fish_postexec
        printf '\e]133;D;%s\e\\' $status
    end
    function __mato_directory --on-variable PWD
        printf '\e]7;file://%s%s\e\\' $hostname (string escape --style=url -- $PWD)
    end
    __mato_directory
    functions -c fish_prompt __mato_prompt
    function fish_prompt
        __mato_prompt
        printf '\e]133;B\e\\'
    end
end
)sh";

/// The value of a variable of `environment`; null: it is not set.
std::string* variable_in(std::vector<std::string>& environment, std::string_view name) {
    for (std::string& each : environment)
        if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=') return &each;
    return nullptr;
}

void load_in_bash(spawn_request& program) {
    std::string marks("MATO_SHELL_MARKS=");
    marks.append(bash_begin).append(bash_script).append(bash_after);
    if (std::string* const own = variable_in(program.environment, "PROMPT_COMMAND")) {
        own->append("\n").append(bash_loader);
        program.environment.push_back("MATO_PROMPT_COMMAND_IS_EXPORTED=1");
    } else {
        program.environment.push_back(std::string("PROMPT_COMMAND=").append(bash_loader));
    }
    program.environment.push_back(std::move(marks));
}

bool has_content(const std::string& path, std::string_view wanted) {
    const mato::unique_fd file(mato::sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    std::string found(wanted.size() + 1, '\0');
    const ssize_t got = file ? mato::sys::read(file.get(), found.data(), found.size()) : -1;
    return got >= 0 && std::string_view(found).substr(0, static_cast<std::size_t>(got)) == wanted;
}

/// Another daemon's tab may read it meanwhile: it is written under another name, and renamed.
bool write_whole(const std::string& path, std::string_view text) {
    const std::string next = path + "~";
    const mato::unique_fd file(mato::sys::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    if (!file) return false;
    const ssize_t put = mato::sys::write(file.get(), text.data(), text.size());
    return put == static_cast<ssize_t>(text.size()) && mato::sys::rename(next.c_str(), path.c_str()) == 0;
}

void load_in_zsh(spawn_request& program, const std::string& directory) {
    if (mato::sys::mkdir(directory.c_str(), 0700) == -1 && errno != EEXIST) return;
    const std::string file = directory + "/.zshenv", text = std::string(zsh_begin).append(zsh_script);
    if (!has_content(file, text) && !write_whole(file, text)) return;
    if (std::string* const own = variable_in(program.environment, "ZDOTDIR")) {
        program.environment.push_back("MATO_" + *own);
        *variable_in(program.environment, "ZDOTDIR") = "ZDOTDIR=" + directory;
    } else {
        program.environment.push_back("ZDOTDIR=" + directory);
    }
}

} // namespace

marking_shell marking_shell_of(std::string_view program) noexcept {
    const std::string_view name = program.substr(program.rfind('/') + 1);
    return name == "bash"   ? marking_shell::bash
           : name == "zsh"  ? marking_shell::zsh
           : name == "fish" ? marking_shell::fish
                            : marking_shell::none;
}

std::string_view shell_marks(marking_shell shell) noexcept {
    switch (shell) {
    case marking_shell::bash: return bash_script;
    case marking_shell::zsh: return zsh_script;
    case marking_shell::fish: return fish_script;
    case marking_shell::none: break;
    }
    return {};
}

bool loads_shell_marks(const spawn_request& program) noexcept {
    return program.argv.size() == 1 && marking_shell_of(program.program) != marking_shell::none;
}

void load_shell_marks(spawn_request& program, const std::string& directory) {
    if (program.argv.size() != 1) return;
    switch (marking_shell_of(program.program)) {
    case marking_shell::bash: return load_in_bash(program);
    case marking_shell::zsh: return load_in_zsh(program, directory);
    case marking_shell::fish: program.argv.insert(program.argv.end(), {"-C", std::string(fish_script)}); return;
    case marking_shell::none: return;
    }
}

} // namespace mux
