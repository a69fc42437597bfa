"""The store under a contender, and a look into it that costs the same however full it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.real.gauge import children
from tests.real.postgres import Postgres
from tests.real.store import PostgresStore, SqliteStore, Store

#: "+": never by the index of what waits, which is long when a million messages do.
_WAITING = "SELECT COUNT(*) FROM pushprovider_message WHERE id > %s AND +state <= 1"
_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM pushprovider_message"
KINDS = ("sqlite", "postgresql")


class OwnStore:
    """A store of one contender's own: a file in `folder`, or a PostgreSQL with nobody else in it.

    `fill` gets an SQLite file once it has its tables.
    """

    def __init__(self, kind: str, folder: Path, fill: Callable[[Path], None] | None = None) -> None:
        self._server = Postgres(durable=True) if kind == "postgresql" else None
        self._fill = fill
        self._after = 0
        self.store: Store
        if self._server is None:
            self.store = SqliteStore(folder)
        else:
            self._server.start()
            self.store = PostgresStore(self._server, name="bench")

    def close(self) -> None:
        """Stop what was started for it."""
        if self._server is not None:
            self._server.remove()

    def processes(self) -> dict[str, list[int]]:
        """Return its own processes, with the connections that are open now."""
        if self._server is None:
            return {}
        pid = self._server.process.pid
        return {"store": [pid, *children(pid)]}

    def fill(self) -> None:
        """Fill it, if that was asked for."""
        if self._fill is not None:
            assert isinstance(self.store, SqliteStore), "fill.py speaks SQLite"
            self._fill(self.store.file)
        self.settled()

    def settled(self) -> None:
        """Whatever is in there now is none of the coming turn's."""
        self._after = int(self.store.rows(_NEWEST)[0][0])

    def waiting(self) -> int:
        """Return how many messages wait that came since the last settled()."""
        number = int(self.store.rows(_WAITING, self._after)[0][0])
        if not number:
            self.settled()
        return number
