"""What is printed, and what goes into the file: medians over the rounds, ratios round by round."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from bench.figures import Turn, middle, percentile
from bench.turns import IDLE

T = TypeVar("T")

_RATES = ("201/s", "delivered/s", "lost", "twice", "broken", "refused")
_TIMES = ("POST p50", "p95", "p99 ms", "POST-to-phone p50", "p95", "p99 ms")


def print_all(turns: Sequence[Turn], baseline: str) -> None:
    """Print every table; ratios are to `baseline`."""
    loads = [load for load in _in_order(turn.connections for turn in turns) if load != IDLE]
    names = _in_order(turn.contender for turn in turns)
    _table("connections", _RATES, loads, names, turns, _rates)
    _table("connections", _TIMES, loads, names, turns, _times)
    processes = ("http", "component", "prosody", "phones", "load")
    headings = [f"{name} us" for name in processes]
    _table("CPU per push", headings, loads, names, turns, lambda t: _cpu(t, processes))
    headings = [f"{name} MB" for name in processes[:3]]
    _table("resident", headings, loads, names, turns, lambda t: _resident(t, processes[:3]))
    if len(names) > 1:
        headings = [f"delivered/s over {baseline}", "each round"]
        others = [name for name in names if name != baseline]
        _table("connections", headings, loads, others, turns, lambda t: _ratios(t, turns, baseline))
    idle = ("POST p50", "p99 ms", "POST-to-phone p50", "p99 ms", "201-to-phone p50", "p99 ms")
    _table("idle, 5 a second", idle, [IDLE], names, turns, _idle)


def write_json(path: Path, about: dict[str, Any], turns: Sequence[Turn]) -> None:
    """Keep every turn, with percentiles in place of single times."""
    rows = []
    for turn in turns:
        row = asdict(turn)
        for name in ("post_ms", "phone_ms", "after_ms"):
            row[name] = {f"p{p}": round(percentile(row[name], p), 3) for p in (50, 95, 99, 100)}
        rows.append(row)
    path.write_text(json.dumps({"about": about, "turns": rows}, indent=1) + "\n", encoding="utf-8")


def one_line(turn: Turn) -> str:
    """Say that a turn is over."""
    load = "idle" if turn.connections == IDLE else f"{turn.connections} connections"
    line = (
        f"{turn.contender}, {load}: {turn.accepted} answered 201, {turn.delivered} delivered, "
        f"{turn.lost} lost, {turn.delivered_rate:.0f}/s"
    )
    refused = (f", {number} answered {status}" for status, number in turn.refused.items())
    return line + "".join(refused)


def _table(
    title: str,
    headings: Sequence[str],
    loads: Sequence[int],
    names: Sequence[str],
    turns: Sequence[Turn],
    cells: Callable[[list[Turn]], list[str]],
) -> None:
    rows = [["" if loads == [IDLE] else title, title if loads == [IDLE] else "", *headings]]
    for load in loads:
        for name in names:
            these = [t for t in turns if t.connections == load and t.contender == name]
            if these:
                rows.append([str(load) if load != IDLE else "", name, *cells(these)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


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


def _idle(turns: list[Turn]) -> list[str]:
    each = [sorted(ms for t in turns for ms in times(t)) for times in (_post, _phone, _after)]
    return [f"{percentile(times, p):.1f}" for times in each for p in (50, 99)]


def _post(turn: Turn) -> Sequence[float]:
    return turn.post_ms


def _phone(turn: Turn) -> Sequence[float]:
    return turn.phone_ms


def _after(turn: Turn) -> Sequence[float]:
    return turn.after_ms


def _cpu(turns: list[Turn], processes: Sequence[str]) -> list[str]:
    return [
        f"{middle(t.cpu_us[name] for t in turns):.0f}" if name in turns[0].cpu_us else "-"
        for name in processes
    ]


def _resident(turns: list[Turn], processes: Sequence[str]) -> list[str]:
    return [
        f"{max(t.resident_kb[name] for t in turns) / 1024:.0f}"
        if name in turns[0].resident_kb
        else "-"
        for name in processes
    ]


def _ratios(turns: list[Turn], everyone: Sequence[Turn], baseline: str) -> list[str]:
    load = turns[0].connections
    others = [t for t in everyone if t.contender == baseline and t.connections == load]
    ratios = [
        one.delivered_rate / other.delivered_rate
        for one, other in zip(turns, others, strict=False)
        if other.delivered_rate
    ]
    return [f"{middle(ratios):.2f}", " ".join(f"{ratio:.2f}" for ratio in ratios)]


def _in_order(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
