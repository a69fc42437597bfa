"""One component at a time: a second one waits here and takes over when the first dies."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)

_LOOK_EVERY = 0.5  # seconds
#: Seconds between two signs of life in the lock's file.
BEAT = 0.25


class ActiveLock:
    """A lock on RUN_DIR/component.lock. The kernel frees it when its holder dies, however.

    The file's modification time says when its holder was last alive (see alive_until).
    """

    def __init__(self) -> None:
        folder = Path(settings.RUN_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(folder / "component.lock", os.O_RDWR | os.O_CREAT, 0o600)

    async def acquire(self) -> None:
        """Return when this process is the active one."""
        told = False
        while not self._try():
            if not told:
                log.info("standing by: another runxmppcomponent is active")
                told = True
            await asyncio.sleep(_LOOK_EVERY)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def alive_until(self) -> int:
        """Return until when, in milliseconds since 1970, the last holder may have sent something
        that it did not write down; 0 if it ended properly. Ask before touch()."""
        if os.fstat(self._file).st_size == 0:
            return 0
        return int((os.fstat(self._file).st_mtime + 2 * BEAT) * 1000)

    def touch(self) -> None:
        """The holder is alive. To be called every BEAT."""
        os.ftruncate(self._file, 1)
        os.utime(self._file, (time.time(), time.time()))

    def release(self, *, clean: bool) -> None:
        """Let the next one go. `clean`: everything that was sent is written down."""
        if clean:
            os.ftruncate(self._file, 0)
        os.close(self._file)
