"""From records to figures. Pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.wire import Record

CREATED = 201
#: Of every turn's times these percentiles are kept; the first three of the big steps are printed.
PERCENTS = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0)


@dataclass(frozen=True)
class Load:
    """What is done to a contender in one turn."""

    part: str  # of the report: "closed loop", "idle", ...
    label: str  # "64 connections", "200/s", ...
    connections: int  # at most
    seconds: float
    pause: float = 0.0  # closed loop: between an answer and the next push of its connection
    rate: float = 0.0  # open loop: pushes a second; 0: closed loop


@dataclass(frozen=True)
class Turn:
    """One contender under one load, once. Times in milliseconds, sorted."""

    contender: str
    part: str
    load: str
    posted: int
    accepted: int  # answered 201
    refused: dict[int, int]  # answered otherwise, by status; 0 is not at all
    accepted_rate: float  # a second
    delivered: int  # answered 201 and received
    delivered_rate: float  # a second, from the first POST to the last receipt
    reached: int  # posted and received, whatever the answer was
    lost: int  # answered 201, not received
    twice: int  # received more than once
    broken: int  # received, but not byte for byte
    unasked: int  # received, not answered 201: allowed, the answer may have been lost
    post_ms: Sequence[float]
    phone_ms: Sequence[float]  # from POST to phone
    after_ms: Sequence[float]  # from the 201 to the phone; below 0 if the phone was first
    cpu_us: dict[str, float]  # a delivered push, by process
    resident_kb: dict[str, int]

    @property
    def own_cpu_us(self) -> float:
        """Return the CPU of the contender's own processes for a delivered push."""
        return sum(self.cpu_us.get(name, 0.0) for name in ("http", "component", "store"))


def reckon(
    contender: str,
    load: Load,
    posts: Sequence[Record],
    receipts: Sequence[Record],
    cpu: dict[str, int],
    resident: dict[str, int],
) -> Turn:
    """Hold what was answered against what was received."""
    accepted = {number: answered for number, _, answered, status in posts if status == CREATED}
    received: dict[int, int] = {}
    for number, _, at, _ in receipts:
        received.setdefault(number, at)
    both = accepted.keys() & received.keys()
    first = min((sent for _, sent, _, _ in posts), default=0)
    sent_at = {number: sent for number, sent, _, _ in posts}
    return Turn(
        contender=contender,
        part=load.part,
        load=load.label,
        posted=len(posts),
        accepted=len(accepted),
        refused=Counter(status for _, _, _, status in posts if status != CREATED),
        accepted_rate=_rate(len(accepted), first, accepted.values()),
        delivered=len(both),
        delivered_rate=_rate(len(both), first, (received[number] for number in both)),
        reached=len(sent_at.keys() & received.keys()),
        lost=len(accepted.keys() - received.keys()),
        twice=len(receipts) - len(received),
        broken=sum(not intact for _, _, _, intact in receipts),
        unasked=len(received.keys() - accepted.keys()),
        post_ms=sorted((accepted[number] - sent_at[number]) / 1e6 for number in accepted),
        phone_ms=sorted((received[number] - sent_at[number]) / 1e6 for number in both),
        after_ms=sorted((received[number] - accepted[number]) / 1e6 for number in both),
        cpu_us={name: spent / max(len(both), 1) for name, spent in cpu.items()},
        resident_kb=resident,
    )


def _rate(count: int, first: int, times: Iterable[int]) -> float:
    last = max(times, default=first)
    return count / ((last - first) / 1e9) if last > first else 0.0


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile of sorted values (nearest rank); 0 of none."""
    if not ordered:
        return 0.0
    # Rounded first: 99.9 % of 1000 must not become the 1000th for the last bit of a float.
    rank = math.ceil(round(len(ordered) * percent / 100, 6))
    return ordered[max(rank, 1) - 1]


def middle(values: Iterable[float]) -> float:
    """Return the median; 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def ratios(ones: Iterable[float], others: Iterable[float]) -> list[float]:
    """Return one to the other, round by round, as far as both go and the other is not 0."""
    return [one / other for one, other in zip(ones, others, strict=False) if other]
