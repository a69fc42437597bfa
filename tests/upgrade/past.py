"""The dumps, and how to make databases of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
#: Every release's dump, oldest first.
DUMPS = sorted(FOLDER.glob("*.sql"), key=lambda path: [int(x) for x in path.stem.split(".")])
#: What the dumps were made with; tokens hang on the key.
SETTINGS = {
    "SECRET_KEY": "of the past 0123456789 abcdefghijklmnopqrstuvwxyz",
    "PUBLIC_URL": "http://127.0.0.1",
    "XMPP_COMPONENT_JID": "up.localhost",
    "XMPP_COMPONENT_SECRET": "a component's secret",
}
#: The key of the endpoint that is alive in every dump.
LIVE = b"L" * 16


def restore(dump: Path, database: Path) -> None:
    """Make the database that an operator of that release has."""
    with closing(sqlite3.connect(database)) as made:
        made.executescript(dump.read_text(encoding="utf-8"))


def schema(database: Path) -> list[tuple[str, str]]:
    """Return every table and index by name, with its columns' order and spacing left out."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    with closing(sqlite3.connect(database)) as made:
        return sorted((name, plain(sql)) for name, sql in made.execute(query))


def plain(sql: str) -> str:
    """Return a statement's words in alphabetical order: SQLite rebuilds tables when they change."""
    return " ".join(sorted(sql.replace("(", " ").replace(")", " ").replace(",", " ").split()))
