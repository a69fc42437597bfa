"""The devices that have something in flight or waiting: the books of the delivery loop. No I/O.

What an event makes of one of them is device.py's. Only devices with something to do are
remembered: the others are unknown, which means: try.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence

from pushprovider import rules
from pushprovider.device import Device, InFlight
from pushprovider.models import MessageState
from pushprovider.rules import Event, State
from pushprovider.store.attempts import Answer, Claimed, Sent, Want

#: A message unanswered for so long (milliseconds) is written down as sent.
MARK_SENT_AFTER = 1000


class Devices:
    """All devices with something to do. Times are milliseconds of a clock that never goes back."""

    def __init__(self, *, maximum: int, ack_timeout: int) -> None:
        self._maximum = maximum
        self.ack_timeout = ack_timeout
        self._known: dict[str, Device] = {}
        self._of_uid: dict[str, Device] = {}  # a message is in flight at one device
        self._of_account: dict[str, dict[str, None]] = {}
        self._ready: dict[str, None] = {}  # a queue in which a device stands once
        self._timers: list[tuple[int, str]] = []
        self._fresh: deque[tuple[InFlight, str]] = deque()
        self._bound: dict[str, int] = {}  # who told of a new session a moment ago, oldest first

    # --- what the loop asks -------------------------------------------------------------------

    def offer(self, message: Claimed) -> bool:
        """True if this new message may be sent now; else it stays in the store for later."""
        device = self._known.get(message.device)
        if device is None:
            return True
        if message.uid in device.in_flight:
            return False
        if not device.backlog and device.free(self._maximum) > 0:
            return True
        self._expect(device)
        return False

    def is_held(self, message: Claimed) -> bool:
        """True if the device is known to be away: nothing for a message with TTL 0."""
        device = self._known.get(message.device)
        return device is not None and device.state is State.HELD

    def sent(self, message: Claimed, *, wall: int, now: int) -> None:
        """The message was written to the stream."""
        device = self._device(message.device)
        before = self._taken_over(message.uid)
        flight = InFlight(message.id, message.uid, message.ttl, wall, now, before)
        device.in_flight[message.uid] = flight
        self._of_uid[message.uid] = device
        self._fresh.append((flight, device.name))

    def wants(self, devices: int, answered: Sequence[Answer] = ()) -> list[Want]:
        """Return what to fetch for so many devices, in turn: no one starves the others.

        `answered`: what the store does not know yet, and would give out again.
        """
        over: dict[str, list[int]] = {}
        for answer in answered:
            over.setdefault(answer.asked, []).append(answer.id)
        found: list[Want] = []
        while self._ready and len(found) < devices:
            name = next(iter(self._ready))
            del self._ready[name]
            device = self._known.get(name)
            free = device.free(self._maximum) if device else 0
            if device is not None and device.backlog and free > 0:
                but = (*self._flying(device), *over.get(name, ()))
                found.append(Want(name, free, but, device.looks))
        return found

    def put_back(self, message: Claimed) -> None:
        """The message was claimed but not written: it stays in the store for the next look."""
        self._expect(self._device(message.device))

    def accepts(self, message: Claimed) -> bool:
        """True if this message, fetched for its device, may be sent now."""
        device = self._known.get(message.device)
        if device is None:
            return True
        return message.uid not in device.in_flight and device.free(self._maximum) > 0

    def fetched(self, want: Want, *, more: bool) -> None:
        """The want was served. `more`: something may still wait in the store."""
        device = self._known.get(want.device)
        if device is None:
            return
        # Something may have been put back into the store while the look was under way.
        device.backlog = more or device.looks != want.looks
        self._queue(device)
        self._forget_if_idle(device)

    # --- what happens -------------------------------------------------------------------------

    def result(self, uid: str, asked: str, now: int) -> Answer | None:
        """The device answered with a result. None: memory knows nothing of it; ask the store."""
        device = self._of_uid.get(uid)
        if device is None:
            return None
        if device.name != asked and asked not in device.in_flight[uid].before:
            return Answer(uid, asked, MessageState.QUEUED, known=False)
        flight = self._land(device, uid)
        if device.name != asked:
            self._refill(device)
        self.happen(asked, Event.RESULT, now)
        return Answer(uid, asked, MessageState.DELIVERED, flight.sent_at, id=flight.id)

    def error(self, uid: str, asked: str, condition: str, now: int, *, gone: bool) -> list[Answer]:
        """A stanza error came back. Without a message in flight it means nothing."""
        device = self._of_uid.get(uid)
        if device is None or device.name != asked:
            return []
        flight = self._land(device, uid)
        if gone:
            self._expect(device)  # the store may see it otherwise
            return [Answer(uid, asked, MessageState.GONE, flight.sent_at, condition)]
        answer = self._again(flight, asked, condition)
        self._expect(device)
        return [answer, *self.happen(asked, Event.ERROR, now)]

    def set_aside(self, uid: str, asked: str, condition: str) -> list[Answer]:
        """The message can never be delivered: end it without blaming its device."""
        device = self._of_uid.get(uid)
        if device is None:
            return []
        flight = self._land(device, uid)
        return [Answer(uid, asked, MessageState.EVICTED, flight.sent_at, condition)]

    def happen(self, name: str, event: Event, now: int) -> list[Answer]:
        """Apply the table's rule; return the unanswered messages that must be written back."""
        device = self._device(name)
        crossing = event is Event.UNAVAILABLE and rules.is_crossing(self._bound.get(name), now)
        due = device.due
        lost = device.happen(event, now, ack_timeout=self.ack_timeout, crossing=crossing)
        for flight in lost:
            del self._of_uid[flight.uid]
        if device.timer is not None and device.due != due:
            heapq.heappush(self._timers, (device.due, name))
        if event is Event.AVAILABLE:
            self._note_session(name, now)
        if lost or event is not Event.RESULT:
            self._expect(device)  # the store is where everything is
        self._refill(device)
        return [self._again(flight, name, "") for flight in lost]

    def link_up(self, waiting: dict[str, bool], now: int) -> None:
        """The stream is open. `waiting`: devices with messages, True if some may be in flight."""
        for name in {*self._known, *waiting}:
            device = self._device(name)
            if device.in_flight or waiting.get(name, False):
                self.happen(name, Event.LINK_UP, now)
            else:
                device.probe()
                self._expect(device)

    def due(self, now: int) -> list[Answer]:
        """Fire the timers that are due."""
        answers: list[Answer] = []
        while self._timers and self._timers[0][0] <= now:
            at, name = heapq.heappop(self._timers)
            device = self._known.get(name)
            if device is not None and device.timer is not None and device.due == at:
                event, device.timer = device.timer, None
                answers += self.happen(name, event, now)
        return answers

    def overdue(self, now: int) -> list[Answer]:
        """Fire ACK_TIMEOUT where the oldest attempt is too old. Costs a look at each device."""
        answers: list[Answer] = []
        for device in list(self._known.values()):
            oldest = next(iter(device.in_flight.values()), None)
            if oldest is not None and oldest.since + self.ack_timeout <= now:
                answers += self.happen(device.name, Event.ACK_TIMEOUT, now)
        return answers

    def unmarked(self, now: int, *, everything: bool = False) -> list[Sent]:
        """Return the messages that have been in flight long enough to be written down."""
        marks: list[Sent] = []
        while self._fresh and (everything or self._fresh[0][0].since + MARK_SENT_AFTER <= now):
            flight, name = self._fresh.popleft()
            device = self._known.get(name)
            if device is not None and device.in_flight.get(flight.uid) is flight:
                marks.append(Sent(flight.uid, name, flight.sent_at))
        return marks

    def next_due(self) -> int | None:
        """Return when a timer or a mark is due next."""
        times = [self._timers[0][0]] if self._timers else []
        if self._fresh:
            times.append(self._fresh[0][0].since + MARK_SENT_AFTER)
        return min(times, default=None)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def has_ready(self) -> bool:
        return bool(self._ready)

    @property
    def in_flight(self) -> int:
        return len(self._of_uid)

    # --- bookkeeping --------------------------------------------------------------------------

    def _device(self, name: str) -> Device:
        device = self._known.get(name)
        if device is None:
            device = self._known[name] = Device(name)
            self._of_account.setdefault(device.account, {})[name] = None
        return device

    def _flying(self, device: Device) -> Iterator[int]:
        """Yield the ids of what must not be sent to the device now: it is in flight already.

        An endpoint may have moved here from another device of its account. What is in flight there
        may be answered as long as this one's grace lasts; then it is sent here.
        """
        names = self._of_account[device.account] if device.is_in_grace else (device.name,)
        for name in names:
            for flight in self._known[name].in_flight.values():
                yield flight.id

    def _taken_over(self, uid: str) -> tuple[str, ...]:
        """The message is about to be sent; return who was asked before, and is no more."""
        device = self._of_uid.get(uid)
        if device is None:
            return ()
        flight = self._land(device, uid)
        self._refill(device)
        return (*flight.before, device.name)

    def _land(self, device: Device, uid: str) -> InFlight:
        del self._of_uid[uid]
        return device.in_flight.pop(uid)

    @staticmethod
    def _again(flight: InFlight, asked: str, condition: str) -> Answer:
        """A failed attempt: keep the message, unless it had one attempt only (TTL 0)."""
        state = MessageState.QUEUED if flight.ttl else MessageState.EXPIRED
        return Answer(flight.uid, asked, state, flight.sent_at, condition)

    def _note_session(self, name: str, now: int) -> None:
        self._bound.pop(name, None)
        self._bound[name] = now
        while not rules.is_crossing(self._bound[oldest := next(iter(self._bound))], now):
            del self._bound[oldest]

    def _expect(self, device: Device) -> None:
        """Something may wait in the store for this device."""
        device.backlog = True
        device.looks += 1
        self._queue(device)

    def _queue(self, device: Device) -> None:
        if device.is_ready(self._maximum):
            self._ready[device.name] = None

    def _refill(self, device: Device) -> None:
        self._queue(device)
        self._forget_if_idle(device)

    def _forget_if_idle(self, device: Device) -> None:
        if device.is_idle and self._known.pop(device.name, None) is not None:
            del self._of_account[device.account][device.name]
            if not self._of_account[device.account]:
                del self._of_account[device.account]
