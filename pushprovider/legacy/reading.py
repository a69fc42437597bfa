"""A token that is not of our own form: whose is it, and what does it say?

The form alone names the format; a format's claims and its unit of time are never guessed.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from django.conf import settings

from pushprovider.legacy import (
    ejabberd,
    keys,
    prosody_jwt,
    prosody_paseto,
    prosody_storage,
    strict,
    up,
)
from pushprovider.legacy.imported import imported
from pushprovider.legacy.kinds import Claims, Old, Stored

_DAY_MS = 86_400_000


def read(token: str, now: int) -> Old | None:
    """Return what the token says, None for anything that no peer issued or that has expired.

    `now` in milliseconds since 1970. No I/O, and some 0.1 ms for each key of the format.
    """
    if len(token) == prosody_storage.LENGTH:
        return stored(token)
    if len(token) > strict.LONGEST or not is_on(now):
        return None
    try:
        if token.startswith("v2.local."):
            return up.read(token, _keys("LEGACY_UP_SECRETS"), now)
        if token.startswith("v3.local."):
            return prosody_paseto.read(token, _keys("LEGACY_PROSODY_PASETO_KEYS"), now)
        if token.count(".") == 2:
            return _jwt(token, now)
    except strict.Wrong:
        pass
    return None


def stored(token: str, address: str = "") -> Stored | None:
    """Return what a token of Prosody's storage says, which is where to look for it."""
    if imported.is_empty or prosody_storage.FORM.fullmatch(token) is None:
        return None
    return Stored(prosody_storage.key(token), address)


def _jwt(token: str, now: int) -> Claims:
    """Prosody's or ejabberd's: by the key, and then the claims must be that one's."""
    try:
        return prosody_jwt.read(token, _keys("LEGACY_PROSODY_JWT_SECRETS"), now)
    except strict.Wrong:
        return ejabberd.read(token, _keys("LEGACY_EJABBERD_KEYS"), now)


def is_on(now: int) -> bool:
    """True while tokens that need no row may be honoured: LEGACY_ keys are set, LEGACY_UNTIL
    is not over."""
    return now < _end(settings.LEGACY_UNTIL) and any(
        getattr(settings, name) for name in keys.READERS
    )


def _keys(name: str) -> tuple[bytes, ...]:
    return keys.read(name, tuple(getattr(settings, name)))


@lru_cache(maxsize=8)
def _end(until: str) -> float:
    """Return when the day LEGACY_UNTIL is over (UTC), in milliseconds since 1970."""
    if not until:
        return float("inf")
    midnight = dt.datetime.fromisoformat(until).replace(tzinfo=dt.UTC)
    return midnight.timestamp() * 1000 + _DAY_MS
