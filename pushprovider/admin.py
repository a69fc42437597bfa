"""What operators see: lists that answer their questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest

from pushprovider.models import Account, HourlyCount, Message, Registration

if TYPE_CHECKING:
    AccountBase = admin.ModelAdmin[Account]
    RegistrationBase = admin.ModelAdmin[Registration]
    MessageBase = admin.ModelAdmin[Message]
    HourlyCountBase = admin.ModelAdmin[HourlyCount]
    AnyPaginator = Paginator[Any]
else:  # Django's classes take no parameters at run time
    AccountBase = RegistrationBase = MessageBase = HourlyCountBase = admin.ModelAdmin
    AnyPaginator = Paginator


class UncountedPaginator(AnyPaginator):
    """Never runs COUNT(*): on big tables it costs more than the page."""

    count = 100_000


class ReadOnly:
    """Rows are made by phones and application servers, not by hand."""

    def has_add_permission(self, _request: HttpRequest, *_args: Any) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _row: Any = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(ReadOnly, AccountBase):
    list_display = ("jid", "created_at", "last_seen_at", "blocked_at")
    search_fields = ("jid",)
    show_full_result_count = False


@admin.register(Registration)
class RegistrationAdmin(ReadOnly, RegistrationBase):
    list_display = ("__str__", "account", "resource", "created_at", "expires_at", "revoked_reason")
    list_filter = ("revoked_reason",)
    search_fields = ("account__jid", "application")
    list_select_related = ("account",)
    exclude = ("key",)  # half of the endpoint's secret
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(Message)
class MessageAdmin(ReadOnly, MessageBase):
    list_display = ("uid", "account", "state", "urgency", "size", "accepted_at", "settled_at")
    list_filter = ("state", "urgency")
    search_fields = ("uid__exact", "account__jid")
    list_select_related = ("account",)
    exclude = ("payload",)
    paginator = UncountedPaginator
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(HourlyCount)
class HourlyCountAdmin(ReadOnly, HourlyCountBase):
    list_display = ("hour", "name", "label", "count")
    list_filter: ClassVar[tuple[str, ...]] = ("name",)
    ordering = ("-hour", "name", "label")
