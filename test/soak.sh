#!/bin/sh
# Runs one daemon for a long time under every kind of load, and reports whether its memory and descriptors grow.
# Usage: test/soak.sh PROGRAM [MINUTES]     PROGRAM: a build of mato; MINUTES: 20
# The load: floods, costly sequences and pictures in tabs that are opened, resized, sent to, captured, recorded, searched and
# ended; clients that attach, type, are killed and detach. Exit code 1: the memory of the last quarter exceeds that of the second
# by more than a tenth and 4 MiB, a descriptor is left, the daemon died, or a sanitizer reported an error.
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
minutes=${2:-20}
dir=$(mktemp -d)
mkdir "$dir/run" "$dir/state" "$dir/config"
chmod 700 "$dir/run" "$dir/state"
export XDG_RUNTIME_DIR="$dir/run" XDG_STATE_HOME="$dir/state" XDG_CONFIG_HOME="$dir/config" TERM=xterm-256color SHELL=/bin/sh
# A small quarantine: what the sanitizer keeps of freed memory would look like growth.
export ASAN_OPTIONS="quarantine_size_mb=8:log_path=$dir/sanitizer:detect_leaks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
mato() { "$program" "$@"; }
trap 'mato stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

printf 'exit_empty = false\n' > "$dir/config/config.toml"
mkdir -p "$dir/config/mato" && mv "$dir/config/config.toml" "$dir/config/mato/"
cat > "$dir/load" <<'END'
case $1 in
0) while :; do printf '%s\n' "a line of ordinary text, again and again, to fill the history"; done ;;
1) while :; do printf '\033[38;5;%dm%s\033[m\r\n' "$((n = (n + 7) % 256))" "coloured words, wide 漢字 and 🙂"; done ;;
2) while :; do printf '\033#8\033[2;20r\033[20;1H\n\n\n\033[r\033[5;5H\033[L\033[M\033[2J\033c'; sleep 0.01; done ;;
3) while :; do printf '\033]8;;http://host/%d\033\\link\033]8;;\033\\ \033]4;%d;rgb:11/22/33\033\\\n' "$((n = n + 1))" "$((n % 256))"; done ;;
4) while :; do printf '\033Pq"1;1;10;12#0!10~$-!10~\033\\\033[?1049h\033[H\033]2;title %d\007\033[?1049l' "$((n = n + 1))"; sleep 0.02; done ;;
5) while read -r line; do printf 'read: %s\n' "$line"; done ;;
6) sleep 0.3; exit 3 ;;
*) exec sleep 3600 ;;
esac
END

mato new -d -n first -- "exec sleep 86400" >/dev/null || exit 1
pid=$(mato status | sed -n "s/^Worker: //p") # which is another one after a crash
memory() { awk '/^RssAnon|^RssShmem/ {sum += $2} END {print sum}' "/proc/$pid/status" 2>/dev/null; }
descriptors() { ls "/proc/$pid/fd" 2>/dev/null | wc -l; }
mato ls >/dev/null
before=$(descriptors)
end=$(($(date +%s) + minutes * 60)) start=$(date +%s)
round=0 second=0 last=0 commands=0
while now=$(date +%s) && [ "$now" -lt "$end" ] && [ -d "/proc/$pid" ]; do
    ids=''
    for kind in 0 1 2 3 4 5 6 7; do ids="$ids $(mato new -d -t soak -x $((20 + round % 200)) -y $((5 + round % 60)) -- "sh $dir/load $kind")"; done
    set -- $ids
    for id in $ids; do
        timeout 0.5 script -qfc "$program attach $id" /dev/null >/dev/null 2>&1 </dev/null & # killed while it draws
    done
    timeout 1 "$program" record "$2" "$dir/recorded" --force >/dev/null 2>&1 &
    mato send "$6" "hello $round" Enter >/dev/null 2>&1
    mato wait "$6" --text "read: hello $round" --timeout 20s >/dev/null 2>&1
    mato capture "$1" -S 200 >/dev/null 2>&1
    mato resize "$2" "$((10 + round % 150))x$((3 + round % 50))" >/dev/null 2>&1
    mato ls --json >/dev/null 2>&1
    mato wait "$7" --exit >/dev/null 2>&1
    wait
    mato kill -t soak >/dev/null 2>&1
    round=$((round + 1)) commands=$((commands + 22))
    quarter=$(((now - start) * 4 / (minutes * 60)))
    size=$(memory)
    if [ "$quarter" -eq 1 ] && [ "${size:-0}" -gt "$second" ]; then second=$size; fi
    if [ "$quarter" -eq 3 ] && [ "${size:-0}" -gt "$last" ]; then last=$size; fi
done
mato kill first >/dev/null 2>&1
tries=0
while after=$(descriptors) && [ "$after" -gt "$before" ] && [ "$tries" -lt 100 ]; do tries=$((tries + 1)) && mato ls >/dev/null; done
alive=no
[ -d "/proc/$pid" ] && alive=yes
mato stop >/dev/null 2>&1
reports=$(ls "$dir" | grep -c '^sanitizer')
echo "rounds $round, commands $commands, memory at most $second KiB in the second quarter, $last KiB in the last; descriptors $before before, $after after; alive $alive; sanitizer reports $reports"
cat "$dir"/sanitizer* 2>/dev/null | head -50
[ "$alive" = yes ] && [ "$reports" -eq 0 ] && [ "$after" -le "$before" ] && [ "$last" -le $((second + second / 10)) -o "$last" -le $((second + 4096)) ]
