"""`/healthz`: the web process is up. `/readyz`: the store and the XMPP stream are there, too.

Ready means that a push could be stored and sent on now. Neither answer holds a secret or a name
of anything: the paths are open to everybody.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from pushprovider.database import StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.http.drain import drain
from pushprovider.sidethread import aside
from pushprovider.store import status
from pushprovider.store.status import Stream

#: Seconds for which an answer holds: each one costs a write, and everybody may ask.
KEEP = 1.0
#: Seconds after which a store that does not answer is down.
LONGEST = 5.0
#: The database's own words that help an operator: SQLite's, then PostgreSQL's. Others may tell of
#: paths, hosts and users.
_KNOWN = (
    "attempt to write a readonly database",
    "database disk image is malformed",
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "canceling statement due to lock timeout",
    "canceling statement due to statement timeout",
    "in a read-only transaction",
    "the database system is shutting down",
    "the database system is starting up",
    "terminating connection due to administrator command",
    "server closed the connection unexpectedly",
    "connection timeout expired",
    "connection failed",
    "No space left on device",
    "this store has moved",
)


@require_safe
async def healthz(_request: HttpRequest) -> HttpResponse:
    """Asks nothing of the store, so it stays cheap and true."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
async def readyz(_request: HttpRequest) -> HttpResponse:
    """200, or 503 and what is wrong."""
    report = await readiness().report()
    if drain.has_begun:
        report = report | {"http": "being stopped"}
    ready = all(report[part] == "ok" for part in ("store", "xmpp", "http") if part in report)
    return HttpResponse(
        json.dumps(report) + "\n",
        status=200 if ready else 503,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


class Readiness:
    """One look at a time, and not more often than every KEEP seconds."""

    def __init__(self) -> None:
        self._look: asyncio.Future[dict[str, Any]] | None = None
        self._until = 0.0

    async def report(self) -> dict[str, Any]:
        """Return what is right and wrong."""
        if self._look is None or (self._look.done() and time.monotonic() >= self._until):
            self._look = asyncio.ensure_future(self._look_now())
        return await asyncio.shield(self._look)

    async def _look_now(self) -> dict[str, Any]:
        now = now_ms()
        try:
            async with asyncio.timeout(LONGEST):
                stream = await aside(lambda: look(now))
            report = {"store": "ok"} | xmpp_report(stream, now)
        except TimeoutError:
            report = {"store": "does not answer", "xmpp": "unknown"}
        except StoreTrouble as trouble:
            report = {"store": store_trouble(trouble), "xmpp": "unknown"}
        self._until = time.monotonic() + KEEP
        return report


@cache
def readiness() -> Readiness:
    """Return this process's one."""
    return Readiness()


def look(now: int) -> Stream:
    """Write one row, durably, and read what the component says. Raises DatabaseError.

    A real write and commit: a lock that can be had says nothing about a full disk.
    """
    file = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "sqlite" and file.is_absolute() and not os.access(file, os.F_OK):
        raise DatabaseError("unable to open database file")  # SQLite would make an empty one
    status.tell(status.STORE, "ok", now)
    return status.stream(now)


def xmpp_report(stream: Stream, now: int) -> dict[str, Any]:
    """Return the XMPP part of the answer."""
    if stream.is_up and stream.since is not None:
        return {"xmpp": "ok", "xmpp_up_seconds": max(now - stream.since, 0) // 1000}
    if stream.since is None:
        return {"xmpp": "never up"}
    moment = datetime.fromtimestamp(stream.since // 1000, UTC)
    return {"xmpp": f"down since {moment:%Y-%m-%dT%H:%M:%SZ}"}


def store_trouble(trouble: StoreTrouble) -> str:
    """Return what is wrong with the store, in words that are safe to show."""
    words = str(trouble.__cause__)
    return next((known for known in _KNOWN if known in words), "cannot be written, see the log")
