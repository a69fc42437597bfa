"""What the driver itself saw, kept outside the product: every POST, every receipt, every failure.

All times are seconds since 1970, as in the product's rows (milliseconds there): one clock.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: What the driver calls an answer that has no status: it may or may not have been accepted.
UNKNOWN = 0


@dataclass(slots=True)
class Application:
    """One application on one phone: what a phone registers and an application server posts to."""

    phone: str
    application: str
    instance: str
    endpoint: str = ""
    removed: bool = False  # from the phone, which answers item-not-found from then on
    told_at: float = 0.0  # when the phone first answered item-not-found
    ended: bool = False  # the application server was told 410


@dataclass(slots=True)
class Posted:
    """One POST as its sender remembers it."""

    number: int
    app: Application
    body_hash: str
    ttl: int
    topic: str
    urgency: str
    asked_at: float
    answered_at: float = 0.0
    status: int = UNKNOWN
    uid: str = ""  # from Location; empty if there was no 201
    deleted: int | None = None  # the answer to a DELETE; UNKNOWN if there was none


@dataclass(slots=True)
class Receipt:
    """One push as a phone saw it, and what the phone said."""

    uid: str
    phone: str
    app: Application | None
    body_hash: str
    at: float
    answer: str
    answered_at: float | None = None  # None: the answer was never written to a stream


@dataclass(frozen=True, slots=True)
class Failure:
    """From `begin` to `end` answers may have been lost. `of`: a part, or one phone's session."""

    what: str
    of: str
    begin: float
    end: float


@dataclass
class Ledger:
    """Everything that was seen, in the order in which it was seen."""

    posts: list[Posted] = field(default_factory=list)
    receipts: dict[str, list[Receipt]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def received(self, receipt: Receipt) -> None:
        """Note a push that a phone got."""
        self.receipts.setdefault(receipt.uid, []).append(receipt)

    def session_event(self, what: str, phone: str) -> None:
        """Note that a phone's session ended or began, or that it registered."""
        now = time.time()
        self.failures.append(Failure(what, phone, now, now))

    @contextmanager
    def failing(self, what: str, of: str) -> Iterator[None]:
        """Note a failure that lasts as long as the block."""
        begin = time.time()
        self.faults[what] += 1
        try:
            yield
        finally:
            self.failures.append(Failure(what, of, begin, time.time()))

    def accepted(self) -> dict[str, Posted]:
        """Return the posts that were answered 201, by message id."""
        return {post.uid: post for post in self.posts if post.uid}

    def complain(self, what: str) -> None:
        """Note something that must not happen, whatever the audit finds."""
        self.complaints.append(what)


def hashed(body: bytes) -> str:
    """Return what the ledger keeps of a body."""
    return hashlib.sha256(body).hexdigest()[:24]
