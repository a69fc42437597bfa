"""Posts that are stored without an HTTP leg, for the tests of the store."""

from __future__ import annotations

from collections import Counter

from pushprovider import tokens
from pushprovider.fields import now_ms
from pushprovider.models import MessageState, Urgency
from pushprovider.stats import Count
from pushprovider.store.post import Limits, Outcome, Post
from pushprovider.store.save import save
from tests.cast import Phone, counted


def key_of(endpoint: str) -> bytes:
    key = tokens.check(endpoint.rpartition("/")[2])
    assert key is not None
    return key


def post(
    endpoint: str,
    body: bytes = b"hello",
    *,
    ttl: int = 60,
    urgency: int = Urgency.NORMAL,
    topic: str = "",
    authorization: str | None = None,
) -> Post:
    return Post(key_of(endpoint), body, ttl, urgency, topic, authorization)


def stored(*posts: Post, now: int = 0) -> list[Outcome]:
    return save(posts, now or now_ms(), Limits())


def assert_counters_add_up(phone: Phone) -> None:
    """Every row is counted as accepted, and every terminal one as settled."""
    rows = phone.messages()
    terminal = Counter(s for s in phone.states() if s not in ("queued", "sent"))
    assert sum(counted(Count.ACCEPTED).values()) == len(rows)
    assert counted(Count.SETTLED) == dict(terminal)
    assert all(bytes(row.payload) == b"" for row in rows if MessageState(row.state).is_terminal)
    assert all((row.settled_at is None) == (row.state <= MessageState.SENT) for row in rows)
