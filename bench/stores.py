"""A look into a contender's store from outside, that costs the same however much is in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

#: "+": never by the index of what waits, which is long when a million messages do.
_WAITING = "SELECT COUNT(*) FROM pushprovider_message WHERE id > ? AND +state <= 1"
_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM pushprovider_message"


class Store(Protocol):
    """What the bench wants of a store."""

    file: Path

    def settled(self) -> None:
        """Whatever is in there now is none of the coming turn's."""

    def waiting(self) -> int:
        """Return how many messages wait that came since settled()."""


class SqliteStore:
    """The default: a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._after = 0

    def settled(self) -> None:
        self._after = self._number(_NEWEST)

    def waiting(self) -> int:
        number = self._number(_WAITING, self._after)
        if not number:
            self.settled()
        return number

    def _number(self, query: str, *parameters: int) -> int:
        uri = f"file:{self.file}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=30)) as store:
            return int(store.execute(query, parameters).fetchone()[0])
