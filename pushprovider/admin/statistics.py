"""Figures over a range of time: outcome, delay, refusals, who sends, which domains; also as CSV."""

from __future__ import annotations

import csv as csv_module
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from pushprovider.admin import dashboard, display, figures, shell, store, svg
from pushprovider.admin.fatefilters import first_since
from pushprovider.admin.figures import DELIVERED, EXPIRED, FAILED, Figures, Range
from pushprovider.fields import to_datetime
from pushprovider.models import HourlyCount, MessageState, Urgency
from pushprovider.stats import DELAY_BUCKETS, HOUR_MS, Count

#: Messages of the log that the table of domains looks at.
NEWEST = 20_000
DOMAINS = 20


@dataclass(frozen=True)
class Row:
    """One line of a table with a bar."""

    label: str
    number: int
    bar: SafeString


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show a range's figures."""
    shell.require(request, "view_hourlycount")
    span = figures.chosen(request.GET.get("range"))
    of = Figures(span)
    return shell.render(
        request,
        "admin/statistics.html",
        title="Statistics",
        span=span,
        ranges=figures.RANGES,
        chart=dashboard.chart(span),
        outcomes=_rows({one.label: one.label for one in MessageState}, of, Count.SETTLED),
        urgencies=_rows({one.label: one.label for one in Urgency}, of, Count.ACCEPTED),
        median=display.duration(of.percentile(0.5)),
        p95=display.duration(of.percentile(0.95)),
        delays=_rows(_buckets(), of, Count.DELAY),
        rejected=_rows({}, of, Count.REJECTED),
        encodings=_rows({}, of, Count.ENCODING),
        matrix=_rows({}, of, Count.MATRIX),
        registrations=[
            ("New endpoints", of.total(Count.REGISTERED)),
            ("Renewed", of.total(Count.RENEWED)),
            *(
                (f"Revoked: {reason}", number)
                for reason, number in of.by_label(Count.REVOKED).most_common()
            ),
            ("Attempts after the first one", of.total(Count.SENT_AGAIN)),
        ],
        sources=store.senders()[:20],
        domains=domains(span),
        newest=NEWEST,
        table=table(of),
    )


def _buckets() -> dict[str, str]:
    names = {str(bound): f"up to {display.duration(bound)}" for bound in DELAY_BUCKETS}
    return {**names, "inf": "longer"}


def _rows(order: dict[str, str], of: Figures, name: Count) -> list[Row]:
    """Return a counter by label: in the order given (label to text), or the greatest first."""
    sums = of.by_label(name)
    labels = order or {label: label for label, _ in sums.most_common()}
    top = max(sums.values(), default=0)
    return [
        Row(text, sums[label], svg.share(sums[label], top))
        for label, text in labels.items()
        if sums[label]
    ]


_BY_DOMAIN = """
    SELECT a.domain, COUNT(*), SUM(CASE WHEN m.state = 2 THEN 1 ELSE 0 END),
           SUM(CASE WHEN m.state IN (3, 6, 7) THEN 1 ELSE 0 END)
    FROM (SELECT account_id, state FROM pushprovider_message WHERE id >= %s
          ORDER BY id DESC LIMIT %s) AS m
    JOIN pushprovider_account a ON a.id = m.account_id
    GROUP BY a.domain ORDER BY COUNT(*) DESC, a.domain LIMIT %s
"""


def domains(span: Range) -> list[tuple[Any, ...]]:
    """Return (domain, messages, delivered, failed) of the newest messages in the log."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_DOMAIN, [first_since(span.hours * HOUR_MS), NEWEST, DOMAINS])
        return list(cursor.fetchall())


def table(of: Figures) -> list[tuple[Any, int, int, int]]:
    """Return the chart's figures as rows, newest first: by hour, or by day for a long range."""
    delivered = of.hours(Count.SETTLED, DELIVERED)
    expired = of.hours(Count.SETTLED, EXPIRED)
    failed = of.hours(Count.SETTLED, *FAILED)
    step = 1 if of.span.hours <= 168 else 24
    first = of.span.first_hour
    rows = [
        (
            to_datetime(first + index * HOUR_MS),
            sum(delivered[index : index + step]),
            sum(expired[index : index + step]),
            sum(failed[index : index + step]),
        )
        for index in range(0, of.span.hours, step)
    ]
    return rows[::-1]


class _Line:
    """A file of the one line that was written last."""

    def write(self, text: str) -> str:
        return text


@require_safe
def csv(request: HttpRequest) -> HttpResponse:
    """Return every counter of a range, hour by hour."""
    shell.require(request, "view_hourlycount")
    span = figures.chosen(request.GET.get("range"))
    rows = HourlyCount.objects.filter(hour__gte=to_datetime(span.first_hour))
    found = rows.order_by("hour", "name", "label").values_list("hour", "name", "label", "count")
    writer = csv_module.writer(_Line())

    def lines() -> Iterator[str]:
        yield writer.writerow(["hour", "counter", "label", "count"])
        for hour, name, label, count in found:
            yield writer.writerow([hour.isoformat(), name, label, count])

    answer = HttpResponse("".join(lines()), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="pushprovider-{span.name}.csv"'
    return answer
