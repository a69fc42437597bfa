"""Does the database have the tables of this version? Asked once, when a process starts."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

#: What to do about a database of a newer version.
GO_BACK = "Install that version again, or restore a backup of this one"


def misfit() -> str:
    """Return in one line why this version cannot work on it, or "". Raises DatabaseError."""
    missing, unknown = difference()
    if unknown:
        words = f"it has {unknown} migrations that this one does not know"
        return f"the database is of a newer version: {words}. {GO_BACK}."
    if missing:
        return f"the database lacks {missing} migrations. Run: manage.py migrate"
    return ""


def difference() -> tuple[int, int]:
    """Return how many migrations of this version the database lacks, and how many of ours it has
    that this version lacks. Reads every migration on the disk, once. Raises DatabaseError.
    """
    executor = MigrationExecutor(connection)
    loader = executor.loader
    missing = executor.migration_plan(loader.graph.leaf_nodes())
    known = {*loader.disk_migrations}
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)  # squashed: they need not be here any more
    ours = {one for one in loader.applied_migrations if one[0] == "pushprovider"}
    return len(missing), len(ours - known)
