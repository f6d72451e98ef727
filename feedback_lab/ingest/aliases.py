"""Several names of one interaction: a span's id, the id of the model's response, the id of the trace.

Feedback may name any of them, before or after the interaction itself arrives. Whoever comes first decides under
which name the interaction is stored; the other names are kept as aliases, and lead there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from sqlalchemy import Connection, bindparam, text

from feedback_lab.ingest.items import FeedbackItem, InteractionItem, Item
from feedback_lab.ingest.known_ids import KnownIds
from feedback_lab.ingest.meaning.item_values import MAX_ID
from feedback_lab.ingest.reading.batches import UNSTORABLE

# A list of values is answered by the primary key, up to 2,048 of them; a join would read the whole table.
AT_ONCE = 1_000
ALIASES = text("SELECT alias, interaction_id FROM interaction_alias WHERE alias IN :names").bindparams(
    bindparam("names", expanding=True)
)
# Whether feedback made it, so that nothing is known of it yet.
STORED = text("""
    SELECT interaction_id, input IS NULL AND output IS NULL FROM interaction
    WHERE interaction_id IN (SELECT unnest(CAST(:names AS VARCHAR[]))) AND received_at BETWEEN :first AND :last
""")
INSERT = text(
    "INSERT INTO interaction_alias (alias, interaction_id) "
    "SELECT unnest(CAST(:aliases AS VARCHAR[])), unnest(CAST(:names AS VARCHAR[]))"
)


@dataclass(frozen=True, slots=True)
class NamedInteraction(InteractionItem):
    """An interaction that feedback may also call by other names, the strongest first."""

    also: tuple[str, ...] = ()


def resolve(connection: Connection, items: Sequence[Item], known: KnownIds) -> Sequence[Item]:
    """The same items under the names by which their interactions are stored; new aliases go into the transaction."""
    named = [item for item in items if isinstance(item, NamedInteraction)]
    if not named and not known.any_alias:
        return items
    calls = {name for item in named for name in (item.interaction_id, *item.also) if _usable(name)}
    asked = {item.interaction_id for item in items if isinstance(item, FeedbackItem) and _usable(item.interaction_id)}
    aliases = _aliases(connection, sorted(calls | asked))
    called = known.interactions(calls)
    stored = {row[0]: bool(row[1]) for row in connection.execute(STORED, called._asdict())} if called.names else {}
    before = set(aliases)
    found = [_resolved(item, aliases, stored) for item in items]
    new = {alias: name for alias, name in aliases.items() if alias not in before}
    if new:
        connection.execute(INSERT, {"aliases": list(new), "names": list(new.values())})
        known.add_aliases(len(new))
    return found


def _resolved(item: Item, aliases: dict[str, str], stored: dict[str, bool]) -> Item:
    """The item under its stored name; what it teaches about names is added to `aliases` and `stored`."""
    if isinstance(item, FeedbackItem) and _usable(item.interaction_id):
        name = aliases.get(item.interaction_id, item.interaction_id)
        stored.setdefault(name, True)
        return item if name == item.interaction_id else replace(item, interaction_id=name)
    if not isinstance(item, NamedInteraction) or not _usable(item.interaction_id):
        return item
    own, also = str(item.interaction_id), [name for name in item.also if _usable(name)]
    name = aliases.get(own) or own
    if name == own and own not in stored:
        # An interaction without content that nobody has claimed: feedback came first.
        name = next((other for other in also if stored.get(other) and other not in aliases), own)
    stored[name] = False
    for other in (own, *also):
        # A name under which feedback is already stored stays a name of its own; the own name needs no alias.
        if other not in aliases and (other == name != own or other not in stored):
            aliases[other] = name
    return replace(item, interaction_id=name)


def _usable(name: object) -> TypeGuard[str]:
    """Whether a name can be looked up as it stands; what else a sender may give is judged later."""
    return isinstance(name, str) and 0 < len(name) <= MAX_ID and not UNSTORABLE.search(name) and name == name.strip()


def _aliases(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    parts = (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))
    return {row[0]: row[1] for part in parts for row in connection.execute(ALIASES, {"names": part})}
