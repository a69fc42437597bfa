"""An XMPP server that says what no server says: the other end of the component's stream."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Self, cast
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from tests.real.ports import LOOPBACK
from tests.real.stream import STREAMS
from tests.real.tags import TagParser

ACCEPT = "jabber:component:accept"
HEADER = (
    f"<?xml version='1.0'?><stream:stream xmlns='{ACCEPT}' xmlns:stream='{STREAMS}'"
    " from='up.localhost' id='fuzz'>"
)
HANDSHAKE = b"</handshake>"
PING = "{urn:xmpp:ping}ping"


class Closed(Exception):
    """The component has ended the connection."""


class FakeServer:
    """Listens for one component. What tests.real.provider wants of a server is here, too."""

    host = "localhost"
    component_jid = "up.localhost"
    component_secret = "fuzz-secret-19c3"

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.component_port = int(self._listener.getsockname()[1])

    def accept(self, seconds: float = 30) -> Stream:
        """Return the component's next connection, before anything was said."""
        self._listener.settimeout(seconds)
        wire, _ = self._listener.accept()
        return Stream(wire)

    def welcome(self, seconds: float = 30) -> Stream:
        """Return its next connection with the handshake done, as a server does it."""
        stream = self.accept(seconds)
        stream.send(HEADER)
        stream.hears(HANDSHAKE)
        stream.send("<handshake/>")
        stream.parse()
        return stream

    def close(self) -> None:
        self._listener.close()


class Stream:
    """One connection of the component. Its own pings are sent back to it, as a server does."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._parser: TagParser | None = None
        self._depth = 0
        self._root: Element | None = None
        self._heard = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    def send(self, xml: str | bytes) -> None:
        """Write it as it is. Raises Closed."""
        self._wire.settimeout(20)
        try:
            self._wire.sendall(xml if isinstance(xml, bytes) else xml.encode())
        except ConnectionError as error:
            raise Closed from error

    def hears(self, octets: bytes, seconds: float = 15) -> None:
        """Return when these bytes have come."""
        self._wire.settimeout(seconds)
        while octets not in self._heard:
            self._heard += self._read()

    def parse(self) -> None:
        """From now on, what comes is XML."""
        self._parser = TagParser()
        self._parser.feed(self._heard)

    def next(self, deadline: float) -> Element | None:
        """Return the next stanza that is no ping; None after the deadline. Raises Closed."""
        assert self._parser is not None
        while True:
            for event, found in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
                self._depth += 1 if event == "start" else -1
                if self._root is None:
                    self._root = found
                if event == "end" and self._depth == 0:
                    raise Closed
                if event == "end" and self._depth == 1 and not self._is_ping(found):
                    self._root.clear()
                    return found
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._wire.settimeout(left)
            with contextlib.suppress(TimeoutError):
                self._parser.feed(self._read())

    def _is_ping(self, xml: Element) -> bool:
        own = FakeServer.component_jid
        if xml.get("from") != own or xml.get("to") != own:
            return False
        if xml.find(PING) is not None:
            id_ = quoteattr(xml.get("id", ""))
            self.send(f"<iq type='result' id={id_} from='{own}' to='{own}'/>")
        return True

    def is_closed(self, seconds: float) -> bool:
        """Return whether the component hangs up within so many seconds."""
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                self._wire.settimeout(max(deadline - time.monotonic(), 0.01))
                with contextlib.suppress(TimeoutError):
                    self._read()
        except Closed:
            return True
        return False

    def _read(self) -> bytes:
        try:
            octets = self._wire.recv(65536)
        except ConnectionError as error:
            raise Closed from error
        if not octets:
            raise Closed
        return octets
