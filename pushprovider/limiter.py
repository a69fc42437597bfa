"""Rate limits by the receiver, never by the sender's address: one Mastodon serves many.

A generic cell rate algorithm: one number per key, the theoretical arrival time of the next
message. Each process keeps its own; with several daphne processes each allows the full rate.
"""

from __future__ import annotations

import math

from upconfig.env import Rate

#: Milliseconds: a clock that goes back by less was only trimmed.
_SET_BACK = 1000
#: Keys after which those with a full bucket are forgotten.
_SWEEP_AT = 10_000


class Limiter:
    """Allows `rate` for each key. Times in milliseconds since 1970."""

    def __init__(self, rate: Rate | None) -> None:
        self._interval = 1000 / rate.per_second if rate else 0.0
        self._slack = self._interval * (rate.burst - 1) if rate else 0.0
        self._next: dict[int, float] = {}
        self._sweep_at = _SWEEP_AT

    def wait(self, key: int, now: int) -> int:
        """Return 0 if one more is allowed now, else the whole seconds until it would be."""
        early = self._arrival(key, now) - now - self._slack
        return math.ceil(early / 1000) if early > 0 else 0

    def take(self, key: int, now: int) -> None:
        """Count one for the key."""
        if self._interval:
            self._next[key] = self._arrival(key, now) + self._interval
            if len(self._next) > self._sweep_at:
                self._sweep(now)

    def give_back(self, key: int) -> None:
        """Forget that one was counted."""
        if key in self._next:
            self._next[key] -= self._interval

    def _arrival(self, key: int, now: int) -> float:
        """Return when the key's next message is due.

        A full burst makes it no later than `latest`. What is later was counted before the clock
        was set back, and must not count for hours.
        """
        latest = now + self._slack + self._interval
        arrival = max(self._next.get(key, now), now)
        return now if arrival > latest + _SET_BACK else min(arrival, latest)

    def _sweep(self, now: int) -> None:
        self._next = {key: at for key, at in self._next.items() if at > now}
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._next))
