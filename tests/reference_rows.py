"""What a mapped row means, written down a second time, row by row and as plainly as it goes: tests compare with it."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from feedback_lab.ingest.habits import Habits
from feedback_lab.ingest.meaning.opinion import Opinion, opinion_of
from feedback_lab.ingest.meaning.values import (
    OTHER,
    USER,
    Unreadable,
    population_of,
    role_of,
    time_of,
    turn_of,
    zone_of,
)
from feedback_lab.ingest.pairing import Pairing
from feedback_lab.ingest.planning.plan import TAG, Plan
from feedback_lab.ingest.reading.batches import Row

Told = dict[str, Any]
JUDGED = {"kind", "value", "scale", "polarity"}


class Reference:
    """Maps rows in order; each is answered by its problem (column, code), or its interaction and its feedback."""

    def __init__(self, plan: Plan, habits: Habits, user_key: str, started_at: datetime) -> None:
        self.plan, self.habits, self.key, self.started_at = plan, habits, user_key, started_at
        self.names = sorted(plan.columns.keys() | plan.constants.keys())
        self.pairing = Pairing()
        self.seen: dict[bytes, int] = {}

    def map(self, rows: Iterable[Row]) -> Iterator[tuple[int, tuple[str | None, str] | None, Told, list[Told]]]:
        for row in rows:
            assert row.problem is None
            self.at: str | None = None
            try:
                interaction, feedback = self._records(row, self._fields(row.values))
                yield row.line, None, interaction, feedback
            except Unreadable as error:
                yield row.line, (self.plan.columns.get(self.at or ""), error.code), {}, []

    def _fields(self, values: Mapping[str, Any]) -> dict[str, str]:
        fields = {}
        for name in self.names:
            if column := self.plan.columns.get(name):
                text = _text(values.get(column))
                text = self.plan.values.get(name, {}).get(text.strip(), text)
            else:
                text = self.plan.constants[name]
            if text.strip():
                fields[name] = text
        return fields

    def _records(self, row: Row, fields: dict[str, str]) -> tuple[Told, list[Told]]:
        voices = self._voices(fields)
        self.at = "population"
        population = population_of(fields["population"]).value if "population" in fields else "user"
        own = {name for name in fields if name not in self.plan.constants}
        self.at = None
        named = "interaction_id" in own and len(own) > 1
        if not voices and not named and not own & {"input", "output", "content"}:
            raise Unreadable("empty_row", "")
        for self.at in ("interaction_id", "feedback_id", "session_id"):
            if len(fields.get(self.at, "")) > 500:
                raise Unreadable("bad_id", "")
        created_at, rated_at = self._time(fields, "created_at"), self._time(fields, "rated_at")
        self.at = "turn"
        turn = turn_of(fields["turn"]) if "turn" in fields else None
        role = self._role(fields)
        rated = self.plan.scale is not None and any(said.scale for said in voices.values())
        minted = self._minted({"scale": "{:g}:{:g}".format(*self.plan.scale), **fields} if rated else fields)  # type: ignore
        user, rater = self._user(fields, "user"), self._user(fields, "rater")
        rest = {
            name: value
            for name, value in row.values.items()
            if name not in self.plan.columns.values() and value is not None and value != ""
        }
        told: Told = {
            "interaction_id": fields.get("interaction_id", "").strip() or f"i-{minted}",
            "session_id": fields["session_id"].strip() if "session_id" in fields else None,
            "turn": turn,
            "created_at": created_at,
            "received_at": self.started_at + timedelta(microseconds=row.line),
            "input": fields.get("input"),
            "output": fields.get("output"),
            "model": fields.get("model"),
            "prompt_version": fields.get("prompt_version"),
            "user_hash": user,
            "tags": {name[len(TAG) :]: text for name, text in fields.items() if name.startswith(TAG)},
            "metadata": {} if "" in voices else rest,
        }
        if role is not None:
            self._place(told, fields, role, turn)
        first = fields.get("feedback_id", "").strip() or f"f-{minted}"
        shared = {
            "interaction_id": told["interaction_id"],
            "created_at": rated_at or created_at,
            "received_at": told["received_at"],
            "rater_hash": rater or told["user_hash"],
            "population": population,
        }
        return told, [
            shared
            | {
                "feedback_id": f"{first}/{name}" if name else first,
                "kind": said.kind,
                "value": said.value,
                "scale_min": said.scale[0] if said.scale else None,
                "scale_max": said.scale[1] if said.scale else None,
                "polarity": said.polarity,
                "comment": None if name else fields.get("comment"),
                "suggested_answer": None if name else fields.get("suggested_answer"),
                "metadata": {} if name else rest,
            }
            for name, said in voices.items()
        ]

    def _voices(self, fields: dict[str, str]) -> dict[str, Opinion]:
        found = {}
        for name in ("", *self.plan.further):
            end = f":{name}" if name else ""
            own = {base: fields[base + end] for base in JUDGED if base + end in fields}
            constants = {base: "" for base in own if base + end in self.plan.constants}
            if name and "value" not in own:
                continue
            if not name:
                own |= {base: fields[base] for base in ("comment", "suggested_answer") if base in fields}
                constants |= {base: "" for base in ("comment", "suggested_answer") if base in self.plan.constants}
            try:
                said = opinion_of(own, constants, self.plan.scale, self.habits.numbers_are_thumbs[f"value{end}"])
            except Unreadable as error:
                bases = {"bad_kind": "kind", "bad_polarity": "polarity", "bad_scale": "scale"}
                self.at = bases.get(error.code, "value") + end
                raise
            if said is not None:
                found[name] = said
        return found

    def _time(self, fields: dict[str, str], name: str) -> datetime | None:
        self.at = name
        zone = zone_of(self.plan.timezone)
        return time_of(fields[name], zone, self.habits.day_first) if name in fields else None

    def _user(self, fields: dict[str, str], name: str) -> str | None:
        if name not in fields:
            return None
        return hmac.digest(self.key.encode(), fields[name].strip().encode(), "sha256").hex()[:32]

    def _role(self, fields: dict[str, str]) -> str | None:
        self.at = "role"
        if not self.plan.is_chat:
            return None
        if "role" not in fields:
            raise Unreadable("bad_role", "")
        role = role_of(fields["role"])
        if role == OTHER:
            raise Unreadable("role_not_stored", "")
        return role

    def _place(self, told: Told, fields: dict[str, str], role: str, turn: int | None) -> None:
        place = self.pairing.place(told["session_id"], role, told["interaction_id"], told["user_hash"])
        told["interaction_id"], told["user_hash"] = place.interaction_id, place.user_hash
        if place.answers or turn is None:
            told["turn"] = place.turn if told["session_id"] else None
        told["input" if role == USER else "output"] = fields.get("content")
        if place.answers:
            told["created_at"] = None
            told["metadata"] = {"answer": told["metadata"]} if told["metadata"] else {}

    def _minted(self, fields: dict[str, str]) -> str:
        text = "\0".join(f"{name}\0{fields[name]}" for name in sorted(fields))
        digest = hashlib.sha256(text.encode()).digest()
        number = self.seen[digest] = self.seen.get(digest, -1) + 1
        if number and "feedback_id" not in fields:
            digest = hashlib.sha256(digest + number.to_bytes(8, "big")).digest()
        return digest.hex()[:32]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
