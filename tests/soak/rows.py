"""The product's own books: message rows and counters, read from its store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.real.store import Store

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


def waiting(store: Store) -> list[str]:
    """Return the ids of the messages that still wait."""
    return [uid for (uid,) in store.rows("SELECT uid FROM pushprovider_message WHERE state <= 1")]


def read(store: Store) -> Books:
    """Return the product's books."""
    rows = [_row(values) for values in store.rows(_ROWS)]
    counted = store.rows(
        "SELECT name, label, SUM(count) FROM pushprovider_hourlycount GROUP BY name, label"
    )
    counters = Counter({(name, label): int(number) for name, label, number in counted if number})
    [(registrations, revoked)] = store.rows(
        "SELECT COUNT(*), COUNT(revoked_at) FROM pushprovider_registration"
    )
    return Books(rows, counters, registrations, revoked)


def _row(values: Sequence[Any]) -> Row:
    """Give the state its name; a message that is not settled has settled at 0."""
    each = list(values)
    each[2] = STATES[each[2]]
    each[9] = each[9] or 0
    return Row(*each)
