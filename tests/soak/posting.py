"""POSTs as cheap as they can be made, for the measurements: kept connections, ready requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from urllib.parse import urlsplit

from tests.soak.light import STAMP

BODY_BYTES = 1024


class Posting:
    """Posts to endpoints in turn. `delays` are the seconds from POST to 201, of every one."""

    def __init__(self, endpoints: Sequence[str]) -> None:
        urls = [urlsplit(endpoint) for endpoint in endpoints]
        self._port = urls[0].port or 80
        self._heads = cycle(
            f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nTTL: 86400\r\n"
            f"Content-Length: {BODY_BYTES}\r\n\r\n".encode()
            for url in urls
        )
        self.delays: list[float] = []

    async def at_full_speed(self, connections: int, number: int) -> float:
        """Post so many as fast as they are accepted; return the rate."""
        begin = time.monotonic()
        await asyncio.gather(
            *(self._keep_posting(number // connections, 0) for _ in range(connections))
        )
        return number / (time.monotonic() - begin)

    async def at_a_rate(self, rate: float, connections: int, seconds: float) -> None:
        """Post at a steady rate, the same whatever the answers take."""
        pause = connections / rate
        await asyncio.gather(
            *(
                self._keep_posting(int(seconds / pause), pause, pause * number / connections)
                for number in range(connections)
            )
        )

    async def _keep_posting(self, number: int, pause: float, first: float = 0) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        due = time.monotonic() + first
        for _ in range(number):
            if pause:
                await asyncio.sleep(max(due - time.monotonic(), 0))
                due += pause
            asked = time.monotonic_ns()
            stamp = f"{asked:0{STAMP}d}".encode()
            writer.write(next(self._heads) + stamp.ljust(BODY_BYTES, b"\xaa"))
            answer = await reader.readuntil(b"\r\n\r\n")
            self.delays.append((time.monotonic_ns() - asked) / 1e9)
            assert answer.startswith(b"HTTP/1.1 201"), answer
            assert b"ontent-Length: 0\r\n" in answer or b"ontent-length: 0\r\n" in answer, answer
        writer.close()
