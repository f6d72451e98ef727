"""An upload of this session: the file kept under a name of ours, what was recognised in it, and its import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.ingest import formats
from feedback_lab.ingest.load import ImportReport, import_file
from feedback_lab.ingest.planning import saved_mappings
from feedback_lab.ingest.planning.mapping import Suggestion, suggest
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading import nested
from feedback_lab.ingest.reading.readers import Hints, open_rows
from feedback_lab.jobs import JobHandle, State
from feedback_lab.records import new_id
from feedback_lab.ui import jobs, state

JOB = "import"
IMPORT = "Import"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was dropped: where it lies until it is imported, how it is read, and what was recognised.

    `columns` are those of `header` and what stands inside their blocks of JSON, as `sample` has them, and those of
    `saved`: the name and the plan of the mapping that a file with this header had before. `tool` is the export that it
    is, None for an ordinary file or where the human said so.
    """

    path: Path
    name: str
    hints: Hints
    header: list[str]
    columns: list[str]
    format: str
    sample: Sequence[Mapping[str, Any]]
    tool: formats.Recognised | None
    suggestion: Suggestion
    saved: tuple[str, Plan] | None

    @property
    def reading(self) -> str:
        """What tells one way to read a file from another: a part of the keys of its widgets."""
        saved = self.saved[0] if self.saved else ""
        return f"{self.path.stem}_{self.hints.encoding}_{self.hints.delimiter}_{self.hints.header}_{saved}"

    @property
    def format_name(self) -> str:
        return self.tool.name if self.tool else formats.NONE


def current() -> Upload | None:
    upload: Upload | None = st.session_state.get("upload")
    return upload


def report() -> ImportReport | None:
    """The report of the import that this session did last, until the next file."""
    found: ImportReport | None = st.session_state.get("report")
    return found


def receive() -> None:
    """A file was dropped or taken away: keep its bytes as `<id>.csv` in home/uploads, whatever it was called."""
    start_again(new_round=False)
    dropped = st.session_state.get(f"file_{round_number()}")
    if dropped is None:
        return
    path = state.lab().settings.home / "uploads" / f"{new_id()}.csv"
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(dropped.getbuffer())
    except OSError as error:
        path.unlink(missing_ok=True)
        state.say("error", f"The file cannot be kept in {path.parent} ({error.strerror or error}): make room.")
        return
    take(path, dropped.name)


def take(path: Path, name: str) -> None:
    """Look at a kept file; one that cannot be read is said, and removed."""
    try:
        st.session_state["upload"] = _looked_at(path, name, Hints(), ordinary=False, use_saved=True)
    except LabError as error:
        path.unlink(missing_ok=True)
        state.say("error", str(error).replace(str(path), name))


def read_anew(hints: Hints, *, ordinary: bool = False, use_saved: bool = True) -> None:
    """Read the same file another way; where that is impossible it is said, and the way before stays."""
    before = current()
    if before is None:
        return
    st.session_state.pop("checked", None)
    try:
        st.session_state["upload"] = _looked_at(before.path, before.name, hints, ordinary, use_saved)
    except LabError as error:
        state.say("error", str(error).replace(str(before.path), before.name))


def _looked_at(path: Path, name: str, hints: Hints, ordinary: bool, use_saved: bool) -> Upload:
    rows = open_rows(path, hints)
    tool = None if ordinary else formats.recognise(rows)
    columns, sample = nested.looked_into(rows)
    suggestion = suggest([], []) if tool else suggest(columns, sample)
    saved = None if tool or not use_saved else saved_mappings.for_header(state.lab().store, rows.header)
    if saved:
        columns = nested.columns_for(rows, columns, saved[1].columns.values())
    words = tool.source.format if tool else rows.format
    return Upload(path, name, hints, rows.header, columns, words, sample, tool, suggestion, saved)


def start_again(*, new_round: bool = True) -> None:
    """Button: forget the file and what was said of it; an empty page for the next one."""
    if job := jobs.current(JOB):
        job.cancel()
    upload: Upload | None = st.session_state.pop("upload", None)
    for name in ("checked", "report"):
        st.session_state.pop(name, None)
    if upload:
        upload.path.unlink(missing_ok=True)
    if new_round:
        st.session_state["upload_round"] = round_number() + 1  # a new key empties the file widget


def round_number() -> int:
    return int(st.session_state.get("upload_round", 0))


def start(plan: Plan, *, dry_run: bool) -> None:
    """Button: import the file in the background, or count what an import would do."""
    upload, store = current(), state.lab().store
    if upload is None:
        return

    def work(handle: JobHandle) -> tuple[Plan, ImportReport]:
        found = import_file(
            store,
            upload.path,
            plan,
            dry_run=dry_run,
            progress=lambda rows: handle.progress(rows),
            file_name=upload.name,
            format=upload.format_name,
            hints=upload.hints,
        )
        if not dry_run:
            upload.path.unlink(missing_ok=True)  # the page that began it may be gone
        return plan, found

    jobs.start(JOB, "Dry run of an import" if dry_run else IMPORT, work)
    take_result()


def take_result() -> None:
    """What the job left, if it has ended: the counts of a dry run, the report of an import, or why there is none."""
    job = jobs.take(JOB)
    upload = current()
    if job is None or upload is None:
        return
    if job.state is State.FAILED:
        state.say("error", str(job.error).replace(str(upload.path), upload.name))
    elif job.state is State.CANCELLED:
        state.say("info", "Stopped. Nothing of the file was stored.")
    elif job.result is not None:
        plan, found = job.result
        if found.dry_run:
            st.session_state["checked"] = (plan, found)
        else:
            start_again(new_round=False)
            st.session_state["report"] = found
            state.wrote()
            if jobs.was_stopped(JOB):
                state.say("attention", "The rows were stored before the stop came: take the import back below.")


def checked(plan: Plan) -> ImportReport | None:
    """The dry run of exactly this plan, where there was one."""
    kept: tuple[Plan, ImportReport] | None = st.session_state.get("checked")
    return kept[1] if kept and kept[0] == plan else None


def save_mapping(upload: Upload, plan: Plan) -> None:
    """Button: keep the mapping under the name in its box, for the next file with this header."""
    name = str(st.session_state.get("mapping_name", ""))
    try:
        saved_mappings.save(state.lab().store, name, upload.header, plan, "dashboard")
    except LabError as error:
        state.say("error", str(error))
    else:
        state.say("done", f"The mapping {name.strip()!r} is used for the next file with these columns.")
