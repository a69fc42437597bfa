"""A tiny component (XEP-0114) that stands in for the product where the other parts are tested."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from tests.real.stanza import PUSH, local_name
from tests.real.stream import StreamClosed, XmlStream
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer

ACCEPT = "jabber:component:accept"


class FakeComponent:
    """Gives every <register/> the same endpoint and pushes when it is told to."""

    endpoint = "http://127.0.0.1/push/none"

    def __init__(self, server: XmppServer) -> None:
        self.server = server
        self.stanzas: list[Element] = []
        self._stream: XmlStream | None = None
        self._reader: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect and shake hands."""
        jid, secret = self.server.component_jid, self.server.component_secret
        stream = await XmlStream.connect(self.server.component_port, ACCEPT, jid)
        stream_id = (await stream.header()).get("id", "")
        digest = hashlib.sha1(f"{stream_id}{secret}".encode()).hexdigest()
        stream.send(f"<handshake>{digest}</handshake>")
        assert local_name(await stream.next()) == "handshake"
        self._stream, self._reader = stream, asyncio.create_task(self._read(stream))

    async def close(self) -> None:
        """Leave."""
        assert self._reader, "not connected"
        assert self._stream
        self._reader.cancel()
        await asyncio.wait([self._reader])
        await self._stream.finish()

    def push(self, to: str, push_id: str, payload: bytes) -> None:
        """Send a push."""
        assert self._stream, "not connected"
        self._stream.send(
            f"<iq type='set' id='{push_id}' from='{self.server.component_jid}' to={quoteattr(to)}>"
            f"<push xmlns='{PUSH}' application='a' instance='i'>"
            f"{base64.b64encode(payload).decode()}</push></iq>"
        )

    async def answer_to(self, push_id: str, seconds: float = 10) -> Element:
        """Return the phone's answer to a push."""

        def found() -> list[Element]:
            return [e for e in self.stanzas if e.get("id") == push_id]

        return (await eventually(found, seconds, f"{push_id} is answered", self.server.log_text))[0]

    async def _read(self, stream: XmlStream) -> None:
        with contextlib.suppress(StreamClosed):
            while True:
                stanza = await stream.next()
                self.stanzas.append(stanza)
                if stanza.find(f"{{{PUSH}}}register") is not None:
                    self._register(stream, stanza)

    def _register(self, stream: XmlStream, iq: Element) -> None:
        address = (
            f"id={quoteattr(iq.get('id', ''))} to={quoteattr(iq.get('from', ''))}"
            f" from={quoteattr(self.server.component_jid)}"
        )
        stream.send(
            f"<iq type='result' {address}><registered xmlns='{PUSH}'"
            f" endpoint={quoteattr(self.endpoint)} expiration='2030-01-01T00:00:00.000Z'/></iq>"
        )
