"""HTTP/1.1 as an application server's kept connection speaks it, as cheap as it can be made."""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from itertools import cycle
from urllib.parse import urlsplit

from bench import wire

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Job:
    """One run: where to, and what became of it. `number` is the one before the first push."""

    def __init__(self, endpoints: list[str], ports: list[int], number: int) -> None:
        urls = [urlsplit(endpoint) for endpoint in endpoints]
        self._heads = cycle(
            f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nTTL: 3600\r\nUrgency: normal\r\n"
            "Content-Type: application/octet-stream\r\nContent-Encoding: aes128gcm\r\n"
            f"Content-Length: {wire.BODY_BYTES}\r\n\r\n".encode()
            for url in urls
        )
        self._ports = cycle(ports or [urls[0].port or 80])
        self._number = number
        self.records: array[int] = array("Q")

    def next_port(self) -> int:
        """Return where the next connection goes: the processes of a contender in turn."""
        return next(self._ports)

    def next_number(self) -> int:
        """Return the next push's number."""
        self._number += 1
        return self._number

    def request(self, number: int, sent: int) -> bytes:
        """Return the text of a push; `sent` is the time (ns) that it is measured from."""
        return next(self._heads) + wire.body(number, sent)


class Connection(asyncio.Protocol):
    """One push at a time. A subclass says what happens when it is ready for the next one."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._rest = b""
        self._open: tuple[int, int] | None = None

    def ready(self) -> None:
        """Nothing is open on this connection: it was made, or an answer has come."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ready()

    def push(self, number: int, sent: int) -> None:
        """Send a push."""
        self._open = number, sent
        self.transport.write(self.job.request(number, sent))

    def data_received(self, data: bytes) -> None:
        """Note an answer once it is whole, and go on."""
        now = time.monotonic_ns()
        data = self._rest + data
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end + 2) if end >= 0 else None
        if end < 0 or len(data) < end + 4 + int(length[1] if length else 0):
            self._rest = data
            return
        self._rest = b""
        self._note(now, int(data[9:12]))
        self.ready()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note what was not answered, as status 0."""
        del exc
        self._note(time.monotonic_ns(), 0)

    def _note(self, now: int, status: int) -> None:
        if self._open is not None:
            self.job.records.extend((*self._open, now, status))
            self._open = None
