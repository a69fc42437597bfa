"""How a light phone gets onto its server: SASL PLAIN, with stanzas as text.

Light phones cut and write stanzas themselves, because they must not cost what is measured.
"""

from __future__ import annotations

import asyncio
import base64

from tests.real.login import SASL
from tests.real.ports import LOOPBACK


async def log_in(
    port: int, host: str, user: str, password: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a stream to `host` and log in. A resource is not yet bound."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    header = (
        f"<stream:stream to='{host}' version='1.0' xmlns='jabber:client'"
        " xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    auth = f"<auth xmlns='{SASL}' mechanism='PLAIN'>{secret}</auth>"
    await say(reader, writer, header, b"</stream:features>")
    await say(reader, writer, auth, b"<success", b">")
    await say(reader, writer, header, b"</stream:features>")
    return reader, writer


async def say(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: str, *until: bytes
) -> bytes:
    """Write, and return what came up to the last of these marks."""
    writer.write(text.encode())
    got = b""
    async with asyncio.timeout(60):
        for mark in until:
            got = await reader.readuntil(mark)
    return got
