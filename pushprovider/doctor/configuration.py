"""The settings: Django's system checks, ours (pushprovider.E..., W...) and all others."""

from __future__ import annotations

from django.core import checks
from django.core.checks import CheckMessage

from pushprovider.admin.checks import Check


def look() -> list[Check]:
    """Return what the system checks say; their ids are the codes."""
    messages = [one for one in checks.run_checks() if not one.is_silenced()]
    if not messages:
        return [Check("Settings", "ok", "no mistake found", code="settings.fine")]
    return [as_check(one) for one in messages]


def as_check(message: CheckMessage) -> Check:
    """Return a system check's message as a finding."""
    state = "bad" if message.level >= checks.ERROR else "warning"
    return Check("Settings", state, str(message.msg), message.hint or "", message.id or "")
