"""Growth: what a full store costs against an empty one, side by side, in turns.

Each level is a store filled before its processes start (fill.py), beside an empty one that runs
in the same Prosody, with the same phones. Both are pushed to in turns; a ratio is taken round by
round. Start-up is measured with the store as full as it gets.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import fill, usage
from bench.contenders import Edition, Product
from bench.figures import Load, Turn, middle, percentile, ratios
from bench.setting import Setting, Wishes, setting
from bench.turn import turn
from bench.turns import closed

PART = "growth"
#: What grows, how it is filled, and how far, at scale 1.
LEVELS: dict[str, tuple[Callable[[Path, int], None], tuple[int, ...]]] = {
    "registrations": (fill.registrations, (1_000, 100_000, 1_000_000)),
    "waiting messages": (fill.waiting, (100_000, 1_000_000)),
    "message log": (fill.log, (1_000_000, 10_000_000)),
}
_CONNECTIONS = 16
_EMPTY_JID, _FULL_JID = "empty.localhost", "full.localhost"
#: A component that has found a backlog tries each of its devices once: that is not the cost of a
#: push. It is quiet when it uses less than this share of a core, or when this long has passed.
_QUIET_SHARE, _QUIET_SECONDS = 0.05, 90.0


@dataclass(frozen=True)
class Start:
    """How long it took from the start of a process until it was ready, in seconds."""

    http: float
    component: float
    #: From the start of both until a push reached its phone; None if it never did.
    first_push: float | None


@dataclass(frozen=True)
class Growth:
    """One level: ratios to the empty store (medians over the rounds), and what it is to start."""

    what: str
    rows: int
    cpu: float
    post_p50: float
    post_p99: float
    phone_p50: float
    phone_p99: float
    cpu_rounds: list[float]
    start: Start
    empty_start: Start
    resident_mb: dict[str, float]
    empty_resident_mb: dict[str, float]
    lost: int
    file_mb: float
    fill_seconds: float


def levels(scale: float = 1.0, most: int = 0) -> list[tuple[str, int]]:
    """Return what grows and how far; every number times `scale`, `most` of each (0: all)."""
    return [
        (what, max(round(rows * scale), 1))
        for what, (_, numbers) in LEVELS.items()
        for rows in numbers[-most:]
    ]


def growth(
    folder: Path, wanted: Sequence[tuple[str, int]], *, rounds: int, seconds: float
) -> Iterator[Turn | Growth]:
    """Measure each level; yield its turns, then what they come to."""
    wishes = Wishes(components=[_EMPTY_JID, _FULL_JID])
    with setting(folder, wishes) as here:
        for what, rows in wanted:
            yield from _level(here, what, rows, rounds, seconds)


def _level(
    here: Setting, what: str, rows: int, rounds: int, seconds: float
) -> Iterator[Turn | Growth]:
    filling = Filling(LEVELS[what][0], rows)
    name = f"{what} {rows:,}"
    folder = here.folder / "full"
    make = partial(Product, prosody=here.prosody, edition=Edition())
    empty = make(here.folder / "empty", jid=_EMPTY_JID, name="empty")
    full = make(folder, jid=_FULL_JID, name=name, fill=filling)
    both = [empty, full]
    try:
        for one in both:
            here.add(one)
        starts = {one.name: _start_up(here, one) for one in both}
        for one in both:
            _until_quiet(one)
            turn(here, one, Load("warm-up", "", 4, 1.0))
        load = closed(_CONNECTIONS, seconds, PART)
        done: list[Turn] = []
        for number in range(rounds):
            for one in both[:: -1 if number % 2 else 1]:
                done.append(turn(here, one, load))
                yield done[-1]
        yield reckon(what, rows, done, starts, filling)
    finally:
        for one in both:
            one.close()
            here.contenders.remove(one)
            shutil.rmtree(one.folder)


class Filling:
    """Fills a store and notes how long that took and how large it is."""

    def __init__(self, fill_it: Callable[[Path, int], None], rows: int) -> None:
        self._fill = fill_it
        self._rows = rows
        self.seconds = 0.0
        self.megabytes = 0.0

    def __call__(self, file: Path) -> None:
        begin = time.monotonic()
        self._fill(file, self._rows)
        self.seconds = time.monotonic() - begin
        self.megabytes = file.stat().st_size / 1e6


def _start_up(here: Setting, product: Product) -> Start:
    """Stop and start both processes; return how long each took."""
    product.stop_processes()
    begin = time.monotonic()
    took = product.start_processes()
    ready = time.monotonic()
    one = turn(here, product, Load("start", "one push", 1, 1.0, rate=1.0))
    first = ready - begin + one.phone_ms[0] / 1000 if one.phone_ms else None
    return Start(took["http"], took["component"], first)


def _until_quiet(product: Product) -> None:
    pids = [pid for pids in product.processes().values() for pid in pids]
    until = time.monotonic() + _QUIET_SECONDS
    share = 1.0
    while share > _QUIET_SHARE and time.monotonic() < until:
        before = sum(map(usage.cpu_us, pids))
        time.sleep(1)
        share = (sum(map(usage.cpu_us, pids)) - before) / 1e6


def reckon(
    what: str,
    rows: int,
    done: Sequence[Turn],
    starts: dict[str, Start],
    filling: Filling,
) -> Growth:
    """Hold the turns of two contenders against each other: the first of `starts` is the empty."""
    empty, full = ([one for one in done if one.contender == name] for name in starts)
    empty_start, start = starts.values()

    def ratio(of: Callable[[Turn], float]) -> list[float]:
        return ratios(map(of, full), map(of, empty))

    cpu = ratio(lambda one: one.own_cpu_us)
    return Growth(
        what=what,
        rows=rows,
        cpu=middle(cpu),
        post_p50=middle(ratio(lambda one: percentile(one.post_ms, 50))),
        post_p99=middle(ratio(lambda one: percentile(one.post_ms, 99))),
        phone_p50=middle(ratio(lambda one: percentile(one.phone_ms, 50))),
        phone_p99=middle(ratio(lambda one: percentile(one.phone_ms, 99))),
        cpu_rounds=cpu,
        start=start,
        empty_start=empty_start,
        resident_mb=_resident_mb(full),
        empty_resident_mb=_resident_mb(empty),
        lost=sum(one.lost for one in done),
        file_mb=filling.megabytes,
        fill_seconds=filling.seconds,
    )


def _resident_mb(turns: Sequence[Turn]) -> dict[str, float]:
    last = turns[-1].resident_kb
    return {name: last[name] / 1024 for name in ("http", "component")}
