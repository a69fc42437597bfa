"""What came for one endpoint, hour by hour, from the message log."""

from __future__ import annotations

from collections import Counter

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from pushprovider.admin import svg
from pushprovider.fields import now_ms, to_ms
from pushprovider.models import Message
from pushprovider.stats import HOUR_MS

HOURS = 48
#: Messages looked at; an endpoint that gets more has its newest hours only.
NEWEST = 5000


def by_hour(messages: QuerySet[Message]) -> SafeString:
    """Return bars for the past HOURS hours; `messages` are an endpoint's, newest first."""
    this = now_ms() // HOUR_MS
    moments = messages.values_list("accepted_at", flat=True)[:NEWEST]
    counts = Counter(this - to_ms(moment) // HOUR_MS for moment in moments)
    values = [counts[ago] for ago in reversed(range(HOURS))]
    return svg.bars(values, f"Messages an hour over {HOURS} hours: {sum(values)}")
