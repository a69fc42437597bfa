"""The groups `viewer` and `operator`: made and kept right after every migrate."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import post_migrate

#: Django's permissions by group. An operator is a viewer who may also act.
VIEWER = (
    "pushprovider.view_account",
    "pushprovider.view_registration",
    "pushprovider.view_message",
    "pushprovider.view_sender",
    "pushprovider.view_status",
    "pushprovider.view_hourlycount",
    "admin.view_logentry",
)
OPERATOR = (
    *VIEWER,
    "pushprovider.change_account",  # block, unblock, revoke all endpoints
    "pushprovider.delete_account",  # erase
    "pushprovider.change_registration",  # revoke, send a test push
)
GROUPS = {"viewer": VIEWER, "operator": OPERATOR}


def make_groups(app_config: AppConfig, using: str, **_kwargs: Any) -> None:
    """Make the groups that are missing. Permissions an administrator added to them stay."""
    # Django makes permissions in a handler of the same signal, which may come after this one.
    for label in ("admin", app_config.label):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    for name, wanted in GROUPS.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        found = Permission.objects.using(using).filter(
            content_type__app_label__in=["admin", app_config.label]
        )
        group.permissions.add(
            *(
                one
                for one in found.select_related("content_type")
                if f"{one.content_type.app_label}.{one.codename}" in wanted
            )
        )


post_migrate.connect(
    make_groups, sender=apps.get_app_config("pushprovider"), dispatch_uid="pushprovider.groups"
)
