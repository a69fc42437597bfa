"""Save accepted POSTs: many in one transaction (group commit). 201 is said only after it.

The statements are SQL by hand because this is the hot path: Django's building of the same SQL cost
as much as running it.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from pushprovider import stats, vapid
from pushprovider.legacy.kinds import Old
from pushprovider.limiter import Limiter
from pushprovider.models import MessageState, Urgency
from pushprovider.stats import Count, Counts
from pushprovider.store import old
from pushprovider.store.old import Found
from pushprovider.store.writing import arriving, rely_on, writing

#: How long a message with TTL 0 may take to its one attempt, in milliseconds.
TTL_ZERO_GRACE = 5000
#: Names of senders kept for an endpoint; the longest unheard of goes first.
MAX_SENDERS = 50
#: Seconds a sender is told to wait whose endpoint would be one too many for its account.
TOO_MANY_WAIT = 3600


@dataclass(frozen=True, slots=True)
class Post:
    """One push request, its headers checked, its token's MAC verified.

    `old`: what a token says that is not of our form; then there is no key.
    """

    key: bytes
    body: bytes
    ttl: int  # seconds, as granted
    urgency: int = Urgency.NORMAL
    topic: str = ""
    authorization: str | None = None
    user_agent: str = ""
    subject: str = ""  # the vapid subject, as claimed
    crypto_key: str | None = None  # where old drafts have the sender's key
    encoding: str = ""  # what is counted of Content-Encoding; "": nothing
    old: Old | None = None


class Refusal(Enum):
    """Why a POST was not stored. The HTTP leg knows the answer to each."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    BLOCKED = "blocked"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stored message: its id and the TTL granted, in seconds."""

    uid: str
    ttl: int


@dataclass(frozen=True, slots=True)
class Limited:
    """Too many for this endpoint or account: come back after so many seconds."""

    seconds: int


class Limits:
    """The rate limits of this process."""

    def __init__(self) -> None:
        self._endpoint = Limiter(settings.PUSH_RATE_PER_ENDPOINT)
        self._account = Limiter(settings.PUSH_RATE_PER_ACCOUNT)

    def take(self, endpoint: int, account: int, now: int) -> int:
        """Count a message and return 0, or the seconds to wait without counting it."""
        wait = max(self._endpoint.wait(endpoint, now), self._account.wait(account, now))
        if not wait:
            self._endpoint.take(endpoint, now)
            self._account.take(account, now)
        return wait


Outcome = Accepted | Refusal | Limited

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
_STORED = """
    SELECT account_id, registration_id, COUNT(*) FROM pushprovider_message
    WHERE account_id IN ({}) AND state <= 1 GROUP BY account_id, registration_id
"""
# Least urgent first, then oldest: all but so many. Not a number that was counted before: on
# PostgreSQL the component settles messages meanwhile, and the new one would go in place of an old
# one that is gone already. The last line is for the same: what is settled stays what it is.
_EVICT = """
    UPDATE pushprovider_message SET state = %s, payload = %s, settled_at = %s WHERE id IN (
        SELECT id FROM pushprovider_message WHERE {} AND state <= 1
        ORDER BY urgency DESC, id DESC LIMIT 1000000000 OFFSET %s)
    AND state <= 1
"""
_EVICT_ENDPOINT = _EVICT.format("account_id = %s AND registration_id = %s")
_EVICT_ACCOUNT = _EVICT.format("account_id = %s")

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


def new_uid() -> str:
    """Return a message id: 14 hexadecimal digits of time, then 128 random bits, URL-safe."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_urlsafe(16)}"


def save(posts: Sequence[Post], now: int, limits: Limits) -> list[Outcome]:
    """Store what may be stored, in order; return an answer for each post. One transaction.

    `now` is in milliseconds since 1970. Raises DatabaseError: then nothing was stored.
    """
    batch = _Batch(now, limits)
    with writing(), connection.cursor() as cursor:
        keys = list({post.key for post in posts})
        rows = rely_on(_FIND.format(_marks(keys)), keys)
        found: dict[bytes, Found] = {bytes(row[0]): row[1:] for row in rows}
        answers = [
            batch.take(post, found.get(post.key))
            if post.old is None
            else batch.take_old(post, post.old)
            for post in posts
        ]
        if batch.rows:
            batch.write(cursor)
        stats.add(batch.counts, now)
    return answers


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
        senders = [(*who, number, self.now) for who, number in sorted(self._senders.items())]
        cursor.executemany(_SENDER, senders)
        endpoints = list({who[0] for who in self._senders})
        cursor.execute(_CROWDED.format(_marks(endpoints)), (*endpoints, MAX_SENDERS))
        for registration, number in cursor.fetchall():
            cursor.execute(_FORGET, (registration, number - MAX_SENDERS))
        self._evict(cursor)

    def _evict(self, cursor: CursorWrapper) -> None:
        """Keep each endpoint and each account within its quota of stored messages."""
        accounts = list(self._accounts)
        cursor.execute(_STORED.format(_marks(accounts)), accounts)
        stored: dict[int, int] = {}
        evicted = 0
        per_endpoint, per_account = (
            settings.MAX_STORED_PER_ENDPOINT,
            settings.MAX_STORED_PER_ACCOUNT,
        )
        start = (int(MessageState.EVICTED), b"", self.now)
        for account, registration, number in cursor.fetchall():
            stored[account] = stored.get(account, 0) + min(number, per_endpoint)
            if number > per_endpoint:
                cursor.execute(_EVICT_ENDPOINT, (*start, account, registration, per_endpoint))
                evicted += cursor.rowcount
        for account, number in stored.items():
            if number > per_account:
                cursor.execute(_EVICT_ACCOUNT, (*start, account, per_account))
                evicted += cursor.rowcount
        self.counts[Count.SETTLED, MessageState.EVICTED.label] += evicted


def refused(post: Post, found: Found | None, now: int) -> Refusal | None:
    """Return why the post cannot be stored, or None."""
    if found is None:
        return Refusal.UNKNOWN
    _registration, _account, expires_at, revoked_at, key, blocked_at = found
    if now >= expires_at:
        return Refusal.EXPIRED
    if revoked_at is not None:
        return Refusal.REVOKED
    if blocked_at is not None:
        return Refusal.BLOCKED
    if key:
        return vapid_refusal(post, key, now)
    return None


def vapid_refusal(post: Post, key: str, now: int) -> Refusal | None:
    """RFC 8292 section 4.2: only the holder of the key may push to a restricted endpoint."""
    if post.authorization is None:
        return Refusal.UNAUTHORIZED
    is_good = vapid.verify(post.authorization, key, now // 1000, post.crypto_key)
    return None if is_good else Refusal.FORBIDDEN


def _marks(values: Iterable[object]) -> str:
    return ",".join("%s" for _ in values)
