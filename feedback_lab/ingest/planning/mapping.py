"""Which column is which field: suggested from names and from content, each with its reason, for a human to confirm.

A suggestion is `clear` where one column fits and nothing else does; two candidates for one field are left to
the human, and so is a column that only its content speaks for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from feedback_lab.ingest.meaning.numbers import WordScale
from feedback_lab.ingest.meaning.profile import Profile, profile_of
from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.meaning.values import Unreadable
from feedback_lab.ingest.planning.column_names import NAME_KEYS, key_of
from feedback_lab.ingest.planning.meanings import ZERO_ONE, said_of_dates, with_rating_habits, with_scale, word_options
from feedback_lab.ingest.planning.plan import CONTENT, FIELDS, READERS, Plan, is_field

STRICT = ("role", "population", "scale")  # where the column's name alone is not enough: these are words of other trades
CHECKED = (*STRICT, "created_at", "rated_at", "value", "polarity", "turn")  # fields whose cells must be readable
MOST_NAMED = 20  # columns that one sentence names


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
        """What may be taken unasked."""
        return _with_guesses(Plan(), [guess for guess in self.guesses if guess.clear])


def suggest(header: Sequence[str], sample_rows: Sequence[Mapping[str, Any]]) -> Suggestion:
    """Suggest a field for every column that speaks for one, from its name and the sample of its cells."""
    profiles = {
        column: profile_of([text_of(row.get(column)) for row in sample_rows], key_of(column)) for column in header
    }
    is_chat = any(_could_be("role", column, profiles[column]) and profiles[column].roles for column in header)
    fields = [name for name in FIELDS if is_chat or name not in ("role", "content")]
    fields = [name for name in fields if not is_chat or name not in ("input", "output")]
    candidates = {name: [c for c in header if _could_be(name, c, profiles[c])] for name in fields}
    for name in ("population", "scale"):
        candidates[name] = [
            c for c in candidates[name] if _all_read(READERS[name], [row.get(c) for row in sample_rows])
        ]
    owners = {column: name for column in header for name in fields if key_of(column) == key_of(name)}
    guesses: list[Guess] = []
    unclear: dict[str, tuple[str, ...]] = {}
    taken = set(owners)
    for name in fields:
        own = [column for column, owner in owners.items() if owner == name and column in candidates[name]]
        free = [column for column in candidates[name] if column in own or column not in taken]
        pair = _thumb_and_rating(free, own, profiles) if name == "value" else []
        if pair:
            guesses += pair
            taken |= {guess.column for guess in pair}
            continue
        free = own or free
        if len(free) == 1:
            guesses.append(_guess(name, free[0], profiles[free[0]], bool(own)))
            taken.add(free[0])
        elif free:
            unclear[name] = tuple(free)
    guesses += _by_content(header, profiles, taken, {guess.field for guess in guesses} | unclear.keys())
    guesses += [_named(column) for column in header if ":" in column and is_field(_own_field(column))]
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
    completed, more = with_rating_habits(_with_guesses(plan, wanted), sample)
    return completed, said + more + said_of_dates(completed, sample)


def _left_aside(
    plan: Plan, suggestion: Suggestion, wanted: Sequence[Guess], sample: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What a human may want to read after all: columns for which only the content speaks, or only the name."""
    said = [
        f"{guess.column!r} is not read, although {guess.reason}: "
        f"{' '.join([f'--map {guess.field}={guess.column}', *word_options(guess.field, guess.values, guess.scale)])} "
        "reads it."
        for guess in suggestion.guesses
        if not guess.clear
    ]
    settled = {guess.field for guess in wanted} | plan.columns.keys() | suggestion.unclear.keys()
    spoken_of = {guess.column for guess in suggestion.guesses}.union(*suggestion.unclear.values())
    rest = []
    for column in sorted({column for row in sample for column in row if text_of(row[column]).strip()} - spoken_of):
        key = key_of(column)
        names = [name for name in CHECKED if name not in settled and key in (key_of(name), *NAME_KEYS[name])]
        if names:
            said.append(
                f"{column!r} is not read as {names[0]}, because too many of its cells are none: --map "
                f"{names[0]}={column} reads it and rejects those rows."
            )
        else:
            rest.append(repr(column))
    if rest:
        more = f" and {len(rest) - MOST_NAMED:,} more" if len(rest) > MOST_NAMED else ""
        said.append(f"Read as no field and kept as metadata: {', '.join(rest[:MOST_NAMED])}{more}.")
    return said


