"""Several HTTP processes over one store: what each added one brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.contenders import Edition
from bench.figures import Turn
from bench.setting import Wishes, setting
from bench.turn import turn
from bench.turns import closed, warm_up

PART = "processes"
CONNECTIONS = 64


def scaling(
    folder: Path,
    editions: Sequence[Edition],
    numbers: Sequence[int],
    *,
    phones: int,
    rounds: int,
    seconds: float,
) -> Iterator[Turn]:
    """Run each number of processes in turns, each with a store of its own."""
    every = [replace(edition, processes=number) for edition in editions for number in numbers]
    load = closed(CONNECTIONS, seconds, PART)
    with setting(folder, Wishes(every, phones=phones)) as here:
        warm_up(here)
        for each in range(rounds):
            for contender in here.contenders[:: -1 if each % 2 else 1]:
                yield turn(here, contender, load)
