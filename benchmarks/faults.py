"""Law 2 under injected faults: the n-th call that changes the disk fails, or the process is killed at it.

Run: python benchmarks/faults.py [--runs 300] [--seed 0] [--jobs 2]. Needs strace. Six kinds of work (a collector batch,
an import, a decision that is published, a backup, a migration, the first start) run in a process of their own; strace
makes one of its calls fail with EIO or ENOSPC, once or from then on, or kills the process there. Then the home is
opened again and judged: nothing acknowledged is lost, nothing is there twice, the file opens, every error was one
sentence of ours, a full disk was said to be full, and after a fatal error nothing more was written. It prints the seed,
the counts and the verdict; the exit code is 1 where anything was violated. strace numbers the calls of each thread by
themselves, and threads share work as they like, so a few numbers are not reached: "hit" says how many were.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import logging
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from feedback_lab import backup, knowledge, migrations, review
from feedback_lab.collector.writer import Writer
from feedback_lab.errors import LabError
from feedback_lab.ingest.items import FeedbackItem
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.knowledge import Files, entries_file
from feedback_lab.records import CorrectionType, Outcome
from feedback_lab.review import Answer
from feedback_lab.store import Store, open_store

ROOT = Path(__file__).resolve().parents[1]
CALLS = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "link", "linkat", "unlink", "unlinkat")
KINDS = ("error=EIO", "error=ENOSPC", "signal=KILL")
ROWS, BATCHES, IN_BATCH, DECISIONS = 400, 8, 3, 3

Tell = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Fault:
    """At the `number`-th `call` of the work, `kind` happens; with `lasting` also at every later one."""

    work: str
    call: str
    kind: str
    number: int
    lasting: bool

    def __str__(self) -> str:
        return f"{self.work}: {self.call} #{self.number}{'+' if self.lasting else ''} {self.kind}"


@dataclass(slots=True)
class Told:
    """What a process said before it ended."""

    acknowledged: list[str] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    written_after_fatal: list[str] = field(default_factory=list)
    ended: bool = False


# What runs under strace. `tell` sends over a socket, because a write to stdout could be the call that fails.


def attempt(tell: Tell, store: Store | None, name: str, work: Callable[[], object]) -> bool:
    """Do `work`; tell that it is acknowledged, or why not. Whether it went well."""
    fatal = bool(store and store.damage)
    try:
        work()
    except LabError as error:
        tell("error", type(error).__name__, str(error))
    except Exception as error:
        tell("foreign", f"{name}: {type(error).__name__}: {error}")
    else:
        tell("ack", name)
        if fatal:
            tell("after_fatal", name)
        return True
    if store is not None:
        try:
            store.scalar("SELECT count(*) FROM feedback")
        except LabError:
            tell("unreadable", name)
        except Exception as error:
            tell("foreign", f"reading after {name}: {type(error).__name__}: {error}")
    return False


def files_of(home: Path) -> Files:
    return Files(home / "knowledge.jsonl", home / "instructions.md")


def opened(home: Path, tell: Tell) -> Store | None:
    kept: list[Store] = []
    attempt(tell, None, "open", lambda: kept.append(open_store(home)))
    return kept[0] if kept else None


def collector(home: Path, tell: Tell) -> None:
    store = opened(home, tell)
    if store is None:
        return
    writer = Writer(lambda: store)
    for batch in range(BATCHES):
        items = [FeedbackItem(f"i{batch}-{n}", f"f{batch}-{n}", value=-1.0) for n in range(IN_BATCH)]
        attempt(tell, store, f"batch {batch}", lambda items=items: stored(writer, items))  # type: ignore[misc]
    writer.close()
    store.close()


def stored(writer: Writer, items: Sequence[FeedbackItem]) -> None:
    """Return once the items are acknowledged."""

    async def answered() -> None:
        await writer.submit(items)

    asyncio.run(answered())


def import_rows(home: Path, tell: Tell) -> None:
    store = opened(home, tell)
    if store is None:
        return
    plan = Plan(columns={"input": "question", "output": "answer", "value": "thumb", "user": "user"})
    for _ in range(2):  # what failed once may be run again
        if attempt(tell, store, "import", lambda: import_file(store, home.parent / "log.csv", plan)):
            break
    store.close()


def decide(home: Path, tell: Tell) -> None:
    store = opened(home, tell)
    if store is None:
        return
    for number in range(DECISIONS):

        def one(number: int = number) -> None:
            (task,) = review.claim(store, "ada", lease_minutes=15)
            answer = Answer(Outcome.EDIT, f"Answer {number}.", CorrectionType.KNOWLEDGE, f"Question {number}?", None)
            knowledge.decide(store, files_of(home), task.task_id, "ada", task.lease_token or "", answer)

        attempt(tell, store, f"Question {number}?", one)
    store.close()


def make_backup(home: Path, tell: Tell) -> None:
    store = opened(home, tell)
    if store is None:
        return
    attempt(tell, store, "backup", lambda: backup.backup(store, files_of(home), home.parent / "lab.zip"))
    store.close()


def first_start(home: Path, tell: Tell) -> None:
    store = opened(home, tell)
    if store is not None:
        store.close()


WORKS: dict[str, Callable[[Path, Tell], None]] = {
    "collector": collector,
    "import": import_rows,
    "decision": decide,
    "backup": make_backup,
    "migration": first_start,
    "first start": first_start,
}


def run_work(name: str, home: Path, descriptor: int) -> None:
    logging.raiseExceptions = False  # a line of the log that the fault hits is no error of the work
    with socket.socket(fileno=descriptor) as channel:

        def tell(*words: str) -> None:
            channel.sendall(json.dumps(words).encode() + b"\n")

        WORKS[name](home, tell)
        tell("end")


# What judges.


def prepare(folder: Path) -> None:
    """The homes from which each work begins, and the file to import."""
    with (folder / "log.csv").open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(("question", "answer", "thumb", "user"))
        for number in range(ROWS):
            rows.writerow((f"How do I pay with card {number % 4}?", "Call us.", "down", f"user{number}"))
    for name in WORKS:
        home = folder / name / "home"
        home.mkdir(parents=True)
        if name == "first start":
            continue
        steps = migrations.MIGRATIONS[:1] if name == "migration" else migrations.MIGRATIONS
        store = open_store(home, steps=steps)
        if name == "decision":
            plan = Plan(columns={"input": "question", "output": "answer", "value": "thumb", "user": "user"})
            import_file(store, folder / "log.csv", plan)
            review.run_rules(store, ["seed"], similarity=0.999, budget=None)
        if name == "backup":
            stored(Writer(lambda store=store: store), [FeedbackItem("i", "f", value=1.0)])  # type: ignore[misc]
        store.close()


def traced(folder: Path, work: str, options: Sequence[str]) -> tuple[Told, str]:
    """Run a work under strace in `folder`; what it told, and strace's log."""
    log = folder / "strace.log"
    ours, theirs = socket.socketpair()
    tracing = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", str(log), *options]
    program = [sys.executable, __file__, "--work", work, "--home", str(folder / "home"), "--fd", str(theirs.fileno())]
    environment = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    process = subprocess.Popen(
        [*tracing, *program], pass_fds=[theirs.fileno()], env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    theirs.close()
    with ours, ours.makefile("rb") as lines:
        told = understood(lines)
    words = process.communicate()[1].decode("utf-8", "replace")
    if "Traceback" in words:
        told.foreign.append(words.strip().splitlines()[-1])
    return told, log.read_text(errors="replace")


def understood(lines: Iterator[bytes] | Any) -> Told:
    told = Told()
    for line in lines:
        kind, *words = json.loads(line)
        if kind == "ack":
            told.acknowledged.append(words[0])
        elif kind == "error":
            told.errors.append((words[0], words[1]))
        elif kind == "end":
            told.ended = True
        else:
            {"foreign": told.foreign, "unreadable": told.unreadable, "after_fatal": told.written_after_fatal}[
                kind
            ].append(words[0])
    return told


def counts_of_calls(folder: Path, work: str) -> Counter[str]:
    """How often a work makes each call when nothing fails, in that thread that makes it most often."""
    with copied(folder, work) as place:
        told, log = traced(place, work, ["-e", f"trace={','.join(CALLS)}"])
    if told.errors or told.foreign or not told.ended:
        raise SystemExit(f"{work} fails without a fault: {told}")
    made: Counter[tuple[str, str]] = Counter()
    for line in log.splitlines():
        thread, _, rest = line.partition(" ")
        made[thread, rest.strip().split("(", 1)[0]] += 1
    most: Counter[str] = Counter()
    for (_, call), number in made.items():
        if call in CALLS:
            most[call] = max(most[call], number)
    return most


class copied:
    """A fresh copy of what a work begins with, removed afterwards."""

    def __init__(self, folder: Path, work: str) -> None:
        self.place = Path(tempfile.mkdtemp(dir=folder))
        shutil.copytree(folder / work / "home", self.place / "home")
        shutil.copy(folder / "log.csv", self.place)

    def __enter__(self) -> Path:
        return self.place

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.place)


