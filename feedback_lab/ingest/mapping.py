"""Which column is which field: suggested from names and from content, each with its reason, for a human to confirm.

A suggestion is `clear` where one column fits and nothing else does; two candidates for one field are left to
the human, and so is a column that only its content speaks for.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from feedback_lab.ingest.plan import CONTENT, FIELDS, TAG, Plan, check
from feedback_lab.ingest.profile import Profile, profile_of
from feedback_lab.ingest.rows import text_of

__all__ = ["Guess", "Plan", "Suggestion", "check", "complete_plan", "suggest"]

CHECKED = ("created_at", "value", "polarity", "role", "turn")  # fields whose cells must be readable
# Names that people give to a field's column; compared without case, spaces and signs.
NAMES: dict[str, str] = {
    "interaction_id": "trace_id request_id run_id span_id generation_id completion_id response_id message_id",
    "session_id": "session conversation conversation_id thread_id chat_id dialog_id dialogue_id session_uuid",
    "turn": "turn_number turn_index turn_id message_index",
    "role": "speaker author_role sender message_role author",
    "content": "message text body utterance message_text",
    "created_at": "timestamp date time datetime created ts created_time event_time start_time submitted_at date_time",
    "input": "question prompt user_message query user_input request user_query instruction user_prompt",
    "output": "answer response completion assistant_message bot_response model_output reply ai_response generated_text",
    "model": "model_name model_id llm engine ai_model",
    "prompt_version": "prompt_id prompt_name template_version prompt_template prompt_hash",
    "user": "user_id username customer_id user_name customer user_email rater annotator",
    "feedback_id": "score_id annotation_id review_id",
    "kind": "feedback_type feedback_kind type_of_feedback event_type",
    "value": "rating stars score thumb thumbs vote feedback_score user_rating star_rating csat nps "
    "reaction feedback_value",
    "polarity": "sentiment verdict",
    "comment": "text review feedback_text user_comment user_feedback feedback comments remark review_text explanation",
    "suggested_answer": "correction corrected_answer expected_output better_answer ideal_answer expected_answer "
    "suggested_response corrected_output",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Guess:
    """One suggested mapping: the field, the column, why in plain words, and whether it may be taken unasked.

    `values` and `scale` come with it where the content says so; `own_name`: the column is called like the field.
    """

    field: str
    column: str
    reason: str
    clear: bool
    own_name: bool = False
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    scale: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Suggestion:
    """All guesses, the clear ones first; `plan` takes these alone. `unclear` maps a field to its candidates."""

    guesses: tuple[Guess, ...]
    unclear: Mapping[str, tuple[str, ...]]

    @property
    def plan(self) -> Plan:
        return _with_guesses(Plan(), [guess for guess in self.guesses if guess.clear])

    @property
    def reasons(self) -> dict[str, str]:
        """Field -> why, one sentence each."""
        return {guess.field: guess.reason for guess in self.guesses}


def suggest(header: Sequence[str], sample_rows: Sequence[Mapping[str, Any]]) -> Suggestion:
    """Suggest a field for every column that speaks for one, from its name and the sample of its cells."""
    profiles = {
        column: profile_of([text_of(row.get(column)) for row in sample_rows], _key(column)) for column in header
    }
    is_chat = any(_could_be("role", column, profiles[column]) and profiles[column].roles for column in header)
    fields = [name for name in FIELDS if is_chat or name not in ("role", "content")]
    fields = [name for name in fields if not is_chat or name not in ("input", "output")]
    candidates = {name: [c for c in header if _could_be(name, c, profiles[c])] for name in fields}
    owners = {column: name for column in header for name in fields if _key(column) == _key(name)}
    guesses: list[Guess] = []
    unclear: dict[str, tuple[str, ...]] = {}
    taken = set(owners)
    for name in fields:
        own = [column for column, owner in owners.items() if owner == name and column in candidates[name]]
        free = own or [column for column in candidates[name] if column not in taken]
        if len(free) == 1:
            guesses.append(_guess(name, free[0], profiles[free[0]], bool(own)))
            taken.add(free[0])
        elif free:
            unclear[name] = tuple(free)
    guesses += _by_content(header, profiles, taken, {guess.field for guess in guesses} | unclear.keys())
    guesses += [_tag(column) for column in header if column.lower().startswith(TAG) and len(column) > len(TAG)]
    return Suggestion(tuple(sorted(guesses, key=lambda guess: not guess.clear)), unclear)


def complete_plan(
    plan: Plan, header: Sequence[str], sample: Sequence[Mapping[str, Any]], *, only_exact: bool
) -> tuple[Plan, list[str]]:
    """The plan with what the file itself makes clear, and one sentence for each thing that was taken or left open.

    With `only_exact` (a human has mapped something) only columns that are called like a field are added. What
    the plan already says is never changed. A scale is read from the ratings where they leave one choice.
    """
    suggestion = suggest(header, sample)
    used = set(plan.columns.values())
    wanted = [
        guess
        for guess in suggestion.guesses
        if guess.clear
        and (guess.own_name or not only_exact)
        and guess.field not in plan.columns
        and guess.field not in plan.constants
        and guess.column not in used
    ]
    is_chat = plan.is_chat or any(guess.field == "role" for guess in wanted)
    wanted = [guess for guess in wanted if guess.field not in (("input", "output") if is_chat else ("role", "content"))]
    said = [f"{guess.field} is read from the column {guess.column!r}: {guess.reason}." for guess in wanted]
    if not only_exact:
        for name, columns in suggestion.unclear.items():
            choices = " or ".join(f"--map {name}={column}" for column in columns)
            said.append(f"{name} is not read, because several columns may hold it: choose {choices}.")
        said += _left_aside(plan, suggestion, wanted, sample)
    completed, more = _with_rating_habits(_with_guesses(plan, wanted), sample)
    return completed, said + more


def _left_aside(
    plan: Plan, suggestion: Suggestion, wanted: Sequence[Guess], sample: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What a human may want to read after all: columns for which only the content speaks, or only the name."""
    said = [
        f"{guess.column!r} is not read, although {guess.reason}: --map {guess.field}={guess.column} reads it."
        for guess in suggestion.guesses
        if not guess.clear
    ]
    settled = {guess.field for guess in wanted} | plan.columns.keys() | suggestion.unclear.keys()
    for column in sorted({column for row in sample for column in row if text_of(row[column]).strip()}):
        if column not in {guess.column for guess in suggestion.guesses}:
            names = [name for name in CHECKED if name not in settled and _key(column) in NAME_KEYS[name]]
            said += [
                f"{column!r} is not read as {name}, because too many of its cells are none: --map {name}={column} "
                "reads it and rejects those rows."
                for name in names[:1]
            ]
    return said


