"""Finding the one message that makes the server close our stream. No I/O.

A stanza that the server refuses (too big for its limit, say) ends the stream for everybody, and
would end it again after every reconnect. So after such an end one message at a time is written,
each followed by a ping to ourselves: if the stream ends again, that message is the one.
"""

from __future__ import annotations

from pushprovider.store.attempts import Claimed

#: Messages written one at a time beyond those that were under suspicion.
MARGIN = 16

#: Stream errors (RFC 6120 section 4.9.3) that speak of what we wrote, not of the server's state.
OUR_FAULT = frozenset(
    {
        "bad-format",
        "bad-namespace-prefix",
        "improper-addressing",
        "invalid-from",
        "invalid-namespace",
        "invalid-xml",
        "not-well-formed",
        "policy-violation",
        "restricted-xml",
        "unsupported-encoding",
        "unsupported-stanza-type",
    }
)


class Care:
    """Whether to write one at a time, and which message is being tried."""

    def __init__(self) -> None:
        self._left = 0
        self._tried: Claimed | None = None
        self._ping = ""  # the id of the one that follows it

    @property
    def waits(self) -> bool:
        """True while a message is being tried: nothing else may be written."""
        return self._tried is not None

    def wrote(self, message: Claimed) -> bool:
        """A message was written. True if it must be followed by a ping."""
        if self._left:
            self._tried = message
        return self._tried is not None

    def followed_by(self, ping: str) -> None:
        """The ping with this id was written after it."""
        self._ping = ping

    def proven(self, ping: str) -> None:
        """A ping came back. If it is the one that followed, the message was taken."""
        if self._tried is not None and ping == self._ping:
            self._tried = None
            self._left -= 1

    def link_lost(self) -> None:
        """The link went down for another reason: the message is tried again later."""
        self._tried = None

    def poisoned(self, suspects: int) -> Claimed | None:
        """The stream was ended because of what we wrote. Return the culprit, if it is known."""
        guilty, self._tried = self._tried, None
        self._left = suspects + MARGIN
        return guilty
