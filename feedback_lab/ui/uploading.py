"""An upload of this session: the file kept under a name of ours, what was recognised in it, and its import."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.ingest.load import ImportReport, import_file
from feedback_lab.ingest.mapping import Suggestion, suggest
from feedback_lab.ingest.plan import Plan
from feedback_lab.ingest.readers import open_rows
from feedback_lab.records import new_id
from feedback_lab.ui import state

ABANDONED_AFTER_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was dropped: where it lies until it is imported, and what it looks like."""

    path: Path
    name: str
    header: list[str]
    format: str
    sample: Sequence[Mapping[str, Any]]
    suggestion: Suggestion


def current() -> Upload | None:
    upload: Upload | None = st.session_state.get("upload")
    return upload


def report() -> ImportReport | None:
    """The report of the import that this session did last, until the next file."""
    found: ImportReport | None = st.session_state.get("report")
    return found


def receive() -> None:
    """A file was dropped or taken away: keep its bytes as `<id>.csv` in home/uploads, whatever it was called."""
    forget()
    st.session_state.pop("report", None)
    dropped = st.session_state.get(f"file_{round_number()}")
    if dropped is None:
        return
    folder = state.lab().settings.home / "uploads"
    path = folder / f"{new_id()}.csv"
    try:
        folder.mkdir(exist_ok=True)
        _remove_abandoned(folder)
        path.write_bytes(dropped.getbuffer())
        source = open_rows(path)
        sample = source.sample()
        found = suggest(source.header, sample)
    except (LabError, OSError) as error:
        path.unlink(missing_ok=True)
        state.say("error", str(error).replace(str(path), dropped.name))
        return
    st.session_state["upload"] = Upload(path, dropped.name, source.header, source.format, sample, found)


def forget() -> None:
    """Remove the kept file and everything that was said about it."""
    upload: Upload | None = st.session_state.pop("upload", None)
    st.session_state.pop("checked", None)
    if upload:
        upload.path.unlink(missing_ok=True)


def start_again() -> None:
    """Button: an empty page for the next file."""
    forget()
    st.session_state.pop("report", None)
    st.session_state["upload_round"] = round_number() + 1  # a new key empties the file widget


def round_number() -> int:
    return int(st.session_state.get("upload_round", 0))


def run(upload: Upload, plan: Plan, *, dry_run: bool, progress: Callable[[int], None]) -> ImportReport | None:
    """Import the file, or count what an import would do; None where it was refused, which becomes a message."""
    try:
        found = import_file(
            state.lab().store, upload.path, plan, dry_run=dry_run, progress=progress, file_name=upload.name
        )
    except LabError as error:
        state.say("error", str(error).replace(str(upload.path), upload.name))
        return None
    if dry_run:
        st.session_state["checked"] = (plan, found)
    else:
        forget()
        st.session_state["report"] = found
    return found


def checked(plan: Plan) -> ImportReport | None:
    """The dry run of exactly this plan, where there was one."""
    kept: tuple[Plan, ImportReport] | None = st.session_state.get("checked")
    return kept[1] if kept and kept[0] == plan else None


def _remove_abandoned(folder: Path) -> None:
    """Files of sessions that ended before their import."""
    for path in folder.glob("*-*-*-*-*.csv"):
        if not path.name.startswith("rejected-") and time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
            path.unlink(missing_ok=True)
