"""`/_matrix/push/v1/notify`: the Matrix push gateway (Matrix push gateway API, v1).

A homeserver posts a notification and names the pushkeys it is for. Those that are endpoints of
ours get it as a message, through the same inbox as any other; no request is ever made to another
host. A pushkey in `rejected` makes the homeserver forget its pusher, so only those that will never
work again are in there; an error makes it try again later.
"""

from __future__ import annotations

import asyncio
import json
import logging
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.http import HttpResponse

from pushprovider.database import StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.http import answers, headers, notification
from pushprovider.http.drain import drain
from pushprovider.http.handler import Gone, Receive, Scope, Send, read_body, send_response
from pushprovider.http.intake import intake
from pushprovider.http.target import Target, target
from pushprovider.legacy import reading
from pushprovider.stats import Count
from pushprovider.store.post import Accepted, Limited, Outcome, Post
from pushprovider.vapid import origin

log = logging.getLogger(__name__)

PREFIX = "/_matrix/"
PATH = "/_matrix/push/v1/notify"
ALLOWED = "POST, GET, HEAD, OPTIONS"
DISCOVERY = {"unifiedpush": {"gateway": "matrix"}}
#: An event has at most 65536 bytes (Matrix client-server API, size limits).
MAX_BODY = 100_000
#: The labels of Count.MATRIX: the first two count pushkeys, the others requests.
RESULTS = ("accepted", "rejected", "internal", "malformed", "rate_limited", "unavailable")


class Trouble(Exception):
    """The request gets this error answer, in Matrix's shape."""

    def __init__(
        self,
        status: HTTPStatus,
        errcode: str,
        message: str,
        result: str = "malformed",
        retry_after: int = 0,
    ) -> None:
        super().__init__(message)
        self.result = result  # for two counters: a reason of answers.py is among RESULTS
        self._status = status
        self._body: dict[str, object] = {"errcode": errcode, "error": message}
        self.headers = {"Cache-Control": "no-store"}
        if retry_after:
            self.headers["Retry-After"] = str(retry_after)
        if errcode == "M_LIMIT_EXCEEDED":
            self._body["retry_after_ms"] = retry_after * 1000

    def response(self) -> HttpResponse:
        return _json(self._body, int(self._status), self.headers)


def is_matrix(path: str) -> bool:
    """True for a path that this handler serves."""
    return path.startswith(PREFIX)


