"""How commands answer: one JSON object with `--json`, else short plain lines and tables.

What strangers wrote may hold control characters that a terminal obeys; they are made visible first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from feedback_lab.published_text import reveal

IDS = ("task", "id", "entry", "batch_id")  # a broken id cannot be copied

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on stdout.")]


def emit(answer: dict[str, Any], as_json: bool, *lines: str) -> None:
    """Print `answer` as JSON, or the `lines` made for people."""
    if as_json:
        typer.echo(json.dumps(answer, default=_plain))
    else:
        for line in lines:
            typer.echo(reveal(line))


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; every cell is plain text, folded to the width of the terminal."""
    grid = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold", no_wrap=column in IDS)
    for row in rows:
        grid.add_row(*(Text(one_line("" if cell is None else str(cell))) for cell in row))
    Console(highlight=False).print(grid)


def one_line(text: str) -> str:
    """`text` on one line, what is invisible or obeyed by terminals made visible."""
    return reveal(" ".join(text.split()))


def moment(value: datetime | None) -> str | None:
    """A UTC time as JSON shows it: 2026-11-21T09:30:00Z."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


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
