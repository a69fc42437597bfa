"""The audit log: who did what, when, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from pushprovider.admin import display
from pushprovider.admin.finding import beginning
from pushprovider.admin.readonly import ReadOnlyAdmin
from pushprovider.admin.site import site
from pushprovider.store import auditlog


@admin.register(LogEntry, site=site)
class AuditAdmin(ReadOnlyAdmin):
    list_display = ("at", "by", "kind", "what", "did")
    list_display_links = None
    list_select_related = ("user", "content_type")
    search_fields = ("user__username",)
    search_help_text = "Operator, or the whole JID"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Call it by its name; the model is Django's."""
        found = super().get_changelist_instance(request)
        found.title = "Audit log"
        return found

    def find(self, queryset: QuerySet[LogEntry], text: str) -> QuerySet[LogEntry]:
        """By operator, and by user: what was done to the account and to its endpoints."""
        jid = text.removeprefix("xmpp:").partition("/")[0].lower()
        by = beginning(User.objects.all(), "username", text).values("pk")
        of = auditlog.about([jid]).values("pk")
        return queryset.filter(Q(user__in=by) | Q(pk__in=of))

    @admin.display(description="When")
    def at(self, row: LogEntry) -> str:
        return display.when(row.action_time)

    @admin.display(description="Operator")
    def by(self, row: LogEntry) -> str:
        return str(row.user)

    @admin.display(description="Kind")
    def kind(self, row: LogEntry) -> str:
        return str(row.content_type.name) if row.content_type else display.NONE

    @admin.display(description="Of")
    def what(self, row: LogEntry) -> SafeString:
        return display.isolated(row.object_repr)

    @admin.display(description="What")
    def did(self, row: LogEntry) -> str:
        return row.get_change_message() or row.get_action_flag_display()

    def change_view(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """An entry has no page: the list says all."""
        return self.changelist_view(request)
