"""Does the database have the tables of this version? Asked once, when a process starts."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

#: What to do about a database of a newer version.
GO_BACK = "Install that version again, or restore a backup of this one"


def misfit() -> str:
    """Return in one line why this version cannot work on it, or "". Raises DatabaseError."""
    if unknown := unknown_migrations():
        words = f"it has {unknown} migrations that this one does not know"
        return f"the database is of a newer version: {words}. {GO_BACK}."
    if missing := missing_migrations():
        return f"the database lacks {missing} migrations. Run: manage.py migrate"
    return ""


def missing_migrations() -> int:
    """Return how many migrations of this version the database lacks. Raises DatabaseError."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def unknown_migrations() -> int:
    """Return how many of our migrations it has that this version lacks. Raises DatabaseError."""
    loader = MigrationLoader(connection)
    known = {*loader.disk_migrations}
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)  # squashed: they need not be here any more
    return sum(
        1 for one in loader.applied_migrations if one[0] == "pushprovider" and one not in known
    )
