"""`/ws/live/`: what becomes of messages, as it happens, for staff.

The store carries it from one process to the other: while somebody watches, and only then, this
process asks a few times a second what has ended since. So the hot path knows nothing of watching;
everything that ends is shown, whoever ended it (the phone's answer, a DELETE, a newer message of
the topic, a quota, a TTL); and it works with any number of processes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from django.db import connection

from pushprovider.database import StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.models import MessageState
from pushprovider.naming import app_hash
from pushprovider.sidethread import aside

#: Seconds between two looks, and after store trouble.
EVERY = 0.3
TROUBLE_PAUSE = 2.0
#: Messages in one frame; when more end between two looks, the newest are shown.
MOST = 100
#: A transaction may be committed so long, in milliseconds, after the moment it wrote down.
LATE = 5000
#: Frames that may wait for one browser. More are dropped.
ROOM = 8

# Reads the end of the index message_settled.
_ENDED = f"""
    SELECT m.uid, m.settled_at, m.state, a.jid, r.application, m.accepted_at, m.size, m.condition
    FROM pushprovider_message m
    JOIN pushprovider_registration r ON r.id = m.registration_id
    JOIN pushprovider_account a ON a.id = m.account_id
    WHERE m.state > 1 AND m.settled_at > %s ORDER BY m.settled_at DESC LIMIT {MOST}
"""  # noqa: S608  # a number of our own


@dataclass(frozen=True, slots=True)
class End:
    """What became of a message. Times in milliseconds since 1970."""

    uid: str
    settled_at: int
    state: int
    jid: str
    application: str
    accepted_at: int
    size: int
    condition: str

    def event(self) -> dict[str, object]:
        """Return what a browser is told: never a payload, a token or a whole hash."""
        delivered = self.state == MessageState.DELIVERED
        return {
            "id": self.uid,
            "time": self.settled_at,
            "state": str(MessageState(self.state).label),
            "jid": self.jid,
            "application": app_hash(self.application),
            "delay": max(self.settled_at - self.accepted_at, 0) if delivered else None,
            "size": self.size,
            "condition": self.condition,
        }


def ended(since: int) -> list[End]:
    """Return the newest messages that ended after `since`, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, (since,))
        return [End(*row) for row in cursor.fetchall()]


class News:
    """Tells what is new from what was shown before."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._seen: dict[str, None] = {}

    def since(self, now: int) -> int:
        """Return from when on to look."""
        return max(self._start, now - LATE)

    def fresh(self, ends: Sequence[End]) -> list[End]:
        """Return those not shown before, oldest first."""
        fresh = [end for end in reversed(ends) if end.uid not in self._seen]
        self._seen.update(dict.fromkeys(end.uid for end in fresh))
        for uid in list(self._seen)[: -4 * MOST]:
            del self._seen[uid]
        return fresh


def frame(ends: Iterable[End]) -> str:
    """Return the text of a websocket frame: a JSON array."""
    return json.dumps([end.event() for end in ends], separators=(",", ":"))


class Feed:
    """One look for all browsers of this process; none while nobody watches."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def join(self) -> asyncio.Queue[str]:
        """Return the queue in which frames come from now on."""
        watcher: asyncio.Queue[str] = asyncio.Queue(ROOM)
        self._watchers.add(watcher)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return watcher

    def leave(self, watcher: asyncio.Queue[str]) -> None:
        """Nobody reads that queue any more."""
        self._watchers.discard(watcher)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        news = News(now_ms())
        while True:
            since = news.since(now_ms())
            try:
                ends = await aside(lambda since=since: ended(since))  # type: ignore[misc]
            except StoreTrouble:
                await asyncio.sleep(TROUBLE_PAUSE)
                continue
            if fresh := news.fresh(ends):
                self._spread(frame(fresh))
            await asyncio.sleep(EVERY)

    def _spread(self, text: str) -> None:
        for watcher in self._watchers:
            if not watcher.full():
                watcher.put_nowait(text)


@cache
def feed() -> Feed:
    """Return this process's feed."""
    return Feed()
