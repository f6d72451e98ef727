"""Broken files without end: seeds of every kind that is read, bent in the ways that files get bent.

`judge` puts one to the proof: whatever it holds, every row is accounted for, or one sentence says why there are none.
"""

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from feedback_lab.errors import LabError
from feedback_lab.ingest.load import import_file, preview
from feedback_lab.ingest.planning.mapping import complete_plan
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.batches import Row
from feedback_lab.ingest.reading.readers import RowSource, open_rows
from feedback_lab.ingest.undo import undo
from feedback_lab.store import Store

FIXTURES = Path(__file__).parent / "fixtures"
HEADER = ["id", "time", "question", "answer", "rating", "comment"]
TEXTS = ["good", 'it said "no", twice', "two\nlines", "", "schön – 日本語 👍🏽", "=1+1", "x" * 300, "a;b|c\td"]
TIMES = ["2023-05-18 10:30", "18/05/2023", "05/06/2023", "1684368000", "May 18, 2023", "soon"]
RATINGS = ["1", "5", "4,5", "👍", "down", "4/5", "85 %", "★★★☆☆", ""]
ENCODINGS = [
    "utf-16",
    "utf-16-le",
    "utf-32",
    "cp1252",
    "latin-1",
    "shift_jis",
    "gb18030",
    "koi8_r",
    "utf-7",
    "utf-8-sig",
]
TOKENS = [
    *(
        b'"',
        b"\x00",
        b"\r",
        b"\r\n",
        b"\n",
        b",",
        b";",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\\",
        b"'",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ),
    *(
        b"\xed\xa0\x80",
        b"\x80",
        b"\\u0000",
        b"\\ud800",
        b"NaN",
        b"-",
        b"1e999",
        b"\xe2\x80\xa8",
        b"=cmd()",
        b"null",
        b"#",
    ),
    *(b"9" * 5_000, b"[" * 2_000, b'{"a":' * 300, b"sep=;\n", b",,,,,,", b"\x1b$B", b"PK\x03\x04", b"\x1f\x8b"),
]


@dataclass(frozen=True)
class Verdict:
    """What became of one file: the number of rows read, or 0 where it was refused, and the sentence then."""

    rows: int
    refused: str = ""


def seeds() -> dict[str, bytes]:
    """One file or more of every kind, the tools' exports of the fixtures among them."""
    draw = random.Random(0)
    rows = [
        [
            str(number),
            draw.choice(TIMES),
            draw.choice(TEXTS),
            draw.choice(TEXTS),
            draw.choice(RATINGS),
            draw.choice(TEXTS),
        ]
        for number in range(40)
    ]
    records = [dict(zip(HEADER, row, strict=True)) for row in rows]
    found = {
        f"csv-{name}": _csv(rows, delimiter)
        for name, delimiter in {"comma": ",", "semicolon": ";", "tab": "\t"}.items()
    }
    text = found["csv-comma"]
    found |= {
        "csv-preamble": b"Report of May\r\n# by ann\n\n" + text,
        "csv-no-header": text.partition(b"\n")[2],
        "csv-utf-16": text.decode().encode("utf-16"),
        "csv-chat": b"session_id,role,content,created_at\ns,user,Hi,2023-05-18\ns,assistant,Hello,2023-05-18\n" * 9,
        "json-lines": b"\n".join(json.dumps(record).encode() for record in records),
        "json-list": json.dumps(records, indent=1).encode(),
        "json-wrapped": json.dumps({"data": records, "meta": {"page": 1}}).encode(),
        "json-objects": b"\n".join(json.dumps(record, indent=2).encode() for record in records),
        "parquet": _parquet(records),
        "excel": _workbook(rows),
        "gzip": gzip.compress(text, mtime=0),
        "zip": _zip({"rows.csv": text}),
    }
    exports = [path for path in sorted(FIXTURES.glob("*/*")) if path.suffix in (".csv", ".json", ".jsonl")]
    return found | {f"{path.parent.name}/{path.name}": path.read_bytes()[:200_000] for path in exports}


