"""All families in their order: what is broken first is told first, and what hangs on it is not
tried."""

from __future__ import annotations

import asyncio
import ssl

from django.conf import settings
from django.db import DatabaseError

from pushprovider import certificate
from pushprovider.admin.checks import Check
from pushprovider.database import first_line
from pushprovider.doctor import address, clock, component, configuration, local, loop, proxy
from pushprovider.doctor.wire import Way

#: What `--only` may name.
FAMILIES = ("settings", "local", "clock", "component", "web", "loop")


def examine(url: str = "", only: str = "") -> list[Check]:
    """Return every finding. `url`: another way in than PUBLIC_URL; `only`: one of FAMILIES."""
    here = local.look()
    found = [*(configuration.look() if only in ("", "settings") else [])]
    found += here if only in ("", "local") or not local.is_usable(here) else []
    if not local.is_usable(here):
        return found
    try:
        return found + _beyond(url or settings.PUBLIC_URL, only)
    except DatabaseError as error:
        fix = "Senders are told to come back later. Is the disk full, is something locking it?"
        words = first_line(error)[:150]
        return [*found, Check("Database", "bad", words, fix, "database.unusable")]


def _beyond(url: str, only: str) -> list[Check]:
    """What is beyond this machine's files."""
    stream = component.look() if only in ("", "component", "loop") else []
    is_connected = any(one.code == "component.fine" for one in stream)
    web, date, is_open = _web(url, only)
    found = stream if only != "loop" else []
    found += web if only in ("", "web") else []
    if only in ("", "clock"):
        found += clock.look(date)
    if only in ("", "loop"):
        found += loop.look(_way(url)) if is_connected and is_open else loop.untried()
    return found


def _web(url: str, only: str) -> tuple[list[Check], str, bool]:
    """Return the findings about the way in, the Date there, and whether a push can come in."""
    if only in ("settings", "local", "component"):
        return [], "", False
    found = address.certificate(asyncio.run(certificate.look(url, even_here=True)))
    way = _way(url)
    trouble, date = address.reach(way)
    if not trouble and only in ("", "web"):
        return found + proxy.look(way), date, True
    return found + trouble, date, not trouble


def _way(url: str) -> Way:
    # The certificate has its own finding; what else is wrong must be found all the same.
    context: ssl.SSLContext = certificate.lax_context()
    return Way(url, context)
