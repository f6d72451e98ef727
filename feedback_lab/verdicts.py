"""From feedback to verdicts: the one definition that every count in the product uses.

A verdict is the one resolved opinion of one rater on one interaction. The latest thumb, rating or given
polarity wins; a correction or an edit supplies a negative verdict only where the rater gave none of these;
a comment alone has none. Only users count here: reviewers, tests and judges are populations of their own.
"""

_OF_USERS = "f.population = 'user' AND f.kind IN ('thumb', 'rating', 'comment', 'correction', 'edit')"
# A correction or an edit without a polarity counts as negative. What came live, in no batch, is dated by its arrival.
_POLARITY = "coalesce(f.polarity, CASE WHEN f.kind IN ('correction', 'edit') THEN 'negative' END)"
_MOMENT = """coalesce(f.created_at, f.received_at) AS happened_at,
           f.created_at IS NOT NULL OR f.batch_id IS NULL AS dated"""

# The columns that a verdict is made of.
_HEARD = """f.feedback_id, f.interaction_id, f.kind, f.polarity, f.comment, f.suggested_answer, f.created_at,
            f.received_at, f.rater_hash, f.population, f.batch_id"""

# When a feedback was given, null where that is unknown; what came live, in no batch, is dated by its arrival. For SQL
# that reads `feedback` under no other name.
GIVEN_AT = "coalesce(created_at, CASE WHEN batch_id IS NULL THEN received_at END)"


def _said(feedback: str) -> str:
    return f"""
    SELECT f.feedback_id, f.interaction_id, f.comment, f.suggested_answer,
           coalesce('user:' || f.rater_hash, 'session:' || i.session_id, 'interaction:' || f.interaction_id) AS rater,
           {_POLARITY} AS polarity,
           f.polarity IS NOT NULL AS given,
           {_MOMENT}
    FROM {feedback} f LEFT JOIN interaction i ON i.interaction_id = f.interaction_id
    WHERE {_OF_USERS}
"""


# One row an utterance of a user, with its rater: who gave it, else the session, else the interaction (the prefixes
# keep the three apart).
SAID = _said("feedback")


def is_said(column: str) -> str:
    """SQL for: the text is not blank. Nearly every text begins with a visible ASCII character, and that is seen five
    times faster than that something is left after trimming."""
    return f"({column} >= '!' AND {column} < chr(127) OR trim({column}) <> '')"


# For `about`: the interactions that had feedback in a period, which is enough to find its verdicts and comments, for a
# part of the cost.
IN_PERIOD = """
    SELECT interaction_id FROM feedback
    WHERE coalesce(created_at, received_at) >= :since AND coalesce(created_at, received_at) < :until
"""


# One row an opinion of a user, which may be one of several that make a verdict. What has an opinion has a verdict.
OPINIONS = f"""
    SELECT f.interaction_id, {_MOMENT} FROM feedback f WHERE {_OF_USERS} AND {_POLARITY} IS NOT NULL
"""


def verdicts(about: str = "") -> str:
    """One row a verdict: interaction_id, rater, polarity, feedback_id (the one that decided), happened_at, dated.

    `about` is SQL for the ids of some interactions: then only these are looked at.
    """
    return _decided(SAID + (f" AND f.interaction_id IN ({about})" if about else ""))


def _decided(said: str) -> str:
    return f"""
    SELECT interaction_id, rater, polarity, feedback_id, happened_at, dated
    FROM (
        SELECT *, row_number() OVER (
            PARTITION BY interaction_id, rater ORDER BY given DESC, happened_at DESC, feedback_id DESC) AS place
        FROM ({said}) AS rated
        WHERE polarity IS NOT NULL
    ) AS placed
    WHERE place = 1
"""


def negative_comments(about: str = "") -> str:
    """One row a negative comment: a non-empty comment by a user whose verdict on that interaction is negative.

    `about` as in `verdicts`. Where a user said one thing about an interaction, that is the verdict; only of several it
    has to be found out.
    """
    heard, said, beginning = "feedback", SAID, "WITH"
    if about:
        heard, said = "heard", _said("heard")
        beginning = f"""
    WITH about AS MATERIALIZED ({about}), heard AS MATERIALIZED (
        SELECT {_HEARD} FROM feedback f WHERE {_OF_USERS} AND f.interaction_id IN (SELECT interaction_id FROM about)
    ),"""
    return f"""
    {beginning} many AS MATERIALIZED (
        SELECT f.interaction_id FROM {heard} f WHERE {_OF_USERS} GROUP BY f.interaction_id HAVING count(*) > 1
    ), several AS MATERIALIZED ({said} AND f.interaction_id IN (SELECT interaction_id FROM many))
    SELECT f.feedback_id, f.interaction_id, f.comment, {_MOMENT}
    FROM {heard} f
    WHERE {_OF_USERS} AND {_POLARITY} = 'negative' AND {is_said("f.comment")}
      AND f.interaction_id NOT IN (SELECT interaction_id FROM many)
    UNION ALL
    SELECT said.feedback_id, said.interaction_id, said.comment, said.happened_at, said.dated
    FROM several AS said
    JOIN ({_decided("SELECT * FROM several")}) AS verdict
      ON verdict.interaction_id = said.interaction_id AND verdict.rater = said.rater
    WHERE verdict.polarity = 'negative' AND trim(said.comment) <> ''
"""


VERDICTS = verdicts()
NEGATIVE_COMMENTS = negative_comments()
