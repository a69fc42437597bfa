"""Placeholders for SQL by hand: as many as there are values."""

from __future__ import annotations

from collections.abc import Iterable


def marks(values: Iterable[object]) -> str:
    """Return "%s,%s,..." for `IN (...)`, one for each value."""
    return ",".join("%s" for _ in values)
