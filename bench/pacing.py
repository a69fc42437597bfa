"""Open loop: each push has a time at which it is due, and its delay counts from then.

A slow answer delays no other push: that would hide just the delays that matter ("coordinated
omission"). A push that finds every connection busy opens another, or waits for one; it has been
due all the while.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

from bench.http import Connection, Job


class Pacer:
    """Connections to a contender, at most so many."""

    def __init__(self, job: Job, most: int) -> None:
        self._job = job
        self._most = most
        self._made = 0
        self._idle: list[_Paced] = []
        self._due: deque[tuple[int, int]] = deque()  # of pushes that wait for a connection
        self._unanswered = 0
        self._all_answered = asyncio.Event()
        self._connecting: set[asyncio.Task[object]] = set()
        self._connections: set[_Paced] = set()

    async def run(self, rate: float, seconds: float, patience: float) -> None:
        """Push at `rate` a second for so long; wait for the last answers for `patience` seconds.

        What is not answered by then is noted with status 0.
        """
        begin = time.monotonic_ns()
        for index in range(int(rate * seconds)):
            due = begin + int(index * 1e9 / rate)
            await asyncio.sleep(max(due - time.monotonic_ns(), 0) / 1e9)
            self._start(due)
        self._all_answered.clear()
        if self._unanswered:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._all_answered.wait()
        await self._give_up()

    async def _give_up(self) -> None:
        now = time.monotonic_ns()
        for number, due in self._due:
            self._job.records.extend((number, due, now, 0))
        self._due.clear()
        for task in self._connecting:
            task.cancel()
        for connection in list(self._connections):
            connection.transport.abort()
        # Each notes what it still has open, on the loop's next turn.
        while self._connections:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def _start(self, due: int) -> None:
        self._unanswered += 1
        number = self._job.next_number()
        if self._idle:
            self._idle.pop().push(number, due)
            return
        self._due.append((number, due))
        self._another()

    def _another(self) -> None:
        if self._made < self._most:
            self._made += 1
            task = asyncio.create_task(self._connect())
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        port = self._job.next_port()
        try:
            await loop.create_connection(lambda: _Paced(self._job, self), "127.0.0.1", port)
        except OSError:
            self._made -= 1  # the next push tries again

    def made(self, connection: _Paced) -> None:
        """There is one connection more."""
        self._connections.add(connection)

    def ready(self, connection: _Paced) -> None:
        """Use a connection for what is due, or keep it."""
        if self._due:
            connection.push(*self._due.popleft())
        else:
            self._idle.append(connection)

    def answered(self) -> None:
        """One push less to wait for."""
        self._unanswered -= 1
        if not self._unanswered:
            self._all_answered.set()

    def lost(self, connection: _Paced) -> None:
        """A connection has ended."""
        self._made -= 1
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._due:
            self._another()


class _Paced(Connection):
    """A connection of a pacer's."""

    def __init__(self, job: Job, pacer: Pacer) -> None:
        super().__init__(job)
        self._pacer = pacer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._pacer.made(self)
        super().connection_made(transport)

    def ready(self) -> None:
        self._pacer.ready(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pacer.lost(self)
        super().connection_lost(exc)

    def _note(self, now: int, status: int) -> None:
        if self._open is not None:
            self._pacer.answered()
        super()._note(now, status)
