"""Trouble with the store that the unit tests use, whichever it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from django.db import connection

from pushprovider.database import DatabaseThread
from tests.real import postgres
from tests.real.store import PostgresStore, SqliteStore, Store
from tests.settings import FOLDER, NAME, STORE

#: Makes a connection refuse every write; the next connection may write again.
READ_ONLY = {
    "sqlite": "PRAGMA query_only=ON",
    "postgresql": "SET default_transaction_read_only = on",
}[STORE]
#: Makes a connection give up after 50 ms when the store is locked.
HASTY = {"sqlite": "PRAGMA busy_timeout=50", "postgresql": "SET lock_timeout = 50"}[STORE]


def unit_store() -> Store:
    """Return the unit tests' store, as somebody else sees it."""
    if STORE == "sqlite":
        return SqliteStore(FOLDER)
    return PostgresStore(postgres.shared(), name=NAME)


def locked() -> contextlib.AbstractContextManager[None]:
    """Let nobody write meanwhile."""
    return unit_store().locked()


@contextlib.contextmanager
def migrated_as(name: str) -> Iterator[None]:
    """Let the unit tests' store have one more migration, as a newer version leaves it."""
    ours = f"app = 'pushprovider' AND name = '{name}'"
    insert = "INSERT INTO django_migrations (app, name, applied)"
    unit_store().rows(f"{insert} VALUES ('pushprovider', '{name}', CURRENT_TIMESTAMP)")
    try:
        yield
    finally:
        unit_store().rows(f"DELETE FROM django_migrations WHERE {ours}")


def statement(text: str) -> Callable[[], None]:
    """Return a call that runs one statement on its thread's connection."""

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(text)

    return run


def in_thread(thread: DatabaseThread, text: str) -> None:
    """Run one statement on the connection of a database thread."""
    asyncio.run(thread.run(statement(text)))
