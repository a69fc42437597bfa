"""The product's own books: message rows and counters, read from its SQLite file."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The numbers of MessageState, written down here anew: the ledger shares no code with the product.
STATES = ("queued", "sent", "delivered", "expired", "replaced", "cancelled", "evicted", "gone")
URGENCIES = ("very-low", "low", "normal", "high")

_ROWS = """
    SELECT m.id, m.uid, m.state, m.urgency, m.topic, m.ttl, length(m.payload), m.accepted_at,
           m.expires_at, m.settled_at, m.attempts, m.condition, m.registration_id, m.account_id,
           r.application, r.instance, r.revoked_at
    FROM pushprovider_message m JOIN pushprovider_registration r ON r.id = m.registration_id
    ORDER BY m.id
"""


@dataclass(slots=True)
class Row:
    """One message as the product remembers it. Times in milliseconds since 1970."""

    id: int
    uid: str
    state: str
    urgency: int
    topic: str
    ttl: int
    payload_size: int
    accepted_at: int
    expires_at: int
    settled_at: int
    attempts: int
    condition: str
    registration: int
    account: int
    application: str
    instance: str
    revoked_at: int | None


@dataclass(slots=True)
class Books:
    """Everything that is compared with the ledger."""

    rows: list[Row]
    counters: Counter[tuple[str, str]]
    registrations: int
    revoked: int


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the product's file for reading, while it runs or after."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        yield connection


def waiting(database: Path) -> list[str]:
    """Return the ids of the messages that still wait."""
    with opened(database) as connection:
        found = connection.execute("SELECT uid FROM pushprovider_message WHERE state <= 1")
        return [uid for (uid,) in found]


def read(database: Path) -> Books:
    """Return the product's books."""
    with opened(database) as connection:
        rows = [_row(values) for values in connection.execute(_ROWS)]
        counted = connection.execute(
            "SELECT name, label, SUM(count) FROM pushprovider_hourlycount GROUP BY name, label"
        )
        counters = Counter({(name, label): number for name, label, number in counted if number})
        registrations, revoked = connection.execute(
            "SELECT COUNT(*), COUNT(revoked_at) FROM pushprovider_registration"
        ).fetchone()
    return Books(rows, counters, registrations, revoked)


def _row(values: Sequence[Any]) -> Row:
    """Give the state its name; a message that is not settled has settled at 0."""
    each = list(values)
    each[2] = STATES[each[2]]
    each[9] = each[9] or 0
    return Row(*each)
