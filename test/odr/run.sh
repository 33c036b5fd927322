#!/bin/sh
# Tests of the one-definition rule: run.sh WORK_DIRECTORY STEP. CXX and CLANGXX select the compilers.
set -eu
work=$1
step=$2
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
cxx=${CXX:-g++}
clangxx=${CLANGXX:-clang++}
flags="-std=c++20 -O0 -Wall -Wextra -Werror -pthread"

mkdir -p "$work"
cd "$work"
case $step in
units)
    for unit in a b; do $cxx $flags -I"$root/include" -c "$here/unit_$unit.cpp" -o unit_$unit.o & done
    wait
    $cxx unit_a.o unit_b.o -o units -pthread
    ./units
    ;;
shared_objects) # built with hidden visibility; each compiler's own, then mixed
    for compiler in "$cxx" "$clangxx"; do
        name=$(basename "$compiler")
        hidden="$flags -fvisibility=hidden -fvisibility-inlines-hidden -I$root/include"
        $compiler $hidden -shared -fPIC "$here/plugin.cpp" -o "./one-$name.so"
        cp "./one-$name.so" "./two-$name.so"
        $compiler $hidden "$here/host.cpp" -o "host-$name" -ldl
        "./host-$name" "./one-$name.so" "./two-$name.so"
    done
    "./host-$(basename "$clangxx")" "./one-$(basename "$cxx").so" "./one-$(basename "$clangxx").so"
    ;;
versions) # another version with another layout; then other feature switches
    rm -rf other
    cp -r "$root/include" other
    sed -i 's/\(VERSION_MINOR\) [0-9]*/\1 99/' other/mato/version.hpp
    sed -i "s/^    std::string detail{};.*/&\n    long added[8]{};/" other/mato/error.hpp
    $cxx $flags -I"$root/include" -I"$here" -c "$here/version.cpp" -o this.o
    $cxx $flags -Iother -I"$here" -DOTHER -Wno-missing-field-initializers -c "$here/version.cpp" -o other.o
    $cxx $flags -I"$root/include" -I"$here" -DOTHER -DMATO_HAS_SIGNALFD=0 -c "$here/version.cpp" -o switched.o
    $cxx $flags -I"$here" -c "$here/versions_main.cpp" -o main.o
    for second in other switched; do
        $cxx main.o this.o $second.o -o versions
        ./versions
    done
    $cxx $flags -I"$root/include" -I"$here" -DHAND_OVER -c "$here/version.cpp" -o this.o
    $cxx $flags -Iother -I"$here" -DOTHER -DHAND_OVER -Wno-missing-field-initializers -c "$here/version.cpp" -o other.o
    if $cxx main.o this.o other.o -o versions 2>refused.txt; then
        echo "one version took what another made" >&2
        exit 1
    fi
    grep -q 'undefined reference.*text_of' refused.txt
    ;;
no_rtti) # headers without asio and toml++ need no run-time type information
    : >no_rtti.cpp
    for header in "$root"/include/mato/*.hpp; do
        name=$(basename "$header")
        if ! grep -qE '#include (<asio|<toml|"(detail/asio_[a-z]+|connection|server|broadcast|daemon|session).hpp)' "$header"; then
            echo "#include <mato/$name>" >>no_rtti.cpp
        fi
    done
    [ "$(wc -l <no_rtti.cpp)" -ge 20 ]
    for compiler in "$cxx" "$clangxx"; do $compiler $flags -fno-rtti -I"$root/include" -fsyntax-only no_rtti.cpp; done
    ;;
esac
