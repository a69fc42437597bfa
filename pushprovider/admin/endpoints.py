"""Endpoints: what may be pushed to, who pushes, and how to end one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pushprovider.admin import confirm, display, filters, finding, history, traffic
from pushprovider.admin.finding import accounts_like, beginning
from pushprovider.admin.readonly import ReadOnlyAdmin
from pushprovider.admin.site import site
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Message, Registration, Sender
from pushprovider.naming import app_hash, endpoint_hash
from pushprovider.store import operators

#: Rows shown of what belongs to an endpoint.
MESSAGES, SENDERS, IMPORTED = 20, 20, 20
#: Test pushes that one action may send.
TESTS = 20


@admin.register(Registration, site=site)
class EndpointAdmin(ReadOnlyAdmin):
    list_display = ("application_", "user", "status", "pushes", "last_push", "expires")
    list_filter = (
        filters.State,
        filters.Idle,
        filters.Restricted,
        filters.IssuedBy,
        filters.Domain,
    )
    list_select_related = ("account",)
    search_fields = ("application",)
    search_help_text = "JID or application, or how it begins"
    actions = ("revoke", "send_test_push")
    verbs = (("send_test_push", "Send test push"), ("revoke", "Revoke"))
    endings = frozenset({"revoke"})

    # --- the list -------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        return super().get_queryset(request).select_related("account")

    def find(self, queryset: QuerySet[Registration], text: str) -> QuerySet[Registration]:
        """By user if it looks like a JID, else by application; a name without "@" may be both."""
        text = text.removesuffix(finding.MORE)
        users = accounts_like(text)
        if "@" in text or (users and not beginning(queryset, "application", text).exists()):
            return queryset.filter(account_id__in=users)
        return beginning(queryset, "application", text)

    def decorate(self, rows: Sequence[Any]) -> None:
        senders = Sender.objects.filter(registration_id__in=[row.pk for row in rows])
        sums = senders.values("registration_id").annotate(pushes=Sum("count"), last=Max("last_at"))
        found = {one["registration_id"]: one for one in sums}
        for row in rows:
            one = found.get(row.pk)
            row.pushes, row.last_push = (one["pushes"], one["last"]) if one else (0, None)

    @admin.display(description="Application")
    def application_(self, row: Registration) -> str | SafeString:
        return display.with_origin(app_hash(row.application), row.get_legacy_display())

    @admin.display(description="User")
    def user(self, row: Registration) -> SafeString:
        address = reverse("admin:pushprovider_account_change", args=[row.account_id])
        return format_html('<a href="{}">{}</a>', address, display.isolated(row.account.jid))

    @admin.display(description="Status")
    def status(self, row: Registration) -> SafeString:
        return display.pill(_state(row))

    @admin.display(description="Pushes")
    def pushes(self, row: Any) -> str:
        return display.number(row.pushes)

    @admin.display(description="Last push")
    def last_push(self, row: Any) -> str:
        return display.when(row.last_push)

    @admin.display(description="Expires")
    def expires(self, row: Registration) -> str:
        return display.when(row.expires_at)

    # --- one endpoint ---------------------------------------------------------------------------

    def verbs_of(self, row: Registration) -> Sequence[tuple[str, str]]:
        state = _state(row)
        if state == "blocked":  # it would be refused; ending it for good is something else
            return [verb for verb in self.verbs if verb[0] != "send_test_push"]
        return self.verbs if state == "active" else ()

    def about(self, row: Any) -> dict[str, Any]:
        mine = Message.objects.filter(registration=row).order_by("-id")
        latest = list(mine.defer("payload")[:MESSAGES])
        for message in latest:
            message.registration = row
        return {
            "title": f"Endpoint {endpoint_hash(row.key)}",
            "application": app_hash(row.application),
            "instance": app_hash(row.instance),
            "state": _state(row),
            "imported": list(row.imported.order_by("-is_kept", "-expires_at")[:IMPORTED]),
            "senders": list(row.senders.order_by("-count")[:SENDERS]),
            "latest": latest,
            "all_of": urlencode({"registration": row.pk}),
            "bars": traffic.by_hour(mine),
            "history": history.of(row),
        }

    # --- verbs ----------------------------------------------------------------------------------

    @admin.action(description="Revoke", permissions=["operate"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Registration]) -> HttpResponse | None:
        """End these endpoints and drop what waits for them."""
        if not confirm.is_confirmed(request):
            return confirm.ask(
                request,
                self,
                rows,
                "Revoke",
                "What waits is dropped, and application servers are told that the endpoint is "
                "gone. The phone gets a new one when its app registers again.",
            )
        keys, why = self.keys(rows), confirm.reason(request)
        number = operators.revoke(keys, why, self.operator(request), now_ms())
        messages.success(request, f"Revoked: {number}.")
        return self.back(request)

    @admin.action(description="Send test push", permissions=["operate"])
    def send_test_push(
        self, request: HttpRequest, rows: QuerySet[Registration]
    ) -> HttpResponse | None:
        """Send a message of our own; its fate shows whether the way to the phone is open."""
        sent = 0
        chosen = list(rows.values_list("pk", "key"))
        for pk, key in chosen[:TESTS]:
            try:
                operators.send_test_push(pk, self.operator(request), now_ms())
            except operators.NotLive:
                name = endpoint_hash(bytes(key))
                messages.warning(request, f"Endpoint {name} has ended or its user is blocked.")
            else:
                sent += 1
        if left := len(chosen[TESTS:]):
            text = f"One action sends {TESTS} test pushes at most. Left out: {left}."
            messages.warning(request, text)
        if sent:
            messages.success(request, f"Test pushes on their way: {sent}.")
        return self.back(request)


def _state(row: Registration) -> str:
    state = row.state_at(to_datetime(now_ms()))
    return "blocked" if state == "active" and row.account.is_blocked else state
