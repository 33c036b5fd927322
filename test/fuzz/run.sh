#!/bin/sh
# Replays each fuzzer's corpus, then lets it search, one fuzzer a processor: sh test/fuzz/run.sh BUILD_DIRECTORY SECONDS [NAME]
set -eu
build=$1 seconds=$2 name=${3:-}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
if [ -z "$name" ]; then
    for source in "$here"/*_fuzz.cpp; do basename "$source" .cpp; done |
        xargs -P "$(getconf _NPROCESSORS_ONLN)" -I NAME sh "$0" "$build" "$seconds" NAME
    exit 0
fi
corpus=$here/corpus/${name%_fuzz}
found=$build/found/$name # new inputs are not written to the source tree
mkdir -p "$found"
options="-rss_limit_mb=2048 -timeout=10 -print_final_stats=0 -artifact_prefix=$found/"
[ -f "$here/${name%_fuzz}.dict" ] && options="$options -dict=$here/${name%_fuzz}.dict"
# shellcheck disable=SC2086
"$build/$name" $options -runs=0 "$corpus" >"$found.log" 2>&1 || { cat "$found.log"; exit 1; }
# shellcheck disable=SC2086
"$build/$name" $options -max_total_time="$seconds" "$found" "$corpus" >"$found.log" 2>&1 || { tail -n 60 "$found.log"; exit 1; }
echo "$name: $(ls "$corpus" | wc -l) inputs replayed, then $seconds s: $(tail -n 1 "$found.log")"
