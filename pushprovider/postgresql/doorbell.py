"""The doorbell over LISTEN and NOTIFY: any number of web processes, on any machine.

NOTIFY is part of the transaction that saves (store/writing.py), so it rings exactly when there is
something to see. It is still only a doorbell: what rings while nobody listens is lost, and the
delivery loop looks by itself every few seconds.
"""

from __future__ import annotations

import asyncio
import logging

import psycopg

from pushprovider.postgresql.session import CHANNEL, connect

log = logging.getLogger(__name__)

#: Seconds between two tries to listen again.
RETRY = 1.0


class Listener:
    """The listening side, on the running event loop. It connects anew by itself."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def wait(self) -> None:
        """Return when it was rung since the last wait."""
        await self._rung.wait()
        self._rung.clear()

    def close(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("doorbell: %s; looking every few seconds", type(error).__name__)
            await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        async with await connect("doorbell") as session:
            await session.execute(f"LISTEN {CHANNEL}")
            self._rung.set()  # nobody listened until now
            async for _ in session.notifies():
                self._rung.set()
