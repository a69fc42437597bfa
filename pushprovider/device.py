"""What is known of one device, and what an event makes of it by rules.TABLE. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from pushprovider import rules
from pushprovider.rules import Event, Flight, State, Timer


@dataclass(slots=True)
class InFlight:
    """One attempt without an answer. `sent_at` is for the store, `since` on the rules' clock."""

    id: int
    uid: str
    ttl: int
    sent_at: int
    since: int
    before: tuple[str, ...] = ()  # full JIDs that were asked earlier, and may answer yet


@dataclass(slots=True)
class Device:
    """A full JID and what we believe of it."""

    name: str
    state: State = State.OPEN
    in_flight: dict[str, InFlight] = field(default_factory=dict)  # oldest first
    backlog: bool = False  # something may wait in the store
    looks: int = 0  # how often backlog was set
    failures: int = 0  # in a row
    timer: Event | None = None
    due: int = 0
    grace_from: int = 0  # what was sent up to then is dead when the timer fires

    def free(self, maximum: int) -> int:
        """Return how many more messages may be in flight."""
        return rules.window(self.state, maximum) - len(self.in_flight)

    def is_ready(self, maximum: int) -> bool:
        """True if it is time to look into the store.

        Half the window must be free: one look then brings several messages.
        """
        free = self.free(maximum)
        return self.backlog and free > 0 and free * 2 >= rules.window(self.state, maximum)

    @property
    def account(self) -> str:
        """The bare JID."""
        return self.name.partition("/")[0]

    @property
    def is_in_grace(self) -> bool:
        """True while late answers to what was sent before are waited for."""
        return self.timer is Event.GRACE_OVER

    @property
    def is_idle(self) -> bool:
        """True if there is nothing to remember."""
        return not self.in_flight and not self.backlog and self.timer is None

    def probe(self) -> None:
        """Nothing is unanswered, and nobody knows how it is: one message will tell."""
        self.state, self.timer = State.PROBING, None

    def happen(self, event: Event, now: int, *, ack_timeout: int, crossing: bool) -> list[InFlight]:
        """Apply the table's rule; return what was in flight and is lost.

        `crossing`: this end of a session may be the one before the latest (rules.is_crossing).
        """
        rule = rules.TABLE[self.state, event]
        if event is Event.ERROR and self.state is not State.HELD:
            self.failures += 1
        if event in (Event.RESULT, Event.AVAILABLE, Event.GRACE_OVER):
            self.failures = 0
        lost = self._lost(rule.flight, event, now, ack_timeout)
        for one in lost:
            del self.in_flight[one.uid]
        if rule.then is State.HELD and self.state is not State.HELD:
            self.grace_from = -1  # an error tells nothing of the others: a server may hold them
        if event is Event.UNAVAILABLE:
            self.grace_from = now
        self.state = rule.then
        self._set_timer(Timer.CROSSING if crossing else rule.timer, now)
        return lost

    def _lost(self, flight: Flight, event: Event, now: int, ack_timeout: int) -> list[InFlight]:
        if flight is Flight.KEEP:
            return []
        before = now - rules.JUST_SENT
        if flight is Flight.REQUEUE_OLD:
            before = now - ack_timeout if event is Event.ACK_TIMEOUT else self.grace_from
        return [one for one in self.in_flight.values() if one.since <= before]

    def _set_timer(self, timer: Timer, now: int) -> None:
        if timer is Timer.KEEP or (timer is Timer.STOP_RETRY and self.is_in_grace):
            return
        if timer in (Timer.STOP, Timer.STOP_RETRY) or (
            timer is Timer.SESSION_GRACE and not self.in_flight
        ):
            self.timer = None
            return
        if timer is Timer.RETRY:
            self.timer = Event.RETRY_DUE
            delay = rules.spread(rules.retry_delay(self.failures), self.name)
        elif timer is Timer.CROSSING:
            self.timer, delay = Event.RETRY_DUE, rules.REGISTER_GRACE
        else:
            self.timer, self.grace_from = Event.GRACE_OVER, now
            link = timer is Timer.LINK_GRACE
            delay = rules.LINK_GRACE if link else rules.REGISTER_GRACE
        self.due = now + delay