def _with_guesses(plan: Plan, guesses: Sequence[Guess]) -> Plan:
    columns = {**plan.columns, **{guess.field: guess.column for guess in guesses}}
    values = {**plan.values, **{guess.field: guess.values for guess in guesses if guess.values}}
    plan = dataclasses.replace(plan, columns=columns, values=values)
    for guess in guesses:
        if guess.scale is not None and not (guess.field == "value" and plan.scale):
            plan = with_scale(plan, guess.field, guess.scale)
        elif guess.scale is None and guess.field.startswith("value:"):
            kind = f"kind:{guess.field.partition(':')[2]}"
            plan = dataclasses.replace(plan, constants={**plan.constants, kind: "thumb"})
    return plan


def _guess(name: str, column: str, profile: Profile, own_name: bool) -> Guess:
    reason = "the column is called like the field" if own_name else f"{column!r} is a usual name for it"
    values: Mapping[str, str] = {}
    scale = None
    if name == "value":
        if profile.zero_one:
            values, reason = ZERO_ONE, f"{reason}, and it holds 0 and 1"
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
    if "value" not in settled and not any(guess.field == "value" for guess in guesses):
        guesses += [_of_words(column, words) for column in free if (words := profiles[column].words)]
    long = [column for column in free if profiles[column].mean_length >= 40]
    if not CONTENT & settled and len(long) == 1:
        guesses.append(Guess("comment", long[0], "it is the only column of long texts", False))
    return guesses


def _of_words(column: str, words: WordScale) -> Guess:
    reason = f"its words are steps of a scale ({words.steps})"
    return Guess("value", column, reason, False, values=words.values, scale=words.scale)


def _thumb_and_rating(columns: Sequence[str], own: Sequence[str], profiles: Mapping[str, Profile]) -> list[Guess]:
    """Both columns where one holds thumbs and the other ratings of a clear scale; none where that is not so."""
    if len(columns) != 2 or len(own) > 1:
        return []
    is_thumb = {column: profiles[column].thumbs or profiles[column].zero_one for column in columns}
    if sum(is_thumb.values()) != 1 or any(not is_thumb[c] and profiles[c].scale is None for c in columns):
        return []
    first, second = sorted(columns, key=lambda column: (column not in own, not is_thumb[column]))
    found = _guess("value", second, profiles[second], False)
    what = "thumbs beside the ratings" if is_thumb[second] else "ratings beside the thumbs"
    reason = f"it holds {what} in {first!r}, and a row may give both"
    further = dataclasses.replace(found, field=f"value:{second}", reason=reason)
    return [_guess("value", first, profiles[first], first in own), further]


def _own_field(column: str) -> str:
    base, _, name = column.partition(":")
    return f"{base.strip().lower()}:{name.strip()}"


def _named(column: str) -> Guess:
    return Guess(_own_field(column), column, "the column is called like the field", True, own_name=True)


def _all_read(reader: Callable[[str], object], cells: Sequence[Any]) -> bool:
    """Whether the reader understands every cell that is not empty, and there is one."""
    texts = [text for text in map(text_of, cells) if text.strip()]
    try:
        return bool([reader(text) for text in texts])
    except Unreadable:
        return False


def _could_be(name: str, column: str, profile: Profile) -> bool:
    """Whether the column's name speaks for the field and its content does not speak against it."""
    key = key_of(column)
    if key != key_of(name) and key not in NAME_KEYS[name]:
        return False
    if key == key_of(name) and name not in STRICT:
        return True
    if not profile.filled:
        return False
    checks = {
        "created_at": profile.times,
        "rated_at": profile.times,
        "value": profile.thumbs or profile.zero_one or profile.numbers,
        "polarity": profile.polarities,
        "role": profile.roles,
        "turn": profile.numbers,
        # A column called feedback holds thumbs or texts; only its cells tell.
        "comment": not profile.objects and (key not in NAME_KEYS["value"] or not profile.opinions),
    }
    return checks.get(name, True)
