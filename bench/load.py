"""All application servers, in one process: connections that stay open, requests that are ready.

Closed loop: each connection sends its next push when the last one is answered, at once or after a
pause. Open loop (pacing.py): pushes are due at fixed times, whatever the answers take.
"""

from __future__ import annotations

import asyncio
import gc
import json
import selectors
import sys
import time
from pathlib import Path
from typing import Any

from bench import wire
from bench.http import Connection, Job
from bench.pacing import Pacer


class Busy(Connection):
    """Sends again and again. `ended` is done when the time is up, or the connection is lost."""

    def __init__(self, job: Job, until: int, pause: float) -> None:
        super().__init__(job)
        self._until = until
        self._pause = pause
        self._begun = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ready(self) -> None:
        """Go on, after the pause if it is not the first."""
        if self._pause and self._begun:
            asyncio.get_running_loop().call_later(self._pause, self._send)
        else:
            self._begun = True
            self._send()

    def _send(self) -> None:
        if self.transport.is_closing():
            return
        now = time.monotonic_ns()
        if now >= self._until:
            self.transport.close()
            return
        self.push(self.job.next_number(), now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note what was not answered, and end."""
        super().connection_lost(exc)
        if not self.ended.done():
            self.ended.set_result(None)


async def _closed(job: Job, question: dict[str, Any]) -> None:
    until = time.monotonic_ns() + int(question["seconds"] * 1e9)
    loop = asyncio.get_running_loop()

    async def keep_pushing(port: int) -> None:
        while time.monotonic_ns() < until:
            _, connection = await loop.create_connection(
                lambda: Busy(job, until, question["pause"]), "127.0.0.1", port
            )
            await connection.ended

    ports = [job.next_port() for _ in range(question["connections"])]
    await asyncio.gather(*(keep_pushing(port) for port in ports))


async def run(question: dict[str, Any]) -> object:
    """Do one job and keep its records in a file."""
    job = Job(question["endpoints"], question["ports"], question["number"])
    if question["rate"]:
        pacer = Pacer(job, question["connections"])
        await pacer.run(question["rate"], question["seconds"], question["patience"])
    else:
        await _closed(job, question)
    wire.write_records(Path(question["file"]), job.records)
    return len(job.records) // wire.FIELDS


def _precise_loop() -> asyncio.AbstractEventLoop:
    """Return a loop whose timers are good to some 50 us: epoll's round up to a millisecond."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    gc.disable()  # nothing here is cyclic
    for line in sys.stdin:
        asked = json.loads(line)
        with asyncio.Runner(loop_factory=_precise_loop if asked["rate"] else None) as runner:
            print(json.dumps(runner.run(run(asked))), flush=True)
