"""From records to figures. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.wire import Record

CREATED = 201


@dataclass(frozen=True)
class Turn:
    """One contender under one load, once. Times in milliseconds, sorted."""

    contender: str
    connections: int
    accepted: int  # answered 201
    refused: dict[int, int]  # answered otherwise, by status; 0 is not at all
    accepted_rate: float  # a second
    delivered: int  # answered 201 and received
    delivered_rate: float  # a second, from the first POST to the last receipt
    lost: int  # answered 201, not received
    twice: int  # received more than once
    broken: int  # received, but not byte for byte
    unasked: int  # received, not answered 201: allowed, the answer may have been lost
    post_ms: Sequence[float]
    phone_ms: Sequence[float]  # from POST to phone
    after_ms: Sequence[float]  # from the 201 to the phone; below 0 if the phone was first
    cpu_us: dict[str, float]  # a delivered push, by process
    resident_kb: dict[str, int]


def reckon(
    contender: str,
    connections: int,
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
        connections=connections,
        accepted=len(accepted),
        refused=Counter(status for _, _, _, status in posts if status != CREATED),
        accepted_rate=_rate(len(accepted), first, accepted.values()),
        delivered=len(both),
        delivered_rate=_rate(len(both), first, (received[number] for number in both)),
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
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def middle(values: Iterable[float]) -> float:
    """Return the median; 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
