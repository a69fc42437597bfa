"""An XMPP client session: log in, lose the network, resume, send stanzas, receive stanzas."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Self
from xml.etree.ElementTree import Element, fromstring

from tests.real.login import authenticate, bind, expect
from tests.real.smacks import StreamManagement
from tests.real.stanza import CLIENT, local_name, stanza_error, to_text
from tests.real.stream import StreamClosed, XmlStream
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer

#: How long a server may take for its part of a conversation.
SECONDS = 10


class XmppClient:
    """One resource of one account. `async with` connects it and logs it out at the end.

    `resumable` asks for stream management (XEP-0198). A subclass says what happens at a new
    session (`on_bound`) and with a stanza that is no answer to our own (`on_stanza`).
    """

    def __init__(
        self, server: XmppServer, user: str, password: str, resource: str, *, resumable: bool
    ) -> None:
        self.server = server
        self.user = user
        self.password = password
        self.resource = resource
        self.resumable = resumable
        self.jid = ""
        self.management: StreamManagement | None = None
        self.stream_error = ""
        self._stream: XmlStream | None = None
        self._vanished: list[XmlStream] = []  # open, so that the server does not see an end
        self._reader: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[Element]] = {}
        self._ids = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.logout()

    def on_bound(self) -> None:
        """React to a new session: the resource is bound."""

    def on_stanza(self, stanza: Element) -> None:
        """React to a stanza that came in."""

    # --- coming and going -------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Return whether the stream is open."""
        return self._reader is not None and not self._reader.done()

    @property
    def bare_jid(self) -> str:
        """Return the account's JID."""
        return self.jid.partition("/")[0]

    async def connect(self) -> None:
        """Log in and bind the resource: a new session."""
        async with self._authenticated() as stream:
            self.jid = await bind(stream, self.resource)
            self.management = None
            if self.resumable:
                management = StreamManagement()
                stream.send(management.enable())
                management.resume_id = (await expect(stream, "enabled")).get("id", "")
                self.management = management
        self._listen(stream)
        self.on_bound()

    async def resume(self) -> None:
        """Go on with the interrupted session on a new connection (XEP-0198)."""
        assert self.management, "this client is not resumable"
        async with self._authenticated() as stream:
            stream.send(self.management.resume())
            resumed = await expect(stream, "resumed")
        self._listen(stream)
        self.management.after_resume(resumed, stream.send)

    async def logout(self) -> None:
        """Say goodbye: unavailable presence, end of the stream. Nothing if it is not connected."""
        stream = await self._stop_listening()
        if stream:
            stream.send("<presence type='unavailable'/>")
            await stream.finish()
        while self._vanished:
            await self._vanished.pop().reset()

    async def cut(self) -> None:
        """Lose the network: the connection closes (FIN), the stream does not end."""
        stream = await self._stop_listening()
        assert stream, "not connected"
        await stream.cut()

    async def reset(self) -> None:
        """Lose the network: the connection breaks (RST)."""
        stream = await self._stop_listening()
        assert stream, "not connected"
        await stream.reset()

    async def vanish(self) -> None:
        """Lose the network without a trace: the server is not told and gets no TCP answers."""
        stream = await self._stop_listening()
        assert stream, "not connected"
        stream.black_hole()
        self._vanished.append(stream)

    async def disconnected(self, seconds: float = SECONDS) -> None:
        """Wait until the server has closed the stream."""
        await eventually(
            lambda: not self.connected,
            seconds,
            f"{self.jid} loses its stream",
            self.server.log_text,
        )

    # --- talking ----------------------------------------------------------------------------

    def new_id(self) -> str:
        """Return a new stanza id."""
        return f"phone-{next(self._ids)}"

    def send_raw(self, xml: str) -> None:
        """Send one stanza as it is; while a resumable session is interrupted, when it resumes."""
        if self.management:
            self.management.sent(xml)
        if self._stream and self.connected:
            self._stream.send(xml)
            if self.management:
                self._stream.send(self.management.request())
        else:
            assert self.management, "not connected"

    async def iq(self, xml: str, seconds: float = SECONDS) -> Element:
        """Send an IQ that has an id, return its result; an error is raised as StanzaError."""
        wanted = fromstring(xml).get("id")
        assert wanted, "an IQ needs an id"
        answer: asyncio.Future[Element] = asyncio.get_running_loop().create_future()
        self._answers[wanted] = answer
        self.send_raw(xml)
        try:
            async with asyncio.timeout(seconds):
                element = await answer
        except TimeoutError:
            raise AssertionError(f"no answer within {seconds:g} s to {xml}") from None
        finally:
            del self._answers[wanted]
        if element.get("type") == "error":
            raise stanza_error(element)
        return element

    # --- inside -----------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _authenticated(self) -> AsyncIterator[XmlStream]:
        """Log in; the caller goes on under the same deadline, and its failure closes the stream."""
        assert not self.connected, "connected already"
        stream = await XmlStream.connect(self.server.c2s_port, CLIENT, self.server.host)
        try:
            async with asyncio.timeout(SECONDS):
                await authenticate(stream, self.user, self.password)
                yield stream
        except BaseException:
            await stream.cut()
            raise

    def _listen(self, stream: XmlStream) -> None:
        self._stream = stream
        self._reader = asyncio.create_task(self._read(stream))

    async def _read(self, stream: XmlStream) -> None:
        try:
            while True:
                element = await stream.next()
                if not (self.management and self.management.handles(element, stream.send)):
                    self._take(element)
        except StreamClosed:
            await stream.cut()

    def _take(self, element: Element) -> None:
        if local_name(element) == "error":
            self.stream_error = to_text(element)
        elif local_name(element) == "iq" and element.get("type") in ("result", "error"):
            answer = self._answers.get(element.get("id", ""))
            if answer and not answer.done():
                answer.set_result(element)
        else:
            self.on_stanza(element)

    async def _stop_listening(self) -> XmlStream | None:
        """Return the stream if it was still open; raise what went wrong in reading it."""
        reader, self._reader = self._reader, None
        stream, self._stream = self._stream, None
        if reader is None or stream is None:
            return None
        was_open = not reader.done()
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader
        return stream if was_open else None
