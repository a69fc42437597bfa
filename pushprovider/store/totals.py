"""Figures of the whole store, for /metrics and for the operators' statistics command.

Their cost must not grow with the message log or with the number of registrations, so each says
which index it reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from pushprovider import stats

#: Later than any hour.
FOREVER = 2**62
#: Hours after which nothing more is counted in an hour.
SETTLED_HOURS = 2

Totals = dict[str, dict[str, int]]

_TOTALS = """
    SELECT name, label, SUM(count) FROM pushprovider_hourlycount
    WHERE hour >= %s AND hour < %s GROUP BY name, label
"""
# Ids grow in the order of arrival: the least one is the oldest. Reads the partial index of what
# waits, and one row.
_QUEUE = """
    SELECT w.number, m.accepted_at
    FROM (SELECT COUNT(*) AS number, MIN(id) AS oldest FROM pushprovider_message WHERE state <= 1) w
    LEFT JOIN pushprovider_message m ON m.id = w.oldest
"""
_LIVE = "SELECT COUNT(*) FROM pushprovider_registration WHERE expires_at > %s"
_ENDED = "SELECT COUNT(*) FROM pushprovider_registration WHERE expires_at <= %s"
_REVOKED = """
    SELECT COUNT(*), COALESCE(SUM(CASE WHEN expires_at > %s THEN 1 ELSE 0 END), 0)
    FROM pushprovider_registration WHERE revoked_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """How many messages wait, and when the oldest was accepted (milliseconds since 1970)."""

    messages: int
    oldest: int | None


def totals(since: int = 0, until: int = FOREVER) -> Totals:
    """Return every counter's sums by name and label, over the hours in [since, until).

    Reads some 25 rows an hour: a quarter of a million, 0.2 s, for all of STATS_DAYS.
    """
    found: Totals = {}
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, (since, until))
        for name, label, number in cursor.fetchall():
            found.setdefault(name, {})[label] = int(number)
    return found


class Sums:
    """The totals of all time. Hours long past are read once an hour, the last ones every time.

    Trimming moves counts from one past hour to another, so it does not change the sum.
    """

    def __init__(self) -> None:
        self._until = 0
        self._past: Totals = {}

    def read(self, now: int) -> Totals:
        until = now - now % stats.HOUR_MS - SETTLED_HOURS * stats.HOUR_MS
        if until != self._until:
            self._past, self._until = totals(0, until), until
        sums = {name: dict(labels) for name, labels in self._past.items()}
        for name, labels in totals(until).items():
            into = sums.setdefault(name, {})
            for label, number in labels.items():
                into[label] = into.get(label, 0) + number
        return sums


def queue() -> Queue:
    """Return what waits now."""
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE)
        number, oldest = cursor.fetchone()
    return Queue(int(number), oldest)


def registrations(now: int) -> dict[str, int]:
    """Return how many registrations are active, expired and revoked (Registration.state_at).

    Reads the index of expiries and that of revoked ones, never the table as a whole.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REVOKED, (now,))
        revoked, revoked_early = map(int, cursor.fetchone())
        cursor.execute(_LIVE, (now,))
        live = int(cursor.fetchone()[0])
        cursor.execute(_ENDED, (now,))
        ended = int(cursor.fetchone()[0])
    return {
        "active": live - revoked_early,
        "expired": ended - (revoked - revoked_early),
        "revoked": revoked,
    }
