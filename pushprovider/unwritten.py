"""What the store does not know yet: answers and marks, gathered, then committed together. No I/O.

Under load the commits cost more than all else that the delivery loop does. What a SIGKILL finds in
here is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from pushprovider.models import MessageState
from pushprovider.store.attempts import Answer, Sent, Work

#: Answers are gathered for so long (milliseconds), or until there are so many.
GATHER = 20
ENOUGH = 128


class Unwritten:
    """Gathers for `gather` milliseconds from the first answer on. Times are the loop's."""

    def __init__(self, gather: int) -> None:
        self._gather = gather
        self._until = 0
        self._sent: list[Sent] = []
        self.answers: list[Answer] = []

    def add(self, answers: Sequence[Answer], now: int) -> bool:
        """Keep answers; True if they are the first, or enough: the loop has something to do."""
        first = bool(answers) and not self.answers
        if first:
            self._until = now + self._gather
        self.answers += answers
        return first or len(self.answers) >= ENOUGH

    def due(self) -> int | None:
        """When the answers are to be written; None without any."""
        return self._until if self.answers else None

    def has_enough(self, now: int) -> bool:
        """True if what there is should be written now."""
        return len(self.answers) >= ENOUGH or now >= self._until

    @property
    def is_plain(self) -> bool:
        """True if a look at what waits need not wait until the answers are written.

        It can leave out messages that were delivered. What another answer comes to (again, never,
        not this endpoint) only the store can say. A store that cannot be written ends it, too.
        """
        few = len(self.answers) < ENOUGH
        return few and all(a.state is MessageState.DELIVERED and a.known for a in self.answers)

    def take(self, sent: Sequence[Sent], *, answers: bool) -> Work:
        """Return what to write: these marks and those kept, and the answers if they are asked."""
        work = Work(sent=[*self._sent, *sent])
        self._sent = []
        if answers:
            work.answers, self.answers = self.answers, []
        return work

    def put_back(self, work: Work) -> None:
        """It could not be written.

        Writing an answer twice is harmless; forgetting one would send the message again.
        """
        self.answers[:0] = work.answers
        self._sent[:0] = work.sent