def inject(folder: Path, fault: Fault) -> tuple[bool, list[str]]:
    """Run a work with a fault; whether it was hit, and what of the law was violated."""
    when = f"{fault.number}{'+' if fault.lasting else ''}"
    options = ["-e", f"trace={fault.call}", "-e", f"inject={fault.call}:{fault.kind}:when={when}"]
    with copied(folder, fault.work) as place:
        told, log = traced(place, fault.work, options)
        hit = "INJECTED" in log or (fault.kind == "signal=KILL" and not told.ended)
        return hit, [f"{fault}: {one}" for one in violations(fault, told, place)]


def violations(fault: Fault, told: Told, place: Path) -> Iterator[str]:
    """What of law 2 does not hold after a run."""
    yield from (f"an error that is none of ours: {one}" for one in told.foreign)
    yield from (f"written after a fatal error: {one}" for one in told.written_after_fatal)
    for kind, sentence in told.errors:
        if fault.kind == "error=ENOSPC" and (kind != "DiskError" or "room" not in sentence):
            yield f"a full disk was called {kind}: {sentence}"
        if "conflict" in sentence.lower() or "\n" in sentence:
            yield f"not one clear sentence: {sentence!r}"
    if told.unreadable and not fault.lasting:
        yield f"not readable after {told.unreadable}"
    if fault.kind != "signal=KILL" and not told.ended:
        yield "the process died of an error"
    try:
        store = open_store(place / "home")
    except Exception as error:
        yield f"does not open again: {type(error).__name__}: {error}"
        return
    try:
        if store.damage:
            yield f"opened short: {store.damage}"
        for one in JUDGES[fault.work](store, told, place):
            if not (one.startswith("left behind") and fault.call.startswith("unlink")):  # then nothing could remove it
                yield one
        for name in ("feedback", "interaction"):
            if store.scalar(f"SELECT count(*) - count(DISTINCT {name}_id) FROM {name}"):
                yield f"a {name} is there twice"
    finally:
        store.close()


