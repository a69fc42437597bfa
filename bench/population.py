"""Real life: many phones that answer after a while, some of them offline, some asleep.

While an application server posts to all of them at a steady rate, the first phones are offline
(logged out) and the next asleep (no network, but the session is kept, XEP-0198). Then they come
back. What matters is how many messages reach their phone in the end, and how long a POST takes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bench.contenders import Contender, Edition
from bench.figures import Load, Turn
from bench.setting import Setting, Wishes, setting
from bench.turn import turn

PART = "real life"
OFFLINE, ASLEEP = 0.10, 0.05
#: Seconds until a phone answers.
DELAY = 0.1
#: The load may open this many connections: a POST that waits for its phone holds one.
_CONNECTIONS = 900


def real_life(
    folder: Path,
    editions: list[Edition],
    peers: list[str],
    *,
    phones: int,
    rate: float,
    seconds: float,
) -> Iterator[Turn]:
    """Yield one turn of each contender."""
    wishes = Wishes(editions, peers, phones=phones, delay=DELAY, managed=True)
    with setting(folder, wishes) as here:
        for contender in here.contenders:
            turn(here, contender, Load("warm-up", "", 16, 1.0))
        for contender in here.contenders:
            yield lived(here, contender, phones, rate, seconds)


def lived(here: Setting, contender: Contender, phones: int, rate: float, seconds: float) -> Turn:
    """Return the turn of one contender; all phones are online before and after."""
    load = Load(PART, f"{rate:g}/s to {phones} phones", _CONNECTIONS, seconds, rate=rate)
    offline, asleep = _shares(phones)
    here.phones.ask(do="leave", last=offline, sleep=False)
    here.phones.ask(do="leave", first=offline, last=offline + asleep, sleep=True)

    def come_back() -> None:
        time.sleep(seconds)
        _come_back(here, offline, asleep)

    return turn(here, contender, load, come_back)


def _shares(phones: int) -> tuple[int, int]:
    return round(phones * OFFLINE), round(phones * ASLEEP)


def _come_back(here: Setting, offline: int, asleep: int) -> None:
    here.phones.ask(do="resume", first=offline, last=offline + asleep)
    here.phones.ask(do="come", last=offline)
