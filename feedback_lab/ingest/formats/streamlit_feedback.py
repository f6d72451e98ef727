"""streamlit-feedback: the component's answers, logged one a row, with whatever the app added to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedback_lab.ingest.formats.cells import Record, Values, first, mostly, text
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.formats.messages import answered, asked
from feedback_lab.ingest.meaning.values import SKIN_AND_STYLE
from feedback_lab.ingest.planning.plan import FIELDS
from feedback_lab.ingest.reading.batches import Problem

FACES = {"😞": 1, "🙁": 2, "😐": 3, "🙂": 4, "😀": 5}
THUMBS = ("👍", "👎")
TAKEN = ("type", "score", "text", "timestamp", "time", "question", "prompt", "answer", "response")
OURS = frozenset(FIELDS) - {"kind", "value", "scale", "comment", "role", "content", "turn"}


def recognises(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """The component's type and one of its signs."""
    if mostly(sample, lambda row: row.get("type") in ("thumbs", "faces") and _sign(row) in (*THUMBS, *FACES)):
        return "its rows are answers of streamlit-feedback: type (thumbs or faces), score and text"
    return None


def unpack(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """Thumbs are thumbs, faces ratings from 1 to 5; columns called like our fields are taken as these."""
    sign = _sign(row)
    if sign not in FACES and sign not in THUMBS:
        yield Problem("score", "bad_value", f"{sign[:40]!r} is no thumb and no face of streamlit-feedback")
        return
    opinion = (
        {"kind": "thumb", "value": sign} if sign in THUMBS else {"kind": "rating", "value": FACES[sign], "scale": "1:5"}
    )
    known = {name: value for name, value in row.items() if name in OURS}
    others = {name: value for name, value in row.items() if name not in OURS and name not in TAKEN}
    yield {
        **others,
        "created_at": first(row.get("timestamp"), row.get("time")),
        "input": asked(first(row.get("question"), row.get("prompt"))),
        "output": answered(first(row.get("answer"), row.get("response"))),
        **known,
        **opinion,
        "comment": text(row.get("text")),
    }


def _sign(row: Values) -> str:
    return SKIN_AND_STYLE.sub("", text(row.get("score")))


FORMATS = (Format("streamlit-feedback", "streamlit-feedback", "the component's answers, logged as JSON or CSV",
                  recognises, unpack),)  # fmt: skip
