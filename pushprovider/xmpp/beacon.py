"""Tells the other processes about the stream, through the store: /readyz, /metrics, the admin."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from pushprovider import stats
from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.stats import Count, Counts
from pushprovider.store import status

#: Seconds without a stanza after which an open stream does not count as up. The service pings
#: itself through the server more often than that.
SILENCE = 8.0
#: Seconds between two looks at the stream.
LOOK_EVERY = 1.0


class Beacon:
    """Writes on every change, and every BEAT so that a dead process is noticed."""

    def __init__(self, thread: DatabaseThread, is_up: Callable[[], bool]) -> None:
        self._thread = thread
        self._is_up = is_up
        self._changed = asyncio.Event()
        self._heard_at = 0.0
        self._streams = 0  # opened by this process
        self._uncounted = 0
        self._said = ""
        self._since = 0
        self._written_at = 0.0

    def opened(self) -> None:
        """The stream is open."""
        self._streams += 1
        self._uncounted += self._streams > 1
        self.heard()
        self._changed.set()

    def ended(self) -> None:
        """The stream has ended."""
        self._changed.set()

    def heard(self) -> None:
        """A stanza came in. Called for each: must stay cheap."""
        self._heard_at = time.monotonic()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            with contextlib.suppress(StoreTrouble):
                await self._tell_if_needed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._changed.wait()
            self._changed.clear()

    async def _tell_if_needed(self) -> None:
        silent = time.monotonic() - self._heard_at > SILENCE
        said = "up" if self._is_up() and not silent else "down"
        due = time.monotonic() - self._written_at >= status.BEAT
        if said != self._said or due or self._uncounted:
            await self._tell(said)

    async def farewell(self) -> None:
        """The process ends: nobody need wait for a beat that will not come."""
        await self._tell("down")

    async def _tell(self, said: str) -> None:
        now, uncounted, first = now_ms(), self._uncounted, not self._said
        since = self._since if said == self._said else now
        self._written_at = time.monotonic()  # the next try is at the next beat
        self._since = await self._thread.run(
            lambda: write(said, since, now, uncounted, first=first)
        )
        self._said = said
        self._uncounted -= uncounted


def write(said: str, since: int, now: int, reconnects: int, *, first: bool) -> int:
    """Write it all; return since when it is so: a new process goes on with an old outage."""
    if first and said == "down":
        before = status.stream(now)
        if not before.is_up and before.since is not None:
            since = before.since
    status.tell(status.XMPP, said, now)
    status.tell(status.XMPP_SINCE, said, since)
    if reconnects:
        stats.write(Counts({(Count.RECONNECTED, ""): reconnects}), now)
    return since