def _with_rating_habits(plan: Plan, sample: Sequence[Mapping[str, Any]]) -> tuple[Plan, list[str]]:
    """The plan with the scale, or the meaning of 0 and 1, that the mapped value column shows."""
    column = plan.columns.get("value")
    if column is None or plan.scale is not None or "value" in plan.values or "kind" in plan.constants:
        return plan, []
    found = profile_of([text_of(row.get(column)) for row in sample], _key(column))
    if found.zero_one:
        meaning = {"0": "down", "1": "up", "0.0": "down", "1.0": "up"}
        said = f"{column!r} holds 0 and 1, read as thumbs down and up."
        return dataclasses.replace(plan, values={**plan.values, "value": meaning}), [said]
    if found.scale is not None and not found.thumbs:
        lo, hi = found.scale
        said = (
            f"The ratings in {column!r} are read on the scale {lo:g} to {hi:g}; say --scale LO:HI where it is another."
        )
        return dataclasses.replace(plan, scale=found.scale), [said]
    return plan, []


def _with_guesses(plan: Plan, guesses: Sequence[Guess]) -> Plan:
    columns = {**plan.columns, **{guess.field: guess.column for guess in guesses}}
    values = {**plan.values, **{guess.field: guess.values for guess in guesses if guess.values}}
    scales = [guess.scale for guess in guesses if guess.scale is not None]
    return dataclasses.replace(
        plan, columns=columns, values=values, scale=plan.scale or (scales[0] if scales else None)
    )


def _guess(name: str, column: str, profile: Profile, own_name: bool) -> Guess:
    reason = "the column is called like the field" if own_name else f"{column!r} is a usual name for it"
    values: dict[str, str] = {}
    scale = None
    if name == "value":
        if profile.zero_one:
            values, reason = {"0": "down", "1": "up"}, f"{reason}, and it holds 0 and 1"
        elif profile.scale is not None and not profile.thumbs:
            scale, reason = profile.scale, f"{reason}, with ratings from {profile.scale[0]:g} to {profile.scale[1]:g}"
    return Guess(name, column, reason, True, own_name, values, scale)


def _by_content(
    header: Sequence[str], profiles: Mapping[str, Profile], taken: set[str], settled: set[str]
) -> list[Guess]:
    """Guesses for columns whose name says nothing: the only column of times is clear, opinions are for a human."""
    guesses = []
    free = [column for column in header if column not in taken]
    times = [column for column in free if profiles[column].times]
    if "created_at" not in settled and len(times) == 1:
        guesses.append(Guess("created_at", times[0], "it is the only column of times", True))
    opinions = {"polarity": "polarities", "value": "thumbs"}
    for name, trait in opinions.items():
        columns = [column for column in free if getattr(profiles[column], trait)]
        if name not in settled and len(columns) == 1 and not profiles[columns[0]].times:
            what = "thumbs" if name == "value" else "positive, neutral or negative"
            guesses.append(Guess(name, columns[0], f"its cells are {what}", False))
            free.remove(columns[0])
    long = [column for column in free if profiles[column].mean_length >= 40]
    if not CONTENT & settled and len(long) == 1:
        guesses.append(Guess("comment", long[0], "it is the only column of long texts", False))
    return guesses


def _tag(column: str) -> Guess:
    return Guess(TAG + column[len(TAG) :].strip(), column, "the column is called like the field", True, own_name=True)


def _could_be(name: str, column: str, profile: Profile) -> bool:
    """Whether the column's name speaks for the field and its content does not speak against it."""
    key = _key(column)
    if key != _key(name) and key not in NAME_KEYS[name]:
        return False
    if key == _key(name) and name != "role":
        return True
    if not profile.filled:
        return False
    checks = {
        "created_at": profile.times,
        "value": profile.thumbs or profile.zero_one or profile.numbers,
        "polarity": profile.polarities,
        "role": profile.roles,
        "turn": profile.numbers,
    }
    return checks.get(name, True)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


NAME_KEYS = {name: frozenset(_key(word) for word in words.split()) for name, words in NAMES.items()}
