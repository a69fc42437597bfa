"""What the hourly counters add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pushprovider.fields import now_ms, to_datetime, to_ms
from pushprovider.models import HourlyCount, MessageState
from pushprovider.stats import DELAY_BUCKETS, HOUR_MS, Count

FAILED = (MessageState.EVICTED.label, MessageState.GONE.label)
EXPIRED = MessageState.EXPIRED.label
DELIVERED = MessageState.DELIVERED.label


@dataclass(frozen=True)
class Range:
    """A stretch of time up to now that a page can show."""

    name: str
    label: str
    hours: int

    @property
    def first_hour(self) -> int:
        """Its first hour, in milliseconds since 1970; the present hour is the last one."""
        now = now_ms()
        return now - now % HOUR_MS - (self.hours - 1) * HOUR_MS


RANGES = (Range("24h", "24 h", 24), Range("7d", "7 d", 168), Range("30d", "30 d", 720))
DAY, WEEK = RANGES[0], RANGES[1]


def chosen(name: str | None, default: Range = WEEK) -> Range:
    """Return the range of that name."""
    return next((one for one in RANGES if one.name == name), default)


class Figures:
    """The counters of a range: one query, then only sums."""

    def __init__(self, span: Range, names: tuple[Count, ...] = tuple(Count)) -> None:
        self.span = span
        first = span.first_hour
        rows = HourlyCount.objects.filter(
            hour__gte=to_datetime(first), name__in=[str(name) for name in names]
        )
        self._hourly: dict[tuple[str, str], dict[int, int]] = {}
        for hour, name, label, count in rows.values_list("hour", "name", "label", "count"):
            index = (to_ms(hour) - first) // HOUR_MS
            if 0 <= index < span.hours:
                self._hourly.setdefault((name, label), {})[index] = count

    def by_label(self, name: Count) -> Counter[str]:
        """Return a counter's sums by label."""
        sums: Counter[str] = Counter()
        for (counter, label), hours in self._hourly.items():
            if counter == name:
                sums[label] += sum(hours.values())
        return sums

    def total(self, name: Count, *labels: str) -> int:
        """Return a counter's sum, of some labels or of all."""
        return sum(
            number for label, number in self.by_label(name).items() if not labels or label in labels
        )

    def hours(self, name: Count, *labels: str) -> list[int]:
        """Return a counter's sum in each hour, oldest first."""
        values = [0] * self.span.hours
        for (counter, label), hours in self._hourly.items():
            if counter == name and (not labels or label in labels):
                for index, count in hours.items():
                    values[index] += count
        return values

    def percentile(self, share: float) -> float | None:
        """Return the delay in milliseconds that this share of deliveries stayed within."""
        return percentile(self.by_label(Count.DELAY), share)

    def percentile_hours(self, share: float) -> list[float]:
        """Return that delay for each hour, 0 for hours without deliveries."""
        histograms: list[Counter[str]] = [Counter() for _ in range(self.span.hours)]
        for (counter, label), hours in self._hourly.items():
            if counter == Count.DELAY:
                for index, count in hours.items():
                    histograms[index][label] += count
        return [percentile(one, share) or 0.0 for one in histograms]


def percentile(histogram: Mapping[str, int], share: float) -> float | None:
    """Return a percentile of a delay histogram, in milliseconds; None of nothing.

    Within a bucket the deliveries are taken to be spread evenly; in the open last one nothing is
    known but its lower bound.
    """
    wanted = sum(histogram.values()) * share
    if not wanted:
        return None
    seen, lower = 0.0, 0
    for bound in DELAY_BUCKETS:
        here = histogram.get(str(bound), 0)
        if here and seen + here >= wanted:
            return lower + (bound - lower) * (wanted - seen) / here
        seen, lower = seen + here, bound
    return float(lower)
