"""Numbered steps from an empty file to today's tables: each runs once, in one transaction with its record.

The caller backs the database up first (`store.open_store`); a file that is newer than this program is refused.
"""

import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, text

from feedback_lab import __version__, schema
from feedback_lab.errors import StoreError
from feedback_lab.records import new_id, utc_now

Step = Callable[[Connection], None]


def m001_tables(connection: Connection) -> None:
    """All tables as they are today, and the one row of the ledger; later steps add what older files lack."""
    tables = [table for table in schema.metadata.sorted_tables if table.name != "schema_version"]
    schema.metadata.create_all(connection, tables=tables, checkfirst=False)
    connection.execute(
        schema.ledger.insert().values(database_id=new_id(), acknowledged=0, user_key=secrets.token_hex(16))
    )


def m002_keys_mappings_and_the_life_of_issues(connection: Connection) -> None:
    """Keys of the API, saved mappings, other names of interactions, what humans did to issues."""
    for table in (schema.api_key, schema.import_mapping, schema.interaction_alias, schema.issue_event):
        table.create(connection, checkfirst=True)
    added = {
        "issue": "link TEXT, locked BOOLEAN, resolved_at TIMESTAMP, merged_into TEXT, proposed BOOLEAN, "
        "sub_issues JSON, sub_label INTEGER",
        "issue_member": "sub_label INTEGER, placed_in TEXT, low_information BOOLEAN, fresh BOOLEAN",
        "issue_model": "state JSON",
    }
    for table_name, columns in added.items():
        for column in columns.split(", "):
            connection.execute(text(f"ALTER TABLE {table_name} ADD COLUMN IF NOT EXISTS {column}"))


def m003_no_index_on_ids_that_come_by_millions(connection: Connection) -> None:
    """Interactions and feedback without a primary key; the engine can only drop it by copying the table."""
    for table in (schema.interaction, schema.feedback):
        names = ", ".join(column.name for column in table.columns)
        connection.execute(text(f"ALTER TABLE {table.name} RENAME TO {table.name}_before"))
        table.create(connection, checkfirst=False)
        connection.execute(text(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {table.name}_before"))
        connection.execute(text(f"DROP TABLE {table.name}_before"))


def m004_vectors_of_comments(connection: Connection) -> None:
    """What an embedding model makes of comments."""
    schema.embedding.create(connection, checkfirst=True)


MIGRATIONS: Sequence[Step] = (
    m001_tables,
    m002_keys_mappings_and_the_life_of_issues,
    m003_no_index_on_ids_that_come_by_millions,
    m004_vectors_of_comments,
)


def current_version(connection: Connection) -> int:
    """The number of the last step that ran on this database; 0 for a new file. Read-only."""
    known = connection.execute(
        text("SELECT count(*) FROM information_schema.tables WHERE table_name = 'schema_version'")
    ).scalar_one()
    if not known:
        return 0
    return int(connection.execute(text("SELECT coalesce(max(version), 0) FROM schema_version")).scalar_one())


def refuse_newer(version: int, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Raise StoreError where the file was written by a newer Feedback Lab than this one."""
    if version > len(steps):
        raise StoreError(
            f"The database has version {version}, this Feedback Lab ({__version__}) knows versions up to {len(steps)}: "
            "install the newer Feedback Lab that wrote it, or restore an older backup into another home."
        )


def apply(connection: Connection, version: int, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Run step `version` + 1 and note it, inside the caller's transaction."""
    if version == 0:
        schema.schema_version.create(connection, checkfirst=False)
    steps[version](connection)
    connection.execute(
        schema.schema_version.insert().values(version=version + 1, applied_at=utc_now(), app_version=__version__)
    )
