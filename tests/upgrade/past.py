"""The dumps, and how to make databases of them."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.real.postgres import PROGRAMS, USER
from tests.real.store import PostgresStore, SqliteStore, Store

FOLDER = Path(__file__).resolve().parent
#: What the dumps were made with; tokens hang on the key.
SETTINGS = {
    "SECRET_KEY": "of the past 0123456789 abcdefghijklmnopqrstuvwxyz",
    "PUBLIC_URL": "http://127.0.0.1",
    "XMPP_COMPONENT_JID": "up.localhost",
    "XMPP_COMPONENT_SECRET": "a component's secret",
}
#: The key of the endpoint that is alive in every dump.
LIVE = b"L" * 16


def dumps(kind: str) -> list[Path]:
    """Return every release's dump for a kind of store, oldest first."""
    found = (FOLDER / kind).glob("*.sql")
    return sorted(found, key=lambda path: [int(x) for x in path.stem.split(".")])


def restore(dump: Path, store: Store) -> None:
    """Make the database that an operator of that release has."""
    store.make()
    if isinstance(store, PostgresStore):
        pg("psql", store, "--set=ON_ERROR_STOP=1", "--quiet", f"--file={dump}")
    elif isinstance(store, SqliteStore):
        with closing(sqlite3.connect(store.file)) as made:
            made.executescript(dump.read_text(encoding="utf-8"))


def write(store: Store) -> str:
    """Return a store as a dump."""
    if isinstance(store, PostgresStore):
        said = pg("pg_dump", store, "--no-owner", "--no-privileges")
        # psql's \restrict needs a psql that knows it.
        lines = [line for line in said.splitlines() if "restrict " not in line]
        return "\n".join(lines) + "\n"
    assert isinstance(store, SqliteStore)
    with closing(sqlite3.connect(store.file)) as made:
        return "\n".join(made.iterdump()) + "\n"


def schema(store: Store) -> list[str]:
    """Return what makes every table and index, columns' order and spacing left out."""
    if isinstance(store, PostgresStore):
        said = pg("pg_dump", store, "--schema-only", "--no-owner", "--no-privileges")
        lines = [line for line in said.splitlines() if not line.startswith(("--", "\\"))]
        return sorted(plain(statement) for statement in "\n".join(lines).split(";"))
    query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%%'"
    return sorted(plain(sql) for (sql,) in store.rows(query))


def plain(sql: str) -> str:
    """Return a statement's words in alphabetical order: SQLite rebuilds tables when they change."""
    return " ".join(sorted(sql.replace("(", " ").replace(")", " ").replace(",", " ").split()))


def pg(program: str, store: PostgresStore, *arguments: str) -> str:
    """Run one of PostgreSQL's programs on a store; return what it printed."""
    where = [f"--host={store.server.folder}", f"--port={store.server.port}", f"--username={USER}"]
    command = [str(PROGRAMS[0] / program), *where, f"--dbname={store.name}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
