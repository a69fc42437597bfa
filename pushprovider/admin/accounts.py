"""Users: who may register, who is blocked, and everything about one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString

from pushprovider.admin import confirm, display, filters, history, traffic
from pushprovider.admin.finding import beginning
from pushprovider.admin.readonly import ReadOnlyAdmin
from pushprovider.admin.site import site
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account, Message, Registration
from pushprovider.store import operators

#: Rows shown of what belongs to a user; the lists have the rest.
ENDPOINTS, MESSAGES = 100, 20


@admin.register(Account, site=site)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("jid_", "status", "endpoints", "recent", "seen", "created")
    list_filter = (filters.Access, filters.LastSeen, filters.Domain)
    search_fields = ("jid",)
    search_help_text = "JID, or how it begins"
    actions = ("block", "unblock", "revoke_endpoints", "erase")
    verbs = (
        ("block", "Block"),
        ("unblock", "Unblock"),
        ("revoke_endpoints", "Revoke all endpoints"),
        ("erase", "Erase"),
    )
    endings = frozenset({"block", "revoke_endpoints", "erase"})
    ordering: ClassVar[tuple[str, ...]] = ("-id",)

    # --- the list -------------------------------------------------------------------------------

    def find(self, queryset: QuerySet[Account], text: str) -> QuerySet[Account]:
        return beginning(queryset, "jid", text.removeprefix("xmpp:").partition("/")[0].lower())

    def decorate(self, rows: Sequence[Any]) -> None:
        theirs = Registration.objects.filter(account_id__in=[row.pk for row in rows])
        live = theirs.filter(revoked_at=None, expires_at__gt=to_datetime(now_ms()))
        numbers = Counter(live.values_list("account_id", flat=True))
        lines = traffic.lines(list(theirs.values_list("pk", flat=True)))
        for row in rows:
            row.live, row.line = numbers[row.pk], lines.get(row.pk, display.NONE)

    @admin.display(description="JID")
    def jid_(self, row: Account) -> SafeString:
        return display.isolated(row.jid)

    @admin.display(description="Status")
    def status(self, row: Account) -> SafeString:
        return display.pill("blocked" if row.is_blocked else "active")

    @admin.display(description="Endpoints")
    def endpoints(self, row: Any) -> str:
        return display.number(row.live)

    @admin.display(description=f"{traffic.HOURS} h")
    def recent(self, row: Any) -> str | SafeString:
        """Return the line of what came."""
        line: str | SafeString = row.line
        return line

    @admin.display(description="Last seen")
    def seen(self, row: Account) -> str:
        return display.when(row.last_seen_at)

    @admin.display(description="Since")
    def created(self, row: Account) -> str:
        return display.when(row.created_at)

    # --- one user -------------------------------------------------------------------------------

    def verbs_of(self, row: Account) -> list[tuple[str, str]]:
        hidden = "block" if row.is_blocked else "unblock"
        return [verb for verb in self.verbs if verb[0] != hidden]

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add whether this person may end the endpoints that the page lists."""
        extra = {"may_revoke": request.user.has_perm("pushprovider.change_registration")}
        return super().change_view(request, *args, **{**kwargs, "extra_context": extra})

    def about(self, row: Any) -> dict[str, Any]:
        endpoints = list(row.registrations.order_by("-id")[:ENDPOINTS])
        for endpoint in endpoints:
            endpoint.account = row
        mine = Message.objects.filter(registration_id__in=[one.pk for one in endpoints])
        mine = mine.order_by("-id")
        return {
            "title": row.jid,
            "endpoints": endpoints,
            "latest": list(mine.select_related("registration").defer("payload")[:MESSAGES]),
            "all_of": urlencode({"q": row.jid}),
            "bars": traffic.by_hour(mine),
            "history": history.of(row),
            "now": to_datetime(now_ms()),
        }

    # --- verbs ----------------------------------------------------------------------------------

    @admin.action(description="Block", permissions=["operate"])
    def block(self, request: HttpRequest, rows: QuerySet[Account]) -> HttpResponse | None:
        """Refuse these users until somebody unblocks them."""
        if not confirm.is_confirmed(request):
            return confirm.ask(
                request,
                self,
                rows,
                "Block",
                "Nothing is accepted for them any more, what waits is dropped, and they cannot "
                "register. Application servers are told that the endpoints are gone, and many "
                "forget them then.",
            )
        keys, why = self.keys(rows), confirm.reason(request)
        number = operators.block(keys, why, self.operator(request), now_ms())
        messages.success(request, f"Blocked: {number}.")
        return self.back(request)

    @admin.action(description="Unblock", permissions=["operate"])
    def unblock(self, request: HttpRequest, rows: QuerySet[Account]) -> HttpResponse | None:
        """Let these users in again."""
        number = operators.unblock(self.keys(rows), confirm.reason(request), self.operator(request))
        messages.success(request, f"Unblocked: {number}.")
        return self.back(request)

    @admin.action(description="Revoke all endpoints", permissions=["operate"])
    def revoke_endpoints(
        self, request: HttpRequest, rows: QuerySet[Account]
    ) -> HttpResponse | None:
        """End every endpoint of these users; they may register again."""
        if not confirm.is_confirmed(request):
            return confirm.ask(
                request,
                self,
                rows,
                "Revoke all endpoints of",
                "Their apps get no notification until they register again, which phones do by "
                "themselves. To keep somebody out, block them.",
            )
        keys, why = self.keys(rows), confirm.reason(request)
        number = operators.revoke_of(keys, why, self.operator(request), now_ms())
        messages.success(request, f"Endpoints revoked: {number}.")
        return self.back(request)

    @admin.action(description="Erase", permissions=["erase"])
    def erase(self, request: HttpRequest, rows: QuerySet[Account]) -> HttpResponse | None:
        """Delete everything about these users, as privacy law asks for."""
        if not confirm.is_confirmed(request):
            return confirm.ask(
                request,
                self,
                rows,
                "Erase",
                "The user, the endpoints, the messages and their names in the audit log are "
                "deleted. The log keeps only that somebody was erased, when and by whom, so no "
                "reason is asked for. This cannot be undone. If the phone registers again it is a "
                "new user.",
                keeps_reason=False,
            )
        keys = self.keys(rows)
        for key in keys:
            operators.erase(key, self.operator(request), now_ms())
        messages.success(request, f"Erased: {len(keys)}.")
        return redirect("admin:pushprovider_account_changelist")
