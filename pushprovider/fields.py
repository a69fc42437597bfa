"""A moment in time, stored as a whole number so that the hot statements stay cheap."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from django.db import models

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def now_ms() -> int:
    """Return the current time in milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000


def to_datetime(ms: int) -> dt.datetime:
    """Return the aware datetime of milliseconds since 1970; beyond year 9999 is year 9999."""
    return _EPOCH + dt.timedelta(milliseconds=min(ms, 253_402_300_799_000))


def to_ms(moment: dt.datetime) -> int:
    """Return milliseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


class InstantField(models.BigIntegerField):  # type: ignore[type-arg]
    """A datetime in Python, milliseconds since 1970 (UTC) in the database."""

    description = "A moment, in milliseconds since 1970"

    # For django-stubs only: what is assigned and read.
    _pyi_private_set_type: dt.datetime  # type: ignore[assignment]
    _pyi_private_get_type: dt.datetime  # type: ignore[assignment]

    def from_db_value(self, value: int | None, *_args: Any) -> dt.datetime | None:
        return None if value is None else to_datetime(value)

    def to_python(self, value: Any) -> Any:
        return to_datetime(value) if isinstance(value, int) else value

    def get_prep_value(self, value: Any) -> Any:
        return to_ms(value) if isinstance(value, dt.datetime) else super().get_prep_value(value)
