"""All application servers, in one process: connections that stay open, requests that are ready.

Closed loop: each connection sends its next push when the last one is answered, at once or after a
pause.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from array import array
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import wire

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Job:
    """One run: where to, for how long, and what became of it."""

    heads: list[bytes]
    port: int
    seconds: float
    pause: float  # between an answer and the next push of its connection
    number: int  # of the first push
    records: array[int] = field(default_factory=lambda: array("Q"))

    def __post_init__(self) -> None:
        self._next_head = cycle(self.heads)
        self.until = time.monotonic_ns() + int(self.seconds * 1e9)

    def request(self) -> tuple[int, int, bytes]:
        """Return number, time and text of the next push."""
        self.number += 1
        now = time.monotonic_ns()
        return self.number, now, next(self._next_head) + wire.body(self.number, now)


class Connection(asyncio.Protocol):
    """One push at a time. `ended` is done when the time is up, or the connection is lost."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._rest = b""
        self._open: tuple[int, int] | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        number, sent, text = self._job.request()
        if sent >= self._job.until:
            self._transport.close()
            return
        self._open = number, sent
        self._transport.write(text)

    def data_received(self, data: bytes) -> None:
        """Note an answer once it is whole, and go on."""
        now = time.monotonic_ns()
        data = self._rest + data
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end) if end >= 0 else None
        if end < 0 or len(data) < end + 4 + int(length[1] if length else 0):
            self._rest = data
            return
        self._rest = b""
        self._note(now, int(data[9:12]))
        if self._job.pause:
            asyncio.get_running_loop().call_later(self._job.pause, self._send)
        else:
            self._send()

    def _note(self, now: int, status: int) -> None:
        if self._open is not None:
            self._job.records.extend((*self._open, now, status))
            self._open = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Note what was not answered, as status 0."""
        del exc
        self._note(time.monotonic_ns(), 0)
        if not self.ended.done():
            self.ended.set_result(None)


async def _keep_pushing(job: Job) -> None:
    loop = asyncio.get_running_loop()
    while time.monotonic_ns() < job.until:
        _, connection = await loop.create_connection(lambda: Connection(job), "127.0.0.1", job.port)
        await connection.ended


async def run(question: dict[str, Any]) -> object:
    """Do one job and keep its records in a file."""
    urls = [urlsplit(endpoint) for endpoint in question["endpoints"]]
    heads = [
        f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nTTL: 3600\r\nUrgency: normal\r\n"
        "Content-Type: application/octet-stream\r\nContent-Encoding: aes128gcm\r\n"
        f"Content-Length: {wire.BODY_BYTES}\r\n\r\n".encode()
        for url in urls
    ]
    job = Job(heads, urls[0].port or 80, question["seconds"], question["pause"], question["number"])
    await asyncio.gather(*(_keep_pushing(job) for _ in range(question["connections"])))
    wire.write_records(Path(question["file"]), job.records)
    return len(job.records) // wire.FIELDS


if __name__ == "__main__":
    gc.disable()  # nothing here is cyclic
    for line in sys.stdin:
        print(json.dumps(asyncio.run(run(json.loads(line)))), flush=True)
