"""How long to wait before the next try: 1 to 10 seconds, with jitter. Never a tight loop."""

from __future__ import annotations

import random

FIRST = 1.0
LAST = 10.0


class Backoff:
    """Doubles from FIRST to LAST; starts anew after success()."""

    def __init__(self) -> None:
        self._next = FIRST

    def success(self) -> None:
        """It worked: the next delay is FIRST."""
        self._next = FIRST

    def delay(self) -> float:
        """Return the seconds to wait now. Jitter keeps many from trying at the same moment."""
        delay, self._next = self._next, min(self._next * 2, LAST)
        return delay * random.uniform(0.8, 1.2)  # noqa: S311  # no secret
