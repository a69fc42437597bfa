"""A POST that is to be stored, and the answers there are to it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from enum import Enum

from django.conf import settings

from pushprovider import vapid
from pushprovider.legacy.kinds import Old
from pushprovider.limiter import Limiter
from pushprovider.models import Urgency
from pushprovider.store.old import Found


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

    def give_back(self, endpoint: int, account: int) -> None:
        """Forget that a message was counted: it could not be stored."""
        self._endpoint.give_back(endpoint)
        self._account.give_back(account)


Outcome = Accepted | Refusal | Limited


def new_uid() -> str:
    """Return a message id: 14 hexadecimal digits of time, then 128 random bits, URL-safe."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_urlsafe(16)}"


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
