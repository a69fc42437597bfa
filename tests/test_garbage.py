"""The cycle collector's settings."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from pushprovider.garbage import THRESHOLDS, collect_less


class Knot:
    """Refers to itself, so only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_loaded_is_not_looked_at_again() -> None:
    collect_less()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == THRESHOLDS


def test_what_comes_later_is_still_freed_without_being_asked() -> None:
    collect_less()
    knots = weakref.WeakSet(Knot() for _ in range(2 * THRESHOLDS[0]))
    assert len(knots) < 2 * THRESHOLDS[0]