def judge_collector(store: Store, told: Told, _place: Path) -> Iterator[str]:
    there = Counter(row["feedback_id"].split("-")[0] for row in store.rows("SELECT feedback_id FROM feedback"))
    for batch in range(BATCHES):
        if there[f"f{batch}"] not in (0, IN_BATCH):
            yield f"batch {batch} is there in part"
        if f"batch {batch}" in told.acknowledged and not there[f"f{batch}"]:
            yield f"batch {batch} was acknowledged and is lost"


def judge_import(store: Store, told: Told, place: Path) -> Iterator[str]:
    rows, batches = (store.scalar(f"SELECT count(*) FROM {name}") for name in ("feedback", "import_batch"))
    if rows != ROWS * (batches > 0) or ("import" in told.acknowledged and not batches):
        yield f"{rows} rows of {batches} imports"
    left = [path.name for path in (place / "home" / "uploads").glob("*") if ".part" in path.name]
    if left and told.ended:
        yield f"left behind: {left}"


def judge_decision(store: Store, told: Told, place: Path) -> Iterator[str]:
    files = files_of(place / "home")
    for _ in range(2):  # publishing again changes nothing
        knowledge.publish(store, files)
    written = Counter(entry.question for entry in entries_file.read_file(files.knowledge))
    decided = store.scalar("SELECT count(*) FROM decision")
    if sum(written.values()) != decided or any(number > 1 for number in written.values()):
        yield f"{decided} decisions, written {dict(written)}"
    yield from (
        f"{one} was acknowledged and is lost" for one in told.acknowledged if one != "open" and not written[one]
    )


def judge_backup(store: Store, told: Told, place: Path) -> Iterator[str]:
    if store.scalar("SELECT count(*) FROM feedback") != 1:
        yield "the backed-up database lost its row"
    target = place / "lab.zip"
    if "backup" in told.acknowledged and not target.exists():
        yield "the backup was acknowledged and is not there"
    if target.exists():
        backup.restore(place / "restored", files_of(place / "restored"), target)
        restored = open_store(place / "restored")
        if restored.scalar("SELECT count(*) FROM feedback") != 1:
            yield "the backup is short"
        restored.close()
    left = [path.name for path in [*place.rglob("*.part"), *place.rglob("*.part.wal")]]
    if left and told.ended:
        yield f"left behind: {left}"


def judge_schema(store: Store, told: Told, place: Path) -> Iterator[str]:
    if store.scalar("SELECT max(version) FROM schema_version") != len(migrations.MIGRATIONS):
        yield "not all migrations are there"
    left = [path.name for path in (place / "home").glob("*.new-*")]
    if left and told.ended:
        yield f"left behind: {left}"


JUDGES: dict[str, Callable[[Store, Told, Path], Iterator[str]]] = {
    "collector": judge_collector,
    "import": judge_import,
    "decision": judge_decision,
    "backup": judge_backup,
    "migration": judge_schema,
    "first start": judge_schema,
}


