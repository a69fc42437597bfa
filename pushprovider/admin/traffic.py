"""What came for an endpoint or a user, hour by hour, from the message log."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from django.db.models import BigIntegerField, Count, F, QuerySet
from django.db.models.functions import Cast
from django.utils.safestring import SafeString

from pushprovider.admin import svg
from pushprovider.fields import now_ms, to_ms
from pushprovider.models import Message
from pushprovider.stats import HOUR_MS

HOURS = 48
#: Hours that one point of a list's small line stands for.
SLOT_HOURS = 4
#: Messages looked at for bars; what gets more has its newest hours only.
NEWEST = 5000


def by_hour(messages: QuerySet[Message]) -> SafeString:
    """Return bars for the past HOURS hours; `messages` come newest first."""
    this = now_ms() // HOUR_MS
    moments = messages.values_list("accepted_at", flat=True)[:NEWEST]
    counts = Counter(this - to_ms(moment) // HOUR_MS for moment in moments)
    values = [counts[ago] for ago in reversed(range(HOURS))]
    return svg.bars(values, f"Messages an hour over {HOURS} hours: {sum(values)}")


def lines(registrations: Sequence[int]) -> dict[int, SafeString]:
    """Return for each account that owns some of these registrations a line of what came."""
    this = now_ms() // HOUR_MS // SLOT_HOURS
    points = HOURS // SLOT_HOURS + 1  # the first and the last slot are halves
    slot = Cast(F("accepted_at"), BigIntegerField()) / (HOUR_MS * SLOT_HOURS)
    found = (
        Message.objects.filter(registration_id__in=registrations)
        .values("account_id")
        .annotate(slot=slot, number=Count("id"))
        .values_list("account_id", "slot", "number")
    )
    numbers: dict[int, Counter[int]] = defaultdict(Counter)
    for account, at, number in found:
        numbers[account][this - at] += number
    return {account: _line(counts, points) for account, counts in numbers.items()}


def _line(counts: Counter[int], points: int) -> SafeString:
    values = [counts[ago] for ago in reversed(range(points))]
    return svg.line(values, f"{sum(values)} messages in {HOURS} hours")
