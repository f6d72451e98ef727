"""Issues that last: clusters are computed, issues are kept. What doors and downstream rooms call.

`refresh` groups all negative comments again and keeps what is still there; between refreshes `assign_new` puts new
comments into the issues of the stored model. Nothing is grouped again behind anyone's back.
"""

from __future__ import annotations

import pandas as pd

from feedback_lab.issues.acts import rename
from feedback_lab.issues.arriving import assign_new
from feedback_lab.issues.identity import match
from feedback_lab.issues.listing import IssueList, IssueView, listing, select
from feedback_lab.issues.refreshing import RefreshPlan, StalePlanError, apply_refresh, plan_refresh, refresh
from feedback_lab.store import Store
from feedback_lab.verdicts import NEGATIVE_COMMENTS

__all__ = [
    "IssueList",
    "IssueView",
    "RefreshPlan",
    "StalePlanError",
    "apply_refresh",
    "assign_new",
    "listing",
    "match",
    "members",
    "plan_refresh",
    "refresh",
    "rename",
    "select",
]

MEMBERS_SQL = (
    "SELECT c.feedback_id, m.issue_id FROM ("
    + NEGATIVE_COMMENTS
    + ") AS c JOIN issue_member m ON m.feedback_id = c.feedback_id WHERE m.issue_id IS NOT NULL "
    "ORDER BY c.feedback_id"
)


def members(store: Store) -> pd.DataFrame:
    """Every assigned comment: feedback_id, issue_id."""
    return store.frame(MEMBERS_SQL)
