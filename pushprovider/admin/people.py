"""Administrators: who may log in here, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from pushprovider.admin.site import site

if TYPE_CHECKING:
    People = UserAdmin[User]
else:  # Django's class takes no parameters at run time
    People = UserAdmin


@admin.register(User, site=site)
class AdministratorAdmin(People):
    list_display = ("username", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            "What they may do",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups"),
                "description": "A viewer sees everything; an operator may also block, revoke and "
                "erase; a superuser may do all that and make administrators.",
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Not "users": those are the XMPP accounts."""
        found = super().get_changelist_instance(request)
        found.title = "Administrators"
        return found

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Whoever is made here is meant to log in here."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)


site.register(Group, GroupAdmin)
