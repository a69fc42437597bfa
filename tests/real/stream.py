"""One XMPP stream over one TCP connection: text out, whole elements in."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import struct
from collections.abc import Iterator
from typing import cast
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from tests.real.ports import LOOPBACK
from tests.real.tags import TagParser

STREAMS = "http://etherx.jabber.org/streams"
#: How long the other side may take to end its half of the stream.
GOODBYE_SECONDS = 2
#: asm-generic/socket.h; the socket module does not have it.
SO_ATTACH_FILTER = 26


class StreamClosed(Exception):
    """The other side has ended the stream or the connection."""


class XmlStream:
    """A stream a client or a component opened. Elements come one by one from `next()`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, namespace: str, to: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._namespace = namespace
        self._to = to
        self._parser = TagParser()
        self._depth = 0
        self.root: Element | None = None

    @classmethod
    async def connect(cls, port: int, namespace: str, to: str) -> XmlStream:
        """Connect to the port and open a stream of this content namespace."""
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        stream = cls(reader, writer, namespace, to)
        stream.open()
        return stream

    def open(self) -> None:
        """Send a stream header: at first, and again after SASL."""
        self._parser = TagParser()
        self._depth = 0
        self.root = None
        version = " version='1.0'" if self._namespace == "jabber:client" else ""
        self.send(
            f"<?xml version='1.0'?><stream:stream to={quoteattr(self._to)} xml:lang='en'{version}"
            f" xmlns='{self._namespace}' xmlns:stream='{STREAMS}'>"
        )

    def send(self, xml: str) -> None:
        """Write text as it is."""
        self._writer.write(xml.encode("utf-8"))

    async def header(self) -> Element:
        """Wait for the other side's stream header and return it (its attributes are there)."""
        while self.root is None:
            element = await self._event()
            assert element is None, f"an element before the stream header: {element}"
        return self.root

    async def next(self) -> Element:
        """Return the next element below the stream header; raise StreamClosed at the end."""
        while True:
            element = await self._event()
            if element is not None:
                return element

    async def finish(self) -> None:
        """End the stream in good order and close the connection."""
        with contextlib.suppress(ConnectionError, StreamClosed, TimeoutError):
            self.send("</stream:stream>")
            async with asyncio.timeout(GOODBYE_SECONDS):
                # To close with something unread would be a reset, and lose our last words.
                while True:
                    await self.next()
        await self.cut()

    async def cut(self) -> None:
        """Close the connection (FIN) without ending the stream, as when the network is lost."""
        self._writer.close()
        await self._closed()

    async def reset(self) -> None:
        """Break the connection (RST)."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        await self._closed()

    def black_hole(self) -> None:
        """Let nothing come through any more, not even the other side's TCP acknowledgements.

        A socket filter of one instruction drops every segment that arrives, so the other side
        sees what it sees when a phone loses its network: silence, no FIN, no RST.
        """
        drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET 0
        program = struct.pack("HL", 1, ctypes.addressof(drop_all))
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    async def _closed(self) -> None:
        """Wait until the connection is gone.

        All who wait share one future of the stream, which the cancelling of one would cancel for
        the others too; so each waits in a task of its own, behind a shield.
        """
        with contextlib.suppress(ConnectionError):
            await asyncio.shield(self._writer.wait_closed())

    async def _event(self) -> Element | None:
        """Return a finished child of the header, or None when the header itself has come."""
        while True:
            for event, element in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
                if event == "start":
                    self._depth += 1
                    if self._depth == 1:
                        self.root = element
                        return None
                    continue
                self._depth -= 1
                if self._depth == 0:
                    raise StreamClosed
                if self._depth == 1:
                    assert self.root is not None
                    del self.root[:]  # what was read is dropped: a long play stays small
                    return element
            try:
                data = await self._reader.read(65536)
            except ConnectionError as error:
                raise StreamClosed from error
            if not data:
                raise StreamClosed
            self._parser.feed(data)
