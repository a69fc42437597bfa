"""What the dashboard asks of the tables themselves, each at a bounded price."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from django.db import connection
from django.db.models import Case, Count, Q, Sum, Value, When

from pushprovider.admin.fatefilters import FAILED_STATES, first_since
from pushprovider.admin.filters import DAY
from pushprovider.fields import now_ms, to_ms
from pushprovider.models import Account, Message, Sender
from pushprovider.store import totals

T = TypeVar("T")

#: Waiting messages are counted up to here; beyond it the page says "more than".
MOST_WAITING = 100_000
#: Senders that are named.
SENDERS = 200
#: Failures of each state that are asked for their stanza error.
CONDITIONS = 5000
#: An answer that took longer than SLOW seconds is kept for so many times as long as it took.
KEEP, SLOW = 600, 0.05


def remembered(ask: Callable[[], T]) -> Callable[[], T]:
    """Keep a slow answer for a while; a quick one is asked for anew each time."""
    kept: list[tuple[float, T]] = []

    @wraps(ask)
    def answer() -> T:
        began = time.monotonic()
        if kept and began < kept[0][0]:
            return kept[0][1]
        found = ask()
        took = time.monotonic() - began
        kept[:] = [(began + took * KEEP, found)] if took > SLOW else []
        return found

    return answer


@dataclass(frozen=True)
class Waiting:
    """How much waits for phones, and since when (milliseconds since 1970)."""

    number: int
    is_more: bool
    oldest: int | None


def waiting() -> Waiting:
    """Return what waits. The index of waiting messages answers it, up to MOST_WAITING."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*), MIN(id) FROM"
            " (SELECT id FROM pushprovider_message WHERE state <= 1 LIMIT %s) AS few",
            [MOST_WAITING + 1],
        )
        number, first = cursor.fetchone()
    oldest = Message.objects.filter(pk=first).values_list("accepted_at", flat=True).first()
    return Waiting(
        min(number, MOST_WAITING), number > MOST_WAITING, to_ms(oldest) if oldest else None
    )


@dataclass(frozen=True)
class Population:
    """How many users and live endpoints there are."""

    users: int
    endpoints: int


@remembered
def population() -> Population:
    """Count users and endpoints; both counts are answered by an index."""
    return Population(Account.objects.count(), totals.registrations(now_ms())["active"])


@dataclass(frozen=True)
class Source:
    """Who sends: a User-Agent or a vapid subject, with how many endpoints and pushes."""

    name: str
    endpoints: int
    pushes: int


@remembered
def senders() -> list[Source]:
    """Return who sends most, by all pushes to endpoints that still exist."""
    # One operator of a server may send with several versions of a library: that is one name.
    name = Case(
        When(~Q(subject=""), then="subject"),
        When(~Q(user_agent=""), then="user_agent"),
        default=Value("unknown"),
    )
    rows = (
        Sender.objects.annotate(name=name)
        .values_list("name")
        .annotate(endpoints=Count("registration_id", distinct=True), pushes=Sum("count"))
    )
    return [Source(*row) for row in rows.order_by("-pushes")[:SENDERS]]


def latest_failures(number: int) -> list[Message]:
    """Return the newest messages that failed; one short look into their index for each state."""
    found: list[Message] = []
    for state in FAILED_STATES:
        rows = Message.objects.filter(state=state, state__gt=2).order_by("-id").defer("payload")
        found += rows.select_related("account", "registration")[:number]
    return sorted(found, key=lambda one: one.pk, reverse=True)[:number]


def latest(number: int) -> list[Message]:
    """Return the newest messages."""
    rows = Message.objects.order_by("-id").defer("payload")
    return list(rows.select_related("account", "registration")[:number])


def main_condition(failures: int) -> str:
    """Return the stanza error of more than half of the past day's failures, or nothing."""
    found = _conditions()
    [(condition, number)] = found.most_common(1) or [("", 0)]
    return condition if number > max(failures, found.total()) / 2 else ""


@remembered
def _conditions() -> Counter[str]:
    """Count the past day's newest failures by their stanza error; "" has had none."""
    found: Counter[str] = Counter()
    first = first_since(DAY)
    for state in FAILED_STATES:
        rows = Message.objects.filter(state=state, state__gt=2, pk__gte=first).order_by("-id")
        found.update(rows.values_list("condition", flat=True)[:CONDITIONS])
    return found
