"""The database thread: all that async code asks of the ORM happens in here, one call at a time."""

from __future__ import annotations

import asyncio
import logging
import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

log = logging.getLogger(__name__)
T = TypeVar("T")


#: Another transaction stood in the way (SQLSTATE, PostgreSQL's appendix A): nothing was done, and
#: the next try finds it gone.
_COLLISIONS = frozenset({"40001", "40P01"})
TRIES = 3
#: Seconds before the next try: the one that stood in the way must get its turn, or both collide
#: again. PostgreSQL takes a second to notice a deadlock, so this is little.
PAUSE = 0.02


class StoreTrouble(Exception):
    """The store could not do it now. Nothing was half-written; try again later."""


class DatabaseThread:
    """One thread, one connection. A process has one of these on its event loop's side."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._failed_at = 0.0

    async def run(self, call: Callable[[], T], since: float | None = None) -> T:
        """Run `call` in the thread and return what it returns.

        `since`: when it was asked for (time.monotonic), if it had to wait for its turn before.
        Raises StoreTrouble for any database error; the connection heals before the next call.
        """
        asked = time.monotonic() if since is None else since
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._unless_failed, asked, call
        )

    def _unless_failed(self, asked: float, call: Callable[[], T]) -> T:
        """Run the call, but not if the store failed while it stood in the queue: a locked store
        costs every call its whole time-out, and those who wait must hear of it in time."""
        if asked < self._failed_at:
            raise StoreTrouble
        try:
            return guarded(call)
        except StoreTrouble:
            self._failed_at = time.monotonic()
            raise

    def close(self) -> None:
        """Wait for the running call, close the connection, end the thread."""
        self._executor.submit(_close)
        self._executor.shutdown(wait=True)


def _close() -> None:
    connection.close()  # `connection` is another one in each thread: look it up in there


def guarded(call: Callable[[], T]) -> T:
    """Run `call` here; a database error becomes StoreTrouble, and the connection is freshened.

    What collided with another transaction (a deadlock) is run again: `call` must bear that.
    """
    tries = TRIES
    while True:
        tries -= 1
        try:
            _freshen()
            return call()
        except (DatabaseError, InterfaceError) as error:
            if tries and _is_collision(error) and not connection.in_atomic_block:
                time.sleep(PAUSE)
                continue
            # The class and SQLite's or PostgreSQL's own words; they hold no row's content.
            log.error("store: %s: %s", type(error).__name__, first_line(error))
            if not connection.in_atomic_block:
                connection.close()  # the next call opens a new one
            raise StoreTrouble from error


def first_line(error: Exception) -> str:
    """Return what a driver says first; hints and positions come after that."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _is_collision(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _COLLISIONS


def _freshen() -> None:
    """Close a connection that PostgreSQL has ended: a restart must not cost the next sender a 503.

    Between two calls the server has nothing to say but that. Costs one system call.
    """
    raw = connection.connection
    if connection.vendor != "postgresql" or raw is None or connection.in_atomic_block:
        return
    if raw.closed or _is_readable(raw.fileno()):
        connection.close()


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
