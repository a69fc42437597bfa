"""What waits for its device: claimed for delivery, in the order of sending.

SQL by hand for the same reason as in save.py. One component is active at a time, so a claim needs
no write: what is in flight is known in its memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from pushprovider.models import MessageState
from pushprovider.store import claims
from pushprovider.store.attempts import Claimed, Want
from pushprovider.store.marks import marks

_COLUMNS = """m.id, m.uid, a.jid, r.resource, r.application, r.instance, m.payload, m.ttl,
              m.accepted_at, m.attempts"""
_ARRIVALS = f"""
    SELECT {_COLUMNS}
    FROM pushprovider_message m
    JOIN pushprovider_registration r ON r.id = m.registration_id
    JOIN pushprovider_account a ON a.id = m.account_id
    WHERE m.id > %s AND m.state <= 1 AND m.expires_at > %s ORDER BY m.id LIMIT %s
"""  # noqa: S608  # nothing from outside
# Oldest first within urgency (docs/architecture.md): the head of each endpoint's queue, as
# message_waiting has it, and of those the first. The length of a queue makes no difference. The
# plus keeps SQLite from an index that is in no such order.
_HEAD = """
    SELECT q.id FROM pushprovider_message q
    WHERE q.account_id = r.account_id AND q.registration_id = r.id AND q.state <= 1
      AND q.expires_at > %s AND +q.id <= %s AND q.id NOT IN ({})
    ORDER BY q.urgency DESC, q.id LIMIT %s
"""
# Each in its own words: SQLite has no LATERAL, and PostgreSQL would look at every message.
_OF_EACH = {
    "sqlite": f"JOIN pushprovider_message m ON m.id IN ({_HEAD})",
    "postgresql": f"""CROSS JOIN LATERAL ({_HEAD}) head
                      JOIN pushprovider_message m ON m.id = head.id""",
}
_QUEUED = f"""
    SELECT {_COLUMNS}
    FROM pushprovider_account a
    JOIN pushprovider_registration r ON r.account_id = a.id AND r.resource = %s
    {{}}
    WHERE a.jid = %s ORDER BY m.urgency DESC, m.id LIMIT %s
"""  # noqa: S608  # nothing from outside
# Grouped as message_waiting is sorted, and named afterwards: so nothing is sorted anew.
_WAITING = """
    SELECT a.jid, r.resource, w.state, w.first FROM (
        SELECT account_id, registration_id, MAX(state) AS state, MIN(id) AS first
        FROM pushprovider_message WHERE state <= 1 GROUP BY account_id, registration_id) w
    JOIN pushprovider_registration r ON r.id = w.registration_id
    JOIN pushprovider_account a ON a.id = w.account_id
"""


def arrivals(after: int, limit: int, now: int) -> list[Claimed]:
    """Return waiting messages with an id above `after`, in order of arrival."""
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVALS, (after, now, limit))
        found = [_claimed(row) for row in cursor.fetchall()]
    if found:
        claims.claim(found[-1].id)
    return found


def queued(want: Want, upto: int, now: int) -> list[Claimed]:
    """Return what waits for one device, most urgent first, then oldest; no id above `upto`."""
    jid, _, resource = want.device.partition("/")
    with connection.cursor() as cursor:
        but = marks(want.but) or "-1"
        head = (now, upto, *want.but, want.number)
        cursor.execute(
            _QUEUED.format(_OF_EACH[connection.vendor].format(but)),
            (resource, *head, jid, want.number),
        )
        return [_claimed(row) for row in cursor.fetchall()]


def _claimed(row: Sequence[object]) -> Claimed:
    claimed = Claimed(*row)  # type: ignore[arg-type]
    claimed.payload = bytes(claimed.payload)
    return claimed


def newest() -> int:
    """Return the greatest message id, 0 without any. What waits up to there may now be sent."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM pushprovider_message")
        found = int(cursor.fetchone()[0])
    claims.claim(found)
    return found


def waiting_devices(maybe_sent: int) -> dict[str, bool]:
    """Return every device that something waits for; True if some of it may have been sent.

    `maybe_sent`: the greatest id that an earlier process may have sent without writing it down.
    """
    devices: dict[str, bool] = {}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        for jid, resource, state, first in cursor:
            device = f"{jid}/{resource}"
            maybe = state == MessageState.SENT or first <= maybe_sent
            devices[device] = devices.get(device, False) or maybe
    return devices
