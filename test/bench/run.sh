#!/bin/sh
# Benchmarks, each one command:
#   sh test/bench/run.sh broadcast [--quick]   mato's broadcast compared with its peers; writes table and plot of docs/benchmarks.md (10 minutes)
#   sh test/bench/run.sh mux [--quick]         the multiplexer compared with its peers; likewise (15 minutes)
#   sh test/bench/run.sh turns                 a key's echo while another tab prints expensive output; mato and tmux (5 minutes)
#   sh test/bench/run.sh gate                  the checks of test/run.sh: nothing that depends on time (seconds)
# --quick takes a minute, prints, and writes nothing. Other options go to the program.
# On Debian or Ubuntu, as root or with sudo, missing peers are installed first. Use two idle cores; otherwise only the ratios are meaningful.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
what=${1:?broadcast, mux, turns or gate}
shift
jobs=$(getconf _NPROCESSORS_ONLN)

build() {
    mkdir -p build
    { cmake --preset release -DMATO_BUILD_BENCHMARKS=ON && cmake --build --preset release -j "$jobs" --target "$@"; } >build/bench.log 2>&1 ||
        { cat build/bench.log >&2; exit 1; }
}
write="--write $root"
for option in "$@"; do [ "$option" != --quick ] || write=; done

case $what in
broadcast)
    sh example/install_packages.sh bench
    build broadcast_bench
    # shellcheck disable=SC2086
    exec build/release/broadcast_bench $write "$@"
    ;;
mux)
    sh example/install_packages.sh bench
    build mux_bench mato_exe
    # shellcheck disable=SC2086
    exec build/release/mux_bench --mato "$root/build/release/mato" $write "$@"
    ;;
turns)
    sh example/install_packages.sh bench
    build turns_bench mato_exe
    exec build/release/turns_bench --mato "$root/build/release/mato" "$@"
    ;;
gate)
    build broadcast_bench
    build/release/broadcast_bench --gate
    exec sh test/bench/instructions.sh
    ;;
*)
    echo "broadcast, mux, turns or gate" >&2
    exit 64
    ;;
esac
