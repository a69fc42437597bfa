"""Work-arounds for Twisted, daphne's HTTP parser: what it does for each request in vain."""

from __future__ import annotations

from typing import Any


def leave_bodies_alone() -> None:
    """Let Twisted hand bodies through unread.

    It parses the Content-Type of every POST with Python's email package, and then the body if it
    is a form, for arguments that neither daphne nor Django looks at. That measured a sixth of
    daphne's time for a push.
    """
    from daphne.http_protocol import WebRequest

    plain = WebRequest.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        self._parsePOSTFormSubmission = False

    WebRequest.__init__ = init


def write_no_log() -> None:
    """Keep Twisted from writing a log line of its own for each request.

    Nobody reads it: daphne writes its access log itself, and discards Twisted's.
    """
    from daphne.http_protocol import HTTPFactory

    HTTPFactory.log = lambda _self, _request: None


def write_without_asking() -> None:
    """Send an answer at the end of the loop's turn, without asking first whether the socket can.

    Twisted asks the event loop for each answer, and tells it afterwards that it need not look any
    more: two system calls and a turn of the loop, for a socket that nearly always can. Whatever
    is not that plain goes Twisted's own way.
    """
    from twisted.internet import reactor as installed
    from twisted.internet.tcp import Server

    server: Any = Server
    loop: Any = installed._asyncioEventloop
    ask = server.startWriting

    def is_plain(self: Any) -> bool:
        return not (
            self.dataBuffer or self.disconnecting or self._writeDisconnecting or self.producerPaused
        )

    def start_writing(self: Any) -> None:
        if not self._tempDataBuffer or not is_plain(self):
            ask(self)
        elif not self.is_due:
            self.is_due = True
            loop.call_soon(flush, self)

    def flush(self: Any) -> None:
        self.is_due = False
        if not self.connected or not self._tempDataBuffer:
            return
        if not is_plain(self):
            ask(self)
            return
        octets = b"".join(self._tempDataBuffer)
        try:
            sent = self.socket.send(octets)
        except OSError:
            sent = 0  # Twisted's own try tells what is wrong
        if sent:
            self._tempDataBuffer = [octets[sent:]] if sent < len(octets) else []
            self._tempDataLen = len(octets) - sent
        if sent < len(octets):
            ask(self)

    server.is_due = False
    server.startWriting = start_writing
