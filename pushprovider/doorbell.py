"""ring() and wait(): "look in the store". Carries no data and may be lost.

With SQLite it is a Unix datagram socket in RUN_DIR: the component listens, everyone else rings.
With PostgreSQL it is NOTIFY (postgresql/doorbell.py). store/writing.py rings either one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import connection

from pushprovider.postgresql.doorbell import Listener

NAME = "doorbell"


def path() -> Path:
    """Return where the component's socket is; on PostgreSQL there is none."""
    return Path(settings.RUN_DIR) / NAME


class Ringer:
    """Rings from any thread, after a commit. Never blocks, never fails."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address = str(path())

    def ring(self) -> None:
        # Nobody listens, or it has been rung plenty: the loop looks by itself anyway.
        with contextlib.suppress(OSError):
            self._socket.sendto(b"!", self._address)


class Bell(Protocol):
    """The listening side, whichever it is."""

    async def wait(self) -> None:
        """Return when it was rung since the last wait."""

    def close(self) -> None:
        """Listen no more."""


def listen() -> Bell:
    """Return the doorbell of this store, on the running event loop."""
    return Listener() if connection.vendor == "postgresql" else Doorbell()


class Doorbell:
    """The listening side, on the running event loop."""

    def __init__(self) -> None:
        address = path()
        address.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        address.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(address))
        address.chmod(0o600)
        self._rung = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(16):
                pass
        self._rung.set()

    async def wait(self) -> None:
        """Return when it was rung since the last wait."""
        await self._rung.wait()
        self._rung.clear()

    def close(self) -> None:
        """Listen no more: whoever rings then is not heard."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        path().unlink(missing_ok=True)
