"""What is planted in the sample world: the one place that says what a good product should find.

`sample.make_world` reads these numbers to draw the world and returns them as `Planted`; tests compare what
the product reports with what stands here. Points are percentage points of the positive rate; days count
from 0, the first of 90.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

DAYS = 90
SESSIONS = 7_000
VERDICTS = 4_800


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic's share of the sessions and its positive rate, before any release, entry, model or user comes in."""

    share: float
    base_rate: float


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """From `day` (midnight UTC) on, the positive rate of `topic` is `points` away from where it was.

    `complaint` is what the release adds, or takes away.
    """

    marker_id: str
    topic: str
    day: date
    points: float
    complaint: str


@dataclass(frozen=True, slots=True)
class RegressionPlan:
    """A window (both days inclusive) in which `topic` is the worst by chance alone: its true rate never changes.

    The verdicts of the window are the most negative of `draws` equally likely draws, all at the topic's own rate.
    """

    topic: str
    first_day: date
    last_day: date
    draws: int


@dataclass(frozen=True, slots=True)
class Planted:
    """The truth behind a sample world; none of it stands in the records themselves.

    `topic_of` maps every interaction id to its topic, `complaint_of` maps the id of every comment that
    says what is wrong to its complaint (mere "bad" or "👎" is not in it). `entry_points` holds the true
    effect of showing an entry, by entry id, and `intent_of_entry` the question ("topic/intent") it answers.
    """

    topics: Mapping[str, TopicPlan]
    complaints: Mapping[str, tuple[str, ...]]
    worse_release: ReleasePlan
    better_release: ReleasePlan
    regression: RegressionPlan
    entry_points: Mapping[str, float]
    intent_of_entry: Mapping[str, str]
    good_entry: str
    neutral_entry: str
    harmful_entry: str
    model_points: Mapping[str, float]
    prompt_versions: tuple[str, ...]
    topic_of: Mapping[str, str]
    complaint_of: Mapping[str, str]


TOPICS = {
    "fees_abroad": TopicPlan(0.11, 0.71),
    "sign_in": TopicPlan(0.12, 0.47),
    "pending_transfer": TopicPlan(0.10, 0.66),
    "transfer_limit": TopicPlan(0.10, 0.60),
    "savings_rate": TopicPlan(0.07, 0.68),
    "card_delivery": TopicPlan(0.07, 0.65),
    "lost_card": TopicPlan(0.07, 0.68),
    "open_account": TopicPlan(0.07, 0.67),
    "direct_debit": TopicPlan(0.06, 0.64),
    "contact": TopicPlan(0.06, 0.60),
    "mobile_pay": TopicPlan(0.05, 0.69),
    "statements": TopicPlan(0.05, 0.70),
    "overdraft": TopicPlan(0.04, 0.64),
    "joint_account": TopicPlan(0.03, 0.66),
}

COMPLAINTS = {
    "outdated_fee": ("fee", "old", "outdated", "price", "charge"),
    "old_menu": ("menu", "app", "button", "settings", "screen"),
    "wrong_limit": ("limit", "wrong", "raise", "amount"),
    "wrong_hours": ("hours", "closed", "open", "phone", "line"),
    "broken_link": ("link", "404", "page", "dead"),
    "ignored_question": ("question", "answer", "asked", "ignored"),
    "too_long": ("long", "text", "short", "read"),
    "too_vague": ("vague", "depends", "concrete", "figures"),
    "wrong_language": ("german", "english", "language"),
    "forgets_context": ("already", "told", "again", "repeat"),
    "no_human": ("human", "person", "agent", "real"),
    "false_action": ("said", "done", "nothing", "happened", "claims"),
}

WORSE_DAY, WORSE_TOPIC, WORSE_POINTS, WORSE_COMPLAINT = 61, "fees_abroad", -25.0, "outdated_fee"
BETTER_DAY, BETTER_TOPIC, BETTER_POINTS, BETTER_COMPLAINT = 27, "sign_in", 25.0, "old_menu"
# After the better release and before the worse one, so that nothing real is worse in this window.
REGRESSION_DAYS, REGRESSION_TOPIC, REGRESSION_DRAWS = (36, 56), "overdraft", 2_000

# The first day and the day when the rollout is complete, and the share it ends with.
MODELS = {"heron-1.5": 0.0, "heron-2": 2.0}
MODEL_ROLLOUT = (18, 72, 0.9)
PROMPT_VERSIONS = ("assist-11", "assist-12", "assist-13")
PROMPT_ROLLOUTS = ((30, 44, 1.0), (66, 84, 0.85))

# Days on which a batch of knowledge entries goes live; from then on recall would show them.
BATCH_DAYS = (5, 11, 17, 24, 32, 39, 46, 54)

GOOD_ENTRY, NEUTRAL_ENTRY, HARMFUL_ENTRY = "transfer_limit/raise", "card_delivery/when", "pending_transfer/when"
# Entries whose planted effect every world should show: their votes' luck is spread evenly within each arm.
BALANCED_ENTRIES = (GOOD_ENTRY, NEUTRAL_ENTRY, HARMFUL_ENTRY)
# The true effect in points of showing the entry for an intent, and the batch it went live with.
ENTRIES = {
    GOOD_ENTRY: (30.0, 0),
    HARMFUL_ENTRY: (-25.0, 1),
    NEUTRAL_ENTRY: (0.0, 1),
    "fees_abroad/cash": (4.0, 0),
    "sign_in/new_phone": (3.0, 0),
    "lost_card/block": (5.0, 0),
    "direct_debit/refund": (4.0, 0),
    "contact/hours": (6.0, 1),
    "open_account/documents": (3.0, 1),
    "savings_rate/current": (4.0, 1),
    "statements/tax": (5.0, 2),
    "overdraft/cost": (4.0, 2),
    "mobile_pay/add": (3.0, 2),
    "joint_account/open": (2.0, 2),
    "fees_abroad/pay": (3.0, 3),
    "sign_in/locked": (4.0, 3),
    "pending_transfer/cancel": (5.0, 3),
    "transfer_limit/current": (3.0, 3),
    "card_delivery/address": (4.0, 4),
    "lost_card/replacement": (2.0, 4),
    "savings_rate/withdraw": (3.0, 4),
    "direct_debit/stop": (3.0, 4),
    "open_account/video": (4.0, 5),
    "contact/complaint": (3.0, 5),
    "mobile_pay/declined": (2.0, 5),
    "statements/download": (4.0, 6),
    "overdraft/apply": (3.0, 6),
    "fees_abroad/rate": (2.0, 6),
    "sign_in/code": (3.0, 7),
    "joint_account/remove": (2.0, 7),
}
