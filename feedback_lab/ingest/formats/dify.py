"""Dify: the export of feedback, messages with their feedback, and annotations (question, answer)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedback_lab.ingest.formats.cells import Record, Values, block, blocks, first, inside, mostly, rest, text
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

THUMBS = {"like": "up", "dislike": "down", "👍": "up", "👎": "down"}
SOURCES = {"user": Population.USER, "admin": Population.REVIEWER}
TAKEN_OF_FEEDBACK = ("feedback_id", "conversation_id", "message_id", "user_query", "ai_response", "feedback_rating",
                     "feedback_rating_raw", "feedback_comment", "feedback_source", "feedback_date", "message_date",
                     "from_account_name", "from_end_user_id", "has_comment")  # fmt: skip
TAKEN_OF_MESSAGE = ("id", "conversation_id", "query", "answer", "created_at", "feedback", "feedbacks", "annotation")


def is_feedback(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """The columns of Dify's export of feedback."""
    if {"feedback_rating", "user_query", "ai_response", "message_id"} <= set(header):
        return "its columns are those of Dify's feedback export: user_query, ai_response, feedback_rating"
    return None


def _is_feedback(row: Values) -> bool:
    return {"feedback_rating", "ai_response"} <= row.keys()


def unpack_feedback(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """One thumb with its message; Dify cuts long answers in this export, which is kept in mind as `cut`."""
    rating = first(row.get("feedback_rating_raw"), row.get("feedback_rating"))
    answer = text(row.get("ai_response"))
    if rating not in THUMBS:
        yield Problem("feedback_rating", "bad_value", f"{rating[:40]!r} is neither like nor dislike")
        return
    yield {
        **rest(row, TAKEN_OF_FEEDBACK, "dify"),
        "interaction_id": text(row.get("message_id")),
        "session_id": text(row.get("conversation_id")),
        "created_at": text(row.get("message_date")),
        "input": text(row.get("user_query")),
        "output": answer,
        "cut": True if len(answer) == 503 and answer.endswith("...") else None,
        "feedback_id": text(row.get("feedback_id")),
        "rated_at": text(row.get("feedback_date")),
        "rater": first(row.get("from_end_user_id"), row.get("from_account_name")),
        "population": SOURCES.get(text(row.get("feedback_source")), Population.USER),
        "kind": "thumb",
        "value": THUMBS[rating],
        "comment": text(row.get("feedback_comment")),
    }


def is_messages(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Messages of the API: query and answer of a conversation, with feedback."""
    if {"id", "conversation_id", "query", "answer"} <= set(header) and mostly(
        sample, lambda row: {"feedback", "feedbacks", "retriever_resources", "message_files", "inputs"} & row.keys()
    ):
        return "its rows are Dify messages: conversation_id, query, answer and feedback"
    return None


def _is_message(row: Values) -> bool:
    return {"id", "conversation_id", "query", "answer"} <= row.keys()


def unpack_message(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """A message is one interaction; its feedback and the annotation that corrects it follow."""
    message = text(row.get("id"))
    yield {
        **rest(row, TAKEN_OF_MESSAGE, "dify"),
        "interaction_id": message,
        "session_id": text(row.get("conversation_id")),
        "created_at": text(row.get("created_at")),
        "input": text(row.get("query")),
        "output": text(row.get("answer")),
        "user": text(row.get("from_end_user_id")),
    }
    single = block(row, "feedback")
    for place, given in enumerate(blocks(row, "feedbacks") or ([single] if single else [])):
        yield from _feedback(row, given, place)
    correction = block(row, "annotation")
    if text(correction.get("content")):
        yield {
            "interaction_id": message,
            "feedback_id": first(correction.get("id"), f"{message}/annotation"),
            "rated_at": text(correction.get("created_at")),
            "rater": text(inside(correction, "account", "id")),
            "population": Population.REVIEWER,
            "suggested_answer": text(correction.get("content")),
        }


def _feedback(row: Values, given: Values, place: int) -> Iterator[Record | Problem]:
    """One thumb on a message; one that was taken back has no rating and gives nothing."""
    rating, message = text(given.get("rating")), text(row.get("id"))
    if rating and rating not in THUMBS:
        yield Problem("feedback", "bad_value", f"{rating[:40]!r} is neither like nor dislike")
    elif rating:
        yield {
            "interaction_id": message,
            "feedback_id": first(given.get("id"), f"{message}/{text(given.get('from_source')) or 'user'}/{place}"),
            "rater": first(
                given.get("from_end_user_id"), inside(given, "from_account", "id"), row.get("from_end_user_id")
            ),
            "population": SOURCES.get(text(given.get("from_source")), Population.USER),
            "rated_at": text(given.get("created_at")),
            "kind": "thumb",
            "value": THUMBS[rating],
            "comment": text(given.get("content")),
        }


def is_annotations(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Nothing but a question and an answer: an ordinary file may be that too, so it is taken by name only."""
    if {name.lower() for name in header} == {"question", "answer"}:
        return "it holds a question and an answer a row, as Dify's annotations do"
    return None


def _is_annotation(row: Values) -> bool:
    return {"question", "answer"} <= {name.lower() for name in row} and "conversation_id" not in row


def unpack_annotation(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """The answer of an annotation is what a reviewer wants to be said."""
    given = {name.lower(): text(value) for name, value in row.items()}
    if not given.get("question") or not given.get("answer"):
        yield Problem(None, "empty_row", "an annotation needs a question and an answer")
        return
    yield {"input": given["question"], "suggested_answer": given["answer"], "population": Population.REVIEWER}


FORMATS = (
    Format("dify-feedback", "Dify feedback", "export of feedback (CSV or JSON)",
           is_feedback, unpack_feedback, _is_feedback),
    Format("dify-messages", "Dify messages", "messages of the API with their feedback",
           is_messages, unpack_message, _is_message),
    Format("dify-annotations", "Dify annotations", "Annotations, Export CSV: question and answer; only by --format",
           is_annotations, unpack_annotation, _is_annotation, by_name_only=True),
)  # fmt: skip
