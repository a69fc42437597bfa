"""The store under a provider: an SQLite file, or a database of a real PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from psycopg import sql

from tests.real import postgres
from tests.real.postgres import Postgres

Row = tuple[Any, ...]


class Store(Protocol):
    """What a play may do with a store behind the product's back."""

    kind: str
    #: DATABASE_URL.
    url: str

    def copy(self, folder: Path) -> Store:
        """Return a new store that is made as a copy of this one: this saves the migrations."""

    def make(self) -> bool:
        """Make it if it is not there; True if it has its tables already."""

    def lose(self) -> None:
        """Delete it."""

    def rows(self, query: str, *params: object) -> list[Row]:
        """Run a query with %s for parameters, on a connection of its own."""

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Let nobody write meanwhile, as an operator's shell might."""


class SqliteStore:
    """A file in `folder`."""

    kind = "sqlite"

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.file = folder / "pushprovider.sqlite3"
        self.url = f"sqlite:///{self.file}"
        self._template = template

    def copy(self, folder: Path) -> SqliteStore:
        return SqliteStore(folder, self.file)

    def make(self) -> bool:
        if not self.file.exists() and self._template is not None:
            shutil.copyfile(self._template, self.file)
        return self.file.exists()

    def lose(self) -> None:
        for file in self.file.parent.glob(f"{self.file.name}*"):
            file.unlink()

    def rows(self, query: str, *params: object) -> list[Row]:
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as database, database:
            return database.execute(query.replace("%s", "?"), params).fetchall()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.execute("ROLLBACK")


class PostgresStore:
    """A database of its own in a running server."""

    kind = "postgresql"
    _numbers = itertools.count()

    def __init__(
        self, server: Postgres, template: str | None = None, *, name: str = "", tcp_port: int = 0
    ) -> None:
        self.server = server
        self.name = name or f"play{next(self._numbers)}"
        self.url = server.url(self.name, tcp_port=tcp_port)
        self._template = template

    def copy(self, _folder: Path) -> PostgresStore:
        return PostgresStore(self.server, self.name)

    def make(self) -> bool:
        with self.server.connect() as operator:
            found = operator.execute("SELECT FROM pg_database WHERE datname = %s", [self.name])
            if found.rowcount:
                return True
        self.server.create(self.name, self._template or "template1")
        return self._template is not None

    def lose(self) -> None:
        statement = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name))
        with self.server.connect() as operator:
            operator.execute(statement)

    def rows(self, query: str, *params: object) -> list[Row]:
        with self.server.connect(self.name) as operator:
            cursor = operator.execute(query.encode(), params or None)
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with self.server.connect(self.name) as operator, operator.transaction():
            tables = ["account", "registration", "message", "status", "hourlycount"]
            names = ", ".join(f"pushprovider_{table}" for table in tables)
            operator.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE".encode())
            yield

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nobody write, as on PostgreSQL's own standby; end the connections that could."""
        set_ = "ALTER DATABASE {} SET default_transaction_read_only = {}"
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        for mode in ("on", "off"):
            with self.server.connect() as operator:
                name = sql.Identifier(self.name)
                operator.execute(sql.SQL(set_).format(name, sql.SQL(mode)))
                operator.execute(end, [self.name])
            if mode == "on":
                yield


def new_store(kind: str, folder: Path) -> Store:
    """Return a store that is not made yet; PostgreSQL's are in this process's shared server."""
    if kind == "sqlite":
        return SqliteStore(folder)
    postgres.shared().start()
    return PostgresStore(postgres.shared())
