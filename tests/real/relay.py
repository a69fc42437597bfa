"""A TCP relay to a Unix socket that can fall silent, as a network does: nobody is told."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from tests.real.ports import LOOPBACK


class Relay:
    """Passes bytes on, both ways, until hush()."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._passes = asyncio.Event()
        self._passes.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen, on the running event loop; return the port."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        return int(self._server.sockets[0].getsockname()[1])

    def hush(self) -> None:
        """From now on nothing passes, and no connection ends."""
        self._passes.clear()

    def stop(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(str(self._target))
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.closing(sink), contextlib.suppress(OSError):
            while some := await source.read(65536):
                await self._passes.wait()
                sink.write(some)
            await self._passes.wait()
