#!/bin/sh
# Measures the toolkit compared with bare system calls and writes the table of docs/benchmarks.md: sh test/bench/toolkit_table.sh (a minute)
# Files are in /dev/shm if it exists, so that no disk is measured. Options go to the program; with any, nothing is written.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
mkdir -p build
{ cmake --preset release -DMATO_BUILD_BENCHMARKS=ON && cmake --build --preset release --target toolkit_bench; } >build/bench.log 2>&1 ||
    { cat build/bench.log >&2; echo "toolkit_table: it needs Google Benchmark (libbenchmark-dev)" >&2; exit 1; }
if [ -d /dev/shm ]; then export TMPDIR=/dev/shm; fi
build/release/toolkit_bench "$@" >build/toolkit_bench.txt
sed -n '/^| /,$p' build/toolkit_bench.txt
[ $# -eq 0 ] || exit 0
awk 'NR == FNR { if (/^\|/) table = table $0 "\n"; next }
     /<!-- toolkit benchmark -->/ { print; printf "\n%s\n", table; skipping = 1; next }
     /<!-- end of toolkit benchmark -->/ { skipping = 0 }
     !skipping' build/toolkit_bench.txt docs/benchmarks.md >build/benchmarks.new
cat build/benchmarks.new >docs/benchmarks.md
