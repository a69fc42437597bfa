"""One component at a time: a second one waits here and takes over when the first dies.

With SQLite the lock is a file in RUN_DIR, with PostgreSQL a session of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import connection

from pushprovider.postgresql.standby import SessionLock

log = logging.getLogger(__name__)

_LOOK_EVERY = 0.5  # seconds


class Lock(Protocol):
    """Who may be active. postgresql/standby.py has the words for each."""

    @property
    def holds(self) -> bool: ...

    async def acquire(self) -> bool: ...

    async def lost(self) -> None: ...

    def maybe_sent(self) -> int: ...

    def claimed(self, message_id: int) -> None: ...

    async def release(self, *, clean: bool) -> None: ...


def new_lock() -> Lock:
    """Return the lock that fits the store."""
    return SessionLock() if connection.vendor == "postgresql" else ActiveLock()


class ActiveLock:
    """A lock on RUN_DIR/component.lock. The kernel frees it when its holder dies, however.

    The file holds how far its holder has come (see maybe_sent).
    """

    def __init__(self) -> None:
        folder = Path(settings.RUN_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(folder / "component.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._claimed = 0
        self._told = False

    holds = True  # from acquire() to release(): nobody can take it

    async def acquire(self) -> bool:
        """Return True when this process is the active one."""
        told = False
        while not self.try_now():
            if not told:
                log.info("standing by: another runxmppcomponent is active")
                told = True
            await asyncio.sleep(_LOOK_EVERY)
        return True

    async def lost(self) -> None:
        """Never return."""
        await asyncio.Event().wait()

    def try_now(self) -> bool:
        """Return whether this process is the active one now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def maybe_sent(self) -> int:
        """Return the greatest id of a message that the last holder may have sent without writing
        it down; 0 if it ended properly."""
        self._claimed = int.from_bytes(os.pread(self._file, 8, 0), "big")
        return self._claimed

    def claimed(self, message_id: int) -> None:
        """This message, or one before it, is about to be sent. Survives the death of the process,
        and costs no sync: if the whole machine dies, nothing of what it sent is in flight."""
        if message_id <= self._claimed:
            return
        self._claimed = message_id
        try:
            os.pwrite(self._file, message_id.to_bytes(8, "big"), 0)
        except OSError as error:  # better a message twice, after a crash, than none
            if not self._told:
                log.error("component.lock cannot be written: %s", error.strerror)
            self._told = True

    async def release(self, *, clean: bool) -> None:
        """Let the next one go. `clean`: everything that was sent is written down."""
        if clean:
            with contextlib.suppress(OSError):
                os.pwrite(self._file, bytes(8), 0)  # no truncation: a full disk may keep the room
        os.close(self._file)
