"""Who visits the sample world, when, with what topic, and who votes: the numeric part, drawn with numpy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from feedback_lab.sample import plan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

USERS = 2_600
HEAVY_VOTERS = 15
ANONYMOUS_SHARE = 0.08
TURN_SHARES = (0.25, 0.23, 0.19, 0.14, 0.11, 0.08)
HOURS = (2, 1, 1, 1, 1, 3, 8, 16, 26, 33, 35, 32, 29, 28, 27, 27, 28, 30, 33, 36, 33, 24, 13, 6)
WEEKDAYS = (1.25, 1.15, 1.08, 1.05, 1.0, 0.7, 0.62)
TOPIC_NAMES = tuple(plan.TOPICS)


@dataclass(frozen=True)
class Crowd:
    """The users: how often they come, how readily they vote, comment and slip, and how they lean (rate, +-)."""

    visits: Floats
    diligence: Floats
    lean: Floats
    talkative: Floats
    carelessness: Floats
    rates_in_stars: Bools


@dataclass(frozen=True)
class Visits:
    """Sessions and their turns. `user` is -1 for a visitor who is not signed in; `at` counts seconds from day 0.

    `session`, `turn`, `at`, `topic`, `rated` and `luck` have one element per interaction. An answer pleases
    where `luck` (uniform on 0..1) is below the probability that the topic, user, model and entry make.
    """

    user: Ints
    session: Ints
    turn: Ints
    at: Floats
    topic: Ints
    rated: Bools
    luck: Floats

    def day(self, interaction: int) -> int:
        return int(self.at[interaction] // 86_400)


def release_points(topic: str, day: int) -> float:
    """The points that the releases have moved `topic` by on `day`."""
    worse = plan.WORSE_POINTS if topic == plan.WORSE_TOPIC and day >= plan.WORSE_DAY else 0.0
    return worse + (plan.BETTER_POINTS if topic == plan.BETTER_TOPIC and day >= plan.BETTER_DAY else 0.0)


def draw_crowd(rng: np.random.Generator) -> Crowd:
    """Users of very different diligence: nearly half never vote, a few vote nearly always, some with a lean."""
    diligence = rng.lognormal(-1.0, 1.2, USERS) * (rng.random(USERS) < 0.55)
    visits = rng.lognormal(0.0, 0.9, USERS)
    lean = rng.normal(0.0, 0.09, USERS)
    heavy = np.arange(HEAVY_VOTERS)
    diligence[heavy] = 50.0
    visits[heavy] = visits.mean() * rng.uniform(3, 9, HEAVY_VOTERS)
    lean[heavy] = np.resize([-0.28, 0.0, 0.2, 0.0, 0.0], HEAVY_VOTERS)
    return Crowd(
        visits=visits / visits.sum(),
        diligence=diligence,
        lean=lean,
        talkative=rng.beta(2.2, 1.4, USERS),
        carelessness=rng.beta(0.9, 3.5, USERS),
        rates_in_stars=rng.random(USERS) < 0.18,
    )


def draw_visits(rng: np.random.Generator, crowd: Crowd, last_day: date) -> Visits:
    """The sessions of all days in order of their start, their turns, topics and votes."""
    start = _session_starts(rng, last_day)
    user = rng.choice(USERS, plan.SESSIONS, p=crowd.visits)
    user[rng.random(plan.SESSIONS) < ANONYMOUS_SHARE] = -1
    turns = rng.choice(np.arange(1, len(TURN_SHARES) + 1), plan.SESSIONS, p=TURN_SHARES)
    session = np.repeat(np.arange(plan.SESSIONS), turns)
    first = np.cumsum(turns) - turns
    turn = np.arange(len(session)) - first[session] + 1
    gap = np.where(turn == 1, 0.0, np.clip(rng.lognormal(4.1, 0.7, len(session)), 12, 900))
    passed = np.cumsum(gap)
    at = start[session] + passed - passed[first][session]
    # A session that would run past midnight of the last day starts that much earlier.
    late = np.maximum(0.0, at[first + turns - 1] - (plan.DAYS * 86_400 - 600))
    at -= late[session]
    topic = _topics(rng, session, turn)
    rated = _votes(rng, crowd, user[session])
    luck = rng.random(len(session))
    visits = Visits(user, session, turn, at, topic, rated, luck)
    _balance_releases(rng, visits)
    _unlucky_window(rng, crowd, visits)
    return visits


def _session_starts(rng: np.random.Generator, last_day: date) -> Floats:
    first_day = day_of_world(last_day, 0)
    days = np.arange(plan.DAYS)
    weights = np.array([WEEKDAYS[(first_day.weekday() + day) % 7] for day in days]) * (1 + 0.15 * days / plan.DAYS)
    day = rng.choice(days, plan.SESSIONS, p=weights / weights.sum())
    hour = rng.choice(24, plan.SESSIONS, p=np.array(HOURS) / sum(HOURS))
    return np.sort(day * 86_400.0 + hour * 3_600.0 + rng.random(plan.SESSIONS) * 3_600.0)


def _topics(rng: np.random.Generator, session: Ints, turn: Ints) -> Ints:
    """A topic per session; one turn in twenty changes the subject for the rest of the session."""
    shares = [plan.TOPICS[name].share for name in TOPIC_NAMES]
    fresh = rng.choice(len(TOPIC_NAMES), len(session), p=shares)
    changes = (turn == 1) | (rng.random(len(session)) < 0.05)
    return fresh[np.maximum.accumulate(np.where(changes, np.arange(len(session)), 0))]


def _votes(rng: np.random.Generator, crowd: Crowd, user: Ints) -> Bools:
    """Who votes on what: probabilities scaled so that `plan.VERDICTS` are expected."""
    eagerness = np.where(user < 0, 0.12, crowd.diligence[user])
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        expected = np.minimum(0.92, eagerness * middle).sum()
        low, high = (middle, high) if expected < plan.VERDICTS else (low, middle)
    return rng.random(len(user)) < np.minimum(0.92, eagerness * low)


def _balance_releases(rng: np.random.Generator, visits: Visits) -> None:
    """Spread the luck of the votes evenly before and after each release, so that every world shows its full size."""
    for topic, day in ((plan.WORSE_TOPIC, plan.WORSE_DAY), (plan.BETTER_TOPIC, plan.BETTER_DAY)):
        voted = visits.rated & (visits.topic == TOPIC_NAMES.index(topic))
        for cell in (voted & (visits.at < day * 86_400), voted & (visits.at >= day * 86_400)):
            count = int(cell.sum())
            visits.luck[cell] = (rng.permutation(count) + rng.random(count)) / count


def _unlucky_window(rng: np.random.Generator, crowd: Crowd, visits: Visits) -> None:
    """Redraw the votes of the regression topic's window: the unluckiest of many draws at its own true rate."""
    first, last = plan.REGRESSION_DAYS
    inside = (visits.at >= first * 86_400) & (visits.at < (last + 1) * 86_400)
    voted = visits.rated & (visits.topic == TOPIC_NAMES.index(plan.REGRESSION_TOPIC)) & inside
    user = visits.user[visits.session[voted]]
    chance = plan.TOPICS[plan.REGRESSION_TOPIC].base_rate + np.where(user < 0, 0.0, crowd.lean[user])
    draws = rng.random((plan.REGRESSION_DRAWS, int(voted.sum())))
    visits.luck[voted] = draws[(draws < chance).sum(axis=1).argmin()]


def day_of_world(last_day: date, day: int) -> date:
    """The calendar day of day 0, 1, ..., 89 of the world that ends on `last_day`."""
    return last_day - timedelta(days=plan.DAYS - 1 - day)


def moment(last_day: date, seconds: float) -> datetime:
    """The UTC time that lies `seconds` after midnight of day 0, to the millisecond."""
    return datetime.combine(day_of_world(last_day, 0), time()) + timedelta(milliseconds=int(seconds * 1_000))
