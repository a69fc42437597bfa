"""`/metrics`: Prometheus's text format, behind METRICS_TOKEN.

Every figure is computed from the store at the time of the scrape, so it is right whichever process
is asked and survives restarts; counters never go down, because trimmed hours are carried over
(store/housekeeping.py). No label holds a JID, a token or a hash.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from pushprovider.database import StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.http.headers import ENCODINGS
from pushprovider.http.matrix import RESULTS
from pushprovider.legacy.kinds import Kind
from pushprovider.models import MessageState, RevocationReason, Urgency
from pushprovider.sidethread import aside
from pushprovider.stats import DELAY_BUCKETS, Count
from pushprovider.store import status, totals
from pushprovider.store.totals import Queue, Sums, Totals

ENDS = tuple(str(state.label) for state in MessageState if state.is_terminal)
URGENCIES = tuple(str(urgency.label) for urgency in Urgency)
KINDS = tuple(kind.value for kind in Kind)
REVOCATIONS = tuple(str(reason.value) for reason in RevocationReason)
#: The reasons of http/answers.py; a test compares.
REJECTIONS = (
    "expired",
    "forbidden",
    "internal",
    "malformed",
    "method",
    "no_message",
    "rate_limited",
    "revoked",
    "too_large",
    "topic",
    "ttl",
    "unauthorized",
    "unavailable",
    "unknown_token",
    "urgency",
)
#: Counters with one label: name, help, what is counted, the label and the values that it may have.
COUNTERS = (
    ("messages", "Messages that reached their end.", Count.SETTLED, "state", ENDS),
    ("accepted", "Pushes answered 201.", Count.ACCEPTED, "urgency", URGENCIES),
    (
        "encodings",
        "Pushes answered 201, by Content-Encoding. An aesgcm payload is useless to the phone.",
        Count.ENCODING,
        "encoding",
        ENCODINGS,
    ),
    (
        "matrix",
        "Pushkeys accepted and rejected by the Matrix gateway; its requests that failed.",
        Count.MATRIX,
        "result",
        RESULTS,
    ),
    ("legacy_accepted", "Those at another server's endpoint.", Count.LEGACY, "kind", KINDS),
    ("rejected", "Requests refused at the door.", Count.REJECTED, "reason", REJECTIONS),
    ("revocations", "Endpoints revoked.", Count.REVOKED, "reason", REVOCATIONS),
)


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """RFC 6750 section 2.1: the token in the Authorization header, and nowhere else."""
    if not settings.METRICS_TOKEN:
        return _plain("not found\n", 404)
    if not is_authorized(request.META.get("HTTP_AUTHORIZATION", "")):
        refused = _plain("a bearer token is needed\n", 401)
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    try:
        text = await aside(lambda: render(now_ms()))
    except StoreTrouble:
        return _plain("the store does not answer\n", 503)
    return HttpResponse(
        text, content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"}
    )


def _plain(text: str, code: int) -> HttpResponse:
    return HttpResponse(text, status=code, content_type="text/plain")


def is_authorized(header: str) -> bool:
    """True for the bearer token; the time it takes does not tell how much of it was right."""
    scheme, _, given = header.partition(" ")
    token = settings.METRICS_TOKEN.encode()
    is_same = hmac.compare_digest(given.strip().encode("latin-1", "replace"), token)
    return is_same and scheme.lower() == "bearer"


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a scrape reads."""

    sums: Totals
    queue: Queue
    registrations: dict[str, int]
    is_connected: bool
    now: int


@cache
def _sums() -> Sums:
    return Sums()


def render(now: int) -> bytes:
    """Return the whole page. Raises DatabaseError."""
    figures = Figures(
        _sums().read(now),
        totals.queue(),
        totals.registrations(now),
        status.is_up(now),
        now,
    )
    registry = CollectorRegistry()  # of this scrape only: nothing is kept in the process
    registry.register(FigureCollector(figures))
    return generate_latest(registry)


class FigureCollector(Collector):
    """Figures as Prometheus's metrics."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        for name, help_, count, label, known in COUNTERS:
            yield self._counter(name, help_, count, label, known)
        yield _gauge("queue_messages", "Messages that wait.", figures.queue.messages)
        yield _gauge("queue_oldest_seconds", "Age of the oldest of them.", self._oldest())
        yield self._delays()
        yield _gauge("xmpp_connected", "1 if the XMPP stream is up.", int(figures.is_connected))
        yield CounterMetricFamily(
            "pushprovider_xmpp_reconnects",
            "XMPP streams opened after an earlier one was lost.",
            figures.sums.get(Count.RECONNECTED, {}).get("", 0),
        )
        states = GaugeMetricFamily(
            "pushprovider_registrations", "Endpoints in the store.", labels=["state"]
        )
        for state, number in figures.registrations.items():
            states.add_metric([state], number)
        yield states

    def _oldest(self) -> float:
        oldest = self._figures.queue.oldest
        return 0 if oldest is None else max(self._figures.now - oldest, 0) / 1000

    def _counter(
        self, name: str, help_: str, count: Count, label: str, known: tuple[str, ...]
    ) -> Metric:
        """Every known label is there from the start: a rate needs a first sample."""
        sums = self._figures.sums.get(count, {})
        family = CounterMetricFamily(f"pushprovider_{name}", help_, labels=[label])
        for value in (*known, *sorted(sums.keys() - set(known))):
            family.add_metric([value], sums.get(value, 0))
        return family

    def _delays(self) -> Metric:
        sums = self._figures.sums
        counted = sums.get(Count.DELAY, {})
        buckets: list[tuple[str, float]] = []
        so_far = 0
        for bound in DELAY_BUCKETS:
            so_far += counted.get(str(bound), 0)
            buckets.append((str(bound / 1000), so_far))
        buckets.append(("+Inf", so_far + counted.get("inf", 0)))
        return HistogramMetricFamily(
            "pushprovider_delivery_seconds",
            "Time from the POST to the device's answer.",
            buckets=buckets,
            sum_value=sums.get(Count.DELAY_MS, {}).get("", 0) / 1000,
        )


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pushprovider_{name}", help_, value)
