#!/bin/sh
# Builds mato if needed, then starts it: sh example/run.sh [ARGS…]
# On a fresh Debian or Ubuntu machine, as root or with sudo, it installs the missing packages first.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
log=$root/build/run.log

quietly() { # prints nothing unless it fails
    "$@" >"$log" 2>&1 || { code=$?; cat "$log" >&2; exit $code; }
}

mkdir -p "$root/build"
if [ ! -f "$root/build/release/build.ninja" ]; then
    sh "$root/example/install_packages.sh" build
    echo "building mato; the first time takes a minute or two" >&2
    quietly cmake -S "$root" -B "$root/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMATO_BUILD_TESTS=OFF
fi
changed=
if [ -f "$root/build/release/mato" ]; then
    changed=$(find "$root/example/mato" "$root/include" "$root/CMakeLists.txt" -newer "$root/build/release/mato" -print -quit)
    [ -z "$changed" ] || echo "building mato" >&2
fi
quietly cmake --build "$root/build/release" --target mato_exe
[ -z "$changed" ] || touch "$root/build/release/mato" # up to date, even if the changed file is not a part of it
exec "$root/build/release/mato" "$@"
