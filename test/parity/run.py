# SPDX-License-Identifier: MIT
"""Runs the rows of the parity suite against tmux and mato, side by side, and compares the verdicts with verdicts.txt."""
import concurrent.futures
import os
import sys

sys.dont_write_bytecode = True

import backends
import rows

HERE = os.path.dirname(os.path.abspath(__file__))
VERDICTS = os.path.join(HERE, "verdicts.txt")


def outcome_of(row, backend_class):
    if backend_class is backends.Tmux and row.outside_of_tmux:
        return False, row.outside_of_tmux
    try:
        backend = backend_class()
        try:
            got = row.run(backend)
            return bool(got), "" if got else "not so"
        finally:
            backend.end()
    except Exception as why:  # a row that cannot be driven is a row that does not hold
        return False, f"{type(why).__name__}: {why}"


def verdict_of(row, tmux, mato):
    if row.outside:
        return "outside"
    if mato[0]:
        return "same" if tmux[0] else "better"
    return "missing" if tmux[0] else "neither"


def main():
    backends.Mato.program = os.path.abspath(sys.argv[1])
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        jobs = [(row, pool.submit(outcome_of, row, backends.Tmux), pool.submit(outcome_of, row, backends.Mato))
                for row in rows.ALL]
        results = [(row, tmux.result(), mato.result()) for row, tmux, mato in jobs]
    lines, counts = [], {}
    for row, tmux, mato in results:
        verdict = verdict_of(row, tmux, mato)
        counts[verdict] = counts.get(verdict, 0) + 1
        lines.append(f"{row.number} {verdict} {row.title}")
        notes = "; ".join(f"{name}: {why[1]}" for name, why in (("tmux", tmux), ("mato", mato)) if why[1])
        reason = row.outside or row.better if verdict in ("outside", "better") else notes
        print(f"{row.number:5} {verdict:8} {row.title}" + (f"  ({reason})" if reason else ""))
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    if sys.argv[2:] == ["--write"]:
        with open(VERDICTS, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return 0
    with open(VERDICTS, encoding="utf-8") as file:
        known = file.read().split("\n")[:-1]
    changed = [line for line in lines if line not in known] + [f"{line} (recorded)" for line in known if line not in lines]
    for line in changed:
        print("differs:", line)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
