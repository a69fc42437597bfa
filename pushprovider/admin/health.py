"""Does it work, and if not, how to fix it: checks, the settings in force, versions."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from pushprovider import __version__
from pushprovider.admin import display, shell
from pushprovider.admin.checks import ALL, Check
from pushprovider.doctor import findings
from pushprovider.fields import now_ms
from upconfig.env import Rate

_ORDER = {"bad": 0, "warning": 1, "ok": 2}
#: Parts of names whose values are secrets, or hold one.
_SECRET = ("SECRET", "KEY", "TOKEN", "DATABASE_URL", "PASSWORD")
_PACKAGES = ("Django", "channels", "daphne", "slixmpp", "whitenoise", "cryptography", "psycopg")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show every check with its remedy, and what this server runs with."""
    shell.require(request, "view_status")
    ran, found = findings.kept()
    return shell.render(
        request,
        "admin/health.html",
        title="Health",
        checks=worst_first(),
        doctor=sorted(found, key=lambda one: _ORDER.get(one.state, 0)),
        doctor_ran=None if ran is None else display.ago(now_ms() - ran),
        in_force=in_force(),
        versions=versions(),
        public_url=settings.PUBLIC_URL,
    )


def worst_first() -> list[Check]:
    """Run all checks."""
    return sorted((check() for check in ALL), key=lambda found: _ORDER[found.state])


def in_force() -> list[tuple[str, str]]:
    """Return every documented setting and its value; of a secret only whether it is set."""
    return [(name, shown(name)) for name in settings.DOCUMENTED]


def shown(name: str) -> str:
    """Return a setting's value as a page may show it."""
    if name == "DATABASE_URL":
        return str(settings.DATABASES["default"]["ENGINE"]).rpartition(".")[2]
    value: Any = getattr(settings, name, "")
    if any(part in name for part in _SECRET):
        return "set (not shown)" if value else "not set"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "none"
    if value is None:
        return "off"
    if isinstance(value, Rate):
        return f"{value.per_second:g}/s burst {value.burst}"
    return str(value) if value != "" else "none"


def versions() -> list[tuple[str, str]]:
    """Return what is installed."""
    found = [("Pushprovider", __version__), ("Python", platform.python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "not installed"))
    if connection.vendor == "postgresql":
        number = connection.pg_version  # type: ignore[attr-defined]  # PostgreSQL's own
        return [*found, ("PostgreSQL", f"{number // 10_000}.{number % 10_000}")]
    return [*found, ("SQLite", sqlite3.sqlite_version)]