def mutations(seed: int, originals: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Mutated files without end, each with a name that says how it came about; the same for the same seed."""
    draw = random.Random(seed)
    names = sorted(originals)
    number = 0
    while True:
        name = names[number % len(names)]
        data, done = originals[name], []
        for _ in range(draw.choice((1, 1, 2, 3))):
            way = draw.choice(WAYS)
            data = way(draw, data, originals[draw.choice(names)])
            done.append(way.__name__.strip("_"))
        yield f"{number}-{name.replace('/', '-')}-{'-'.join(done)}", data
        number += 1


def judge(path: Path, store: Store | None, *, whole: bool = False) -> Verdict:
    """Read, map and (with a store) try an import of the file; raises AssertionError where a row is lost.

    `whole` imports it twice and takes it back, after which the store must hold what it held before.
    """
    try:
        source = open_rows(path)
        rows = list(source)
        _check_rows(source, rows)
        plan, _ = complete_plan(Plan(), source.header, source.sample(), only_exact=False)
        plan = plan if plan.columns else Plan({"comment": source.header[0]})
        preview(path, plan)
        if store is not None:
            report = import_file(store, path, plan, dry_run=not whole, format="none")
            assert report.read == len(rows), f"{report.read} rows were imported of {len(rows)}"
            assert report.read == report.new + report.duplicate + report.rejected, str(report)
            if whole:
                _check_again(store, path, plan, report.batch_id)
            _check_export(store, path)
        return Verdict(len(rows))
    except LabError as error:
        refused = str(error)
    assert refused, "an error without a word"
    assert "\n" not in refused, f"more than one line: {refused}"
    return Verdict(0, refused)


def _check_rows(source: RowSource, rows: list[Row]) -> None:
    lines = [row.line for row in rows]
    assert lines == sorted(lines), "line numbers fall"
    assert all(line > 0 for line in lines)
    assert len(set(source.header)) == len(source.header)
    count = 0
    for batch in source.batches():
        assert all(len(cells) == len(batch.lines) for cells in batch.columns.values())
        count += len(batch.lines) + len(batch.problems)
    assert count == len(rows)
    for row in rows:
        json.dumps([row.values, list(row.raw), row.problem], ensure_ascii=False)
        if row.problem is None:
            json.dumps(row.values, ensure_ascii=False).encode()


def _check_again(store: Store, path: Path, plan: Plan, batch_id: str | None) -> None:
    again = import_file(store, path, plan, format="none")
    assert again.new == 0, f"a second import added {again.new} rows"
    assert again.read == again.duplicate + again.rejected
    assert again.batch_id is not None
    assert batch_id is not None
    undo(store, again.batch_id, "fuzz")
    undo(store, batch_id, "fuzz")
    left = store.scalar("SELECT (SELECT count(*) FROM interaction) + (SELECT count(*) FROM feedback)")
    assert left == 0, f"{left} records stayed after the import was taken back"


def _check_export(store: Store, path: Path) -> None:
    """What a file of a tool's export is recognised as must add up as well; it may have records of its own."""
    try:
        report = import_file(store, path, Plan(), dry_run=True)
    except LabError:
        return
    assert report.read == report.new + report.duplicate + report.rejected, str(report)


def _flip(draw: random.Random, data: bytes, _: bytes) -> bytes:
    changed = bytearray(data)
    for _time in range(min(len(changed), draw.choice((1, 1, 3, 20)))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def _cut(draw: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
    return draw.choice((data[:start], data[start:], data[:start] + data[end:]))


def _splice(draw: random.Random, data: bytes, other: bytes) -> bytes:
    start = draw.randrange(len(other) + 1)
    piece = other[start : start + draw.choice((10, 100, 1_000))]
    place = draw.randrange(len(data) + 1)
    return data[:place] + piece + data[place:]


def _repeat(draw: random.Random, data: bytes, _: bytes) -> bytes:
    start = draw.randrange(len(data) + 1)
    return data[:start] + data[start : start + 500] * draw.choice((2, 5)) + data[start:]


def _insert(draw: random.Random, data: bytes, _: bytes) -> bytes:
    for _time in range(draw.choice((1, 2, 5))):
        place = draw.randrange(len(data) + 1)
        data = data[:place] + draw.choice(TOKENS) + data[place:]
    return data


def _recode(draw: random.Random, data: bytes, _: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode(draw.choice(ENCODINGS), "ignore")


def _drop_signs(draw: random.Random, data: bytes, _: bytes) -> bytes:
    sign = draw.choice(b'"{}[],:\n\\')
    places = [place for place, byte in enumerate(data) if byte == sign]
    gone = set(draw.sample(places, min(len(places), draw.choice((1, 2, 9)))))
    return bytes(byte for place, byte in enumerate(data) if place not in gone)


def _pack(draw: random.Random, data: bytes, other: bytes) -> bytes:
    return draw.choice((gzip.compress(data, mtime=0), _zip({"a.csv": data}), _zip({"a": data, "b": other})))


def _inside(draw: random.Random, data: bytes, other: bytes) -> bytes:
    """Bend one member of a zip or workbook, or what is in a gzip, and pack it again."""
    way = draw.choice((_flip, _cut, _splice, _insert))
    try:
        if data.startswith(b"\x1f\x8b"):
            return gzip.compress(way(draw, gzip.decompress(data), other), mtime=0)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = draw.choice(sorted(members))
        return _zip(members | {name: way(draw, members[name], other)})
    except Exception:  # already bent beyond opening
        return way(draw, data, other)


WAYS: list[Callable[[random.Random, bytes, bytes], bytes]] = [
    *(_flip, _cut, _splice, _repeat, _insert, _insert, _recode, _drop_signs, _pack, _inside)
]


def _csv(rows: list[list[str]], delimiter: str) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows([HEADER, *rows])
    return stream.getvalue().encode()


def _parquet(records: list[dict[str, str]]) -> bytes:
    stream = io.BytesIO()
    table = pa.Table.from_pylist([{**record, "n": number, "tags": ["a", "b"]} for number, record in enumerate(records)])
    pq.write_table(table, stream, row_group_size=15)
    return stream.getvalue()


def _workbook(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for row in [["Report"], HEADER, *rows]:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:  # without the part that tells the time
        return _zip({name: archive.read(name) for name in archive.namelist() if name != "docProps/core.xml"})


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
