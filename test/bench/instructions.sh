#!/bin/sh
# Instructions per delivery in user space, counted by callgrind: the same on every run, independent of the machine's load.
# The difference of two runs of different length, so that the start does not count. At most 15 % above the recorded number.
#   sh test/bench/instructions.sh            check (after a release build with benchmarks)
#   sh test/bench/instructions.sh --record   write the number after a deliberate change
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
kept=$root/test/bench/instructions.txt
command -v valgrind >/dev/null 2>&1 || { echo "instructions.sh needs valgrind" >&2; exit 1; }

count() { # FRAMES: instructions of a run that publishes this many frames to eight subscribers
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$root/build/release/broadcast_bench" --publish "$1" 2>&1 >/dev/null |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
fewer=$(count 2000)
more=$(count 6000)
now=$(((more - fewer) / (4000 * 8)))
if [ "${1:-}" = --record ]; then
    echo "$now" >"$kept"
    exit 0
fi
limit=$(($(cat "$kept") * 115 / 100))
echo "broadcast: $now instructions a delivery, at most $limit"
[ "$now" -le "$limit" ]
