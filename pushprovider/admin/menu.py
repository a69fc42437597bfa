"""The menu: on the left of wide screens, as tabs at the bottom of phones."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

#: (URL name, label, icon, permission, is a tab on phones)
PAGES = (
    ("index", "Dashboard", "dashboard", "view_message", True),
    ("pushprovider_account_changelist", "Users", "users", "view_account", True),
    ("pushprovider_registration_changelist", "Endpoints", "endpoints", "view_registration", True),
    ("pushprovider_message_changelist", "Messages", "messages", "view_message", True),
    ("live", "Live", "live", "view_message", True),
    ("statistics", "Statistics", "statistics", "view_hourlycount", False),
    ("health", "Health", "health", "view_status", False),
    ("admin_logentry_changelist", "Audit log", "audit", "admin.view_logentry", False),
    ("auth_user_changelist", "Administrators", "people", "auth.view_user", False),
)


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    label: str
    url: str
    icon: str
    is_current: bool
    is_tab: bool


def entries(request: HttpRequest) -> list[Entry]:
    """Return the pages that this person may see."""
    if not getattr(request, "user", None) or not request.user.is_active:
        return []
    found = []
    for name, label, icon, permission, is_tab in PAGES:
        full = permission if "." in permission else f"pushprovider.{permission}"
        if name == "index" or request.user.has_perm(full):
            url = reverse(f"admin:{name}")
            here = request.path == url if name == "index" else request.path.startswith(url)
            found.append(Entry(label, url, icon, here, is_tab))
    return found


def page(request: HttpRequest) -> HttpResponse:
    """Show what has no tab of its own on a phone."""
    from pushprovider.admin import shell  # which needs the site, which needs this module

    return shell.render(request, "admin/more.html", title="More")
