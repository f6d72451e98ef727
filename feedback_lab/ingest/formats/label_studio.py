"""Label Studio: tasks with annotations and predictions (JSON), and annotations one a row (JSON-MIN, CSV, TSV)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from feedback_lab.ingest.formats.cells import (
    Record,
    Values,
    block,
    blocks,
    first,
    inside,
    mostly,
    rest,
    structure,
    text,
)
from feedback_lab.ingest.formats.format import Format, Pass, says_something
from feedback_lab.ingest.formats.labelling import ANSWERED, ASKED, COMMENT, CORRECTION, exchange, listed, words_of
from feedback_lab.ingest.formats.scores import is_plain
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

TAKEN = ("id", "data", "annotations", "predictions", "drafts", "created_at")
OF_ANNOTATION = ("id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time")


def recognises(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """A task's data with annotations whose result is a list."""

    def holds(row: Values) -> bool:
        return bool(block(row, "data")) and all("result" in each for each in blocks(row, "annotations"))

    if {"data", "annotations"} <= set(header) and mostly(sample, holds):
        return "its rows are Label Studio tasks: data with annotations"
    return None


def unpack(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """A task is one interaction; each annotation that was not cancelled is a reviewer's feedback."""
    data = block(row, "data")
    task = f"label-studio-{text(row.get('id'))}" if text(row.get("id")) else ""
    question, answer = exchange(data)
    interaction = first(data.get("interaction_id"), data.get("trace_id"), task)
    yield {
        **rest(row, TAKEN, "label_studio"),
        **rest(data, (*ASKED, *ANSWERED, "interaction_id", "trace_id", "model", "session_id"), "data"),
        "interaction_id": interaction,
        "session_id": text(data.get("session_id")),
        "input": question,
        "output": answer,
        "model": text(data.get("model")),
    }
    for annotation in blocks(row, "annotations"):
        if annotation.get("was_cancelled") not in (True, "true"):
            yield _feedback(annotation, interaction, Population.REVIEWER, reading)
        else:
            reading.nothing("cancelled annotations")
    for prediction in blocks(row, "predictions"):
        yield _feedback(prediction, interaction, Population.JUDGE, reading)


def _feedback(annotation: Values, interaction: str, population: str, reading: Pass) -> Record | Problem:
    """All results of one annotation: the first choice, rating or number, with the texts beside it."""
    kind = "annotation" if population == Population.REVIEWER else "prediction"
    number = text(annotation.get("id"))
    record: Record = {
        "interaction_id": interaction,
        "feedback_id": f"label-studio-{kind}-{number}" if number else "",
        "rated_at": text(annotation.get("created_at")),
        "rater": first(inside(annotation, "completed_by", "email"), inside(annotation, "completed_by", "id"),
                       annotation.get("completed_by"), annotation.get("model_version")),
        "population": population,
        "results": annotation.get("result"),
    }  # fmt: skip
    for result in blocks(annotation, "result"):
        name = first(result.get("from_name"), result.get("type"))
        written = "\n".join(map(text, listed(inside(result, "value", "text"))))
        if written and words_of(name) & CORRECTION:
            record["suggested_answer"] = written
        elif written:
            record["comment"] = "\n".join(filter(None, (record.get("comment"), written)))
        elif record.get("kind") not in ("thumb", "rating"):
            record |= _opinion(name, block(result, "value"), population, reading)
    if not says_something(record):
        return Problem("annotations", "no_value", f"the {kind} {number} holds no choice, rating or text")
    return record


def _opinion(name: str, value: Mapping[str, Any], population: str, reading: Pass) -> Record:
    """Choices by their words; stars and numbers by what the file shows of them."""
    for choice in listed(value.get("choices")):
        return reading.scores.opinion(name, choice, population=population)
    for key in ("rating", "number"):
        if text(value.get(key)):
            return reading.scores.opinion(
                f"{name} {key}" if key == "rating" and "rat" not in name else name, value[key], population=population
            )
    return {}


def are_annotations(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """One annotation a row: its number, who gave it, and how long that took."""
    if {"annotation_id", "annotator", "lead_time"} <= set(header):
        return "its columns are those of Label Studio's annotations: annotation_id, annotator and lead_time"
    return None


def unpack_annotation(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """The task as interaction and the annotation as a reviewer's feedback, as in the export with whole tasks.

    Data and results stand side by side: what is asked and answered is known by its name, a result by its shape, a
    text among them by a name like comment or corrected, and a label where it is plainly good or bad.
    """
    task, number = (text(row.get(name)) for name in ("id", "annotation_id"))
    question, answer = exchange(row)
    interaction = first(row.get("interaction_id"), row.get("trace_id"), task and f"label-studio-{task}")
    yield {"interaction_id": interaction, "input": question, "output": answer}
    named = (*OF_ANNOTATION, *ASKED, *ANSWERED, "interaction_id", "trace_id")
    said: Record = {}
    texts = []
    for name, cell in row.items():
        found = _result(name, structure(cell), reading) if name not in named else {}
        texts += [name] if found and "kind" not in found else []
        said |= found if "kind" not in found or "kind" not in said else {}
    if not says_something(said):
        yield Problem(None, "no_value", f"the annotation {number} holds no choice, rating or text")
        return
    yield {
        **rest(row, (*named, *texts), "label_studio"),
        "interaction_id": interaction,
        "feedback_id": f"label-studio-annotation-{number}" if number else "",
        "rated_at": text(row.get("created_at")),
        "rater": text(row.get("annotator")),
        "population": Population.REVIEWER,
        **said,
    }


def _result(name: str, cell: Any, reading: Pass) -> Record:
    """What one column says: a choice, a rating, a text; nothing where it is a part of the task's data."""
    value = listed(cell)[0] if listed(cell) else ""
    if isinstance(value, Mapping):
        return _opinion(name, value, Population.REVIEWER, reading)
    if words_of(name) & CORRECTION:
        return {"suggested_answer": "\n".join(map(text, listed(cell)))}
    if words_of(name) & COMMENT:
        return {"comment": "\n".join(map(text, listed(cell)))}
    return reading.scores.opinion(name, value, population=Population.REVIEWER) if is_plain(text(value)) else {}


FORMATS = (
    Format("label-studio", "Label Studio tasks", "Export, JSON", recognises, unpack, lambda row: "annotations" in row),
    Format("label-studio-annotations", "Label Studio annotations", "Export, JSON-MIN, CSV or TSV", are_annotations,
           unpack_annotation, lambda row: "annotation_id" in row and "lead_time" in row),
)  # fmt: skip
