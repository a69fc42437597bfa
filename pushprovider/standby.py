"""One component at a time: a second one waits here and takes over when the first dies."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)

_LOOK_EVERY = 0.5  # seconds


class ActiveLock:
    """A lock on RUN_DIR/component.lock. The kernel frees it when its holder dies, however.

    The file holds how far its holder has come (see maybe_sent).
    """

    def __init__(self) -> None:
        folder = Path(settings.RUN_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(folder / "component.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._claimed = 0

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

    def maybe_sent(self) -> int:
        """Return the greatest id of a message that the last holder may have sent without writing
        it down; 0 if it ended properly."""
        self._claimed = int.from_bytes(os.pread(self._file, 8, 0), "big")
        return self._claimed

    def claimed(self, message_id: int) -> None:
        """This message, or one before it, is about to be sent. Survives the death of the process,
        and costs no sync: if the whole machine dies, nothing of what it sent is in flight."""
        if message_id > self._claimed:
            self._claimed = message_id
            os.pwrite(self._file, message_id.to_bytes(8, "big"), 0)

    def release(self, *, clean: bool) -> None:
        """Let the next one go. `clean`: everything that was sent is written down."""
        if clean:
            os.ftruncate(self._file, 0)
        os.close(self._file)
