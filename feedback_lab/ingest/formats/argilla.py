"""Argilla: records with suggestions and responses, as `to_list` gives them, nested or flattened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from feedback_lab.ingest.formats.cells import Record, Values, block, first, mostly, rest, structure, text
from feedback_lab.ingest.formats.format import Format, Pass, says_something
from feedback_lab.ingest.formats.labelling import ANSWERED, ASKED, COMMENT, CORRECTION, exchange, listed, words_of
from feedback_lab.ingest.formats.messages import answered
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

RESPONSES = (".responses", ".response")
PARTS = (".users", ".status", ".suggestion", ".score", ".agent", *RESPONSES)


def recognises(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Nested: fields with responses and suggestions. Flat: a question's responses with their users and status."""
    if {"fields", "responses", "suggestions"} <= set(header) and mostly(sample, lambda row: block(row, "fields")):
        return "its rows are Argilla records: fields, suggestions and responses"
    ends = [name for name in header if name.endswith((".responses.status", ".suggestion.agent"))]
    if ends:
        return f"its columns are those of a flattened Argilla record, as {ends[0]!r}"
    return None


def unpack(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """Each user's responses to all questions are one feedback; each suggestion is one of a judge."""
    fields = dict(block(row, "fields")) or {name: row[name] for name in row if name in (*ASKED, *ANSWERED)}
    record_id = first(row.get("id"), row.get("_server_id"))
    said = _nested(row) if "fields" in row else _flat(row)
    used = ("id", "fields", "responses", "suggestions", "vectors", *fields, *(n for n in row if n.endswith(PARTS)))
    question, answer = exchange(fields)
    if not question and not answer:
        question = "\n".join(f"{name}: {text(value)}" for name, value in fields.items())
    yield {"interaction_id": record_id, "input": question, "output": answer, **rest(row, used, "argilla")}
    for (population, rater), answers in said.items():
        yield _feedback(record_id, population, rater, answers, reading)


def _feedback(
    record_id: str, population: str, rater: str, answers: Mapping[str, Any], reading: Pass
) -> Record | Problem:
    """All that one rater said of one record."""
    record: Record = {
        "interaction_id": record_id,
        "feedback_id": f"{record_id}/{population}/{rater}" if record_id else "",
        "rater": rater,
        "population": population,
        "answers": dict(answers),
    }
    for name, value in answers.items():
        words = words_of(name)
        if words & CORRECTION:
            record["suggested_answer"] = answered(value)
        elif words & COMMENT:
            record["comment"] = text(value)
        else:
            opinion = reading.scores.opinion(name, structure(value), population=population)
            if opinion.get("kind") in ("thumb", "rating") or "kind" not in record:
                record |= {} if record.get("kind") in ("thumb", "rating") else opinion
    if not says_something(record):
        return Problem(None, "no_value", f"the response of {rater or 'a user'} answers no question")
    return record


def _nested(row: Values) -> dict[tuple[str, str], dict[str, Any]]:
    said: dict[tuple[str, str], dict[str, Any]] = {}
    for name, given in block(row, "responses").items():
        for response in given if isinstance(given, list) else [given]:
            if isinstance(response, Mapping) and response.get("status", "submitted") not in ("draft", "discarded"):
                said.setdefault((Population.REVIEWER, text(response.get("user_id"))), {})[name] = response.get("value")
    for name, given in block(row, "suggestions").items():
        if isinstance(given, Mapping) and given.get("value") is not None:
            said.setdefault((Population.JUDGE, text(given.get("agent"))), {})[name] = given["value"]
    return said


def _flat(row: Values) -> dict[tuple[str, str], dict[str, Any]]:
    said: dict[tuple[str, str], dict[str, Any]] = {}
    for column in row:
        if column.endswith(RESPONSES):
            name = column.rpartition(".")[0]
            users, status = (listed(structure(row.get(f"{column}.{part}"))) for part in ("users", "status"))
            for place, value in enumerate(listed(structure(row[column]))):
                if (status[place : place + 1] or ["submitted"])[0] not in ("draft", "discarded"):
                    rater = text((users[place : place + 1] or [""])[0])
                    said.setdefault((Population.REVIEWER, rater), {})[name] = value
        elif column.endswith(".suggestion") and text(row[column]):
            key = (str(Population.JUDGE), text(row.get(f"{column}.agent")))
            said.setdefault(key, {})[column.removesuffix(".suggestion")] = row[column]
    return said


FORMATS = (Format("argilla", "Argilla records", "records as to_list or to_json give them, flattened or not",
                  recognises, unpack),)  # fmt: skip
