"""How fast is an import? Messy generated rows through `import_file`, beside the engine's own typed reader.

    python benchmarks/ingest.py [--rows 1000000] [--folder FOLDER] [--kinds ids,hashed]

Both read the same file, each in a process of its own: the engine with `read_csv` (typed, rejects stored) and a
dedupe by id into one table with a primary key; the import with everything that it promises (mapping, hashes,
two tables, rejects with lines, one transaction). Only the ratio of one run means anything on a shared machine.
The time is that of the work, without starting Python; each line ends with where it went, in seconds by part
("find known ids", "judge" and "insert" lie within the transaction, which ends with the commit).
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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

HEADER = ["id", "session", "time", "question", "answer", "model", "vote", "comment", "page"]
TARGET = "target: at most 2.0 (floor 3.0) times the engine's time, below 600 MB, again faster than the first time"
NAMES = {
    "engine": "engine, typed, dedupe",
    "ids": "import, ids given",
    "hashed": "import, ids hashed",
    "ids-dry": "dry run, ids given",
    "hashed-dry": "dry run, ids hashed",
    "ids-again": "second import, ids given",
    "hashed-again": "second import, ids hashed",
}


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

    begun = time.perf_counter(), time.process_time()
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
    connection.close()
    took = time.perf_counter() - begun[0], time.process_time() - begun[1]
    said = {"kept": kept, "rejected": lines}
    print(json.dumps({"seconds": took[0], "cpu": took[1], "peak": peak(), "said": f"{said}"}))


def peak() -> int:
    """The largest resident set of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def ours(path: Path, folder: Path, options: str) -> None:
    """One import into a new home; "again" imports twice and shows the second time only."""
    from feedback_lab.ingest.load import import_file
    from feedback_lab.ingest.planning.plan import Plan
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
    plan = Plan(columns=columns)
    store = open_store(folder / options)
    if "again" in options:
        import_file(store, path, plan)
    with stages() as spent:
        begun = time.perf_counter(), time.process_time()
        report = import_file(store, path, plan, dry_run="dry" in options)
        took = time.perf_counter() - begun[0], time.process_time() - begun[1]
    store.close()
    counts = {"new": report.new, "duplicate": report.duplicate, "rejected": report.rejected}
    print(json.dumps({"seconds": took[0], "cpu": took[1], "peak": peak(), "said": f"{counts} {spent}"}))


@contextmanager
def stages() -> Iterator[dict[str, float]]:
    """Where the time of one import goes, in seconds by the part of it."""
    from feedback_lab.ingest import bulk, conflicts, load
    from feedback_lab.store import Store

    parts = [
        ("look at the file", load, "opened"),
        ("read, map and stage", load, "_staged"),
        ("one transaction", Store, "write"),
        ("find known ids", bulk, "survey"),
        ("judge", bulk.Loader, "_judge"),
        ("insert", bulk.Loader, "_execute"),
        ("cells of conflicts, beside the insert", conflicts, "_add"),
    ]
    spent: dict[str, float] = {}
    with ExitStack() as patches:
        for words, place, name in parts:
            patches.enter_context(patch.object(place, name, timed(getattr(place, name), spent, words)))
        yield spent


def timed(work: Callable[..., Any], spent: dict[str, float], words: str) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return work(*given, **named)
        finally:
            spent[words] = round(spent.get(words, 0.0) + time.perf_counter() - begun, 2)

    return run


def measured(kind: str, path: Path, folder: Path) -> dict[str, Any]:
    """Seconds, seconds of both cores' work, peak megabytes and the counts of one run in a process of its own."""
    arguments = [sys.executable, __file__, "--run", kind, "--file", str(path), "--folder", str(folder)]
    done = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Benchmark of the import.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--kinds", default="ids,hashed,ids-dry,hashed-dry,ids-again,hashed-again")
    parser.add_argument("--run")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.run:
        engine(given.file, given.folder) if given.run == "engine" else ours(given.file, given.folder, given.run)
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        path = given.file or Path(name, "messy.csv")
        if not path.exists():
            write_rows(path, given.rows)
        print(f"{path.stat().st_size / 1e6:.0f} MB; {TARGET}")
        base = measured("engine", path, Path(name))
        for kind in ("engine", *given.kinds.split(",")):
            found = base if kind == "engine" else measured(kind, path, Path(name))
            ratio, cpu = found["seconds"] / base["seconds"], found["cpu"] / base["cpu"]
            print(
                f"{NAMES[kind]:32}{found['seconds']:7.1f} s {ratio:5.1f} x {found['cpu']:7.1f} CPU s {cpu:5.1f} x "
                f"{found['peak']:6} MB  {found['said']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
