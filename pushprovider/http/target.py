"""What a token stands for: a registration's key, or what another server's token says."""

from __future__ import annotations

from typing import NamedTuple

from pushprovider import tokens
from pushprovider.fields import now_ms
from pushprovider.legacy import reading
from pushprovider.legacy.kinds import Old


class Target(NamedTuple):
    """Where a message goes. One of both says it."""

    key: bytes = b""
    old: Old | None = None


def target(token: str) -> Target | None:
    """Return what the token stands for, None for one that is wrong. Our own come first."""
    key = tokens.check(token)
    if key is not None:
        return Target(key)
    old = reading.read(token, now_ms())
    return None if old is None else Target(old=old)
