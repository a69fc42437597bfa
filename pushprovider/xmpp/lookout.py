"""What the component process notices for the doctor and the Health page, and writes into Status.

Why there is no stream; what the server says of us; PUBLIC_URL's certificate. None of it is needed
to deliver a message, so a failure here is only a line in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from django.conf import settings

from pushprovider import certificate, notify
from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.store import status
from pushprovider.xmpp import survey
from pushprovider.xmpp.component import Component

log = logging.getLogger(__name__)

#: Seconds between two looks at the certificate, at the backup's age and at our own server.
EVERY = 3600.0
#: Seconds after which a failure that lasts is written again.
REPEAT = 30.0


class Lookout:
    """Looks now and then, and when it is told that something changed."""

    def __init__(self, thread: DatabaseThread, component: Component) -> None:
        self._thread = thread
        self._component = component
        self._changed = asyncio.Event()
        self._failure = ("", "")
        self._written: tuple[str, str] | None = None
        self._written_at = 0.0
        self._next_look = 0.0
        self._survey_due = False
        self._warned = ""

    def failed(self, failure: str, why: str) -> None:
        """There is no stream: one of Component's words, and a sentence."""
        self._failure = (failure, why)
        notify.tell(f"STATUS=not connected: {why}")
        self._changed.set()

    def connected(self) -> None:
        """There is a stream."""
        self._failure = ("", "")
        self._survey_due = True
        notify.tell(f"STATUS=connected as {settings.XMPP_COMPONENT_JID}")
        self._changed.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            with contextlib.suppress(StoreTrouble):
                await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPEAT):
                    await self._changed.wait()
            self._changed.clear()

    async def _look(self) -> None:
        now = time.monotonic()
        if self._failure != self._written or (self._failure[0] and now > self._written_at + REPEAT):
            failure = self._failure
            await self._tell(status.XMPP_WHY, " ".join(failure).strip())
            self._written, self._written_at = failure, now
        if self._survey_due and self._component.is_up:
            self._survey_due = False
            report = await ask(self._component)
            if self._component.is_up:
                await self._tell(status.SURVEY, report.text())
        if now >= self._next_look:
            self._next_look = now + EVERY
            self._survey_due = True
            await self._look_at_certificate()

    async def _look_at_certificate(self) -> None:
        found = await certificate.look(settings.PUBLIC_URL)
        await self._tell(status.CERTIFICATE, found.text())
        state = found.state(now_ms())
        if state != "ok" and found.code != self._warned:
            log.warning("certificate of PUBLIC_URL: %s", found.words(now_ms()))
        self._warned = found.code if state != "ok" else ""

    async def _tell(self, name: str, value: str) -> None:
        await self._thread.run(lambda: status.tell(name, value[:200], now_ms()))


async def ask(component: Component) -> survey.Report:
    """Ask our server what it says of us, and return what it answered in time."""
    component.write(component.survey.questions())
    return await component.survey.report()
