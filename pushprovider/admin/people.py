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

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Not "users": those are the XMPP accounts."""
        found = super().get_changelist_instance(request)
        found.title = "Administrators"
        return found


site.register(Group, GroupAdmin)
