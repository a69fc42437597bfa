"""Group commit: what comes in at the same time is done in one transaction.

While one group is being committed the next one gathers; an idle inbox commits at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pushprovider.database import DatabaseThread, StoreTrouble

In = TypeVar("In")
Out = TypeVar("Out")


class Inbox(Generic[In, Out]):
    """Gathers items and hands them to `commit` in the database thread, a group at a time."""

    def __init__(
        self,
        thread: DatabaseThread,
        commit: Callable[[Sequence[In]], Sequence[Out]],
        *,
        group: int = 256,
        room: int = 4096,
    ) -> None:
        self._thread = thread
        self._commit = commit
        self._group = group
        self._room = room
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, item: In) -> Out:
        """Return what `commit` returned for this item, after the commit.

        Raises StoreTrouble if the store could not do it, or if too many are waiting already.
        """
        if len(self._waiting) >= self._room:
            raise StoreTrouble
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def drain(self) -> None:
        """Wait until everything that was put in is committed or refused."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(self._group, len(self._waiting)))]
            items = [item for item, _ in group]
            try:
                results = await self._thread.run(lambda items=items: self._commit(items))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001  # every waiter must hear of it
                # Those who came meanwhile hear of it now: to try for each would take too long.
                group += self._waiting
                self._waiting.clear()
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)