async def matrix(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI application for Matrix's paths."""
    drain.enter()
    try:
        response = await _answer(scope, receive)
    except Gone:
        return
    finally:
        drain.leave()
    await send_response(response, send, head=scope["method"] == "HEAD")


async def _answer(scope: Scope, receive: Receive) -> HttpResponse:
    try:
        return await _respond(scope, receive)
    except StoreTrouble:
        trouble = _unavailable()
    except Trouble as raised:
        trouble = raised
    except Gone:
        raise
    except Exception:
        log.exception("a Matrix notification failed")  # code and lines, no values
        trouble = Trouble(
            HTTPStatus.INTERNAL_SERVER_ERROR, "M_UNKNOWN", "Something went wrong here.", "internal"
        )
    return refuse(trouble)


def refuse(trouble: Trouble) -> HttpResponse:
    """Count it and return its answer."""
    intake().rejected(trouble.result)
    intake().count(Count.MATRIX, trouble.result)
    return trouble.response()


async def _respond(scope: Scope, receive: Receive) -> HttpResponse:
    if scope["path"] != PATH:
        raise Trouble(HTTPStatus.NOT_FOUND, "M_UNRECOGNIZED", "Only the push gateway is here.")
    match scope["method"]:
        case "POST":
            return _json({"rejected": await relay(scope, receive)})
        case "GET" | "HEAD":
            return _json(DISCOVERY)
        case "OPTIONS":
            return answers.preflight(ALLOWED)
        case _:
            trouble = Trouble(
                HTTPStatus.METHOD_NOT_ALLOWED, "M_UNRECOGNIZED", f"Allowed here: {ALLOWED}."
            )
            trouble.headers["Allow"] = ALLOWED
            raise trouble


async def relay(scope: Scope, receive: Receive) -> list[str]:
    """Store the notification for each of our endpoints; return the pushkeys that never work.

    Returns after the commit. Raises Trouble, StoreTrouble: then the homeserver tries again, and a
    notification for several devices may come twice to some. Homeservers send one at a time.
    """
    if drain.refuses:
        raise _unavailable()
    found = await _read(scope, receive)
    agent = next((v.decode("latin-1") for n, v in scope["headers"] if n == b"user-agent"), None)
    posts = {
        pushkey: Post(
            key=to.key,
            old=to.old,
            body=found.payload,
            ttl=min(settings.DEFAULT_TTL, settings.MAX_TTL),
            urgency=found.urgency,
            user_agent=headers.user_agent(agent),
        )
        for pushkey in found.pushkeys
        if (to := target_of(pushkey)) is not None
    }
    outcomes = dict(zip(posts, await _store(list(posts.values())), strict=True))
    if waits := [one.seconds for one in outcomes.values() if isinstance(one, Limited)]:
        raise Trouble(
            HTTPStatus.TOO_MANY_REQUESTS,
            "M_LIMIT_EXCEEDED",
            "Too many messages. Slow down.",
            "rate_limited",
            max(waits),
        )
    # What is refused now will be refused always: unknown, expired, revoked, blocked, or restricted
    # to another sender's key.
    rejected = [one for one in found.pushkeys if not isinstance(outcomes.get(one), Accepted)]
    intake().count(Count.MATRIX, "accepted", len(found.pushkeys) - len(rejected))
    intake().count(Count.MATRIX, "rejected", len(rejected))
    return rejected


async def _read(scope: Scope, receive: Receive) -> notification.Notification:
    try:
        return notification.parse(await read_body(scope, receive, MAX_BODY))
    except answers.Refused:
        raise too_large() from None
    except notification.NotJson:
        raise Trouble(HTTPStatus.BAD_REQUEST, "M_NOT_JSON", "The body is no JSON.") from None
    except notification.BadJson as bad:
        raise Trouble(HTTPStatus.BAD_REQUEST, "M_BAD_JSON", str(bad)) from None


async def _store(posts: list[Post]) -> list[Outcome]:
    """Put all into the inbox at once, so that they share a commit; raise after the last answer."""
    outcomes = await asyncio.gather(
        *(intake().accept(post) for post in posts), return_exceptions=True
    )
    stored: list[Outcome] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        stored.append(outcome)
    return stored


def too_large() -> Trouble:
    return Trouble(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "M_TOO_LARGE",
        f"A notification may have {MAX_BODY} bytes at most.",
    )


def token_of(pushkey: str) -> str | None:
    """Return the token if this is the URL of an endpoint at our address, else None."""
    try:
        parts = urlsplit(pushkey)
        is_ours = "@" not in parts.netloc and origin(pushkey) == origin(settings.PUBLIC_URL)
    except ValueError:
        return None
    for start in ("/push/", "/up/push/"):
        start = urlsplit(settings.PUBLIC_URL).path + start
        if is_ours and parts.path.startswith(start):
            return unquote(parts.path.removeprefix(start))
    return None


def target_of(pushkey: str) -> Target | None:
    """Return where a pushkey's notifications go, or None.

    What another server issued stands at that one's address. Of a URL that was imported the store
    knows which; any other says itself, sealed with that server's key, that it is one.
    """
    token = token_of(pushkey)
    if token is not None:
        return target(token)
    address, _, last = pushkey.rpartition("/")
    last = unquote(last)
    old = reading.stored(last, f"{address}/") or reading.read(last, now_ms())
    return None if old is None else Target(old=old)


def _unavailable() -> Trouble:
    return Trouble(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "M_UNKNOWN",
        "The notification could not be stored now.",
        "unavailable",
        answers.RETRY_AFTER,
    )


def _json(body: object, status: int = 200, extra: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        json.dumps(body, separators=(",", ":")),
        status=status,
        content_type="application/json",
        headers=extra or {},
    )
