// SPDX-License-Identifier: MIT
#include "completion.hpp"

namespace mux {
namespace {

// Each asks `mato completion words` for the lines of completion_lines. A name with blanks or quotes is quoted by the shell.

constexpr std::string_view bash = R"script(# mato's completion for bash: eval "$(mato completion bash)"
_mato() {
    local current=${COMP_WORDS[COMP_CWORD]} line word kind=
    local -a words=() found=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        word=${word//\\/}
        words+=("${word#[\"\']}")
    done
    while IFS= read -r line; do
        case $line in
        :*) kind=${line#:} ;;
        *) printf -v word %q "${line%%$'\t'*}" && found+=("$word") ;;
        esac
    done < <("${COMP_WORDS[0]}" completion words -- "${words[@]}" 2>/dev/null)
    [ "$current" != = ] || current=
    case $kind in
    files) compopt -o filenames && while IFS= read -r line; do found+=("$line"); done < <(compgen -f -- "$current") ;;
    directories) compopt -o filenames && while IFS= read -r line; do found+=("$line"); done < <(compgen -d -- "$current") ;;
    programs) while IFS= read -r line; do found+=("$line"); done < <(compgen -c -- "$current") ;;
    esac
    COMPREPLY=("${found[@]}")
}
complete -F _mato mato
)script";

constexpr std::string_view zsh = R"script(#compdef mato
# mato's completion for zsh: eval "$(mato completion zsh)", after compinit
_mato() {
    local -a found
    local line kind= text
    for line in "${(@f)$("$words[1]" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        text=${line#*$'\t'}
        case $line in
        '') ;;
        :*) kind=${line#:} ;;
        *) found+=("${${line%%$'\t'*}//:/\\:}${text:+:$text}") ;;
        esac
    done
    (( $#found )) && _describe mato found
    case $kind in
    files) _files ;;
    directories) _files -/ ;;
    programs) _command_names -e ;;
    esac
}
compdef _mato mato
)script";

constexpr std::string_view fish = R"script(# mato's completion for fish: mato completion fish | source
function __mato_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (command $words[1] completion words -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':directories'
                __fish_complete_directories (commandline -ct) ''
            case ':programs'
                complete -C (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c mato -f -a '(__mato_complete)'
)script";

} // namespace

std::string_view completion_script(std::string_view shell) noexcept {
    return shell == "bash" ? bash : shell == "zsh" ? zsh : shell == "fish" ? fish : std::string_view();
}

} // namespace mux
