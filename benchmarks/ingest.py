"""How fast is an import? Messy generated rows through `import_file`, beside the engine's own typed reader.

    python benchmarks/ingest.py [--rows 1000000] [--folder FOLDER]

Both read the same file, each in a process of its own: the engine with `read_csv` (typed, rejects stored) and a
dedupe by id into one table with a primary key; the import with everything that it promises (mapping, hashes,
two tables, rejects with lines, one transaction). Only the ratio of one run means anything on a shared machine.
"""

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADER = ["id", "session", "time", "question", "answer", "model", "vote", "comment", "page"]
TARGET = "target of a later issue: at most 2.0 times the engine's time, below 600 MB"


def write_rows(path: Path, rows: int, seed: int = 1) -> None:
    """About 190 bytes a row; per thousand one too short, one too long, one bad time, one bad vote; 3 % known ids."""
    draw = random.Random(seed)
    words = 'how do I change my delivery address, please? the card "gold" is late and nobody answers it'.split()
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADER)
        for number in range(rows):
            known = number > 100 and draw.random() < 0.03
            name = f"id-{draw.randrange(number) if known else number:09}"
            moment = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:00:00"
            row = [
                name,
                f"s-{number // 4}",
                moment,
                " ".join(draw.choices(words, k=8)),
                " ".join(draw.choices(words, k=12)),
                "large" if number % 3 else "small",
                draw.choice(("1", "-1")),
                " ".join(draw.choices(words, k=4)) + ("\nthanks" if number % 20 == 0 else ""),
                "/help",
            ]
            fault = number % 1000
            if fault == 1:
                row = row[:4]
            elif fault == 2:
                row.append("more")
            elif fault == 3:
                row[2] = "yesterday"
            elif fault == 4:
                row[6] = "perhaps"
            writer.writerow(row)


def engine(path: Path, folder: Path) -> None:
    """The bare engine: typed columns, rejects kept, duplicates by id left out."""
    import duckdb

    connection = duckdb.connect(str(folder / "engine.duckdb"))
    connection.execute(
        "CREATE TABLE kept (id VARCHAR PRIMARY KEY, session VARCHAR, time TIMESTAMP, question VARCHAR, answer VARCHAR, "
        "model VARCHAR, vote INTEGER, comment VARCHAR, page VARCHAR)"
    )
    types = dict.fromkeys(HEADER, "VARCHAR") | {"time": "TIMESTAMP", "vote": "INTEGER"}
    connection.execute(
        "INSERT INTO kept SELECT * FROM read_csv(?, header=true, delim=',', quote='\"', escape='\"', "
        f"auto_detect=false, columns={types}, store_rejects=true, rejects_limit=0) ON CONFLICT DO NOTHING",
        [str(path)],
    )
    kept = connection.execute("SELECT count(*) FROM kept").fetchall()[0][0]
    lines = connection.execute("SELECT count(DISTINCT line) FROM reject_errors").fetchall()[0][0]
    print(json.dumps({"kept": kept, "rejected": lines}))


def ours(path: Path, folder: Path, options: str) -> None:
    """One import into a new home; "again" imports twice and shows the second time."""
    from feedback_lab.ingest.load import import_file
    from feedback_lab.ingest.plan import Plan
    from feedback_lab.store import open_store

    columns = {
        "session_id": "session",
        "created_at": "time",
        "input": "question",
        "output": "answer",
        "model": "model",
        "value": "vote",
        "comment": "comment",
    }
    if "ids" in options:
        columns |= {"interaction_id": "id", "feedback_id": "id"}
    store = open_store(folder / options)
    report = import_file(store, path, Plan(columns=columns), dry_run="dry" in options)
    if "again" in options:
        begun = time.monotonic()
        report = import_file(store, path, Plan(columns=columns))
        print(f"second import {time.monotonic() - begun:.1f} s", file=sys.stderr)
    store.close()
    print(json.dumps({"new": report.new, "duplicate": report.duplicate, "rejected": report.rejected}))


def measured(kind: str, path: Path, folder: Path) -> tuple[float, int, str]:
    """Seconds, peak megabytes and the printed counts of one run in a process of its own."""
    begun = time.monotonic()
    arguments = [sys.executable, __file__, "--run", kind, "--file", str(path), "--folder", str(folder)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    return time.monotonic() - begun, int(lines[-1]), " ".join([*lines[:-1], done.stderr.strip()])


def main() -> None:
    parser = argparse.ArgumentParser(description="Benchmark of the import.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--run")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.run:
        engine(given.file, given.folder) if given.run == "engine" else ours(given.file, given.folder, given.run)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        path = Path(name, "messy.csv")
        write_rows(path, given.rows)
        print(f"{given.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB; {TARGET}")
        base, memory, counts = measured("engine", path, Path(name))
        print(f"{'engine, typed, dedupe':28}{base:7.1f} s {memory:6} MB   1.0 x  {counts}")
        for kind in ("ids", "hashed", "hashed-dry", "ids-again"):
            seconds, memory, counts = measured(kind, path, Path(name))
            print(f"{'import, ' + kind:28}{seconds:7.1f} s {memory:6} MB {seconds / base:5.1f} x  {counts}", flush=True)


if __name__ == "__main__":
    main()
