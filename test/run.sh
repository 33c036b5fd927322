#!/bin/sh
# Runs every check: sh test/run.sh
# On a fresh Debian or Ubuntu machine, as root or with sudo, it installs the missing packages first. The last lines are ctest's.
#   1. the rules on the tree        4. ThreadSanitizer: the toolkit's tests
#   2. the optimised build          5. fuzzers: corpora, then FUZZ_SECONDS each (20)
#   3. AddressSanitizer + UBSan     6. g++ debug: every test, each header on its own, the single header, every way in
# and, in between, a cell of each kind of test/matrix.sh: other compilers, standard libraries, asios and switches.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
seconds=${FUZZ_SECONDS:-20}
jobs=$(getconf _NPROCESSORS_ONLN)
step() { printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"; }

step "packages"
sh example/install_packages.sh test

step "rules"
sh test/rules.sh

step "the README's first command, then the rest of the release build"
sh example/run.sh --version
cmake --preset release -DMATO_BUILD_BENCHMARKS=ON # benchmarks are run by hand, on a quiet machine: test/bench/run.sh
cmake --build --preset release -j "$jobs"
build/release/vt_memory # 100 MiB of each worst-case input of a terminal, within a memory limit

step "what a delivery costs: instructions, and processor time over the bare loop's"
sh test/bench/run.sh gate

step "one of each kind of compiler, library and switch"
sh test/matrix.sh quick

step "AddressSanitizer and UndefinedBehaviorSanitizer, clang"
cmake --preset asan
cmake --build --preset asan -j "$jobs"
ctest --preset asan -j "$jobs"

step "ThreadSanitizer, clang"
cmake --preset tsan
cmake --build --preset tsan -j "$jobs"
ctest --preset tsan -j "$jobs"

step "fuzzers"
cmake --preset fuzz
cmake --build --preset fuzz -j "$jobs"
sh test/fuzz/run.sh build/fuzz "$seconds"

step "g++, debug"
cmake --preset dev
cmake --build --preset dev -j "$jobs"
cmake --build build/dev --target all_verify_interface_header_sets -j "$jobs"
ctest --preset dev -j "$jobs" # two tests at a time: each has its own directories, and waits for facts
