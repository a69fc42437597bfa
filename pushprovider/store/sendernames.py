"""Who sends to an endpoint: the User-Agent and the vapid subject, as claimed, and how often."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.backends.utils import CursorWrapper

from pushprovider.store.marks import marks

#: Names of senders kept for an endpoint; the longest unheard of goes first.
MAX_SENDERS = 50

_SENDER = """
    INSERT INTO pushprovider_sender (registration_id, user_agent, subject, count, last_at)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (registration_id, user_agent, subject)
    DO UPDATE SET count = pushprovider_sender.count + excluded.count, last_at = excluded.last_at
"""
# A sender chooses its names: without a bound one endpoint could fill the store with them.
_CROWDED = """
    SELECT registration_id, COUNT(*) FROM pushprovider_sender WHERE registration_id IN ({})
    GROUP BY registration_id HAVING COUNT(*) > %s
"""
_FORGET = """
    DELETE FROM pushprovider_sender WHERE id IN (
        SELECT id FROM pushprovider_sender WHERE registration_id = %s ORDER BY last_at, id LIMIT %s)
"""


def count_senders(
    cursor: CursorWrapper, senders: Mapping[tuple[int, str, str], int], now: int
) -> None:
    """Add so many messages of each (registration, User-Agent, subject).

    In the caller's transaction; `now` is in milliseconds since 1970.
    """
    # Sorted, so that two processes lock PostgreSQL's rows in the same order.
    cursor.executemany(_SENDER, [(*who, number, now) for who, number in sorted(senders.items())])
    endpoints = list({registration for registration, _, _ in senders})
    cursor.execute(_CROWDED.format(marks(endpoints)), (*endpoints, MAX_SENDERS))
    for registration, number in cursor.fetchall():
        cursor.execute(_FORGET, (registration, number - MAX_SENDERS))
