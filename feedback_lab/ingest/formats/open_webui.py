"""Open WebUI: the export of all feedback, with the snapshot of the chat where it holds one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from feedback_lab.ingest.formats.cells import Record, Values, block, first, inside, mostly, rest, text
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.formats.messages import asked
from feedback_lab.ingest.reading.batches import Problem

TAKEN = ("id", "user_id", "data", "meta", "snapshot", "created_at", "type")


def is_feedback(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Records of the type rating, with the blocks data and meta; null blocks occur."""
    ratings = {"type", "data", "meta"} <= set(header) and mostly(sample, lambda row: text(row.get("type")) == "rating")
    if ratings and any(block(row, "data") for row in sample):
        return "its rows are ratings with Open WebUI's data, meta and snapshot"
    return None


def unpack(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """One rating: the thumb with reason, comment and tags, and the stars of its details as a second opinion."""
    data, meta = block(row, "data"), block(row, "meta")
    rating, stars = text(data.get("rating")), text(inside(data, "details", "rating"))
    if not rating and not stars and not text(data.get("comment")):
        yield Problem("data", "no_value", "the feedback has neither a rating nor a comment")
        return
    question, answer, model = _exchange(row, text(meta.get("message_id")))
    record: Record = {
        **rest(row, TAKEN, "open_webui"),
        **{name: data.get(name) for name in ("reason", "tags", "sibling_model_ids") if data.get(name)},
        "arena": meta.get("arena"),
        "interaction_id": text(meta.get("message_id")),
        "session_id": text(meta.get("chat_id")),
        "input": question,
        "output": answer,
        "model": first(data.get("model_id"), model, meta.get("model_id")),
        "feedback_id": text(row.get("id")),
        "rated_at": text(row.get("created_at")),
        "rater": text(row.get("user_id")),
        "comment": first(data.get("comment"), data.get("reason")),
    }
    if rating:
        record |= {"kind": "thumb", "value": rating}
    if stars:
        name, scale = ("value:details", "scale:details") if rating else ("value", "scale")
        record |= {name: stars, scale: "1:10"}
    yield record


def _exchange(row: Values, message_id: str) -> tuple[str, str, str]:
    """Question, answer and model of the rated message; empty where the snapshot has no such message."""
    messages = block(row, "snapshot", "chat", "chat", "history", "messages")
    if not messages:
        messages = block(row, "snapshot", "chat", "history", "messages")
    answer = messages.get(message_id)
    if not isinstance(answer, Mapping):
        return "", "", ""
    question = messages.get(text(answer.get("parentId")))
    said = asked(question.get("content")) if isinstance(question, Mapping) else ""
    return said, text(answer.get("content")), text(answer.get("model"))


FORMATS = (
    Format("open-webui", "Open WebUI feedback", "Admin, Evaluations, Feedbacks, Export", is_feedback, unpack,
           further=("details",)),
)  # fmt: skip
