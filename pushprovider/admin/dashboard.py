"""The first page: does it work, for whom not, and why. The order is that of the questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from pushprovider import __version__
from pushprovider.admin import display, figures, health, shell, store, svg
from pushprovider.admin.fatefilters import FAILED as FAILED_CHOICE
from pushprovider.admin.fatefilters import WAITING
from pushprovider.admin.figures import DELIVERED, EXPIRED, FAILED, Figures, Range
from pushprovider.fields import now_ms
from pushprovider.stats import HOUR_MS, Count

FAILURES, LIVE, SENDERS = 6, 8, 6


@dataclass(frozen=True)
class Tile:
    """One figure with what explains it; the whole tile is a link to what is behind it."""

    label: str
    figure: str
    note: str
    url: str
    spark: SafeString | str = ""
    tone: str = ""


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the dashboard, or a bare page to somebody who may see nothing yet."""
    if not request.user.has_perm("pushprovider.view_message"):
        return shell.render(request, "admin/nothing.html", title="Dashboard")
    span = figures.chosen(request.GET.get("range"))
    sources = store.senders()[:SENDERS]
    return shell.render(
        request,
        "admin/index.html",
        title="Dashboard",
        checks=health.worst_first(),
        tiles=tiles(Figures(figures.DAY)),
        span=span,
        ranges=figures.RANGES,
        chart=chart(span),
        sources=[(one, svg.share(one.pushes, sources[0].pushes)) for one in sources],
        failures=store.latest_failures(FAILURES),
        latest=store.latest(LIVE),
        version=__version__,
    )


def chart(span: Range) -> str:
    """Return the chart's data as JSON: seconds since 1970, and a row of numbers for each line."""
    of = Figures(span, (Count.SETTLED,))
    first = span.first_hour
    return json.dumps(
        {
            "time": [(first + index * HOUR_MS) // 1000 for index in range(span.hours)],
            "delivered": of.hours(Count.SETTLED, DELIVERED),
            "expired": of.hours(Count.SETTLED, EXPIRED),
            "failed": of.hours(Count.SETTLED, *FAILED),
        }
    )


def tiles(day: Figures) -> list[Tile]:
    """Return the figures of the past 24 hours."""
    return [
        _delivered(day),
        _failed(day),
        _delay(day),
        _waiting(),
        _people(day),
        _rejected(day),
    ]


def _list(model: str, **query: str) -> str:
    url = reverse(f"admin:pushprovider_{model}_changelist")
    return f"{url}?{urlencode(query)}" if query else url


def _delivered(day: Figures) -> Tile:
    good = day.total(Count.SETTLED, DELIVERED)
    bad = day.total(Count.SETTLED, EXPIRED, *FAILED)
    share = f"{100 * good / (good + bad):.1f}% of what was settled" if good + bad else "nothing yet"
    spark = svg.line(day.hours(Count.SETTLED, DELIVERED), "Deliveries by hour")
    url = _list("message", state="delivered", accepted="day")
    return Tile("Delivered, 24 h", display.number(good), share, url, spark)


def _delay(day: Figures) -> Tile:
    median, p95 = day.percentile(0.5), day.percentile(0.95)
    if median is None or p95 is None:
        text = display.NONE
    else:
        text = f"{display.duration(median)} / {display.duration(p95)}"
        if median < 1000 and p95 < 1000:
            text = f"{median:.0f} / {p95:.0f} ms"
    spark = svg.line(day.percentile_hours(0.95), "p95 delay by hour")
    url = reverse("admin:statistics") + "?range=24h#delay"
    return Tile("Median / p95 delay", text, "from POST to answer, 24 h", url, spark)


def _waiting() -> Tile:
    found = store.waiting()
    text = display.number(found.number) + ("+" if found.is_more else "")
    oldest = "nothing waits"
    if found.oldest is not None:
        oldest = f"the oldest for {display.duration(now_ms() - found.oldest)}"
    return Tile("Waiting for phones", text, oldest, _list("message", state=WAITING))


def _failed(day: Figures) -> Tile:
    failed, expired = day.total(Count.SETTLED, *FAILED), day.total(Count.SETTLED, EXPIRED)
    note = f"24 h: {failed:,} failed, {expired:,} expired"
    if condition := store.main_condition(failed + expired):
        note += f"; mostly {condition}"
    spark = svg.line(day.hours(Count.SETTLED, EXPIRED, *FAILED), "Failures by hour")
    tone = "warn" if failed + expired else ""
    url = _list("message", state=FAILED_CHOICE, accepted="day")
    text = display.number(failed + expired)
    return Tile("Failed + expired", text, note, url, spark, tone)


def _people(day: Figures) -> Tile:
    now = store.population()
    text = f"{now.users:,} / {now.endpoints:,}"
    note = f"{day.total(Count.REGISTERED):,} new endpoints, 24 h"
    return Tile("Users / endpoints", text, note, _list("registration", state="active"))


def _rejected(day: Figures) -> Tile:
    reasons = day.by_label(Count.REJECTED).most_common()
    note = ", ".join(f"{number:,} {label}" for label, number in reasons[:2]) or "nobody knocked"
    url = reverse("admin:statistics") + "?range=24h#rejected"
    spark = svg.line(day.hours(Count.REJECTED), "Refusals by hour") if reasons else ""
    text = display.number(sum(number for _, number in reasons))
    return Tile("Rejected, 24 h", text, note, url, spark)
