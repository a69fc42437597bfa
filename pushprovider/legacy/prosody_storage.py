"""Prosody's mod_unified_push, backend storage: 27 random bytes that name a row.

The row is looked up by a hash. The token itself is kept, because the phone must get the same URL
when it registers again, but under SECRET_KEY: as with our own endpoints, a copy of the database
alone can push to nobody.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from pushprovider.derived import derived

LENGTH = 36
FORM = re.compile(r"[A-Za-z0-9_-]{36}", re.ASCII)


def key(token: str) -> bytes:
    """Return the 16 bytes by which the store finds the token's row."""
    return sha256(b"pushprovider.imported:" + token.encode()).digest()[:16]


def seal(token: str) -> bytes:
    """Return the token, encrypted under SECRET_KEY."""
    return MultiFernet(_boxes()).encrypt(token.encode())


def unseal(sealed: bytes) -> str | None:
    """Return the token, or None if SECRET_KEY has changed without SECRET_KEY_FALLBACKS."""
    try:
        return MultiFernet(_boxes()).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        return None


_boxes = derived("imported", lambda secret: Fernet(urlsafe_b64encode(secret)))
