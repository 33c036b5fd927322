#!/bin/sh
# Whether a program was built as cmake/harden.cmake says. Prints what is missing, and fails then.
#   sh test/hardened.sh PROGRAM LIBRARY "FLAG;FLAG..."    LIBRARY: an archive of its own code; FLAGS: those it was compiled with
set -eu
program=$1 library=$2 flags=$3
broken=0
missing() { echo "$program: $1" && broken=1; }
has() { case ";$flags;" in *";$1;"*) return 0 ;; esac; return 1; }
list=$(mktemp)
trap 'rm -f "$list"' EXIT

readelf -Wh "$program" | grep -q 'Type:.*DYN' || missing "it is not position independent"
readelf -Wl "$program" >"$list"
grep -q GNU_RELRO "$list" || missing "no RELRO"
grep GNU_STACK "$list" | grep -q ' RWE ' && missing "an executable stack"
readelf -Wd "$program" | grep -qE 'BIND_NOW|FLAGS_1.* NOW' || missing "symbols are bound late, so that RELRO is not full"
# The symbols of the project's own objects: the program has those of the C++ library as well.
readelf -Ws "$library" >"$list" 2>/dev/null
if has -fstack-protector-strong; then grep -q __stack_chk_fail "$list" || missing "no stack protector in $library"; fi
if has -D_FORTIFY_SOURCE=2; then readelf -Ws "$program" | grep -qE '__[a-z]+_chk' || missing "no function of FORTIFY_SOURCE"; fi
if has -fcf-protection && [ "$(uname -m)" = x86_64 ]; then
    readelf -n "$library" 2>/dev/null | grep -q 'IBT' || missing "no control flow protection in $library"
fi
exit $broken
