"""What the lists can be narrowed to. Each filter has an index, or looks at the newest rows only."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db import connection
from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import LEGACY_KINDS, Account, Sender

HOUR = 3_600_000
DAY = 24 * HOUR
#: A filter without an index of its own looks at so many of the newest rows.
WINDOW = 100_000
#: A domain with fewer users is looked up user by user.
FEW = 500
#: Domains offered to choose from.
DOMAINS = 15

Choices = list[tuple[str, str]]


class Filter(SimpleListFilter):
    """A filter with fixed choices."""

    options: ClassVar[Choices] = []

    def lookups(self, _request: HttpRequest, _admin: ModelAdmin[Any]) -> Choices:
        return self.options

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Ignore what is none of the choices: it was typed into the address bar."""
        value = self.value()
        known = {choice for choice, _ in self.lookup_choices}
        return self.narrow(queryset, value) if value in known else queryset

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Return the rows of a choice."""
        raise NotImplementedError


def newest(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return only what is among the newest rows of the table."""
    last = queryset.model._default_manager.aggregate(last=Max("pk"))["last"] or 0
    return queryset.filter(pk__gt=last - WINDOW)


def ago(milliseconds: int) -> Any:
    """Return the moment that is so long ago."""
    return to_datetime(now_ms() - milliseconds)


# --- users --------------------------------------------------------------------------------------


class Access(Filter):
    title = "access"
    parameter_name = "access"
    options = [("blocked", "Blocked"), ("open", "Not blocked")]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "blocked":
            return queryset.filter(blocked_at__isnull=False).order_by("-blocked_at", "-id")
        return queryset.filter(blocked_at=None)


class LastSeen(Filter):
    title = "last seen"
    parameter_name = "seen"
    options = [("day", "Past 24 hours"), ("week", "Past 7 days"), ("idle", "Not for 30 days")]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        queryset = newest(queryset)
        if value == "idle":
            return queryset.filter(last_seen_at__lt=ago(30 * DAY))
        return queryset.filter(last_seen_at__gte=ago(DAY if value == "day" else 7 * DAY))


_NEXT_DOMAIN = """
    WITH RECURSIVE found(domain, number) AS (
        SELECT MIN(domain), 1 FROM pushprovider_account
        UNION ALL
        SELECT (SELECT MIN(domain) FROM pushprovider_account WHERE domain > found.domain),
               number + 1
        FROM found WHERE found.domain IS NOT NULL AND number < %s
    ) SELECT domain FROM found WHERE domain IS NOT NULL
"""


class Domain(Filter):
    """By the domain of the user; each domain is one step in the index."""

    title = "domain"
    parameter_name = "domain"

    def lookups(self, _request: HttpRequest, _admin: ModelAdmin[Any]) -> Choices:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_DOMAIN, [DOMAINS])
            found = [(domain, domain) for (domain,) in cursor.fetchall()]
        typed = self.value()
        if typed and len(typed) < 1024 and (typed, typed) not in found:
            found.append((typed, typed))
        return found

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if queryset.model is Account:
            return queryset.filter(domain=value)
        users = Account.objects.filter(domain=value).order_by("id")
        few = list(users.values_list("pk", flat=True)[:FEW])
        if len(few) < FEW:
            return queryset.filter(account_id__in=few)
        # A big domain has some among the newest. EXISTS, because SQLite would begin a join with
        # all users of the domain.
        return newest(queryset).filter(Exists(users.filter(pk=OuterRef("account_id"))))


# --- endpoints ----------------------------------------------------------------------------------


class State(Filter):
    title = "status"
    parameter_name = "state"
    options = [("active", "Active"), ("revoked", "Revoked"), ("expired", "Expired")]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        now = to_datetime(now_ms())
        if value == "revoked":
            return queryset.filter(revoked_at__isnull=False).order_by("-revoked_at", "-id")
        if value == "expired":
            over = queryset.filter(revoked_at=None, expires_at__lte=now)
            return over.order_by("-expires_at", "-id")
        return queryset.filter(revoked_at=None, expires_at__gt=now)


class Idle(Filter):
    """Nobody pushes: the app was removed, or its server has forgotten the endpoint."""

    title = "pushes"
    parameter_name = "idle"
    options = [("7", "None for 7 days"), ("30", "None for 30 days"), ("never", "Never any")]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        last = (
            Sender.objects.filter(registration=OuterRef("pk"))
            .values("registration")
            .annotate(last=Max("last_at"))
            .values("last")
        )
        queryset = newest(queryset).annotate(last_push=Subquery(last))
        if value == "never":
            return queryset.filter(last_push=None)
        return queryset.filter(last_push__lt=ago(int(value) * DAY))


class Restricted(Filter):
    title = "sender"
    parameter_name = "vapid"
    options = [("yes", "Only the key's owner"), ("no", "Anyone who knows it")]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        queryset = newest(queryset)
        return queryset.exclude(vapid="") if value == "yes" else queryset.filter(vapid="")


class IssuedBy(Filter):
    """Which server's URL the device has; when there are no old ones left, the keys may go."""

    title = "issued by"
    parameter_name = "legacy"
    options = [("own", "This server"), ("old", "Another server"), *LEGACY_KINDS]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        queryset = newest(queryset)
        if value in ("own", "old"):
            return queryset.filter(legacy="") if value == "own" else queryset.exclude(legacy="")
        return queryset.filter(legacy=value)
