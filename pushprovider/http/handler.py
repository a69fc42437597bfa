"""The thin ASGI handler of the push paths: scope to request, view, response.

Django's own handler opens a thread for the sync receivers of its signals at every request, which
costs more than the rest of a push. The views behind this one are ordinary async Django views.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation

from pushprovider.database import StoreTrouble
from pushprovider.http import answers
from pushprovider.http.answers import Answer
from pushprovider.http.drain import drain
from pushprovider.http.intake import intake
from pushprovider.http.request import PushRequest
from pushprovider.http.routes import find

log = logging.getLogger(__name__)

#: RFC 8030 section 7.2: 4096 bytes must pass.
MAX_BODY = 4096
#: On every answer, errors too: web apps and test pages push from browsers (Fetch, CORS protocol).
CORS = [
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Expose-Headers", b"location, ttl, retry-after, www-authenticate"),
]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Gone(Exception):
    """The client went away before its request was complete."""


class PushHandler:
    """An ASGI application for the push paths."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        drain.enter()
        try:
            await self._answer(scope, receive, send)
        finally:
            drain.leave()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(scope, receive)
        except Gone:
            return
        except answers.Refused as refused:
            response = _refuse(refused)
        except StoreTrouble:
            response = _refuse(answers.unavailable())
        except (BadRequest, SuspiciousOperation, UnicodeError):
            response = _refuse(answers.body_incomplete())
        except Exception:
            # The traceback's frames name code, not values; the path is a secret and stays out.
            log.exception("a push request failed")
            response = _refuse(answers.broken())
        await send_response(response, send, head=scope["method"] == "HEAD")

    async def _respond(self, scope: Scope, receive: Receive) -> Answer:
        found = find(scope["path"])
        if found is None:
            raise answers.unknown()
        if drain.refuses and scope["method"] in ("POST", "PUT"):
            raise answers.unavailable()
        body = await read_body(scope, receive)
        view, segment = found
        return await view(PushRequest(scope, body), segment)


def _refuse(refused: answers.Refused) -> Answer:
    intake().rejected(refused.reason)
    return refused.response()


async def read_body(scope: Scope, receive: Receive, limit: int = MAX_BODY) -> bytes:
    """Return the whole body; raise 413 as soon as it is known to be longer than `limit` bytes."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:12]) > limit:
            raise answers.too_large()
    chunks = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise answers.too_large()
        chunks.append(chunk)
        if not event.get("more_body", False):
            return b"".join(chunks)


async def send_response(response: Answer, send: Send, *, head: bool) -> None:
    """Send it; to a HEAD request without its body."""
    for event in events(response, head=head):
        await send(event)


def events(response: Answer, *, head: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an answer of the push paths as ASGI events: its start and its body."""
    content = response.content
    body = b"" if head else content
    headers = CORS + [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.items()
        if content or name != "Content-Type"  # Django names a type even for nothing
    ]
    if response.status_code != 204:
        headers.append((b"Content-Length", str(len(content)).encode()))
    if drain.has_begun:  # else the client's next request may meet the end of this process
        headers.append((b"Connection", b"close"))
    return (
        {"type": "http.response.start", "status": response.status_code, "headers": headers},
        {"type": "http.response.body", "body": body},
    )
