"""Save accepted POSTs: many in one transaction (group commit). 201 is said only after it.

The statements are SQL by hand because this is the hot path: Django's building of the same SQL cost
as much as running it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from pushprovider import stats
from pushprovider.legacy.kinds import Old
from pushprovider.models import MessageState, Urgency
from pushprovider.stats import Count, Counts
from pushprovider.store import old
from pushprovider.store.marks import marks
from pushprovider.store.old import Found
from pushprovider.store.post import (
    Accepted,
    Limited,
    Limits,
    Outcome,
    Post,
    Refusal,
    new_uid,
    refused,
)
from pushprovider.store.quota import evict
from pushprovider.store.sendernames import count_senders
from pushprovider.store.writing import arriving, rely_on, writing

#: How long a message with TTL 0 may take to its one attempt, in milliseconds.
TTL_ZERO_GRACE = 5000
#: Seconds a sender is told to wait whose endpoint would be one too many for its account.
TOO_MANY_WAIT = 3600

_FIND = """
    SELECT r.key, r.id, r.account_id, r.expires_at, r.revoked_at, r.vapid, a.blocked_at
    FROM pushprovider_registration r JOIN pushprovider_account a ON a.id = r.account_id
    WHERE r.key IN ({})
"""
_INSERT = """
    INSERT INTO pushprovider_message
        (uid, registration_id, account_id, state, urgency, topic, ttl, size, payload,
         accepted_at, expires_at, settled_at, sent_to, attempts, condition)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', 0, '')
"""
_MARK_LEGACY = "UPDATE pushprovider_message SET legacy = %s WHERE uid = %s"
_REPLACE = """
    UPDATE pushprovider_message SET state = %s, payload = %s, settled_at = %s
    WHERE account_id = %s AND registration_id = %s AND state <= 1 AND topic = %s
"""


def save(posts: Sequence[Post], now: int, limits: Limits) -> list[Outcome]:
    """Store what may be stored, in order; return an answer for each post. One transaction.

    `now` is in milliseconds since 1970. Raises DatabaseError: then nothing was stored.
    """
    batch = _Batch(now, limits)
    try:
        with writing(), connection.cursor() as cursor:
            answers = _take(posts, batch)
            if batch.rows:
                batch.write(cursor)
            stats.add(batch.counts, now)
    except BaseException:
        batch.give_back()  # who is told "later" must not hear "too many" then
        raise
    return answers


def _take(posts: Sequence[Post], batch: _Batch) -> list[Outcome]:
    keys = list({post.key for post in posts})
    rows = rely_on(_FIND.format(marks(keys)), keys)
    found: dict[bytes, Found] = {bytes(row[0]): row[1:] for row in rows}
    return [
        batch.take(post, found.get(post.key))
        if post.old is None
        else batch.take_old(post, post.old)
        for post in posts
    ]


class _Batch:
    """The rows and counts that one group of posts comes to."""

    def __init__(self, now: int, limits: Limits) -> None:
        self.now = now
        self._limits = limits
        self.rows: list[list[Any]] = []
        self.counts: Counts = Counts()
        self._topics: dict[tuple[int, int, str], int | None] = {}
        self._accounts: set[int] = set()
        self._senders: Counter[tuple[int, str, str]] = Counter()
        self._legacy: list[tuple[str, str]] = []

    def take(self, post: Post, found: Found | None) -> Outcome:
        refusal = refused(post, found, self.now)
        if refusal is not None or found is None:
            return refusal or Refusal.UNKNOWN
        registration, account = found[0], found[1]
        if wait := self._limits.take(registration, account, self.now):
            return Limited(wait)
        uid = new_uid()
        lifetime = post.ttl * 1000 or TTL_ZERO_GRACE
        if post.topic:
            self._replace(account, registration, post.topic)
        self.rows.append(
            [
                uid,
                registration,
                account,
                int(MessageState.QUEUED),
                post.urgency,
                post.topic,
                post.ttl,
                len(post.body),
                post.body,
                self.now,
                self.now + lifetime,
                None,
            ]
        )
        self._accounts.add(account)
        self._senders[registration, post.user_agent, post.subject] += 1
        self.counts[Count.ACCEPTED, Urgency(post.urgency).label] += 1
        if post.encoding:
            self.counts[Count.ENCODING, post.encoding] += 1
        return Accepted(uid, post.ttl)

    def take_old(self, post: Post, said: Old) -> Outcome:
        """As take(), for another server's endpoint. What it leads to may be made now."""
        try:
            found = old.find(said, self.now)
        except old.TooMany:
            return Limited(TOO_MANY_WAIT)
        outcome = self.take(post, found)
        if isinstance(outcome, Accepted):
            kind = old.kind_of(said)
            self._legacy.append((kind.value, outcome.uid))
            self.counts[Count.LEGACY, kind.value] += 1
        return outcome

    def give_back(self) -> None:
        """Nothing of this was stored: take it off the rates."""
        for _uid, registration, account, *_ in self.rows:
            self._limits.give_back(registration, account)

    def _replace(self, account: int, registration: int, topic: str) -> None:
        """RFC 8030 section 5.4, for an older message in the store or in this very batch."""
        older = self._topics.get((account, registration, topic))
        if older is not None:
            row = self.rows[older]
            row[3], row[8], row[11] = int(MessageState.REPLACED), b"", self.now
            self.counts[Count.SETTLED, MessageState.REPLACED.label] += 1
        self._topics[account, registration, topic] = len(self.rows)

    def write(self, cursor: CursorWrapper) -> None:
        arriving()
        replaced = (int(MessageState.REPLACED), b"", self.now)
        for where in self._topics:
            cursor.execute(_REPLACE, (*replaced, *where))
            self.counts[Count.SETTLED, MessageState.REPLACED.label] += cursor.rowcount
        cursor.executemany(_INSERT, self.rows)
        if self._legacy:
            cursor.executemany(_MARK_LEGACY, self._legacy)
        count_senders(cursor, self._senders, self.now)
        for state, number in evict(cursor, self._accounts, self.now).items():
            self.counts[Count.SETTLED, state.label] += number
