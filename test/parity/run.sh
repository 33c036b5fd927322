#!/bin/sh
# Runs each case of the parity suite against mato and against tmux: sh test/parity/run.sh [MATO]
# MATO: a build of mato; build/release/mato. It prints a table, and fails if mato does less than test/parity/verdicts.txt says.
# sh test/parity/run.sh MATO --write   writes that file and the table of docs/tmux.md.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
exec python3 "$root/test/parity/run.py" "${1:-$root/build/release/mato}" ${2:+"$2"}
