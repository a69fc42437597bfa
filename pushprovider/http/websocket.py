"""Who may watch the live view: the door of `/ws/live/`, and the consumer behind it.

The same origin as PUBLIC_URL (or one of CSRF_TRUSTED_ORIGINS), logged in, active, staff; looked
at again every minute, because a socket may stay open for days.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack, get_user
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError
from django.utils.http import is_same_domain

from pushprovider.http.handler import Receive, Scope, Send
from pushprovider.live import feed

log = logging.getLogger(__name__)

PATH = "/ws/live/"
#: RFC 6455 section 7.4: 4000 to 4999 are the application's own; 1013 is "try again later".
NOT_PERMITTED = 4403
TRY_LATER = 1013
#: Seconds between two looks at the permission.
LOOK_AGAIN = 60.0

_DEFAULT_PORTS = {"http": 80, "https": 443}


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser. It only listens: what it sends is not read."""

    tasks: tuple[asyncio.Task[None], ...] = ()

    async def connect(self) -> None:
        await self.accept()  # a code can only be given on an open socket
        if not is_permitted(self.scope["user"]):
            await self.close(code=NOT_PERMITTED)
            return
        self.frames = feed().join()
        self.tasks = (asyncio.create_task(self._show()), asyncio.create_task(self._guard()))

    async def disconnect(self, _code: int) -> None:
        if self.tasks:
            feed().leave(self.frames)
        for task in self.tasks:
            task.cancel()

    async def receive(self, **_data: Any) -> None:
        pass

    async def _show(self) -> None:
        """A slow browser misses frames; they are not kept for it."""
        while True:
            text = await self.frames.get()
            if not is_slow(self.base_send):
                await self.send(text_data=text)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            try:
                user = await current_user(self.scope)
            except DatabaseError:
                await self.close(code=TRY_LATER)
                return
            if not is_permitted(user):
                await self.close(code=NOT_PERMITTED)
                return


def is_permitted(user: Any) -> bool:
    """True for active staff."""
    return bool(user.is_authenticated and user.is_active and user.is_staff)


async def current_user(scope: Scope) -> Any:
    """Return who the session belongs to now: it may have ended, or the user have changed."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return await get_user({"session": store(scope["session"].session_key)})


def is_slow(send: Any) -> bool:
    """True if the browser has left more than 64 KiB unread.

    Daphne's send() never waits, so this looks behind it, at Twisted's buffer. Under a server that
    is built in another way it says no, and the queue's limit (live.ROOM) does the same.
    """
    protocol = next(iter(getattr(send, "args", ())), None)
    is_full = getattr(getattr(protocol, "transport", None), "_isSendBufferFull", None)
    return bool(is_full is not None and is_full())


def is_own_origin(scope: Scope) -> bool:
    """True for our own pages (RFC 6455 section 10.2). The Host header is not asked."""
    given = [value for name, value in scope["headers"] if name == b"origin"]
    origin = _normal(given[0].decode("latin-1")) if len(given) == 1 else None
    if origin is None:
        return False
    trusted = [settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS]
    return any(_matches(origin, _normal(one)) for one in trusted)


def _matches(origin: tuple[str, str, int], pattern: tuple[str, str, int] | None) -> bool:
    if pattern is None or (origin[0], origin[2]) != (pattern[0], pattern[2]):
        return False
    return bool(is_same_domain(origin[1], pattern[1].removeprefix("*")))


def _normal(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


_behind_the_door = AuthMiddlewareStack(LiveConsumer.as_asgi())


async def websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI application for every websocket: another path or origin is refused with 403."""
    try:
        if scope["path"] == PATH and is_own_origin(scope):
            await _behind_the_door(scope, receive, send)
            return
    except DatabaseError as error:
        log.error("live view: the store does not answer: %s", type(error).__name__)
    with contextlib.suppress(Exception):
        await send({"type": "websocket.close", "code": TRY_LATER})
