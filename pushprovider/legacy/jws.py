"""A JWT as Prosody and ejabberd sign it: HS256 and nothing else (RFC 7515 and RFC 7519)."""

from __future__ import annotations

import re

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from pushprovider.legacy import strict

FORM = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
#: Both write exactly this, in any order. What the token says of itself is compared, not believed.
HEADER = {"alg": "HS256", "typ": "JWT"}

_jws = PyJWS(algorithms=["HS256"])


def payload(token: str, keys: tuple[bytes, ...]) -> bytes:
    """Return what one of the keys signed. Raises Wrong."""
    form = FORM.fullmatch(token)
    if form is None:
        raise strict.Wrong
    header, _, _ = (strict.octets(part) for part in form.groups())
    if strict.json_object(header) != HEADER:
        raise strict.Wrong
    for key in keys:
        try:
            signed: bytes = _jws.decode(token, key, algorithms=["HS256"])
        except PyJWTError:
            continue
        return signed
    raise strict.Wrong
