"""How commands answer: one JSON object with `--json`, else short plain lines and tables.

Who is answered is the `Caller` of the running command: the terminal of this process, or, for a command that was
handed over to the server, the person at the other end. What strangers wrote may hold control characters that a
terminal obeys; they are made visible first.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from feedback_lab.jobs import JobHandle
from feedback_lab.published_text import reveal

IDS = ("task", "id", "entry", "batch_id")  # a broken id cannot be copied
PROGRESS_EVERY_S = 0.2

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on stdout.")]
Colours = Literal["auto", "standard", "256", "truecolor", "windows"]


@dataclass(frozen=True, slots=True)
class Terminal:
    """What is known of the screen where an answer is shown."""

    width: int
    colours: Colours | None
    shows_progress: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody in another process: where the answer goes, how it is to look, where relative file names begin."""

    out: TextIO
    err: TextIO
    terminal: Terminal
    folder: Path
    job: JobHandle


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


@contextmanager
def answering(caller: Caller) -> Iterator[None]:
    """Everything that this thread says by this module goes to `caller`, and to nobody else."""
    before = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(before)


def caller() -> Caller | None:
    """The one in another process who is answered, None for this process's own terminal."""
    return _caller.get()


def own_terminal() -> Terminal:
    """The terminal of this process, as tables and progress find it."""
    console = Console(highlight=False)
    return Terminal(console.width, console.color_system, sys.stderr.isatty())  # type: ignore[arg-type]


def say(line: str) -> None:
    """One line on stdout; what terminals obey in it is made visible."""
    typer.echo(reveal(line), file=_out())


def emit(answer: dict[str, Any], as_json: bool, *lines: str) -> None:
    """Print `answer` as JSON, or the `lines` made for people."""
    if as_json:
        typer.echo(json.dumps(answer, default=_plain), file=_out())
    else:
        for line in lines:
            say(line)


def complain(message: str, code: int) -> int:
    """One line on stderr; `code` again, for the way out."""
    found = _caller.get()
    print(one_line(message), file=found.err if found else sys.stderr)
    return code


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; every cell is plain text, folded to the width of the terminal."""
    grid = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold", no_wrap=column in IDS)
    for row in rows:
        grid.add_row(*(Text(one_line("" if cell is None else str(cell))) for cell in row))
    _console().print(grid)


@contextmanager
def progress(as_json: bool, unit: str) -> Iterator[Callable[[int, int | None, str], None]]:
    """A function for work to say how far it is: (done, total or None, words); it raises jobs.Cancelled on Ctrl+C
    at a distance. On a terminal one line follows it, which is gone at the end; elsewhere nothing is printed."""
    found = _caller.get()
    stream = found.err if found else sys.stderr
    terminal = found.terminal if found else own_terminal()
    shown, begun, last = terminal.shows_progress and not as_json, time.monotonic(), 0.0

    def step(done: int, total: int | None = None, words: str = "") -> None:
        nonlocal last
        if found:
            found.job.progress(done, total, words)
        now = time.monotonic()
        if not shown or now - last < PROGRESS_EVERY_S:
            return
        last = now
        part = f"{done:,}" if total is None else f"{done:,} of {total:,}"
        speed = f", {done / (now - begun):,.0f} a second" if now - begun > 1 else ""
        stream.write(f"\r\x1b[2K{one_line(f'{part} {unit}{speed} {words}')[: terminal.width - 1]}")
        stream.flush()

    try:
        yield step
    finally:
        if last:
            stream.write("\r\x1b[2K")
            stream.flush()


def one_line(text: str) -> str:
    """`text` on one line, what is invisible or obeyed by terminals made visible."""
    return reveal(" ".join(text.split()))


def moment(value: datetime | None) -> str | None:
    """A UTC time as JSON shows it: 2026-11-21T09:30:00Z."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def _out() -> TextIO | None:
    """The stream of the caller; None lets typer find this process's own."""
    found = _caller.get()
    return found.out if found else None


def _console() -> Console:
    found = _caller.get()
    if found is None:
        return Console(highlight=False)
    shown = found.terminal
    return Console(
        file=found.out,
        width=shown.width,
        force_terminal=shown.colours is not None,
        color_system=shown.colours,
        no_color=shown.colours is None,
        highlight=False,
        legacy_windows=False,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if hasattr(value, "item"):
        return value.item()
    return str(value)
