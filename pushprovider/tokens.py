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

from django.conf import settings

from pushprovider.derived import derived

LENGTH = 43
_KEY_BYTES = 16


def new_key() -> bytes:
    """Return 16 random bytes for a new registration."""
    return secrets.token_bytes(_KEY_BYTES)


def make(key: bytes) -> str:
    """Return the token of a registration's key."""
    return urlsafe_b64encode(key + _secrets()[0].mac(key)).rstrip(b"=").decode("ascii")


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
    for secret in _secrets():
        if hmac.compare_digest(secret.mac(key), mac):
            return key
    return None


def endpoint(key: bytes) -> str:
    """Return the capability URL of a registration's key."""
    return f"{settings.PUBLIC_URL}/push/{make(key)}"


class _Secret:
    """HMAC-SHA-256 (RFC 2104) with its two keyed blocks hashed beforehand.

    hmac.digest() takes twice as long, and lets go of the interpreter's lock, which the database
    thread then holds for a while.
    """

    def __init__(self, secret: bytes) -> None:
        block = secret.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in block))

    def mac(self, key: bytes) -> bytes:
        """Return the 16-byte MAC of a key."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(key)
        outer.update(inner.digest())
        return outer.digest()[:_KEY_BYTES]


_secrets = derived("endpoint", _Secret)
