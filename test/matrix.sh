#!/bin/sh
# Compiles and runs two programs with every compiler, standard, library and switch that the toolkit supports: matrix.sh [quick] [CELL]
#   quick: only what the gate runs: one cell of each kind. CELL: only cells whose name contains this text.
# Cells whose compiler or library is not installed are named at the end, and then the result is 3;
# `sh example/install_packages.sh test` installs them. ASIO_NEWEST is the include directory of another release of asio. JOBS
# limits the compilers that run at the same time.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
work=${MATRIX_DIRECTORY:-$root/build/matrix}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
gxx=${CXX:-g++}
clangxx=${CLANGXX:-clang++}
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
quick=false
if [ "${1:-}" = quick ]; then
    quick=true
    shift
fi
mkdir -p "$work"
rm -f "$work"/*.failed "$work"/*.right "$work"/cells
missing=

has() { # COMPILER FLAGS HEADER: the header is there
    echo "#include <$3>" | $1 $2 -std=c++20 -fsyntax-only -x c++ - 2>/dev/null
}
cell() { # NAME PROGRAM COMPILER FLAGS
    case $1 in *"$only"*) ;; *) return 0 ;; esac
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$work/cells"
}
full() { if $quick; then :; else cell "$@"; fi; } # only in the whole matrix
only=$*

tree=-I$root/include
one=-I$root/single_include
for compiler in "$gxx" "$clangxx"; do
    name=$(basename "$compiler")
    full "$name, c++20" program.cpp "$compiler" "-std=c++20 $tree"
    full "$name, c++23" program.cpp "$compiler" "-std=c++2b $tree"
    full "$name, c++20, core" core_program.cpp "$compiler" "-std=c++20 $tree"
    full "$name, c++23, core" core_program.cpp "$compiler" "-std=c++2b $tree"
    full "$name, one header" program.cpp "$compiler" "-std=c++20 $one"
    cell "$name, one header, core, neither run-time type information nor exceptions" core_program.cpp "$compiler" \
        "-std=c++20 $one -DONE_HEADER -fno-rtti -fno-exceptions"
    full "$name, c++20, no run-time type information" program.cpp "$compiler" "-std=c++20 $tree -fno-rtti -DASIO_NO_TYPEID"
done
strict="-Wold-style-cast -Wnull-dereference -Wextra-semi"
cell "$(basename "$gxx"), more warnings, c++23" program.cpp "$gxx" "-std=c++2b $tree -Wuseless-cast $strict"
full "$(basename "$gxx"), more warnings, core" core_program.cpp "$gxx" "-std=c++20 $tree -O2 -Wuseless-cast $strict"
full "$(basename "$clangxx"), more warnings, core" core_program.cpp "$clangxx" "-std=c++20 $tree $strict"
if has "$clangxx" -stdlib=libc++ version; then
    cell "$(basename "$clangxx"), libc++" program.cpp "$clangxx" "-std=c++20 $tree -stdlib=libc++"
    full "$(basename "$clangxx"), libc++, core, c++23" core_program.cpp "$clangxx" "-std=c++2b $tree -stdlib=libc++"
    full "$(basename "$clangxx"), libc++, one header" program.cpp "$clangxx" "-std=c++20 $one -stdlib=libc++"
else
    missing="$missing libc++"
fi
if has "$gxx" "" boost/asio/io_context.hpp; then
    cell "$(basename "$gxx"), Boost.Asio" program.cpp "$gxx" "-std=c++20 $tree -DMATO_HAS_BOOST_ASIO=1"
    full "$(basename "$clangxx"), Boost.Asio, one header" program.cpp "$clangxx" "-std=c++20 $one -DMATO_HAS_BOOST_ASIO=1"
else
    missing="$missing Boost.Asio"
fi
if $quick; then
    :
elif [ -e "${ASIO_NEWEST:-}/asio/version.hpp" ]; then
    number=$(sed -n 's/#define ASIO_VERSION \([0-9]*\).*/\1/p' "$ASIO_NEWEST/asio/version.hpp")
    for compiler in "$gxx" "$clangxx"; do
        cell "$(basename "$compiler"), asio $number" program.cpp "$compiler" "-std=c++20 -isystem $ASIO_NEWEST $tree"
    done
else
    missing="$missing another-asio-in-ASIO_NEWEST"
fi

one_cell() { # NUMBER: of the line in cells
    line=$(sed -n "$1p" "$work/cells")
    name=$(printf '%s' "$line" | cut -f 1)
    program=$root/test/matrix/$(printf '%s' "$line" | cut -f 2)
    compiler=$(printf '%s' "$line" | cut -f 3)
    flags=$(printf '%s' "$line" | cut -f 4)
    # shellcheck disable=SC2086
    if $compiler $warnings $flags -pthread "$program" -o "$work/cell-$1" >"$work/cell-$1.txt" 2>&1 && "$work/cell-$1" >>"$work/cell-$1.txt" 2>&1; then
        echo "$name" >"$work/$1.right"
        echo "right: $name"
    else
        echo "$name" >"$work/$1.failed"
        echo "WRONG: $name"
        head -n 20 "$work/cell-$1.txt"
    fi
    rm -f "$work/cell-$1"
}
[ -s "$work/cells" ] || { echo "no cell has such a name: $only" >&2; exit 2; }
count=$(wc -l <"$work/cells")
next=1
while [ "$next" -le "$count" ]; do # `jobs` at a time
    running=0
    while [ "$running" -lt "$jobs" ] && [ "$next" -le "$count" ]; do
        one_cell "$next" &
        next=$((next + 1))
        running=$((running + 1))
    done
    wait
done
right=$(find "$work" -name '*.right' | wc -l)
echo "$right of $count cells are right"
[ -z "$missing" ] || echo "not installed, so not tried:$missing"
[ "$right" -eq "$count" ] || exit 1
[ -z "$missing" ] || exit 3