def all_faults(folder: Path, jobs: int) -> list[Fault]:
    """Every fault that can be injected: each call of each work, each kind, once and lasting."""
    with ThreadPoolExecutor(jobs) as pool:
        counted = dict(zip(WORKS, pool.map(lambda work: counts_of_calls(folder, work), WORKS), strict=True))
    return [
        Fault(work, call, kind, number, lasting)
        for work, calls in counted.items()
        for call, count in sorted(calls.items())
        for number in range(1, count + 1)
        for kind in KINDS
        for lasting in ((False,) if kind == "signal=KILL" else (False, True))
    ]


def chosen(faults: Sequence[Fault], number: int, seed: int) -> list[Fault]:
    """`number` faults by chance, each work and each call of it equally often, so that rare calls are hit too."""
    draw = random.Random(seed)
    groups: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.work, fault.call), []).append(fault)
    for group in groups.values():
        draw.shuffle(group)
    found: list[Fault] = []
    while len(found) < min(number, len(faults)):
        for group in groups.values():
            if group:
                found.append(group.pop())
    return found[:number]


def sweep(folder: Path, number: int, seed: int, jobs: int) -> tuple[Counter[str], list[str]]:
    """Inject `number` faults; how many of each work were hit, and all violations."""
    prepare(folder)
    faults = chosen(all_faults(folder, jobs), number, seed)
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(lambda fault: inject(folder, fault), faults))
    hits = Counter(fault.work for fault, (hit, _) in zip(faults, results, strict=True) if hit)
    return hits, [one for _, found in results for one in found]


def damaged_logs(folder: Path, every: int) -> tuple[Counter[str], list[str]]:
    """Cut and flip the log of a killed process at every `every`-th byte, and open each: what came of it, and what is
    wrong with that. Rows that are missing must be said."""
    home = folder / "log" / "home"
    store = open_store(home)
    insert = text("INSERT INTO marker VALUES (:name, :moment, 'release', 'x')")
    for number in range(8):
        values = {"name": f"m{number}", "moment": datetime(2026, 11, 2)}
        store.write(lambda connection, values=values: connection.execute(insert, values))  # type: ignore[misc]
    names = (store.path.name, f"{store.path.name}.wal", "acknowledged")
    kept = {name: (home / name).read_bytes() for name in names}
    store.close()
    log = kept[names[1]]
    changed = [("cut", log[:at]) for at in range(0, len(log), every)]
    for mask in (0xFF, 0x01, 0x80):
        changed += [("flipped", log[:at] + bytes([log[at] ^ mask]) + log[at + 1 :]) for at in range(0, len(log), every)]
    seen: Counter[str] = Counter()
    wrong = []
    place = folder / "log" / "again"
    for how, damaged in changed:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name, content in kept.items():
            (place / name).write_bytes(damaged if name == names[1] else content)
        came, fault = _opened_with_damage(place)
        seen[f"{how}, {came}"] += 1
        if fault:
            wrong.append(f"log {how}: {fault}")
    return seen, wrong


def _opened_with_damage(place: Path) -> tuple[str, str | None]:
    """What became of a home with a damaged log, and what is wrong with that."""
    try:
        store = open_store(place)
    except LabError as error:
        return "refused", None if "\n" not in str(error) else f"not one sentence: {error}"
    except Exception as error:
        return "broken", f"an error that is none of ours: {type(error).__name__}: {error}"
    try:
        rows = [row["marker_id"] for row in store.rows("SELECT marker_id FROM marker ORDER BY marker_id")]
        if rows != [f"m{number}" for number in range(len(rows))]:
            return "torn", f"rows {rows}"
        if len(rows) < 8 and not store.damage:
            return "silent", f"{8 - len(rows)} rows are missing, and nothing says so"
        return ("short, and said" if store.damage else "whole"), None
    finally:
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=5, help="damage every n-th byte of the log")
    parser.add_argument("--work")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--fd", type=int)
    given = parser.parse_args()
    if given.work:
        run_work(given.work, given.home, given.fd)
        return
    with tempfile.TemporaryDirectory() as folder:
        hits, found = sweep(Path(folder), given.runs, given.seed, given.jobs)
        logs, wrong = damaged_logs(Path(folder), given.every)
    print(f"seed {given.seed}: {given.runs} runs, {sum(hits.values())} faults hit")
    for work, number in hits.items():
        print(f"  {work:12} {number:4}")
    for what, number in sorted(logs.items()):
        print(f"  log {what:22} {number:4}")
    for one in found + wrong:
        print(f"  VIOLATED {one}")
    bad = len(found + wrong)
    print(f"{bad} violations" if bad else "0 lost, 0 doubled, nothing silent, every error is one sentence")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
