"""What the push views of this process share: the database thread, the inbox, the doorbell."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache

from pushprovider import stats
from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.inbox import Inbox
from pushprovider.stats import Count, Counts
from pushprovider.store import registrations
from pushprovider.store.post import Limits, Outcome, Post
from pushprovider.store.save import save

#: Seconds for which refusals are counted in memory.
COUNT_EVERY = 2.0


class Intake:
    """Stores posts in groups; each commit rings the doorbell."""

    def __init__(self) -> None:
        self.thread = DatabaseThread()
        self._limits = Limits()
        self._unwritten: Counts = Counts()
        self._counting: asyncio.Task[None] | None = None
        self._inbox: Inbox[Post, Outcome] = Inbox(self.thread, self._save)

    def _save(self, posts: Sequence[Post]) -> list[Outcome]:
        return save(posts, now_ms(), self._limits)

    async def accept(self, post: Post) -> Outcome:
        """Return after the commit. Raises StoreTrouble: then nothing was stored."""
        return await self._inbox.put(post)

    def rejected(self, reason: str) -> None:
        """Count a request that was refused."""
        self.count(Count.REJECTED, reason)

    def count(self, name: Count, label: str, number: int = 1) -> None:
        """Count what is not stored. Written now and then: a refusal must stay cheap."""
        self._unwritten[name, label] += number
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count_later())

    async def _count_later(self) -> None:
        await asyncio.sleep(COUNT_EVERY)
        await self._write_counts()

    async def _write_counts(self) -> None:
        counts, self._unwritten = self._unwritten, Counts()
        try:
            await self.thread.run(lambda: stats.write(counts, now_ms()))
        except StoreTrouble:
            self._unwritten.update(counts)

    async def drain(self) -> None:
        """Return when everything that was accepted so far is committed or refused."""
        await self._inbox.drain()
        await self._write_counts()

    async def cancel(self, uid: str) -> bool:
        """True if the message was waiting."""
        return await self.thread.run(lambda: registrations.cancel(uid, now_ms()))


@cache
def intake() -> Intake:
    """Return this process's intake, made at the first request."""
    return Intake()
