#!/bin/sh
# A wrong program gives our compile error, and its corrected twin (FIXED) compiles: check.sh SOURCE COMPILER ARGUMENTS…
# Each line "// expect: SENTENCE" of the source must be reported exactly once, in an error about a static_assert.
set -eu
source=$1
shift
said=$(mktemp)
trap 'rm -f "$said"' EXIT
if "$@" -fsyntax-only "$source" >"$said" 2>&1; then
    echo "this compiles, and should not: $source" >&2
    exit 1
fi
[ "$(grep -c '^// expect: ' "$source")" -ge 1 ]
sed -n 's,^// expect: ,,p' "$source" | while IFS= read -r sentence; do
    times=$(grep -F -- "$sentence" "$said" | grep -cE 'error: (static assertion failed|static_assert failed)' || true)
    [ "$times" = 1 ] && continue
    echo "said $times times instead of once: $sentence" >&2
    cat "$said" >&2
    exit 1
done
"$@" -fsyntax-only -DFIXED "$source"
