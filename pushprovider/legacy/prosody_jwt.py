"""Prosody's mod_unified_push, backend jwt: `sub`, `application`, `instance`, `exp` in seconds."""

from __future__ import annotations

from pushprovider.legacy import jws, strict
from pushprovider.legacy.kinds import Claims, Kind


def read(token: str, keys: tuple[bytes, ...], now: int) -> Claims:
    """Return what the token says. Raises Wrong."""
    return strict.claims(Kind.PROSODY_JWT, jws.payload(token, keys), strict.SECONDS, now)
