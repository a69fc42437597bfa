"""Secrets of our own, derived from SECRET_KEY: each purpose has another, so none does two jobs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from django.conf import settings

T = TypeVar("T")


def derived(purpose: str, make: Callable[[bytes], T]) -> Callable[[], tuple[T, ...]]:
    """Return a function that returns what `make` makes of the 32 bytes of each secret.

    The first is SECRET_KEY's, for what is written now; then come those of SECRET_KEY_FALLBACKS.
    """

    @lru_cache(maxsize=8)
    def made(current: str, fallbacks: tuple[str, ...]) -> tuple[T, ...]:
        keys = (f"pushprovider.{purpose}:{key}" for key in (current, *fallbacks))
        return tuple(make(hashlib.sha256(key.encode()).digest()) for key in keys)

    def now() -> tuple[T, ...]:
        return made(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))

    return now
