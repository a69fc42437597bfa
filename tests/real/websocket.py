"""A websocket as a browser opens one (RFC 6455): handshake, text frames, close code."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from typing import Any, Self
from urllib.parse import urlsplit

TEXT, CLOSE, PING = 1, 8, 9


class WebSocket:
    """`async with WebSocket(url, cookie, origin) as socket`; status is the handshake's answer."""

    def __init__(self, url: str, cookie: str, origin: str) -> None:
        self.url = urlsplit(url)
        self.cookie = cookie
        self.origin = origin
        self.status = 0

    async def __aenter__(self) -> Self:
        host, port = self.url.hostname or "", self.url.port or 80
        self._reader, self._writer = await asyncio.open_connection(host, port)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {self.url.path} HTTP/1.1",
            f"Host: {self.url.netloc}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Origin: {self.origin}",
            f"Cookie: sessionid={self.cookie}",
        ]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        self.status = int(head.split()[1])
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._writer.close()

    async def json(self, seconds: float = 10) -> Any:
        """Return what the next text frame holds."""
        async with asyncio.timeout(seconds):
            while True:
                code, content = await self._frame()
                assert code != CLOSE, f"closed: {content!r}"
                if code == TEXT:
                    return json.loads(content)

    async def close_code(self, seconds: float = 10) -> int:
        """Wait for the server's close frame and return its code."""
        async with asyncio.timeout(seconds):
            while True:
                code, content = await self._frame()
                if code == CLOSE:
                    return int(struct.unpack("!H", content[:2])[0])

    async def _frame(self) -> tuple[int, bytes]:
        first, length = await self._reader.readexactly(2)
        if length == 126:
            length = struct.unpack("!H", await self._reader.readexactly(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", await self._reader.readexactly(8))[0]
        return first & 0x0F, await self._reader.readexactly(length)
