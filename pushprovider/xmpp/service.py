"""The component process: one stream, the delivery loop, housekeeping. A dead task ends it all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from typing import Any

from django.conf import settings

from pushprovider.backoff import Backoff
from pushprovider.care import OUR_FAULT
from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.delivery import Delivery
from pushprovider.devices import Devices
from pushprovider.doorbell import Bell, listen
from pushprovider.fields import now_ms
from pushprovider.rules import Event
from pushprovider.standby import new_lock
from pushprovider.store import housekeeping
from pushprovider.unwritten import GATHER
from pushprovider.xmpp import acl, commands, register, stanzas
from pushprovider.xmpp.beacon import Beacon
from pushprovider.xmpp.component import Component
from pushprovider.xmpp.lookout import Lookout

log = logging.getLogger(__name__)

#: Seconds between a connection and the accepted handshake.
HANDSHAKE_TIMEOUT = 15.0
#: Our own ping through the server: a stream that is dead but open is noticed after the sum.
PING_EVERY = 5.0
PING_TIMEOUT = 15.0
#: Registrations and commands that may wait for their answers. A phone asks once an hour.
MOST_ASKED = 2000
#: Seconds between two rounds of housekeeping.
TIDY_EVERY = 5.0


class Service:
    """Everything that the component process does, from start to stop."""

    def __init__(self) -> None:
        self._thread = DatabaseThread()
        self._lock = new_lock()
        self._is_active = asyncio.Event()
        self._superseded = False
        self._component = Component(self._heard, lambda: self._lock.holds)
        devices = Devices(
            maximum=settings.MAX_IN_FLIGHT_PER_DEVICE, ack_timeout=settings.ACK_TIMEOUT * 1000
        )
        self._delivery = Delivery(
            self._thread, self._component, devices, claimed=self._lock.claimed, gather=GATHER
        )
        self._background: set[asyncio.Task[None]] = set()
        self._maybe_sent = 0
        self._alive = asyncio.Event()
        self._beacon = Beacon(self._thread, lambda: self._component.is_up)
        self._lookout = Lookout(self._thread, self._component)
        self._commands = commands.Commands(DatabaseThread())
        # One in the database thread at a time: when all phones come back at once, the delivery
        # loop's calls must get in between.
        self._one_registration = asyncio.Semaphore(1)
        self._stopping = asyncio.Event()
        self._failed: BaseException | None = None

    def stop(self) -> None:
        """Ask run() to end: settle, flush, close the stream."""
        self._stopping.set()

    async def run(self) -> bool:
        """Work until stop(). Raises what a task died of.

        True if another process took over meanwhile: a new Service may stand by.
        """
        if not await self._become_active():
            await self._lock.release(clean=False)
            return False
        self._maybe_sent = self._lock.maybe_sent()
        bell = listen()
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._keep_active(),
                self._keep_connected(),
                self._delivery.run(),
                self._listen(bell),
                self._tidy(),
                self._beacon.run(),
                self._lookout.run(),
                self._stopping.wait(),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._failed is not None:
                raise self._failed
        finally:
            await self._shut_down(tasks, bell)
        return self._superseded and not self._stopping.is_set()

    async def _become_active(self) -> bool:
        waits = [asyncio.create_task(w) for w in (self._lock.acquire(), self._stopping.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if waits[0].done():
            waits[0].result()  # one that failed is not had
        for wait in waits:
            wait.cancel()
        self._is_active.set()
        return not self._stopping.is_set()

    async def _keep_active(self) -> None:
        """Close the stream as soon as the lock is lost; return if another process took it."""
        while True:
            await self._lock.lost()
            self._is_active.clear()
            if self._component.transport is not None:
                self._component.abort()
            log.warning("not the active component any more: the stream is closed")
            if not await self._lock.acquire():
                log.warning("another runxmppcomponent has been active: starting anew")
                self._superseded = True
                return
            log.info("the active component again")
            self._is_active.set()

    async def _shut_down(self, tasks: list[asyncio.Task[Any]], bell: Bell) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        bell.close()
        clean = False
        with contextlib.suppress(StoreTrouble):
            await self._component.close()
            for task in self._background:  # nobody can be answered any more
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)
            if not self._superseded:  # else the other one knows better what became of messages
                await self._delivery.flush()
                clean = self._maybe_sent == 0  # else nobody asked yet what another one left
                await self._beacon.farewell()
        self._commands.close()
        self._thread.close()
        await self._lock.release(clean=clean)

    # --- the stream -----------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        backoff = Backoff()
        told = ""
        while True:
            await self._is_active.wait()
            why = await self._one_connection(backoff)
            delay = backoff.delay()
            self._lookout.failed(self._component.failure or "silent", why)
            if why != told:
                log.warning("XMPP component %s: %s; trying again", settings.XMPP_COMPONENT_JID, why)
                told = why
            if self._component.transport is not None:
                self._component.abort()
            await asyncio.sleep(delay)

    async def _one_connection(self, backoff: Backoff) -> str:
        """Connect, stay, and return why the connection ended."""
        component = self._component
        component.open()
        started: asyncio.Future[Any] = asyncio.ensure_future(component.started.wait())
        ended: asyncio.Future[Any] = component.ended
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT):
                await asyncio.wait([started, ended], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            component.cancel_connection_attempt()
            return "the server does not answer the handshake"
        finally:
            started.cancel()
        if component.ended.done():
            return component.ended.result()
        backoff.success()
        log.info(
            "XMPP component %s connected to %s:%d",
            settings.XMPP_COMPONENT_JID,
            settings.XMPP_COMPONENT_HOST,
            settings.XMPP_COMPONENT_PORT,
        )
        self._beacon.opened()
        self._lookout.connected()
        await self._delivery.link_up(self._maybe_sent)
        self._maybe_sent = 0  # from now on, memory knows what was sent
        why = await self._watch()
        self._beacon.ended()
        if component.condition in OUR_FAULT:
            self._delivery.poisoned(component.condition)
        else:
            self._delivery.link_lost()
        return why

    async def _watch(self) -> str:
        """Ping ourselves through the server until the connection ends.

        Any stanza is a sign of life: under load the ping itself waits behind many pushes.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self._component.ended), PING_EVERY)
            self._alive.clear()
            self._component.ping()
            try:
                await asyncio.wait_for(self._alive.wait(), PING_TIMEOUT)
            except TimeoutError:
                self._component.give_up()
                return "the server does not answer"

    def _heard(self, stanza: stanzas.Stanza | commands.Request) -> None:
        """Sort what came in. On the event loop: nothing here may wait."""
        self._beacon.heard()
        self._alive.set()
        match stanza:
            case stanzas.Result(uid, sender):
                self._delivery.result(uid, sender)
            case stanzas.StanzaError(uid, sender, condition):
                self._delivery.error(uid, sender, condition)
            case stanzas.Presence(sender, available):
                if acl.allows(settings.REGISTRATION_ACL, sender):
                    event = Event.AVAILABLE if available else Event.UNAVAILABLE
                    self._delivery.happened(sender, event)
            case stanzas.Register() if len(self._background) >= MOST_ASKED:
                self._component.write(register.too_busy(stanza))
            case stanzas.Register():
                self._in_background(self._register(stanza))
            case commands.Asked() | commands.Browsed():
                self._in_background(self._command(stanza))
            case stanzas.Echo(uid, device):
                self._component.write(stanzas.result(uid, device, settings.XMPP_COMPONENT_JID))
            case stanzas.Own(id_):
                self._delivery.proven(id_)

    async def _register(self, asked: stanzas.Register) -> None:
        since = time.monotonic()
        async with self._one_registration:
            text, registered = await register.answer(asked, self._thread, since)
        self._component.write(text)
        if registered:
            self._delivery.happened(asked.sender, Event.REGISTERED)

    async def _command(self, request: commands.Request) -> None:
        self._component.write(await self._commands.answer(request))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background_done)

    def _background_done(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failed = task.exception()
            self._stopping.set()

    # --- the rest -------------------------------------------------------------------------------

    async def _listen(self, bell: Bell) -> None:
        while True:
            await bell.wait()
            self._delivery.ring()

    async def _tidy(self) -> None:
        while True:
            try:
                more = await self._thread.run(lambda: housekeeping.tidy(now_ms()))
            except StoreTrouble:
                more = False
            await asyncio.sleep(0.01 if more else TIDY_EVERY)
