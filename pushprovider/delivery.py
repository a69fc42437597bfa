"""The delivery loop: wait, claim, send, settle. One cycle can be called from a test."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

from pushprovider.care import Care
from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.devices import Devices
from pushprovider.fields import now_ms
from pushprovider.models import MessageState
from pushprovider.rules import Event
from pushprovider.store import deliver
from pushprovider.store.deliver import Answer, Claimed, Done, Sent, Work

log = logging.getLogger(__name__)

#: New messages fetched in one hop; bounds memory, and how long a transaction is.
BATCH = 256
#: Devices whose waiting messages are fetched in one hop.
DEVICES_A_HOP = 32
#: The doorbell may be lost: look at least so often, in seconds.
LOOK_EVERY = 5.0
#: After store trouble, in seconds.
TROUBLE_PAUSE = 1.0
#: While the server reads slower than we write, in seconds.
CONGESTION_PAUSE = 0.02
#: Conditions by which a device says that it does not know the registration.
GONE = frozenset({"item-not-found", "feature-not-implemented"})


class Transport(Protocol):
    """What carries a push to its device."""

    @property
    def is_up(self) -> bool: ...

    @property
    def is_congested(self) -> bool: ...

    def send_push(self, message: Claimed) -> bool:
        """Write one push; False if it can never be written (it would break the stream)."""

    def ping(self) -> None:
        """Write a ping to ourselves through the server; proven() follows."""


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Delivery:
    """Moves messages from the store to devices and their answers back into the store."""

    def __init__(
        self,
        thread: DatabaseThread,
        transport: Transport,
        devices: Devices,
        *,
        clock: Callable[[], int] = monotonic_ms,
        wall: Callable[[], int] = now_ms,
        claimed: Callable[[int], None] = lambda _message_id: None,
    ) -> None:
        self._thread = thread
        self._transport = transport
        self._devices = devices
        self._clock = clock
        self._wall = wall
        self._claimed = claimed
        self._wake = asyncio.Event()
        self._rung = False
        self._after: int | None = None  # ids up to here have been seen
        self._answers: list[Answer] = []
        self._sent: list[Sent] = []
        self._next_overdue = 0
        self._care = Care()

    # --- what happens outside: cheap, on the event loop, never the database ---------------------

    def ring(self) -> None:
        """There may be new messages."""
        self._rung = True
        self._wake.set()

    def result(self, uid: str, asked: str) -> None:
        """A result came from a full JID."""
        answer = self._devices.result(uid, asked, self._clock())
        stray = Answer(uid, asked, MessageState.DELIVERED, known=False)
        if answer is None:
            self._note([stray])
        elif answer.known:
            self._note([answer])

    def error(self, uid: str, asked: str, condition: str) -> None:
        """A stanza error came from (or for) a full JID."""
        gone = condition in GONE
        self._note(self._devices.error(uid, asked, condition, self._clock(), gone=gone))

    def happened(self, device: str, event: Event) -> None:
        """Presence or a register came from a full JID."""
        self._note(self._devices.happen(device, event, self._clock()))

    def proven(self) -> None:
        """Our own ping came back: the server took everything that was written before it."""
        self._care.proven()
        self._wake.set()

    def link_lost(self) -> None:
        """The stream ended, through no fault of a message."""
        self._care.link_lost()

    def poisoned(self, condition: str) -> None:
        """The server closed the stream because of something that we wrote."""
        guilty = self._care.poisoned(self._devices.in_flight)
        if guilty is not None:
            log.error("message %s ended the stream (%s): set aside", guilty.uid, condition)
            self._note(self._devices.set_aside(guilty.uid, guilty.device, condition))

    def _note(self, answers: list[Answer]) -> None:
        self._answers += answers
        self._wake.set()

    async def link_up(self, maybe_sent: int) -> None:
        """The stream is open: find out what waits, and go on."""
        while True:
            with contextlib.suppress(StoreTrouble):
                newest, waiting = await self._thread.run(
                    lambda: (deliver.newest(), deliver.waiting_devices(maybe_sent))
                )
                break
            await asyncio.sleep(TROUBLE_PAUSE)
        if self._after is None:
            self._after = newest
        self._devices.link_up(waiting, self._clock())
        self.ring()

    # --- the loop -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                more = await self.cycle()
            except StoreTrouble:
                await asyncio.sleep(TROUBLE_PAUSE)
                continue
            if not more:
                await self._sleep()

    async def _sleep(self) -> None:
        due = self._devices.next_due()
        seconds = LOOK_EVERY if due is None else (due - self._clock()) / 1000
        if self._transport.is_congested:
            seconds = CONGESTION_PAUSE
        try:
            async with asyncio.timeout(min(max(seconds, 0.001), LOOK_EVERY)):
                await self._wake.wait()
        except TimeoutError:
            self._rung = True
        self._wake.clear()

    async def cycle(self) -> bool:
        """Write answers, claim, send once. Return True if there is more to do right away.

        Raises StoreTrouble; nothing is forgotten then.
        """
        todo = self._todo()
        if not (todo.answers or todo.sent or todo.wants or todo.arrivals):
            return False
        try:
            done = await self._thread.run(lambda: deliver.work(todo, self._wall()))
        except (StoreTrouble, asyncio.CancelledError):
            # Writing an answer twice is harmless; forgetting one would send the message again.
            self._answers[:0] = todo.answers
            self._sent[:0] = todo.sent
            self._rung = True
            for want in todo.wants:
                self._devices.fetched(want, more=True)
            raise
        self._send(todo, done)
        return bool(self._answers) or (self._may_send() and (self._rung or self._devices.has_ready))

    def _may_send(self) -> bool:
        return (
            self._transport.is_up
            and not self._transport.is_congested
            and not self._care.waits
            and self._after is not None
        )

    def _todo(self) -> Work:
        now = self._clock()
        self._answers += self._devices.due(now)
        if now >= self._next_overdue:
            self._answers += self._devices.overdue(now)
            self._next_overdue = now + 10_000
        todo = Work(answers=self._answers, sent=self._sent + self._devices.unmarked(now))
        todo.limit = BATCH
        self._answers, self._sent = [], []
        if self._may_send():
            todo.wants = self._devices.wants(DEVICES_A_HOP)
            todo.after = self._after or 0
            todo.arrivals, self._rung = self._rung, False
        return todo

    def _send(self, todo: Work, done: Done) -> None:
        if done.arrivals:
            self._after = done.arrivals[-1].id
            self._rung = self._rung or len(done.arrivals) == todo.limit
        for message in done.arrivals:
            if message.ttl == 0 and self._devices.is_held(message):
                self._answers.append(Answer(message.uid, message.device, MessageState.EXPIRED))
            elif self._devices.offer(message):
                self._write(message)
        for want in todo.wants:
            queued = done.queued[want.device]
            more = len(queued) == want.number
            for message in queued:
                if self._devices.accepts(message):
                    self._write(message)
                else:
                    more = True
            self._devices.fetched(want, more=more or self._care.waits)

    def _write(self, message: Claimed) -> None:
        if not self._may_send():  # the link went down since the claim, or one at a time is due
            self._devices.put_back(message)
            return
        self._claimed(message.id)
        if self._transport.send_push(message):
            self._devices.sent(message, wall=self._wall(), now=self._clock())
            if self._care.wrote(message):
                self._transport.ping()
            return
        log.error("message %s cannot be written as a stanza: set aside", message.uid)
        self._answers.append(
            Answer(
                message.uid, message.device, MessageState.EVICTED, condition="undefined-condition"
            )
        )

    async def flush(self) -> None:
        """Before the end: write every answer, and mark what is in flight as sent."""
        sent = self._devices.unmarked(self._clock(), everything=True)
        todo = Work(answers=self._answers, sent=self._sent + sent)
        self._answers, self._sent = [], []
        await self._thread.run(lambda: deliver.work(todo, self._wall()))
