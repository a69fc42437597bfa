"""What operators did to a row, from the audit log."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

LATEST = 20


def of(row: Model) -> list[LogEntry]:
    """Return the latest entries about a row, newest first."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk)
    )
    return list(entries.select_related("user").order_by("-action_time")[:LATEST])
