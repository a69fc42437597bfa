"""What a client may make daphne hold: bytes, seconds, connections. For when no proxy says so.

Twisted, daphne's HTTP parser, takes bodies of any size (daphne then puts the whole body into
memory), waits for the rest of a request for as long as a byte comes now and then, and accepts
connections until the process has no file descriptor left. docs/security.md names these bounds.
"""

from __future__ import annotations

import resource
from io import BytesIO
from typing import Any

from pushprovider.http import answers, matrix
from pushprovider.http.handler import events
from pushprovider.http.intake import intake

#: Bytes of a body that are kept: as in deploy/nginx.conf. What is longer is read and dropped, so
#: that the client gets to the end of its request and reads the answer.
MAX_BODY = 128 * 1024
#: Bytes of a body after which the client is answered and hung up on at once.
HOPELESS = 8 * 1024 * 1024
#: Digits of a Content-Length.
LONGEST_LENGTH = 20
#: Seconds from the first byte of a request to its last; and for which a connection may be idle.
RECEIVE_WITHIN = 60.0
#: Connections that wait for (the rest of) a request.
MOST_WAITING = 10_000


def bound_daphne() -> None:
    """Put the bounds into daphne."""
    from daphne.http_protocol import WebRequest

    bound_bodies(WebRequest)
    bound_lengths()
    bound_time()
    bound_connections(room())


def room() -> int:
    """Return how many connections may wait: the rest of the descriptors is for those at work."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_WAITING
    return max(16, min(MOST_WAITING, soft - max(64, soft // 4)))


def bound_bodies(request_class: Any) -> None:
    """Keep MAX_BODY of a body and answer 413 to a longer one."""
    process = request_class.process

    def got_length(self: Any, length: int | None) -> None:
        self.content = BytesIO()
        self.received = 0
        self.hung_up = False
        if length is not None and length > HOPELESS:
            hang_up(self)

    def handle_content_chunk(self: Any, data: bytes) -> None:
        self.received += len(data)
        if self.received <= MAX_BODY:
            self.content.write(data)
        elif self.received > HOPELESS and not self.hung_up:
            hang_up(self)

    def hang_up(self: Any) -> None:
        self.hung_up = True
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"expect")  # else "100 Continue" would follow
        self.channel.transport.write(raw_413())
        self.channel.loseConnection()

    def bounded(self: Any) -> Any:
        # daphne would take Django's script prefix from it, whoever sends it, and stumbles over a
        # byte that is not ASCII.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if self.hung_up:
            return None
        if self.received <= MAX_BODY:
            return process(self)
        return refuse(self)

    request_class.gotLength = got_length
    request_class.handleContentChunk = handle_content_chunk
    request_class.process = bounded


def bound_lengths() -> None:
    """Answer 400 to a Content-Length that is no length: Python refuses to read very long numbers,
    and Twisted's exception would end in the application, in the middle of the request before."""
    from twisted.web import http

    channel_class: Any = http.HTTPChannel
    choose = channel_class._maybeChooseTransferDecoder

    def choose_unless_endless(self: Any, header: bytes, data: bytes) -> Any:
        if header == b"Content-Length" and len(data) > LONGEST_LENGTH:
            return self._failChooseTransferDecoder()
        return choose(self, header, data)

    channel_class._maybeChooseTransferDecoder = choose_unless_endless


def refuse(request: Any) -> None:
    """Answer 413 as the request's path does."""
    if matrix.is_matrix(request.path.decode("latin-1")):
        response = matrix.refuse(matrix.too_large())
    else:
        intake().rejected("too_large")
        response = answers.too_large().response()
    for event in events(response):
        request.handle_reply(event)


def raw_413() -> bytes:
    """Return 413 as it is written to a connection that ends with it."""
    start, body = events(answers.too_large().response())
    headers = {name.lower(): value for name, value in start["headers"]} | {b"connection": b"close"}
    lines = [b"HTTP/1.1 413 Request Entity Too Large", *map(b": ".join, headers.items()), b"", b""]
    return b"\r\n".join(lines) + bytes(body["body"])


def bound_time() -> None:
    """Let the clock of a request run on: Twisted winds it up again at every byte."""
    from twisted.protocols.policies import TimeoutMixin
    from twisted.web import http

    reset: Any = TimeoutMixin.resetTimeout
    channel_class: Any = http.HTTPChannel
    factory_class: Any = http.HTTPFactory
    request_done, set_up = channel_class.requestDone, factory_class.__init__

    def reset_timeout(self: Any) -> None:
        if not self.has_begun:
            self.has_begun = True
            reset(self)

    def done(self: Any, request: Any) -> None:
        self.has_begun = False
        request_done(self, request)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        set_up(self, *args, **kwargs)
        self.timeOut = RECEIVE_WITHIN

    channel_class.has_begun = False
    channel_class.resetTimeout = reset_timeout
    channel_class.requestDone = done
    factory_class.__init__ = init


def bound_connections(most: int) -> None:
    """Let a new connection push out the one that has waited longest, when `most` are waiting.

    Refusing the new one would let somebody who opens many and sends nothing keep all others out.
    """
    from twisted.web import http

    channel_class: Any = http.HTTPChannel
    waiting: dict[Any, None] = {}  # in order of their beginning to wait
    made, lost = channel_class.connectionMade, channel_class.connectionLost
    received, request_done = channel_class.allContentReceived, channel_class.requestDone

    def wait(channel: Any) -> None:
        waiting[channel] = None
        if len(waiting) > most:
            oldest = next(iter(waiting))
            del waiting[oldest]
            oldest.transport.abortConnection()

    def connection_made(self: Any) -> None:
        made(self)
        wait(self)

    def all_content_received(self: Any) -> None:
        waiting.pop(self, None)
        received(self)

    def done(self: Any, request: Any) -> None:
        wait(self)  # before: what was sent ahead is read in there
        request_done(self, request)
        if not self.persistent and self in waiting:
            # A client that does not read its answer stays no longer than this.
            self.setTimeout(RECEIVE_WITHIN)

    def connection_lost(self: Any, reason: Any) -> None:
        waiting.pop(self, None)
        lost(self, reason)

    channel_class.connectionMade = connection_made
    channel_class.allContentReceived = all_content_received
    channel_class.requestDone = done
    channel_class.connectionLost = connection_lost
