"""What monitoring asks, whatever the Host header says: it often asks by IP address.

The views are ordinary async Django views; what they read they read in sidethread.py's thread, so
that a scrape never stands in the way of a push.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from io import BytesIO

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

from pushprovider.http.handler import Receive, Scope, Send
from pushprovider.http.health import healthz, readyz
from pushprovider.http.metrics import metrics

log = logging.getLogger(__name__)

VIEWS: dict[str, Callable[[HttpRequest], Awaitable[HttpResponse]]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics,
}


def is_monitoring(path: str) -> bool:
    """True for a path that this handler serves."""
    return path in VIEWS


async def monitor(scope: Scope, _receive: Receive, send: Send) -> None:
    """An ASGI application for these paths; a body is not read."""
    try:
        response = await VIEWS[scope["path"]](ASGIRequest(scope, BytesIO()))
    except UnicodeError:  # in the query, which nobody here asks for
        response = HttpResponse("malformed\n", status=400, content_type="text/plain")
    except Exception:
        log.exception("%s failed", scope["path"])
        response = HttpResponse("broken\n", status=500, content_type="text/plain")
    headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.items()]
    headers.append((b"Content-Length", str(len(response.content)).encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else response.content
    await send({"type": "http.response.body", "body": body})
