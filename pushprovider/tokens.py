"""An endpoint's token: make, check. 43 opaque characters, no JID inside.

The token is the registration's key (16 random bytes) and a 16-byte MAC of it under SECRET_KEY, so
a made-up token is refused without touching the database, and a copy of the database alone yields
no working endpoint (RFC 8030 sections 8.2 and 8.3).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from django.conf import settings

LENGTH = 43
_KEY_BYTES = 16


def new_key() -> bytes:
    """Return 16 random bytes for a new registration."""
    return secrets.token_bytes(_KEY_BYTES)


def make(key: bytes) -> str:
    """Return the token of a registration's key."""
    return urlsafe_b64encode(key + _mac(_current(), key)).rstrip(b"=").decode("ascii")


def check(token: str) -> bytes | None:
    """Return the registration's key, or None for anything that make() did not return.

    Tokens under SECRET_KEY_FALLBACKS are good, too, as with everything that Django signs.
    """
    if len(token) != LENGTH or not token.isascii():
        return None
    raw = token.encode("ascii") + b"="
    try:
        octets = urlsafe_b64decode(raw)
    except ValueError:
        return None
    # One token has one spelling: Python's decoder drops foreign characters and stray bits.
    if len(octets) != 2 * _KEY_BYTES or urlsafe_b64encode(octets) != raw:
        return None
    key, mac = octets[:_KEY_BYTES], octets[_KEY_BYTES:]
    for secret in _secrets(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS)):
        if hmac.compare_digest(_mac(secret, key), mac):
            return key
    return None


def endpoint(key: bytes) -> str:
    """Return the capability URL of a registration's key."""
    return f"{settings.PUBLIC_URL}/push/{make(key)}"


def _current() -> bytes:
    return _secrets(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))[0]


@lru_cache(maxsize=8)
def _secrets(current: str, fallbacks: tuple[str, ...]) -> list[bytes]:
    salt = b"pushprovider.endpoint:"
    return [hashlib.sha256(salt + key.encode()).digest() for key in (current, *fallbacks)]


def _mac(secret: bytes, key: bytes) -> bytes:
    return hmac.digest(secret, key, "sha256")[:_KEY_BYTES]
