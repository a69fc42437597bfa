"""What the push views of this process share: the database thread, the inbox, the doorbell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from pushprovider.database import DatabaseThread
from pushprovider.doorbell import Ringer
from pushprovider.fields import now_ms
from pushprovider.inbox import Inbox
from pushprovider.store import registrations
from pushprovider.store.save import Accepted, Limits, Outcome, Post, save


class Intake:
    """Stores posts in groups and rings after each commit."""

    def __init__(self) -> None:
        self.thread = DatabaseThread()
        self._ringer = Ringer()
        self._limits = Limits()
        self._inbox: Inbox[Post, Outcome] = Inbox(self.thread, self._save)

    def _save(self, posts: Sequence[Post]) -> list[Outcome]:
        saved = save(posts, now_ms(), self._limits)
        if any(isinstance(one, Accepted) for one in saved):
            self._ringer.ring()
        return saved

    async def accept(self, post: Post) -> Outcome:
        """Return after the commit. Raises StoreTrouble: then nothing was stored."""
        return await self._inbox.put(post)

    async def drain(self) -> None:
        """Return when everything that was accepted so far is committed or refused."""
        await self._inbox.drain()

    async def cancel(self, uid: str) -> bool:
        """True if the message was waiting."""
        return await self.thread.run(lambda: registrations.cancel(uid, now_ms()))


@cache
def intake() -> Intake:
    """Return this process's intake, made at the first request."""
    return Intake()
