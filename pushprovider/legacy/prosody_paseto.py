"""Prosody's mod_unified_push, backend paseto: PASETO v3.local, no footer, `exp` in seconds.

Prosody up to 13.0.7 writes the lengths of the authenticated pieces modulo 128, so no PASETO
library reads its tokens. A Prosody that does it right will be understood, too: there is no
ambiguity, because footer and assertion are empty and the nonce's length is fixed.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pushprovider.legacy import strict
from pushprovider.legacy.kinds import Claims, Kind

HEADER = b"v3.local."
FORM = re.compile(r"v3\.local\.([A-Za-z0-9_-]+)", re.ASCII)
_NONCE, _TAG = 32, 48


def read(token: str, keys: tuple[bytes, ...], now: int) -> Claims:
    """Return what the token says. Raises Wrong."""
    form = FORM.fullmatch(token)
    if form is None:
        raise strict.Wrong
    body = strict.octets(form[1])
    if len(body) <= _NONCE + _TAG:
        raise strict.Wrong
    for key in keys:
        payload = _open(body, key)
        if payload is not None:
            return strict.claims(Kind.PROSODY_PASETO, payload, strict.SECONDS, now)
    raise strict.Wrong


def _open(body: bytes, key: bytes) -> bytes | None:
    """Authenticate and decrypt (PASETO, Version3.md, "Decrypt")."""
    nonce, secret, tag = body[:_NONCE], body[_NONCE:-_TAG], body[-_TAG:]
    authentication = _derive(key, b"paseto-auth-key-for-aead" + nonce)
    pieces = (HEADER, nonce, secret, b"", b"")
    for length in (_modulo_128, _whole):
        authenticated = _pae(pieces, length)
        if hmac.compare_digest(hmac.digest(authentication, authenticated, "sha384"), tag):
            break
    else:
        return None
    derived = _derive(key, b"paseto-encryption-key" + nonce)
    decryptor = Cipher(AES(derived[:32]), CTR(derived[32:])).decryptor()
    return decryptor.update(secret) + decryptor.finalize()


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(SHA384(), 48, salt=None, info=info).derive(key)


def _pae(pieces: tuple[bytes, ...], length: Callable[[bytes], int]) -> bytes:
    """Pre-authentication encoding (PASETO, Common.md)."""
    encoded = [_le64(len(pieces))]
    for piece in pieces:
        encoded += (_le64(length(piece)), piece)
    return b"".join(encoded)


@lru_cache(maxsize=64)
def _le64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _whole(piece: bytes) -> int:
    return len(piece)


def _modulo_128(piece: bytes) -> int:
    return len(piece) & 0x7F
