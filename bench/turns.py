"""Who runs when: in turns, so that whatever else the machine does meanwhile hits all alike.

Loads to come (fixed rates, populations, growth) are further functions beside these two: each
yields turns.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Turn
from bench.setting import Setting
from bench.turn import turn

_WARM_SECONDS = 1.0
#: The idle load: one push each so many seconds, for so many.
_IDLE_PAUSE, _IDLE_SECONDS = 0.2, 5.0
_IDLE_ROUNDS = 2  # at most
IDLE = 0  # in place of the number of connections


def closed_loop(
    here: Setting, connections: list[int], rounds: int, seconds: float
) -> Iterator[Turn]:
    """Each number of connections, so many rounds; every other round in reverse order."""
    for contender in here.contenders:
        turn(here, contender, 4, _WARM_SECONDS)
    for number in connections:
        for each in range(rounds):
            order = here.contenders[:: -1 if each % 2 else 1]
            for contender in order:
                yield turn(here, contender, number, seconds)


def idle(here: Setting, rounds: int) -> Iterator[Turn]:
    """A push now and then: what it takes until both processes are awake."""
    for _ in range(min(rounds, _IDLE_ROUNDS)):
        for contender in here.contenders:
            one = turn(here, contender, 1, _IDLE_SECONDS, _IDLE_PAUSE)
            yield Turn(**{**vars(one), "connections": IDLE})
