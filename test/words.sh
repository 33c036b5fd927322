#!/bin/sh
# Counts words of an idiom that readers have to translate, per 10 000 words of comments and documents.
#   sh test/words.sh           a table: include, example, test, documents; a word in its literal meaning counts too
#   sh test/words.sh --list    the lines with such a word, without those that test/words.allow names; test/rules.sh fails on any
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
counted="anew behind beside nobody whoever amid"
# Also refused, in comments, texts and names.
refused="$counted|anybody|somebody|whomever|lest|thereby|thereof|herein|ere"
refused=$(echo "$refused" | tr ' ' '|')

tracked() { # PATTERN…: files of the tree, those not yet committed too
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done
}
comments() { # FILE…: the text of their comments; of a document all of it
    for file; do
        case $file in
        *.md) cat "$file" ;;
        *.hpp | *.cpp) sed -E 's/"([^"\\]|\\.)*"//g' "$file" | grep -oE '//.*' || true ;;
        *) grep -oE '(^|[[:space:]])#.*' "$file" || true ;;
        esac
    done
}
row() { # NAME PATTERN…
    name=$1
    shift
    comments $(tracked "$@") | tr -cs "A-Za-z'_" '\n' | awk -v name="$name" -v words="$counted" '
        { ++all; ++seen[tolower($0)] }
        END {
            count = split(words, each, " ")
            printf "%-10s %8d", name, all
            for (i = 1; i <= count; ++i) printf " %8.1f", all ? 10000 * seen[each[i]] / all : 0
            print ""
        }'
}

if [ "${1:-}" = --list ]; then
    tracked '*.hpp' '*.cpp' '*.sh' '*.cmake' '*CMakeLists.txt' '*.md' '*.py' '*.in' '*.yml' |
        grep -vE '^(single_include|test/words)' | # the single header repeats the others
        xargs grep -nwHiE "$refused" | grep -vE '^ARCHITECTURE\.md:[0-9]+:- `example/mato/' | while IFS= read -r line; do
            file=${line%%:*}
            text=${line#*:}
            text=${text#*:}
            allowed=
            while read -r path part; do
                case $path in '' | '#'*) continue ;; esac
                case $file in $path) ;; *) continue ;; esac
                case $text in *"$part"*) allowed=1 ;; esac
            done <test/words.allow
            [ -n "$allowed" ] || printf '%s\n' "$line"
        done
    exit
fi
printf '%-10s %8s' '' words
printf ' %8s' $counted
echo
row include 'include/*.hpp'
row example 'example/*.hpp' 'example/*.cpp'
row test 'test/*.hpp' 'test/*.cpp' 'test/*.sh'
row documents '*.md'
