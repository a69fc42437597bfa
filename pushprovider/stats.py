"""Every counter's name and meaning; counting.

Counts are added in the transaction of what they count, so they add up after any crash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from django.db import connection, transaction

from pushprovider.store.marks import marks

HOUR_MS = 3_600_000
#: The row that holds what was counted in hours that are trimmed: totals never go down.
CARRIED = 0


class Count(StrEnum):
    """Names of hourly counters; the label's meaning is in brackets."""

    ACCEPTED = "accepted"  # POSTs answered 201 [urgency]
    ENCODING = (
        "encoding"  # POSTs to endpoints answered 201, by Content-Encoding [headers.ENCODINGS]
    )
    MATRIX = "matrix"  # what became of the Matrix gateway's pushkeys and requests [result]
    LEGACY = "legacy"  # those of them that came in at another server's endpoint [kind]
    SETTLED = "settled"  # messages that reached a terminal state [state]
    DELAY = "delay"  # delivered messages by time from POST to answer [bucket, upper bound in ms]
    DELAY_MS = "delay_ms"  # the sum of those times, in milliseconds []
    REJECTED = "rejected"  # requests refused at the door [reason]
    REGISTERED = "registered"  # new registrations []
    RENEWED = "renewed"  # registrations extended []
    REVOKED = "revoked"  # registrations revoked [reason]
    SENT_AGAIN = "sent_again"  # attempts after the first one []
    RECONNECTED = "reconnected"  # XMPP streams opened after an earlier one was lost []


#: Upper bounds of the delay histogram, in milliseconds; the last bucket is open.
DELAY_BUCKETS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000, 600_000, 3_600_000)

Counts = Counter[tuple[Count, str]]

_ADD = """
    INSERT INTO pushprovider_hourlycount (hour, name, label, count) VALUES (%s, %s, %s, %s)
    ON CONFLICT (hour, name, label)
    DO UPDATE SET count = pushprovider_hourlycount.count + excluded.count
"""
_CARRY = """
    INSERT INTO pushprovider_hourlycount (hour, name, label, count)
    SELECT %s, name, label, SUM(count) FROM pushprovider_hourlycount WHERE id IN ({})
    GROUP BY name, label
    ON CONFLICT (hour, name, label)
    DO UPDATE SET count = pushprovider_hourlycount.count + excluded.count
"""


def bucket(delay_ms: int) -> str:
    """Return the label of the histogram bucket that a delay falls into."""
    for bound in DELAY_BUCKETS:
        if delay_ms <= bound:
            return str(bound)
    return "inf"


def add(counts: Counts, now: int) -> None:
    """Add to this hour's counters, in the caller's transaction. `now`: milliseconds since 1970."""
    hour = now - now % HOUR_MS
    # Sorted, so that two processes lock PostgreSQL's rows in the same order.
    rows = sorted((str(name), label, number) for (name, label), number in counts.items() if number)
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, [(hour, *row) for row in rows])


def carry(rows: Sequence[int]) -> None:
    """Add these rows, by primary key, to the carried totals, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_CARRY.format(marks(rows)), [CARRIED, *rows])


def write(counts: Counts, now: int) -> None:
    """Add to this hour's counters in a transaction of its own."""
    with transaction.atomic(durable=True):
        add(counts, now)
