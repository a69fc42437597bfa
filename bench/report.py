"""What is printed: medians over the rounds, ratios round by round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.figures import Turn, middle, percentile, ratios
from bench.growth import PART as GROWTH
from bench.growth import Growth
from bench.population import PART as REAL_LIFE
from bench.scaling import PART as PROCESSES
from bench.tables import in_order, table
from bench.turns import CLOSED, IDLE, OPEN

Cells = Callable[[list[Turn]], list[str]]

_RATES = ("201/s", "delivered/s", "lost", "twice", "broken", "refused")
_TIMES = ("POST p50", "p95", "p99 ms", "POST-to-phone p50", "p95", "p99 ms")
_CPU = ("http us", "component us", "store us", "prosody us", "phones us", "load us")
_RESIDENT = ("http MB", "component MB", "store MB", "prosody MB")


def text(turns: Sequence[Turn], grown: Sequence[Growth], skipped: Sequence[str]) -> str:
    """Return every table of what was measured."""
    parts = [*_closed(turns), *_idle(turns), *_open(turns, skipped), *_real_life(turns)]
    parts += [*_processes(turns), *_growth(grown)]
    return "\n".join(parts)


def one_line(turn: Turn) -> str:
    """Say that a turn is over."""
    line = (
        f"{turn.contender}, {turn.part}, {turn.load}: {turn.accepted} answered 201, "
        f"{turn.delivered} delivered, {turn.lost} lost, {turn.delivered_rate:.0f}/s"
    )
    refused = (f", {number} answered {status}" for status, number in turn.refused.items())
    return line + "".join(refused)


def baselines(turns: Sequence[Turn]) -> list[str]:
    """Return what others are compared to: mod_unified_push and the ceiling; else the first."""
    names = in_order(turn.contender for turn in turns)
    known = [name for name in names if name.startswith("mod_unified_push") or name == "ceiling"]
    return known or names[:1]


def _closed(turns: Sequence[Turn]) -> Iterator[str]:
    these = [turn for turn in turns if turn.part == CLOSED]
    yield from _table(these, CLOSED, _RATES, _rates)
    yield from _table(these, CLOSED, _TIMES, _times)
    yield from _table(these, "CPU per push", _CPU, _cpu)
    yield from _table(these, "resident", _RESIDENT, _resident)
    yield from _compared(these)


def _compared(turns: Sequence[Turn]) -> Iterator[str]:
    names = in_order(turn.contender for turn in turns)
    for baseline in baselines(turns):
        names.remove(baseline)  # each pair once
        rows = [
            [load, name, f"{middle(each):.2f}", " ".join(f"{ratio:.2f}" for ratio in each)]
            for load in in_order(turn.load for turn in turns)
            for name in names
            if (each := rate_ratios(turns, load, name, baseline))
        ]
        if rows:
            yield table([CLOSED, "", f"delivered/s over {baseline}", "each round"], rows)


def rate_ratios(turns: Sequence[Turn], load: str, one: str, other: str) -> list[float]:
    """Return one contender's delivered rates to another's under a load, round by round."""

    def rates(name: str) -> list[float]:
        return [t.delivered_rate for t in turns if t.load == load and t.contender == name]

    return ratios(rates(one), rates(other))


def _idle(turns: Sequence[Turn]) -> Iterator[str]:
    headings = ("POST p50", "p99 ms", "POST-to-phone p50", "p99 ms", "201-to-phone p50", "p99 ms")
    yield from _table([t for t in turns if t.part == IDLE], IDLE, headings, _idle_times)


def _open(turns: Sequence[Turn], skipped: Sequence[str]) -> Iterator[str]:
    these = [turn for turn in turns if turn.part == OPEN]
    headings = ("201/s", "lost", "refused", *_TIMES, *_CPU[:4])

    def cells(some: list[Turn]) -> list[str]:
        rates = _rates(some)
        return [rates[0], rates[2], rates[5], *_times(some), *_cpu(some)[:4]]

    yield from _table(these, OPEN, headings, cells)
    if skipped:
        yield "\n".join(skipped) + "\n"


def _real_life(turns: Sequence[Turn]) -> Iterator[str]:
    headings = ("posted", "answered 201", "otherwise", "reached their phone", "lost", *_TIMES)

    def cells(some: list[Turn]) -> list[str]:
        posted = sum(turn.posted for turn in some)
        reached = sum(turn.reached for turn in some)
        rates = _rates(some)
        accepted = sum(turn.accepted for turn in some)
        share = f"{reached / max(posted, 1):.2%}"
        return [str(posted), str(accepted), rates[5], share, rates[2], *_times(some)]

    yield from _table([t for t in turns if t.part == REAL_LIFE], REAL_LIFE, headings, cells)


def _processes(turns: Sequence[Turn]) -> Iterator[str]:
    these = [turn for turn in turns if turn.part == PROCESSES]
    headings = (*_RATES[:3], *_TIMES, *_CPU[:4], *_RESIDENT[:3])

    def cells(some: list[Turn]) -> list[str]:
        return [*_rates(some)[:3], *_times(some), *_cpu(some)[:4], *_resident(some)[:3]]

    yield from _table(these, PROCESSES, headings, cells)
    one: dict[str, str] = {}  # by edition: with the fewest processes
    for name in in_order(turn.contender for turn in these):
        first = one.setdefault(name.partition(" x")[0], name)
        if name != first:
            each = rate_ratios(these, these[0].load, name, first)
            yield f"{name}: {middle(each):.2f} times {first} (delivered/s)\n"


def _growth(grown: Sequence[Growth]) -> Iterator[str]:
    if not grown:
        return
    headings = [GROWTH, "rows", "CPU ratio", "POST p50", "p99", "to phone p50", "p99", "lost"]
    rows = [
        [one.what, f"{one.rows:,}"]
        + [f"{ratio:.2f}" for ratio in (one.cpu, one.post_p50, one.post_p99)]
        + [f"{one.phone_p50:.2f}", f"{one.phone_p99:.2f}", str(one.lost)]
        for one in grown
    ]
    yield table(headings, rows)
    headings = [GROWTH, "rows", "http start s", "component s", "first push s", "(empty)"]
    headings += ["http MB", "(empty)", "component MB", "(empty)", "file MB", "filled in s"]
    rows = []
    for one in grown:
        row = [one.what, f"{one.rows:,}"]
        row += [f"{one.start.http:.1f}", f"{one.start.component:.1f}"]
        for start in (one.start, one.empty_start):
            row.append("never" if start.first_push is None else f"{start.first_push:.1f}")
        for name in ("http", "component"):
            row += [f"{one.resident_mb[name]:.0f}", f"{one.empty_resident_mb[name]:.0f}"]
        rows.append([*row, f"{one.file_mb:.0f}", f"{one.fill_seconds:.0f}"])
    yield table(headings, rows)


def _table(
    turns: Sequence[Turn], title: str, headings: Sequence[str], cells: Cells
) -> Iterator[str]:
    pairs = in_order((turn.load, turn.contender) for turn in turns)
    rows = [
        [load, name, *cells([t for t in turns if (t.load, t.contender) == (load, name)])]
        for load, name in pairs
    ]
    if rows:
        yield table([title, "", *headings], rows)


def _rates(turns: list[Turn]) -> list[str]:
    return [
        f"{middle(t.accepted_rate for t in turns):.0f}",
        f"{middle(t.delivered_rate for t in turns):.0f}",
        *(str(sum(getattr(t, name) for t in turns)) for name in ("lost", "twice", "broken")),
        str(sum(sum(t.refused.values()) for t in turns)),
    ]


def _times(turns: list[Turn]) -> list[str]:
    post = sorted(ms for t in turns for ms in t.post_ms)
    phone = sorted(ms for t in turns for ms in t.phone_ms)
    return [f"{percentile(times, p):.1f}" for times in (post, phone) for p in (50, 95, 99)]


def _idle_times(turns: list[Turn]) -> list[str]:
    every = (
        sorted(ms for t in turns for ms in t.post_ms),
        sorted(ms for t in turns for ms in t.phone_ms),
        sorted(ms for t in turns for ms in t.after_ms),
    )
    return [f"{percentile(times, p):.1f}" for times in every for p in (50, 99)]


def _cpu(turns: list[Turn]) -> list[str]:
    return [
        f"{middle(t.cpu_us[name] for t in turns):.0f}" if name in turns[0].cpu_us else "-"
        for name in (heading.split()[0] for heading in _CPU)
    ]


def _resident(turns: list[Turn]) -> list[str]:
    return [
        f"{max(t.resident_kb[name] for t in turns) / 1024:.0f}"
        if name in turns[0].resident_kb
        else "-"
        for name in (heading.split()[0] for heading in _RESIDENT)
    ]
