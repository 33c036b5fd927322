#!/bin/sh
# What including the toolkit brings along: headers.sh WORK_DIRECTORY STEP, CXX says which compiler.
#   macros            only names that ARCHITECTURE.md documents stay defined
#   snippets          the samples of all documents compile
#   cost [--write]    preprocessed lines, against test/include_cost.txt, which --write makes anew
set -eu
work=$1
step=$2
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cxx=${CXX:-g++}
committed=$root/test/include_cost.txt
mkdir -p "$work"

preprocess() { # INCLUDE_DIRECTORY FLAGS…: standard input
    directory=$1
    shift
    $cxx -std=c++20 -I"$root/$directory" "$@" -E -x c++ -
}
lines() { # HEADER…: without blank lines and line markers
    printf '#include <%s>\n' "$@" | preprocess include >"$work/lines.txt"
    if grep -q 'namespace MATO_ABI' "$work/lines.txt"; then # a header that does not see abi.hpp
        echo "MATO_ABI is not defined where these use it: $*" >&2
        exit 1
    fi
    grep -vcE '^#|^[[:space:]]*$' "$work/lines.txt"
}

case $step in
snippets) # every ```cpp block of the documents is a file that compiles
    count=0
    for document in $(cd "$root" && find . -name '*.md' -not -path './build*' -not -path './.git/*' | sort); do
        [ "$document" = ./README.md ] && continue # its samples are parts of programs that run: documents_test
        rm -f "$work"/snippet-*.cpp
        awk -v base="$work/snippet-" '/^```cpp$/ { file = base (++n) ".cpp"; printf "" >file; next }
            /^```/ { file = ""; next } file { print >>file }' "$root/$document"
        for snippet in "$work"/snippet-*.cpp; do
            [ -e "$snippet" ] || continue
            count=$((count + 1))
            $cxx -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I"$root/include" -I"$root/example/mato" \
                -fsyntax-only "$snippet" || { echo "a sample of $document does not compile" >&2; exit 1; }
        done
    done
    [ "$count" -ge 1 ] || { echo "only $count samples found" >&2; exit 1; }
    ;;
macros)
    broken=0
    for directory in include single_include; do
        echo '#include <mato/mato.hpp>' | preprocess $directory -DMATO_WITH_TOML -dD >"$work/macros.txt"
        # Markers name the file a line comes from. A macro counts when one of our files defines it and none undefines it.
        awk -v ours="$root/$directory/mato/" '
            /^# [0-9]+ "/ { split($0, part, "\""); here = index(part[2], ours) == 1; next }
            here && /^#define / { split($2, part, "("); left[part[1]] = 1 }
            /^#undef / { delete left[$2] }
            END { for (name in left) print name }' "$work/macros.txt" | sort >"$work/left.txt"
        [ "$(wc -l <"$work/left.txt")" -ge 10 ] || { echo "too few macros of $directory: the check sees nothing" >&2; exit 1; }
        while read -r name; do
            case $name in
            MATO_HAS_*) grep -q "^#define $name " "$root/include/mato/detail/platform.hpp" && continue ;;
            MATO_*) grep -qF "\`$name\`" "$root/ARCHITECTURE.md" && continue ;;
            esac
            echo "$directory leaves a macro that ARCHITECTURE.md does not name: $name" >&2
            broken=1
        done <"$work/left.txt"
    done
    exit $broken
    ;;
cost)
    # Per mille of what asio/io_context.hpp costs with the same compiler and library.
    unit=$(lines asio/io_context.hpp)
    core=$(cd "$root/include" && grep -LE '#include (<asio|<toml|"(connection|server|broadcast|daemon|policies)\.hpp)' mato/*.hpp | grep -v mato/mato.hpp)
    : >"$work/cost.txt"
    # shellcheck disable=SC2086
    echo "core $(($(lines $core) * 1000 / unit))" >>"$work/cost.txt"
    for header in $(cd "$root/include" && ls mato/*.hpp); do echo "$header $(($(lines "$header") * 1000 / unit))" >>"$work/cost.txt"; done
    if [ "${3:-}" = --write ]; then
        cp "$work/cost.txt" "$committed"
        exit 0
    fi
    # 15 parts in a hundred over the committed number, or two per mille of io_context.hpp for what costs next to nothing.
    awk 'NR == FNR { committed[$1] = $2; next }
        !($1 in committed) { print $1 " is not in test/include_cost.txt: sh test/headers.sh /tmp/cost cost --write"; bad = 1; next }
        $2 > committed[$1] * 1.15 + 2 { print $1 " costs " $2 ", was " committed[$1] " thousandths of asio/io_context.hpp"; bad = 1 }
        $1 == "mato/mato.hpp" && $2 > 1500 { print "the umbrella costs more than 1.5 times asio/io_context.hpp"; bad = 1 }
        END { exit bad }' "$committed" "$work/cost.txt" >&2
    ;;
esac
