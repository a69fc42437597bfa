"""Who runs when: in turns, so that whatever else the machine does meanwhile hits all alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.contenders import Ceiling, Contender
from bench.figures import Load, Turn, middle
from bench.setting import Setting
from bench.turn import turn

#: Parts of the report.
CLOSED, IDLE, OPEN = "closed loop", "idle", "open loop"
#: The idle load: one push each so many seconds, for so many.
_IDLE_PAUSE, _IDLE_SECONDS = 0.2, 5.0
_IDLE_ROUNDS = 2  # at most
_WARM = Load("warm-up", "4 connections", 4, 1.0)
#: A rate above this share of what a contender can do at most is above its capacity.
_NEAR_CAPACITY = 0.9
_PROBE_SECONDS = 2.0
_OPEN_CONNECTIONS = 256


def warm_up(here: Setting) -> None:
    """Let everybody load what it loads first."""
    for contender in here.contenders:
        turn(here, contender, _WARM)


def closed_loop(
    here: Setting, connections: Sequence[int], rounds: int, seconds: float
) -> Iterator[Turn]:
    """Each number of connections, so many rounds; every other round in reverse order.

    The ceiling has no connections: it takes part where the others have the most.
    """
    for number in connections:
        load = closed(number, seconds)
        taking_part = [
            contender
            for contender in here.contenders
            if number == max(connections) or not isinstance(contender, Ceiling)
        ]
        for each in range(rounds):
            for contender in taking_part[:: -1 if each % 2 else 1]:
                yield turn(here, contender, load)


def closed(connections: int, seconds: float, part: str = CLOSED) -> Load:
    """Return a load over so many connections."""
    label = f"{connections} connection{'s' if connections > 1 else ''}"
    return Load(part, label, connections, seconds)


def idle(here: Setting, rounds: int) -> Iterator[Turn]:
    """A push now and then: what it takes until both processes are awake."""
    load = Load(IDLE, "5/s", 1, _IDLE_SECONDS, pause=_IDLE_PAUSE)
    for _ in range(min(rounds, _IDLE_ROUNDS)):
        for contender in _taking_posts(here):
            yield turn(here, contender, load)


def open_loop(
    here: Setting, rates: Sequence[int], rounds: int, seconds: float, done: Sequence[Turn]
) -> Iterator[Turn | str]:
    """Fixed rates. What is above a contender's capacity is skipped: a line says so instead.

    `done` are turns of before, which tell the capacity.
    """
    contenders = _taking_posts(here)
    capacity = {each.name: _capacity(here, each, done) for each in contenders}
    for rate in rates:
        load = Load(OPEN, f"{rate}/s", _OPEN_CONNECTIONS, seconds, rate=rate)
        able = []
        for each in contenders:
            most = capacity[each.name]
            if rate <= most * _NEAR_CAPACITY:
                able.append(each)
            else:
                yield f"{each.name}: {rate}/s skipped, it can do {most:.0f}/s here"
        for number in range(rounds):
            for each in able[:: -1 if number % 2 else 1]:
                yield turn(here, each, load)


def _capacity(here: Setting, contender: Contender, done: Sequence[Turn]) -> float:
    """Return the delivered rate at the most connections, measured now if it was not before."""
    before = [one for one in done if one.contender == contender.name and one.part == CLOSED]
    if before:
        return middle(one.delivered_rate for one in before if one.load == before[-1].load)
    return turn(here, contender, closed(64, _PROBE_SECONDS)).delivered_rate


def _taking_posts(here: Setting) -> list[Contender]:
    return [each for each in here.contenders if not isinstance(each, Ceiling)]
