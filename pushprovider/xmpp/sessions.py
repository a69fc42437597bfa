"""The open forms of ad-hoc commands (XEP-0050 section 3.3), and what refuses a request."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

#: Seconds for which a form may be filled in, and how many may be open or remembered.
SESSION_TTL = 600.0
SESSIONS = 1000


class Refused(Exception):
    """The request gets this stanza error; `special` is section 4.4's own condition."""

    def __init__(self, kind: str, condition: str, text: str, special: str = "") -> None:
        super().__init__(text)
        self.kind, self.condition, self.text, self.special = kind, condition, text, special


@dataclass(slots=True)
class Session:
    """A form that was sent and is to be filled in by the same device."""

    sender: str
    node: str
    until: float
    is_over: bool = False


class Sessions:
    """Kept in memory: they end with the process, and only so many are remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, Session] = {}

    def open(self, sender: str, node: str, *, is_over: bool = False) -> str:
        """Return the id of a new one; a command of one page is over at once."""
        name = secrets.token_urlsafe(12)
        self._known[name] = Session(sender, node, self._clock() + SESSION_TTL, is_over)
        while len(self._known) > SESSIONS:
            del self._known[next(iter(self._known))]
        return name

    def find(self, name: str, sender: str, node: str) -> Session:
        """Return the sender's open session of this command. Raises Refused."""
        found = self._known.get(name)
        if found is None or (found.sender, found.node) != (sender, node):
            raise Refused("modify", "bad-request", "There is no such session.", "bad-sessionid")
        if found.is_over or self._clock() > found.until:
            raise Refused("cancel", "not-allowed", "This session is over.", "session-expired")
        return found
