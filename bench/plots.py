"""Which plots are made of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bench import svg
from bench.figures import PERCENTS, Turn, middle, percentile
from bench.growth import Growth
from bench.population import PART as REAL_LIFE
from bench.scaling import PART as PROCESSES
from bench.tables import in_order
from bench.turns import CLOSED, OPEN

#: The goal of growth: a dashed line.
_MOST = 1.2


def all_of(turns: Sequence[Turn], grown: Sequence[Growth]) -> dict[str, str]:
    """Return the plots as SVG, by the names of their files."""
    made: dict[str, str] = {}
    for part, name in ((CLOSED, "delivered"), (PROCESSES, "processes")):
        if some := [_by_processes(turn) for turn in turns if turn.part == part]:
            made[f"{name}.svg"] = _bars(some, "Delivered per second", _rate, "1/s")
            made[f"{name}-cpu.svg"] = _bars(
                some, "CPU per push of all processes, Prosody included", _cpu, "us"
            )
    for part, name in ((OPEN, "open"), (REAL_LIFE, "real-life")):
        some = [turn for turn in turns if turn.part == part]
        for load in in_order(turn.load for turn in some):
            under = [turn for turn in some if turn.load == load]
            rate = load.partition("/s")[0]
            made[f"{name}-{rate}-post.svg"] = _curves(under, f"POST, {load}", _post)
            made[f"{name}-{rate}-phone.svg"] = _curves(under, f"POST to phone, {load}", _phone)
    if grown:
        made["growth.svg"] = _growth(grown)
    return made


def _by_processes(turn: Turn) -> Turn:
    """Return a turn of several HTTP processes as its server's under another load; others as is."""
    if turn.part != PROCESSES:
        return turn
    server, _, number = turn.contender.partition(" x")
    return replace(turn, contender=server, load=f"{number or 1} x HTTP, {turn.load}")


def _bars(turns: Sequence[Turn], title: str, value: Callable[[Turn], float], unit: str) -> str:
    loads = in_order(turn.load for turn in turns)
    series: dict[str, list[float | None]] = {}
    for name in in_order(turn.contender for turn in turns):
        series[name] = []
        for load in loads:
            these = [turn for turn in turns if turn.contender == name and turn.load == load]
            series[name].append(middle(map(value, these)) if these else None)
    return svg.bars(title, loads, series, unit)


def _curves(turns: Sequence[Turn], title: str, times: Callable[[Turn], Sequence[float]]) -> str:
    series = {}
    for name in in_order(turn.contender for turn in turns):
        every = sorted(ms for turn in turns if turn.contender == name for ms in times(turn))
        series[name] = [percentile(every, percent) if every else None for percent in PERCENTS]
    steps = [f"p{percent:g}" for percent in PERCENTS]
    return svg.lines(title, steps, series, "ms", logarithmic=True)


def _growth(grown: Sequence[Growth]) -> str:
    rows = sorted({one.rows for one in grown})
    series = {}
    for what in in_order(one.what for one in grown):
        for title, of in (("CPU", _cpu_ratio), ("POST p50", _post_ratio)):
            by_rows = {one.rows: of(one) for one in grown if one.what == what}
            series[f"{title}, {what}"] = [1.0, *(by_rows.get(number) for number in rows)]
    title = "Cost of a push beside so many rows, to the cost with an empty store"
    steps = ["empty", *(f"{number:,}" for number in rows)]
    return svg.lines(title, steps, series, "times", limit=_MOST)


def _rate(turn: Turn) -> float:
    return turn.delivered_rate


def _cpu(turn: Turn) -> float:
    return turn.own_cpu_us + turn.cpu_us["prosody"]


def _post(turn: Turn) -> Sequence[float]:
    return turn.post_ms


def _phone(turn: Turn) -> Sequence[float]:
    return turn.phone_ms


def _cpu_ratio(one: Growth) -> float:
    return one.cpu


def _post_ratio(one: Growth) -> float:
    return one.post_p50
