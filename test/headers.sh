#!/bin/sh
# The effects of including the toolkit: headers.sh WORK_DIRECTORY STEP; CXX is the compiler.
#   macros            only macros that ARCHITECTURE.md documents stay defined
#   snippets          the samples of all documents and of the headers' comments compile
#   cost [--write]    preprocessed lines, compared with test/include_cost.txt, which --write replaces
#   seconds           prints compile times relative to asio/io_context.hpp; not a test
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
    if grep -q 'namespace MATO_ABI' "$work/lines.txt"; then # a header that does not include abi.hpp
        echo "MATO_ABI is not defined where these use it: $*" >&2
        exit 1
    fi
    grep -vcE '^#|^[[:space:]]*$' "$work/lines.txt"
}

headers=$(cd "$root/include" && ls mato/*.hpp)
policies=$(cd "$root/include" && grep -l '^/// Layer: 2' $headers | grep -v mato/config.hpp)
core="$policies mato/policies.hpp mato/client.hpp mato/service.hpp" # the headers of the target mato::core

case $step in
snippets) # every ```cpp block of the documents is a file that compiles
    count=0
    for document in $(cd "$root" && find . -name '*.md' -not -path './build*' -not -path './.git/*' | sort); do
        case $document in ./README.md | ./docs/*) continue ;; esac # their samples are parts of programs, see documents_test
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
    count=0
    for header in $headers; do # each block of a comment is the body of a function
        awk -v header="$header" 'BEGIN { print "#include <" header ">\n#include <cstdio>\n#include <unistd.h>" }
            /^\/\/\/ ```cpp$/ { printf "void sample_%d() {\n", ++n; on = 1; next }
            /^\/\/\/ ```$/ { if (on) print "}"; on = 0; next }
            on { sub(/^\/\/\/ ?/, ""); print }' "$root/include/$header" >"$work/snippet.cpp"
        grep -q '^void sample' "$work/snippet.cpp" || continue
        count=$((count + 1))
        $cxx -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I"$root/include" -fsyntax-only "$work/snippet.cpp" ||
            { echo "a sample in $header does not compile" >&2; exit 1; }
    done
    [ "$count" -ge 3 ] || { echo "only $count headers with samples found" >&2; exit 1; }
    ;;
macros)
    broken=0
    for directory in include single_include; do
        echo '#include <mato/mato.hpp>' | preprocess $directory -DMATO_WITH_TOML -dD >"$work/macros.txt"
        # Line markers name the source file. A macro counts if one of our files defines it and none undefines it.
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
    # Per mille of the cost of asio/io_context.hpp with the same compiler and library: alone, and after it.
    unit=$(lines asio/io_context.hpp)
    cost() { # NAME HEADER…
        name=$1
        shift
        echo "$name $(($(lines "$@") * 1000 / unit)) $((($(lines asio/io_context.hpp "$@") - unit) * 1000 / unit))"
    }
    # shellcheck disable=SC2086
    cost core $core >"$work/cost.txt"
    for header in $headers; do cost "$header" "$header" >>"$work/cost.txt"; done
    if [ "${3:-}" = --write ]; then
        cp "$work/cost.txt" "$committed"
        exit 0
    fi
    # At most 15 % above the committed number, or two per mille of io_context.hpp for very cheap headers.
    awk -v policies="$(echo $policies)" 'NR == FNR { committed[$1] = $2; after[$1] = $3; next }
        !($1 in committed) { print $1 " is not in test/include_cost.txt: sh test/headers.sh /tmp/cost cost --write"; bad = 1; next }
        $2 > committed[$1] * 1.15 + 2 { print $1 " costs " $2 ", was " committed[$1] " thousandths of asio/io_context.hpp"; bad = 1 }
        $3 > after[$1] * 1.15 + 2 { print $1 " after asio/io_context.hpp costs " $3 ", was " after[$1] " thousandths of it"; bad = 1 }
        $1 == "mato/mato.hpp" && $2 > 1500 { print "the umbrella costs more than 1.5 times asio/io_context.hpp"; bad = 1 }
        $1 == "core" && $3 > 350 { print "all that needs no asio adds more than 0.35 to asio/io_context.hpp"; bad = 1 }
        index(" " policies " ", " " $1 " ") && $3 > 200 { print $1 ": a policy adds more than 0.2 to asio/io_context.hpp"; bad = 1 }
        END { exit bad }' "$committed" "$work/cost.txt" >&2
    ;;
seconds) # median of three, user time, without code generation; of asio/io_context.hpp and as its multiples
    seconds() { # HEADER…
        printf '#include <%s>\n' "$@" >"$work/seconds.cpp"
        for _ in 1 2 3; do
            sh -c "$cxx -std=c++20 -I$root/include -fsyntax-only $work/seconds.cpp; times" | sed -n '2s/m/ /; 2s/s.*//p' | awk '{ print $1 * 60 + $2 }'
        done | sort -n | sed -n 2p
    }
    unit=$(seconds asio/io_context.hpp)
    echo "asio/io_context.hpp $unit s"
    # shellcheck disable=SC2086
    echo "core $(echo "$(seconds $core) $unit" | awk '{ printf "%.2f", $1 / $2 }')"
    for header in $headers; do echo "$header $(echo "$(seconds "$header") $unit" | awk '{ printf "%.2f", $1 / $2 }')"; done
    ;;
esac
