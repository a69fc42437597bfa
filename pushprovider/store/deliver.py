"""Claim messages for delivery and write back what became of them.

SQL by hand for the same reason as in save.py. One component is active at a time, so a claim needs
no write: what is in flight is known in its memory. SENT is written only for a message that stays
unanswered for a while, so that a restart and the operator know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

from pushprovider import stats
from pushprovider.models import MessageState, RevocationReason
from pushprovider.stats import Count, Counts
from pushprovider.store import claims, registrations
from pushprovider.store.marks import marks
from pushprovider.store.writing import ending, writing


@dataclass(slots=True)
class Claimed:
    """A waiting message with all that its stanza needs. Times in milliseconds since 1970."""

    id: int
    uid: str
    account: str
    resource: str
    application: str
    instance: str
    payload: bytes
    ttl: int
    accepted_at: int
    attempts: int

    @property
    def device(self) -> str:
        return f"{self.account}/{self.resource}"


@dataclass(frozen=True, slots=True)
class Want:
    """So many messages, at most, for this device, without those in flight or answered (by id)."""

    device: str
    number: int
    but: tuple[int, ...]
    looks: int = 0  # see Devices.fetched()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt. `asked` is the full JID that answered."""

    uid: str
    asked: str
    state: MessageState  # DELIVERED, QUEUED (keep it), EXPIRED (TTL 0) or GONE
    sent_at: int | None = None
    condition: str = ""
    #: False for an answer that memory knows nothing of: the store says if it was asked for.
    known: bool = True
    id: int = 0  # the message's, of a delivered one that memory knows


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was handed to the XMPP server and is not answered yet."""

    uid: str
    device: str
    sent_at: int


@dataclass(slots=True)
class Work:
    """What one hop to the database thread shall write."""

    answers: list[Answer] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)


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
_FIND = """
    SELECT m.uid, m.registration_id, m.accepted_at, m.sent_to, a.jid, r.resource
    FROM pushprovider_message m
    JOIN pushprovider_registration r ON r.id = m.registration_id
    JOIN pushprovider_account a ON a.id = m.account_id
    WHERE m.uid IN ({}) AND m.state <= 1
"""
_SETTLE = """
    UPDATE pushprovider_message
    SET state = %s, payload = %s, settled_at = %s, condition = %s,
        sent_at = COALESCE(%s, sent_at), sent_to = %s, attempts = attempts + %s
    WHERE uid = %s AND state <= 1
"""
_REQUEUE = """
    UPDATE pushprovider_message
    SET state = 0, condition = %s, sent_at = COALESCE(%s, sent_at), sent_to = %s,
        attempts = attempts + %s
    WHERE uid = %s AND state <= 1
"""
_SENT = """
    UPDATE pushprovider_message SET state = 1, sent_at = %s, sent_to = %s
    WHERE uid = %s AND state = 0
"""


def work(todo: Work, now: int) -> None:
    """Write the answers and marks in one transaction.

    What a power cut takes of them is sent again, so they need not keep POSTs waiting for the disk;
    that an endpoint has ended must stay.
    """
    with writing(synced=any(answer.state == MessageState.GONE for answer in todo.answers)):
        counts = Counts()
        if todo.answers:
            settle(todo.answers, now, counts)
        if todo.sent:
            with connection.cursor() as cursor:
                cursor.executemany(_SENT, [(s.sent_at, s.device, s.uid) for s in todo.sent])
        stats.add(counts, now)


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


def settle(answers: Sequence[Answer], now: int, counts: Counts) -> None:
    """Write what became of attempts, in the caller's transaction.

    A message that is terminal already stays what it is: an error after a result, or a result
    after a DELETE, changes nothing.
    """
    if any(answer.state == MessageState.GONE for answer in answers):
        ending()
    with connection.cursor() as cursor:
        uids = [answer.uid for answer in answers]
        # SQLite has one writer; PostgreSQL must let nobody else settle what is found and counted.
        lock = " FOR UPDATE OF m" if connection.vendor == "postgresql" else ""
        cursor.execute(_FIND.format(marks(uids)) + lock, uids)
        waiting = {row[0]: row[1:] for row in cursor.fetchall()}
        final, requeued = [], []
        gone: set[int] = set()
        for answer in answers:
            found = waiting.get(answer.uid)
            if found is None or not _was_asked(answer, found):
                continue
            registration, accepted_at = found[0], found[1]
            attempt = 1 if answer.known else 0
            if answer.state == MessageState.GONE:
                gone.add(registration)
            elif answer.state == MessageState.QUEUED:
                requeued.append(
                    (answer.condition, answer.sent_at, answer.asked, attempt, answer.uid)
                )
            else:
                del waiting[answer.uid]
                state = int(answer.state)
                final.append(
                    (
                        state,
                        b"",
                        now,
                        answer.condition,
                        answer.sent_at,
                        answer.asked,
                        attempt,
                        answer.uid,
                    )
                )
                counts[Count.SETTLED, answer.state.label] += 1
                if answer.state == MessageState.DELIVERED:
                    counts[Count.DELAY, stats.bucket(now - accepted_at)] += 1
                    counts[Count.DELAY_MS, ""] += max(now - accepted_at, 0)
        # In this order: a message may be kept for another try and then answered late, all in one
        # batch, and what is terminal must stay so.
        if requeued:
            cursor.executemany(_REQUEUE, requeued)
            counts[Count.SENT_AGAIN, ""] += len(requeued)
        if final:
            cursor.executemany(_SETTLE, final)
    if gone:
        registrations.revoke(sorted(gone), RevocationReason.DEVICE, now)


def _was_asked(answer: Answer, found: Sequence[str]) -> bool:
    """Only the device that was asked can answer: another one may have guessed or seen the id."""
    if answer.known:
        return True
    sent_to, jid, resource = found[2], found[3], found[4]
    return answer.asked in (sent_to, f"{jid}/{resource}")


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
