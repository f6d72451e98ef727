"""What a server counts before the first visitor asks for it: the figures that pages open with."""

from feedback_lab.store import Store
from feedback_lab.ui import issue, issue_list, overview


def prepare(store: Store) -> None:
    """Begin to count in the background, the list of issues first; nothing where there is nothing to count."""
    if store.scalar("SELECT count(*) FROM feedback"):
        for page in (issue_list, overview, issue):
            page.prepare(store)
