"""Argilla and Label Studio: people name the fields and questions of a project themselves, and what these mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedback_lab.ingest.formats.messages import answered, asked

ASKED = ("prompt", "question", "instruction", "input", "query", "user_input", "text", "chat")
ANSWERED = ("response", "answer", "output", "completion", "generation", "reply")
COMMENT = frozenset(("comment", "feedback", "reason", "rationale", "why", "explanation", "note"))
CORRECTION = frozenset(("correct", "corrected", "better", "improved", "suggested", "expected", "rewrite"))


def exchange(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Question and answer among the fields of a record; empty where there is none."""
    question = next((asked(fields[name]) for name in ASKED if fields.get(name)), "")
    answer = next((answered(fields[name]) for name in ANSWERED if fields.get(name)), "")
    return question, answer


def words_of(name: str) -> frozenset[str]:
    """The words in the name of a question: "better-answer" -> better, answer."""
    return frozenset(name.lower().replace("-", "_").split("_"))


def listed(value: Any) -> list[Any]:
    """The value as a list, of one element where it is none; empty for nothing."""
    return value if isinstance(value, list) else [] if value in (None, "") else [value]
