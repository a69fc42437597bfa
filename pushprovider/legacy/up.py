"""`up` (Java): PASETO v2.local, no footer, `exp` in milliseconds."""

from __future__ import annotations

import re

from pyseto import DecryptError, Key, Paseto, PysetoError

from pushprovider.legacy import strict
from pushprovider.legacy.kinds import Claims, Kind

FORM = re.compile(r"v2\.local\.([A-Za-z0-9_-]+)", re.ASCII)
#: The nonce and the tag.
_SHORTEST = 24 + 16

_paseto = Paseto.new()


def read(token: str, keys: tuple[bytes, ...], now: int) -> Claims:
    """Return what the token says. Raises Wrong."""
    form = FORM.fullmatch(token)
    if form is None or len(strict.octets(form[1])) <= _SHORTEST:
        raise strict.Wrong
    for key in keys:
        try:
            # Without a deserializer: with one pyseto wants `exp` as text.
            payload = _paseto.decode(Key.new(2, "local", key), token).payload
        except (DecryptError, PysetoError, ValueError):
            continue
        if not isinstance(payload, bytes):
            raise strict.Wrong
        return strict.claims(Kind.UP, payload, strict.MILLISECONDS, now)
    raise strict.Wrong
