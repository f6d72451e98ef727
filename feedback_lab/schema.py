"""Every table of the store, in the order of the data. Text ids, UTC timestamps, JSON for what has no column.

No enums and no foreign keys: both make migrations painful in the embedded engine, so values are checked
where they come in (`ingest`) and where they change (`review`, `knowledge`). Primary keys are the only
indexes; scans of ten million rows stay under a third of a second without more. `interaction` and `feedback`, which
grow by millions, have none: their ids are unique because everything that comes in is compared with what is stored
by the one write path (`ingest.survey`, `ingest.known_ids`), and `doctor` looks whether they are.
"""

from sqlalchemy import JSON, Boolean, Column, DateTime, Double, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()


def _id(name: str) -> "Column[str]":
    return Column(name, Text, primary_key=True)


def _moment(name: str) -> "Column[object]":
    return Column(name, DateTime, nullable=False)


schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    _moment("applied_at"),
    Column("app_version", Text, nullable=False),
)
# One row: which database this is, the number of its last acknowledged commit, the key that hashes user names.
ledger = Table(
    "ledger",
    metadata,
    _id("database_id"),
    Column("acknowledged", Integer, nullable=False),
    Column("user_key", Text, nullable=False),
)

import_batch = Table(
    "import_batch",
    metadata,
    _id("batch_id"),
    Column("source", Text, nullable=False),
    Column("file_name", Text),
    Column("file_sha256", Text),
    Column("format", Text),
    Column("mapping", JSON),
    _moment("started_at"),
    Column("finished_at", DateTime),
    Column("status", Text, nullable=False),  # done or undone; an import that fails leaves no row
    Column("rows_read", Integer, nullable=False),
    Column("rows_new", Integer, nullable=False),
    Column("rows_duplicate", Integer, nullable=False),
    Column("rows_rejected", Integer, nullable=False),
    Column("rows_undated", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
)
import_reject = Table(
    "import_reject",
    metadata,
    Column("batch_id", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column_name", Text),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("excerpt", Text),
)
# How a file with a certain header was read before, under the name that a human gave it.
import_mapping = Table(
    "import_mapping",
    metadata,
    _id("name"),
    Column("header_key", Text, nullable=False),
    Column("plan", JSON, nullable=False),
    _moment("saved_at"),
)
# Which empty field of a known interaction an import filled, so that its undo can empty it again.
import_fill = Table(
    "import_fill",
    metadata,
    Column("batch_id", Text, nullable=False),
    Column("interaction_id", Text, nullable=False),
    Column("field", Text, nullable=False),
)

interaction = Table(
    "interaction",
    metadata,
    Column("interaction_id", Text, nullable=False),
    Column("session_id", Text),
    Column("turn", Integer),
    Column("created_at", DateTime),
    _moment("received_at"),
    Column("input", Text),
    Column("output", Text),
    Column("model", Text),
    Column("prompt_version", Text),
    Column("knowledge_version", Text),
    Column("user_hash", Text),
    Column("tags", JSON),
    Column("metadata", JSON),
    Column("batch_id", Text),
)
# Other names of an interaction under which feedback may arrive: of the model's response, of the trace.
interaction_alias = Table(
    "interaction_alias",
    metadata,
    _id("alias"),
    Column("interaction_id", Text, nullable=False),
)
feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", Text, nullable=False),
    Column("interaction_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Double),
    Column("scale_min", Double),
    Column("scale_max", Double),
    Column("polarity", Text),
    Column("comment", Text),
    Column("suggested_answer", Text),
    Column("created_at", DateTime),
    _moment("received_at"),
    Column("rater_hash", Text),
    Column("population", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("metadata", JSON),
    Column("batch_id", Text),
)

# Which verdict (by the feedback that decided it) which rule has looked at.
evaluation = Table("evaluation", metadata, _id("rule"), _id("feedback_id"), _moment("evaluated_at"))

task = Table(
    "task",
    metadata,
    _id("task_id"),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("anchor_interaction_id", Text, nullable=False),
    Column("priority", Text, nullable=False),  # high, medium
    Column("score", Double, nullable=False),  # what the budget orders by, within a priority
    Column("suggested_action", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("locked_by", Text),
    Column("lease_expires_at", DateTime),
    Column("lease_token", Text),
    _moment("created_at"),
    Column("opened_at", DateTime),
)
task_feedback = Table("task_feedback", metadata, _id("task_id"), _id("feedback_id"))
task_skip = Table("task_skip", metadata, _id("task_id"), _id("reviewer"), _moment("skipped_at"))
decision = Table(
    "decision",
    metadata,
    _id("decision_id"),
    Column("task_id", Text, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # an Outcome, or "undo"
    Column("correction_type", Text),
    Column("question", Text),
    Column("text", Text),
    Column("reason", Text),
    _moment("decided_at"),
    Column("supersedes", Text),
)
outbox = Table(
    "outbox",
    metadata,
    _id("decision_id"),
    Column("payload", JSON, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("published_at", DateTime),
)
entry_version = Table(
    "entry_version",
    metadata,
    _id("entry_id"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("sources", JSON, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Text, nullable=False),
    Column("decision_id", Text),
)

issue = Table(
    "issue",
    metadata,
    _id("issue_id"),
    Column("title", Text, nullable=False),
    Column("title_by", Text, nullable=False),  # computed, or the person who named it
    Column("keywords", JSON, nullable=False),
    Column("representative", Text, nullable=False),
    Column("samples", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("owner", Text),
    Column("note", Text),
    Column("link", Text),
    Column("locked", Boolean),
    Column("resolved_at", DateTime),
    Column("parent_id", Text),  # the issue that it was split from
    Column("merged_into", Text),  # set: a human merged it into that issue, and it is not listed
    Column("proposed", Boolean),  # found among what fits no issue; waits for a human's word
    Column("sub_issues", JSON),  # one object a sub-issue: sub_label, title, keywords, representative
    Column("sub_label", Integer),  # of a split-off issue: the sub-issue of `label` that it was
    Column("label", Integer, nullable=False),  # its number in the stored model; -1 once it has none
    _moment("created_at"),
)
issue_member = Table(
    "issue_member",
    metadata,
    _id("feedback_id"),
    Column("issue_id", Text),  # null: this comment was looked at and fits no issue
    Column("placed_in", Text),  # where model or human put it; `issue_id` is the issue that one was merged into
    Column("score", Double, nullable=False),
    Column("moved_by", Text),
    Column("sub_label", Integer),
    Column("low_information", Boolean),  # it judges without saying what is wrong
    Column("fresh", Boolean),  # it came after the model last learned
)
# What humans did to issues: enough to do it again after every refresh, and to take it back.
issue_event = Table(
    "issue_event",
    metadata,
    _id("event_id"),
    _moment("happened_at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("issue_id", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("undone_by", Text),
)
issue_model = Table(
    "issue_model",
    metadata,
    _id("model_id"),
    _moment("created_at"),
    Column("content", LargeBinary),
    Column("state", JSON),  # what it was made from, and how far new comments were looked at
)
# What an embedding model makes of a comment's text: kept once for all comments that read the same.
embedding = Table(
    "embedding",
    metadata,
    Column("kind", Text, nullable=False),  # comment
    Column("id", Text, nullable=False),  # the MD5 of the text
    Column("model_version", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # half-precision floats of unit length
)

marker = Table(
    "marker",
    metadata,
    _id("marker_id"),
    _moment("happened_at"),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
)
exposure = Table(
    "exposure",
    metadata,
    _id("exposure_id"),
    Column("unit", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("interaction_id", Text, nullable=False),
    Column("would_have_shown", Boolean, nullable=False),
    Column("shown", Boolean, nullable=False),
    _moment("happened_at"),
)
# Keys of the HTTP API; the secret itself is shown once and never kept.
api_key = Table(
    "api_key",
    metadata,
    _id("key_id"),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),  # ingest, read or public-write
    Column("secret_sha256", Text, nullable=False),
    Column("origins", JSON),
    _moment("created_at"),
    Column("revoked_at", DateTime),
)
audit = Table(
    "audit",
    metadata,
    _id("audit_id"),
    _moment("happened_at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("detail", JSON),
)
