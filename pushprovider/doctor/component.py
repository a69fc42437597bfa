"""The component's stream: what the running one says of itself, or a handshake of our own.

Never a second connection beside a running one: Prosody would throw that out (kick_old) or refuse
us, and ejabberd would give us half of its stanzas.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from pushprovider.admin import display
from pushprovider.admin.checks import Check
from pushprovider.doctor.findings import bad, doubtful, good
from pushprovider.fields import now_ms, to_ms
from pushprovider.models import Status
from pushprovider.postgresql.session import FREE_ACTIVE, TRY_ACTIVE
from pushprovider.standby import ActiveLock
from pushprovider.store import status
from pushprovider.xmpp.component import Component
from pushprovider.xmpp.lookout import ask
from pushprovider.xmpp.survey import Report

NAME, DISCO = "Component", "Service discovery"
#: Seconds for the handshake.
PATIENCE = 6.0


@dataclass(frozen=True, slots=True)
class Knock:
    """What came of a handshake: one of Component's words ("" if it was accepted)."""

    failure: str
    why: str = ""
    survey: Report | None = None


def look() -> list[Check]:
    """Return how the component is, without disturbing one that runs."""
    now = now_ms()
    rows = {row.name: row for row in Status.objects.all()}
    last = rows.get(status.XMPP)
    try:
        with only_one() as is_free:
            if is_free:
                return stopped(asyncio.run(knock()))
    except OSError:
        return [bad(NAME, "component.not-running", "does not run; RUN_DIR cannot be used")]
    if last is not None and now - to_ms(last.at) <= status.STALE * 1000:
        return running(now, rows)
    return [bad(NAME, "component.hung", "runs, but says nothing")]


@contextmanager
def only_one() -> Iterator[bool]:
    """Hold the active component's lock if nobody has it; say whether that is so."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(TRY_ACTIVE)
            is_free = bool(cursor.fetchone()[0])
            try:
                yield is_free
            finally:
                if is_free:
                    cursor.execute(FREE_ACTIVE)
        return
    lock = ActiveLock()
    try:
        yield lock.try_now()
    finally:
        asyncio.run(lock.release(clean=False))


def running(now: int, rows: dict[str, Status]) -> list[Check]:
    """Return what the running component says of itself."""
    stream = status.stream(now)
    place = f"{settings.XMPP_COMPONENT_HOST}:{settings.XMPP_COMPONENT_PORT}"
    if not stream.is_up:
        why = rows.get(status.XMPP_WHY)
        failure, _, sentence = (why.value if why else "").partition(" ")
        return [problem(failure, sentence or f"not connected to {place}")]
    since = display.duration(now - stream.since) if stream.since is not None else "now"
    words = f"{settings.XMPP_COMPONENT_JID} is connected to {place} since {since}"
    found = [good(NAME, "component.fine", words)]
    if (survey := rows.get(status.SURVEY)) is not None:
        found += discovery(Report.read(survey.value))
    return found


def stopped(came: Knock) -> list[Check]:
    """Return what a handshake of our own says, while no component runs."""
    if came.failure:
        return [problem(came.failure, came.why)]
    words = "does not run; the XMPP server would accept it"
    found = [bad(NAME, "component.not-running", words)]
    return found + (discovery(came.survey) if came.survey else [])


def problem(failure: str, words: str) -> Check:
    """Return why there is no stream."""
    code = f"component.{failure or 'lost'}"
    return bad(NAME, code, words)


def discovery(report: Report) -> list[Check]:
    """Return whether stanzas come back to us, and whether clients can find us."""
    server = report.server or "the server"
    if not report.found:
        return [bad(DISCO, "disco.silent", f"{server} does not bring our own stanzas back to us")]
    if report.listed is False:
        parent = settings.XMPP_COMPONENT_JID.partition(".")[2]
        return [doubtful(DISCO, "disco.unlisted", f"{parent} ({server}) does not list us")]
    words = f"answers; listed by {server}" if report.listed else "answers"
    return [good(DISCO, "disco.fine", words)]


async def knock() -> Knock:
    """Connect as the component would, shake hands, ask about us, leave."""
    component = Component(lambda _stanza: None)
    component.open()
    started: asyncio.Future[Any] = asyncio.ensure_future(component.started.wait())
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([started, component.ended], return_when=asyncio.FIRST_COMPLETED)
        if component.ended.done():
            return Knock(component.failure, component.ended.result())
        report = await ask(component)
        return Knock("", survey=report)
    except TimeoutError:
        component.cancel_connection_attempt()
        return Knock("silent", "the server does not answer the handshake")
    finally:
        started.cancel()
        await component.close()
