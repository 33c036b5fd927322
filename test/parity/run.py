# SPDX-License-Identifier: MIT
"""Runs the rows of the parity suite against tmux and mato, side by side, and fails if mato does not do what verdicts.txt says."""
import concurrent.futures
import os
import sys

sys.dont_write_bytecode = True

import backends
import rows

HERE = os.path.dirname(os.path.abspath(__file__))
VERDICTS = os.path.join(HERE, "verdicts.txt")
DOCUMENT = os.path.join(HERE, "..", "..", "docs", "tmux.md")
BEGIN, END = "<!-- rows -->\n", "<!-- end of rows -->"


def parts_of_document():
    """The document before its table, the table, and the rest."""
    with open(DOCUMENT, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    table, after = rest.split(END)
    return before + BEGIN, table, END + after


def table_of(results):
    lines = ["| | case | result |", "|---|---|---|"]
    for row, tmux, mato in results:
        verdict = verdict_of(row, tmux, mato)
        reason = row.better if verdict == "better" else row.outside
        lines.append(f"| {row.number} | {row.title} | {verdict}{': ' + reason if reason else ''} |")
    return "\n".join(lines) + "\n"


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
        before, _, after = parts_of_document()
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(before + table_of(results) + after)
        return 0
    with open(VERDICTS, encoding="utf-8") as file:
        known = dict(line.split(" ", 2)[:2] for line in file.read().split("\n")[:-1])
    worse = [row.number for row, _, mato in results if not mato[0] and known.get(row.number) in ("same", "better")]
    unknown = [row.number for row, _, _ in results if row.number not in known]
    if worse:
        print("mato no longer does:", ", ".join(worse))
    if unknown:
        print("without a recorded verdict; run this with --write:", ", ".join(unknown))
    return 1 if worse or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
