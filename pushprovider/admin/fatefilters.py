"""What the list of messages can be narrowed to: by fate, urgency and time."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from pushprovider.admin.filters import DAY, HOUR, Choices, Filter, newest
from pushprovider.admin.finding import is_key
from pushprovider.fields import now_ms
from pushprovider.models import Message, MessageState, Registration, Urgency
from pushprovider.naming import endpoint_hash

#: Choices that stand for several states.
WAITING, FAILED = "waiting", "failed"
FAILED_STATES = (MessageState.EXPIRED, MessageState.EVICTED, MessageState.GONE)


class Fate(Filter):
    title = "state"
    parameter_name = "state"
    options = [
        (WAITING, "Waiting"),
        (FAILED, "Failed or expired"),
        *((state.label, state.label.capitalize()) for state in MessageState),
    ]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == WAITING:
            return queryset.filter(state__lte=1)
        if value == FAILED:
            # `state > 2` names the index of messages that failed.
            return queryset.filter(state__gt=2, state__in=FAILED_STATES)
        state = next(state for state in MessageState if state.label == value)
        if state.is_terminal:
            bound = {"state__gt": 2} if state > MessageState.DELIVERED else {}
            return queryset.filter(state=state, **bound)
        return queryset.filter(state=state, state__lte=1)


class ByUrgency(Filter):
    title = "urgency"
    parameter_name = "urgency"
    options = [(urgency.label, urgency.label.capitalize()) for urgency in reversed(Urgency)]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        urgency = next(one for one in Urgency if one.label == value)
        return newest(queryset).filter(urgency=urgency)


class Accepted(Filter):
    """By when it was accepted. A message's id begins with the time, so the index on it tells."""

    title = "accepted"
    parameter_name = "accepted"
    options = [
        ("hour", "Past hour"),
        ("day", "Past 24 hours"),
        ("before", "1 to 2 days ago"),
        ("older", "Before that"),
    ]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "hour":
            return queryset.filter(pk__gte=first_since(HOUR))
        if value == "day":
            return queryset.filter(pk__gte=first_since(DAY))
        older = queryset.filter(pk__lt=first_since(DAY if value == "before" else 2 * DAY))
        return older.filter(pk__gte=first_since(2 * DAY)) if value == "before" else older


class OfEndpoint(Filter):
    """By one endpoint, which its page leads here with; it is not offered to choose from."""

    title = "endpoint"
    parameter_name = "registration"

    def lookups(self, _request: HttpRequest, _admin: ModelAdmin[Any]) -> Choices:
        key = self.value() or ""
        if not is_key(key):
            return []
        row = Registration.objects.filter(pk=int(key)).first()
        return [(key, endpoint_hash(bytes(row.key)) if row else "One that is gone")]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(registration_id=int(value))


def first_since(milliseconds: int) -> int:
    """Return the key of the first message that was accepted within the last milliseconds."""
    begin = f"{(now_ms() - milliseconds) * 1000:014x}"
    found = Message.objects.filter(uid__gte=begin).order_by("uid").values_list("pk", flat=True)
    return found.first() or 2**62
