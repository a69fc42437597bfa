"""Moves a whole store from SQLite to PostgreSQL: all or nothing, and nothing accepted is lost.

The old store's write lock is held from the first row read to the end, so a web process that still
runs answers 503 meanwhile. Everything is written to the new one in a single transaction: a move
that fails or is killed leaves it empty. At last the old store is closed by triggers, so a process
that was forgotten cannot accept anything into it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections, models, transaction
from psycopg import sql

from pushprovider.fields import now_ms
from upconfig.env import database_config

#: The names of the two in Django's settings.
OLD, NEW = "default", "new"
#: Rows read at once; rows between two words of progress.
CHUNK, WORD = 1000, 50_000
#: Tables that a closed store refuses to write to: what a web process or a component begins with.
_CLOSED = ("account", "registration", "message", "status")
_MOVED = "this store has moved"

Say = Callable[[str], None]
Sums = tuple[int, ...]


class CannotMove(Exception):
    """Says why. Nothing was changed."""


@dataclass(frozen=True)
class Table:
    """One table: its name, its columns but for those that the database computes."""

    model: type[models.Model]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def fields(self) -> list[Any]:
        return [f for f in self.model._meta.local_concrete_fields if not f.generated]

    @property
    def columns(self) -> list[str]:
        return [str(field.column) for field in self.fields]

    def sums(self, alias: str) -> Sums:
        """Return what must be the same on both sides: rows, and bytes of each binary column."""
        binary = [str(f.column) for f in self.fields if isinstance(f, models.BinaryField)]
        wanted = ["COUNT(*)", *(f"COALESCE(SUM(LENGTH({_quote(c)})), 0)" for c in binary)]
        with connections[alias].cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(wanted)} FROM {_quote(self.name)}")  # noqa: S608
            return tuple(int(value) for value in cursor.fetchone())


def _quote(name: str) -> str:
    return f'"{name}"'


def tables() -> list[Table]:
    """Return every table of every app. The new one's rows may refer to each other in any order."""
    found = apps.get_models(include_auto_created=True)
    return [Table(m) for m in found if m._meta.managed and not m._meta.proxy]


def open_new(url: str) -> None:
    """Make the new store known to Django, and look if it can be used. Raises CannotMove."""
    if connections[OLD].vendor != "sqlite":
        raise CannotMove("DATABASE_URL is not SQLite: there is nothing to move.")
    if is_closed():
        raise CannotMove("DATABASE_URL has been moved before.")
    databases = connections.settings
    databases[NEW] = database_config(url, "--to")
    connections.configure_settings(databases)
    if connections[NEW].vendor != "postgresql":
        raise CannotMove("--to must be a postgres:// URL.")
    present = set(connections[NEW].introspection.table_names())
    for table in tables():
        ours = table.name.startswith("pushprovider_") or table.name == "auth_user"
        if ours and table.name in present and table.sums(NEW)[0]:
            raise CannotMove(f"The new database is not empty: {table.name} has rows.")


def count(say: Say) -> None:
    """Say how much there is to move."""
    for table in tables():
        if number := table.sums(OLD)[0]:
            say(f"{table.name}: {number:,} rows")


def move(claimed: int, say: Say) -> None:
    """Move everything. `claimed`: see standby.ActiveLock.maybe_sent(). Raises CannotMove."""
    call_command("migrate", database=NEW, interactive=False, verbosity=0)
    with transaction.atomic(using=OLD):  # takes the write lock at once
        with transaction.atomic(using=NEW):
            _empty_new()
            for table in tables():
                _copy(table, say)
            _check()
            _set_claimed(claimed)
            _set_sequences()
        _close_old()


def _empty_new() -> None:
    """Take out what `migrate` has put in: it comes from the old store, with the old keys."""
    names = ", ".join(_quote(table.name) for table in tables())
    with connections[NEW].cursor() as cursor:
        cursor.execute(f"TRUNCATE {names}")


def _copy(table: Table, say: Say) -> None:
    number = 0
    names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
    with connections[NEW].cursor() as cursor, cursor.copy(into) as copy:
        for row in _rows(table):
            copy.write_row(row)
            number += 1
            if number % WORD == 0:
                say(f"{table.name}: {number:,} rows so far")
    if number:
        say(f"{table.name}: {number:,} rows")


def _rows(table: Table) -> Iterator[list[object]]:
    columns = ", ".join(map(_quote, table.columns))
    with connections[OLD].cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {_quote(table.name)}")  # noqa: S608
        while rows := cursor.fetchmany(CHUNK):
            for row in rows:
                yield [_value(value) for value in row]


def _value(value: object) -> object:
    """Return what PostgreSQL wants in place of what SQLite has."""
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        return value.replace(tzinfo=dt.UTC)
    if isinstance(value, str) and "\x00" in value:
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return value


def _check() -> None:
    for table in tables():
        old, new = table.sums(OLD), table.sums(NEW)
        if old != new:
            raise CannotMove(f"{table.name}: {old} in the old one, {new} in the new one.")


def _set_claimed(upto: int) -> None:
    """A component that crashed has left in doubt what it sent: so it is for the next one."""
    with connections[NEW].cursor() as cursor:
        cursor.execute(
            "INSERT INTO pushprovider_status (name, value, at) VALUES ('claimed', %s, %s)",
            [str(upto), now_ms()],
        )


def _set_sequences() -> None:
    """New rows get keys above all that were moved."""
    every = [table.model for table in tables()]
    with connections[NEW].cursor() as cursor:
        for statement in connections[NEW].ops.sequence_reset_sql(no_style(), every):
            cursor.execute(statement)


def _close_old() -> None:
    with connections[OLD].cursor() as cursor:
        for table in _CLOSED:
            for act in ("insert", "update"):
                cursor.execute(
                    f"CREATE TRIGGER moved_{table}_{act} BEFORE {act} ON pushprovider_{table}"
                    f" BEGIN SELECT RAISE(ABORT, '{_MOVED}'); END"
                )


def reopen() -> None:
    """Let the old store be used again; what the new one has got meanwhile stays there."""
    with connections[OLD].cursor() as cursor:
        for table in _CLOSED:
            for act in ("insert", "update"):
                cursor.execute(f"DROP TRIGGER IF EXISTS moved_{table}_{act}")


def is_closed() -> bool:
    """True if DATABASE_URL is an SQLite file whose content was moved away."""
    if connections[OLD].vendor != "sqlite":
        return False
    with connections[OLD].cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'moved_message_insert'")
        return cursor.fetchone() is not None
