"""The paths that senders use: a prefix and one segment. Each goes to an async Django view.

Django's URL resolver takes ten times as long to find one of three views.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from django.http import HttpRequest

from pushprovider.http.answers import Answer
from pushprovider.http.message import message
from pushprovider.http.push import push

View = Callable[[HttpRequest, str], Awaitable[Answer]]

ROUTES: dict[str, View] = {
    "/push/": push,
    "/message/": message,
    "/up/push/": push,  # where ejabberd's module usually is
}
PREFIXES = tuple(ROUTES)
_BARE = frozenset(prefix.rstrip("/") for prefix in ROUTES)


def is_ours(path: str) -> bool:
    """True for a path under one of these prefixes: no other handler answers it."""
    return path.startswith(PREFIXES) or path in _BARE


def find(path: str) -> tuple[View, str] | None:
    """Return the view of a path and the segment it is for; None if there is none."""
    for prefix, view in ROUTES.items():
        if path.startswith(prefix):
            segment = path[len(prefix) :]
            return (view, segment) if segment and "/" not in segment else None
    return None
