"""Messages: where did my notification go? Never their payload."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pushprovider.admin import display, fate, fatefilters, finding
from pushprovider.admin.finding import accounts_like, beginning
from pushprovider.admin.readonly import ReadOnlyAdmin
from pushprovider.admin.site import site
from pushprovider.fields import to_ms
from pushprovider.models import Message, MessageState, Registration, Urgency
from pushprovider.naming import app_hash, endpoint_hash, message_name

#: Endpoints whose messages are searched when a text fits many.
ENDPOINTS = 500


@admin.register(Message, site=site)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("id_", "status", "user", "application", "delay", "size_", "accepted")
    list_filter = (
        fatefilters.OfEndpoint,
        fatefilters.Fate,
        fatefilters.ByUrgency,
        fatefilters.Accepted,
    )
    list_select_related = ("account", "registration")
    search_fields = ("uid",)
    search_help_text = "Message id, JID or application, or how it begins"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows = super().get_queryset(request).defer("payload")
        return rows.select_related("account", "registration")

    def find(self, queryset: QuerySet[Message], text: str) -> QuerySet[Message]:
        """By user if it looks like a JID, else by id, else by application, else by user."""
        text = text.removesuffix(finding.MORE)
        if "@" not in text:
            uid = text.rpartition("/message/")[2]
            if beginning(Message.objects.all(), "uid", uid).exists():
                return beginning(queryset, "uid", uid)
            apps = beginning(Registration.objects.all(), "application", text)
            if keys := list(apps.values_list("pk", flat=True)[:ENDPOINTS]):
                return queryset.filter(registration_id__in=keys)
        mine = Registration.objects.filter(account_id__in=accounts_like(text)).order_by("-id")
        keys = list(mine.values_list("pk", flat=True)[:ENDPOINTS])
        return queryset.filter(registration_id__in=keys)

    # --- the list -------------------------------------------------------------------------------

    @admin.display(description="Message")
    def id_(self, row: Message) -> SafeString:
        return format_html('<code title="{}">{}…</code>', row.uid, message_name(row.uid))

    @admin.display(description="State")
    def status(self, row: Message) -> SafeString:
        return display.pill(MessageState(row.state).label)

    @admin.display(description="User")
    def user(self, row: Message) -> SafeString:
        address = reverse("admin:pushprovider_account_change", args=[row.account_id])
        return format_html('<a href="{}">{}</a>', address, display.isolated(row.account.jid))

    @admin.display(description="Application")
    def application(self, row: Message) -> SafeString:
        address = reverse("admin:pushprovider_registration_change", args=[row.registration_id])
        link = format_html('<a href="{}">{}</a>', address, app_hash(row.registration.application))
        return format_html("{}", display.with_origin(link, row.get_legacy_display()))

    @admin.display(description="Delay")
    def delay(self, row: Message) -> str:
        return display.duration(delay_of(row))

    @admin.display(description="Size")
    def size_(self, row: Message) -> str:
        return display.size(row.size)

    @admin.display(description="Accepted")
    def accepted(self, row: Message) -> str:
        return display.when(row.accepted_at)

    # --- one message ----------------------------------------------------------------------------

    def about(self, row: Any) -> dict[str, Any]:
        state = MessageState(row.state)
        return {
            "title": f"Message {message_name(row.uid)}…",
            "state": state.label,
            "urgency": Urgency(row.urgency).label,
            "application": app_hash(row.registration.application),
            "endpoint": endpoint_hash(row.registration.key),
            "delay": delay_of(row),
            "verdict": fate.verdict(row),
            "steps": fate.steps(row),
        }


def delay_of(row: Message) -> int | None:
    """Return milliseconds from the POST to the phone's answer, if it answered."""
    if row.state != MessageState.DELIVERED or row.settled_at is None:
        return None
    return to_ms(row.settled_at) - to_ms(row.accepted_at)
