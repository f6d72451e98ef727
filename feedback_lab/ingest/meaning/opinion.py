"""What a row says about the answer: one kind, one value, one polarity, out of what its cells hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from feedback_lab.ingest.meaning.numbers import scale_of
from feedback_lab.ingest.meaning.values import Unreadable, kind_of, number_of, polarity_of, rating_of, thumb_of
from feedback_lab.records import Kind, Polarity, polarity_of_rating

TEXTS = ("comment", "suggested_answer")
WRITTEN = frozenset((Kind.CORRECTION, Kind.COMMENT, Kind.EDIT))


class Opinion(NamedTuple):
    """The part of a feedback that is judged rather than copied; `scale` only where it is a rating."""

    kind: str
    value: float | None
    scale: tuple[float, float] | None
    polarity: Polarity | None


def opinion_of(
    fields: Mapping[str, str],
    constants: Mapping[str, str],
    scale: tuple[float, float] | None,
    numbers_are_thumbs: bool,
) -> Opinion | None:
    """The opinion in the non-empty fields of a row (constants included); None where the row gives no feedback.

    A thumb or rating decides the kind where there is one, else a suggested answer makes it a correction, else
    it is a comment. Constants alone never make feedback. A bare 1 or -1 is a thumb only where the caller knows
    that the column holds no ratings. The row's own `scale` stands before the given one. Raises Unreadable.
    """
    given = {name for name in (*TEXTS, "value", "polarity", "kind") if name in fields and name not in constants}
    kind, value = kind_of(fields["kind"]) if "kind" in fields else (None, None)
    if not given or (given == {"kind"} and kind in WRITTEN):
        return None
    number: tuple[float, tuple[float, float] | None] | None = None
    if "value" in fields:
        scale = scale_of(fields["scale"]) if "scale" in fields else scale
        number = _number(fields["value"], kind, scale, numbers_are_thumbs)
    if value is not None and number is not None and number[0] != value:
        raise Unreadable("bad_value", f"kind {fields['kind']!r} and value {fields['value']!r} contradict each other")
    if kind is None or kind in WRITTEN:
        kind = _kind_without_name(kind, number, fields)
    polarity = polarity_of(fields["polarity"]) if "polarity" in fields else None
    return _complete(kind, value, number, polarity)


def _kind_without_name(kind: str | None, number: tuple[float, object] | None, fields: Mapping[str, str]) -> str:
    """What one person gives in one row is one feedback: its thumb or rating names it, else its text."""
    if number is not None:
        return Kind.RATING if number[1] else Kind.THUMB
    return kind or (Kind.CORRECTION if "suggested_answer" in fields else Kind.COMMENT)


def _complete(
    kind: str,
    value: float | None,
    number: tuple[float, tuple[float, float] | None] | None,
    polarity: Polarity | None,
) -> Opinion:
    scale = number[1] if number else None
    value = number[0] if number else value
    if kind == Kind.THUMB:
        if value is None and polarity in (Polarity.POSITIVE, Polarity.NEGATIVE):
            value = 1.0 if polarity == Polarity.POSITIVE else -1.0
        if value is None:
            raise Unreadable("no_value", "the row says thumb, but not up or down: map a column to value")
        return Opinion(kind, value, None, polarity or (Polarity.POSITIVE if value > 0 else Polarity.NEGATIVE))
    if kind == Kind.RATING:
        if value is None or scale is None:
            raise Unreadable("no_value", "the row says rating, but gives none: map a column to value")
        return Opinion(kind, value, scale, polarity or polarity_of_rating(value, *scale))
    return Opinion(kind, value, None, polarity)


def _number(
    text: str, kind: str | None, scale: tuple[float, float] | None, numbers_are_thumbs: bool
) -> tuple[float, tuple[float, float] | None]:
    """The value, with its scale where it is a rating."""
    if kind is not None and kind not in WRITTEN and kind not in (Kind.THUMB, Kind.RATING):
        return number_of(text), None
    thumb = thumb_of(text)
    is_word = thumb is not None and not text.strip().lstrip("+-").replace(".", "").isdigit()
    means_thumb = is_word or kind == Kind.THUMB or (scale is None and numbers_are_thumbs)
    if thumb is not None and kind != Kind.RATING and means_thumb:
        return thumb, None
    if kind == Kind.THUMB:
        raise Unreadable("bad_value", f"{text[:40]!r} is no thumb: write 1 or -1, or map it with --value value:RAW=up")
    value, scale = rating_of(text, scale)
    if scale is None:
        raise Unreadable("no_scale", f"{value:g} is a rating, but of which scale? Say it with --scale 1:5")
    lo, hi = scale
    if not lo <= value <= hi:
        raise Unreadable("out_of_scale", f"{value:g} is outside the scale {lo:g} to {hi:g}")
    return value, scale
