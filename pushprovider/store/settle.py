"""Write down what became of attempts.

SQL by hand for the same reason as in save.py. SENT is written only for a message that stays
unanswered for a while, so that a restart and the operator know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from pushprovider import stats
from pushprovider.models import MessageState, RevocationReason
from pushprovider.stats import Count, Counts
from pushprovider.store import registrations
from pushprovider.store.attempts import Answer, Work
from pushprovider.store.marks import marks
from pushprovider.store.writing import ending, writing

_FIND = """
    SELECT m.uid, m.registration_id, m.accepted_at, m.sent_to, a.jid, r.resource, r.renewed_at
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


class _Unsettled(NamedTuple):
    """A row of _FIND."""

    uid: str
    registration: int
    accepted_at: int
    sent_to: str
    jid: str
    resource: str
    renewed_at: int

    @property
    def device(self) -> str:
        """The full JID that the endpoint belongs to now."""
        return f"{self.jid}/{self.resource}"


def write_down(todo: Work, now: int) -> None:
    """Write the answers and marks in one transaction.

    What a power cut takes of them is sent again, so they need not keep POSTs waiting for the disk;
    that an endpoint has ended must stay.
    """
    with writing(synced=any(answer.state == MessageState.GONE for answer in todo.answers)):
        counts = Counts()
        if todo.answers:
            _settle(todo.answers, now, counts)
        if todo.sent:
            with connection.cursor() as cursor:
                cursor.executemany(_SENT, [(s.sent_at, s.device, s.uid) for s in todo.sent])
        stats.add(counts, now)


def _settle(answers: Sequence[Answer], now: int, counts: Counts) -> None:
    """Write what became of attempts, in the caller's transaction.

    A message that is terminal already stays what it is: an error after a result, or a result
    after a DELETE, changes nothing.
    """
    if any(answer.state == MessageState.GONE for answer in answers):
        ending()
    final: list[Answer] = []
    again: list[Answer] = []
    gone: set[int] = set()
    with connection.cursor() as cursor:
        unsettled = _find(cursor, answers)
        for answer in answers:
            message = unsettled.get(answer.uid)
            if message is None or not _was_asked(answer, message):
                continue
            if answer.state == MessageState.QUEUED or _is_renewed(answer, message, now):
                again.append(answer)
            elif answer.state == MessageState.GONE:
                gone.add(message.registration)
            else:
                del unsettled[answer.uid]
                final.append(answer)
                _count(answer, now - message.accepted_at, counts)
        # In this order: a message may be kept for another try and then answered late, all in one
        # batch, and what is terminal must stay so.
        if again:
            cursor.executemany(_REQUEUE, [_attempt(answer) for answer in again])
            counts[Count.SENT_AGAIN, ""] += len(again)
        if final:
            rows = [(int(answer.state), b"", now, *_attempt(answer)) for answer in final]
            cursor.executemany(_SETTLE, rows)
    if gone:
        registrations.revoke(sorted(gone), RevocationReason.DEVICE, now)


def _find(cursor: CursorWrapper, answers: Sequence[Answer]) -> dict[str, _Unsettled]:
    """Return the messages that are answered and not terminal yet, by uid."""
    uids = [answer.uid for answer in answers]
    # SQLite has one writer; PostgreSQL must let nobody else settle what is found and counted.
    lock = " FOR UPDATE OF m" if connection.vendor == "postgresql" else ""
    cursor.execute(_FIND.format(marks(uids)) + lock, uids)
    return {row[0]: _Unsettled._make(row) for row in cursor.fetchall()}


def _attempt(answer: Answer) -> tuple[str | int | None, ...]:
    """Return what _SETTLE and _REQUEUE end with. An answer that nobody waited for is no attempt."""
    attempts = 1 if answer.known else 0
    return answer.condition, answer.sent_at, answer.asked, attempts, answer.uid


def _count(answer: Answer, delay: int, counts: Counts) -> None:
    counts[Count.SETTLED, answer.state.label] += 1
    if answer.state == MessageState.DELIVERED:
        counts[Count.DELAY, stats.bucket(delay)] += 1
        counts[Count.DELAY_MS, ""] += max(delay, 0)


def _was_asked(answer: Answer, message: _Unsettled) -> bool:
    """Only the device that was asked can answer: another one may have guessed or seen the id."""
    if answer.known:
        return True
    return answer.asked in (message.sent_to, message.device)


def _is_renewed(answer: Answer, message: _Unsettled, now: int) -> bool:
    """True for a "no such endpoint" that is out of date.

    Since it was sent the app has registered again, or on another device: there is one now. What
    was registered in the future was so before the clock was set back.
    """
    if answer.state != MessageState.GONE or answer.sent_at is None:
        return False
    return answer.sent_at < message.renewed_at <= now or message.device != answer.asked
