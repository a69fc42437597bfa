"""The admin's site: which page is where, and what all pages share."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path

from pushprovider.admin import menu


class PushSite(AdminSite):
    """Django's admin with a dashboard in front and pages of figures beside the lists."""

    site_title = "Pushprovider"
    index_title = "Dashboard"
    enable_nav_sidebar = False  # on a phone it has no way to it at all; menu.py has ours
    site_url = None

    def get_urls(self) -> list[Any]:
        """Put our pages before Django's."""
        from pushprovider.admin import dashboard, health, live, search, statistics

        own: list[URLPattern | URLResolver] = [
            path("find/", self.admin_view(search.find), name="find"),
            path("live/", self.admin_view(live.page), name="live"),
            path("statistics/", self.admin_view(statistics.page), name="statistics"),
            path("statistics.csv", self.admin_view(statistics.csv), name="statistics_csv"),
            path("health/", self.admin_view(health.page), name="health"),
            path("more/", self.admin_view(menu.page), name="more"),
        ]
        self._index = dashboard.page
        return [*own, *super().get_urls()]

    def index(  # type: ignore[override]  # ours may refuse, too
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002  # Django's name for it
    ) -> HttpResponse:
        """Show the dashboard."""
        return self._index(request)

    def app_index(  # type: ignore[override]  # it redirects
        self,
        request: HttpRequest,  # noqa: ARG002
        app_label: str,  # noqa: ARG002  # Django passes it by name
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """A list of lists would say less than the menu does."""
        return redirect("admin:index")

    def each_context(self, request: Any) -> dict[str, Any]:
        """Return what every page needs: the server's name and the menu."""
        return {
            **super().each_context(request),
            "site_header": settings.PUBLIC_URL.partition("://")[2],
            "menu": menu.entries(request),
        }


site = PushSite(name="admin")
