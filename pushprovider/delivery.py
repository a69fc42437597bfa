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
from pushprovider.store import outbox
from pushprovider.store.attempts import Answer, Claimed, Want, Work
from pushprovider.store.settle import write_down
from pushprovider.unwritten import Unwritten

log = logging.getLogger(__name__)

#: New messages fetched in one hop; bounds memory, and how long a transaction is.
BATCH = 256
#: Devices whose waiting messages are fetched in one hop.
DEVICES_A_HOP = 32
#: The doorbell may be lost: look at least so often, in milliseconds.
LOOK_EVERY = 5000
#: How often to look for messages in flight that are older than ACK_TIMEOUT, in milliseconds.
OVERDUE_EVERY = 10_000
#: After store trouble, in seconds.
TROUBLE_PAUSE = 1.0
#: While the server reads slower than we write, in milliseconds.
CONGESTION_PAUSE = 20
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

    def ping(self) -> str:
        """Write a ping to ourselves through the server; return its id. proven() follows."""


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
        gather: int = 0,
    ) -> None:
        self._thread = thread
        self._transport = transport
        self._devices = devices
        self._clock = clock
        self._wall = wall
        self._claimed = claimed
        self._next_look = 0
        self._wake = asyncio.Event()
        self._rung = False
        self._after: int | None = None  # ids up to here have been seen
        self._unwritten = Unwritten(gather)
        self._next_overdue = 0
        self._care = Care()
        #: From link_up() to the stream's end. Before, nobody knows what the old stream's end took.
        self._is_linked = False
        #: What devices did while link_up() looks into the store: it happened after the link was up.
        self._early: dict[tuple[str, Event], None] | None = None

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
        if self._early is not None:
            self._early.pop((device, event), None)  # the order is that of the latest
            self._early[device, event] = None
            return
        self._note(self._devices.happen(device, event, self._clock()))

    def proven(self, ping: str) -> None:
        """Our own ping came back: the server took everything that was written before it."""
        self._care.proven(ping)
        self._wake.set()

    def link_lost(self) -> None:
        """The stream ended, through no fault of a message."""
        self._is_linked = False
        self._care.link_lost()

    def poisoned(self, condition: str) -> None:
        """The server closed the stream because of something that we wrote."""
        self._is_linked = False
        guilty = self._care.poisoned(self._devices.in_flight)
        if guilty is not None:
            log.error("message %s ended the stream (%s): set aside", guilty.uid, condition)
            self._note(self._devices.set_aside(guilty.uid, guilty.device, condition))

    def _note(self, answers: list[Answer]) -> None:
        """Keep answers for the next commit, and wake the loop if it has something to do."""
        if self._unwritten.add(answers, self._clock()) or self._may_look():
            self._wake.set()

    async def link_up(self, maybe_sent: int) -> None:
        """The stream is open: find out what waits, and go on."""
        early = self._early = {}
        while True:
            with contextlib.suppress(StoreTrouble):
                newest, waiting = await self._thread.run(
                    lambda: (outbox.newest(), outbox.waiting_devices(maybe_sent))
                )
                break
            await asyncio.sleep(TROUBLE_PAUSE)
        if self._after is None:
            self._after = newest
        self._devices.link_up(waiting, self._clock())
        self._early = None
        self._is_linked = True
        for device, event in early:
            self.happened(device, event)
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
        await asyncio.sleep(0)  # whatever happens, the loop's other tasks get their turn
        now = self._clock()
        due = now + LOOK_EVERY
        if self._may_send():
            due = self._next_look
        if (timer := self._devices.next_due()) is not None:
            due = min(due, timer)
        if (written := self._unwritten.due()) is not None:
            due = min(due, written)
        if self._transport.is_congested:
            due = min(due, now + CONGESTION_PAUSE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(due - now, 1) / 1000):
                await self._wake.wait()
        self._wake.clear()

    async def cycle(self) -> bool:
        """Send what is new, send what waits, write answers. True if there is more to do now.

        Messages go out before answers are written, so that no push waits for a commit.
        Raises StoreTrouble; nothing is forgotten then.
        """
        now = self._clock()
        self._rung = self._rung or now >= self._next_look
        if self._rung and self._may_send():
            await self._send_arrivals()
        if self._may_look() and self._unwritten.is_plain:
            await self._send_waiting()
        todo = self._todo(now)
        if todo.answers or todo.sent:
            await self._write_down(todo)
        return self._may_look() or (self._rung and self._may_send())

    async def _send_arrivals(self) -> None:
        self._rung = False
        self._next_look = self._clock() + LOOK_EVERY
        after = self._after or 0
        try:
            new = await self._thread.run(lambda: outbox.arrivals(after, BATCH, self._wall()))
        except (StoreTrouble, asyncio.CancelledError):
            self._rung = True
            raise
        if new:
            self._after = new[-1].id
            self._rung = self._rung or len(new) == BATCH
        for message in new:
            if message.ttl == 0 and self._devices.is_held(message):
                self._note([Answer(message.uid, message.device, MessageState.EXPIRED)])
            elif self._devices.offer(message):
                self._write(message)

    async def _send_waiting(self) -> None:
        wants = self._devices.wants(DEVICES_A_HOP, self._unwritten.answers)
        upto = self._after or 0  # newer ones come as arrivals, once: the reads are no snapshot
        try:
            queued = await self._thread.run(
                lambda: [outbox.queued(want, upto, self._wall()) for want in wants]
            )
        except (StoreTrouble, asyncio.CancelledError):
            for want in wants:
                self._devices.fetched(want, more=True)
            raise
        # An endpoint may have moved to another device since: then no want knew of its answers.
        answered = {answer.uid for answer in self._unwritten.answers}
        for want, found in zip(wants, queued, strict=True):
            self._send_queued(want, found, answered)

    def _send_queued(self, want: Want, queued: list[Claimed], answered: set[str]) -> None:
        more = len(queued) == want.number
        for message in queued:
            if message.uid in answered:
                continue
            if self._devices.accepts(message):
                self._write(message)
            else:
                more = True
        self._devices.fetched(want, more=more or self._care.waits)

    async def _write_down(self, todo: Work) -> None:
        try:
            await self._thread.run(lambda: write_down(todo, self._wall()))
        except (StoreTrouble, asyncio.CancelledError):
            self._unwritten.put_back(todo)
            raise

    def _may_look(self) -> bool:
        """True if a device may take something that waits for it."""
        return self._devices.has_ready and self._may_send()

    def _may_send(self) -> bool:
        return (
            self._is_linked
            and self._transport.is_up
            and not self._transport.is_congested
            and not self._care.waits
        )

    def _todo(self, now: int) -> Work:
        self._unwritten.add(self._devices.due(now), now)
        if now >= self._next_overdue:
            self._unwritten.add(self._devices.overdue(now), now)
            self._next_overdue = now + min(OVERDUE_EVERY, self._devices.ack_timeout)
        before_a_look = self._may_look() and not self._unwritten.is_plain
        answers = self._unwritten.has_enough(now) or before_a_look
        return self._unwritten.take(self._devices.unmarked(now), answers=answers)

    def _write(self, message: Claimed) -> None:
        if not self._may_send():  # the link went down since the claim, or one at a time is due
            self._devices.put_back(message)
            return
        self._claimed(message.id)
        if self._transport.send_push(message):
            self._devices.sent(message, wall=self._wall(), now=self._clock())
            if self._care.wrote(message):
                self._care.followed_by(self._transport.ping())
            return
        log.error("message %s cannot be written as a stanza: set aside", message.uid)
        answer = Answer(
            message.uid, message.device, MessageState.EVICTED, condition="undefined-condition"
        )
        self._note([answer])

    async def flush(self) -> None:
        """Before the end: write every answer, and mark what is in flight as sent."""
        sent = self._devices.unmarked(self._clock(), everything=True)
        todo = self._unwritten.take(sent, answers=True)
        await self._thread.run(lambda: write_down(todo, self._wall()))
