"""ejabberd's mod_unified_push: a JWT with `o`, `a`, `i` and `e`, in seconds.

`e` is no registered claim, so no JWT library looks at it.
"""

from __future__ import annotations

from pushprovider.legacy import jws, strict
from pushprovider.legacy.kinds import Claims, Kind

NAMES = strict.Names("o", "a", "i", "e", 1000)


def read(token: str, keys: tuple[bytes, ...], now: int) -> Claims:
    """Return what the token says. Raises Wrong."""
    return strict.claims(Kind.EJABBERD, jws.payload(token, keys), NAMES, now)
