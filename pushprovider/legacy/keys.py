"""The LEGACY_ settings' entries, as bytes. Checked at the start, so that no push finds them wrong.

No Django here: upconfig/settings.py asks.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from functools import lru_cache

from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

#: RFC 7518 section 3.2: as long as the hash. Every application server sees a JWT and could try
#: out a shorter secret at home.
SHORTEST = 32
#: Secrets for each setting: every one costs a try at each foreign token.
MOST = 20

_PROSODY_KEY = re.compile(r"secret-token:paseto\.v3\.local:([0-9a-fA-F]{64})", re.ASCII)
_URL_ALPHABET = re.compile(r"[A-Za-z0-9_-]+={0,2}", re.ASCII)


class WrongKey(ValueError):
    """The entry cannot be such a key. The text says what it must be, never what it was."""


def up_secret(text: str) -> bytes:
    """`registration.sharedSecret` of up's config.json."""
    try:
        octets = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        octets = b""
    if len(octets) != 32 or b64encode(octets).decode() != text:
        raise WrongKey("each secret must be the base64 of 32 bytes.")
    return octets


def prosody_paseto_key(text: str) -> bytes:
    """`paseto_v3_local_key` of Prosody's store."""
    found = _PROSODY_KEY.fullmatch(text)
    if found is None:
        raise WrongKey("each key must be secret-token:paseto.v3.local: and 64 hexadecimal digits.")
    return bytes.fromhex(found[1])


def prosody_jwt_secret(text: str) -> bytes:
    """`unified_push_secret`: the text itself is the key, even if it looks like base64."""
    if text.startswith("secret-token:"):
        raise WrongKey("a secret-token: belongs into LEGACY_PROSODY_PASETO_KEYS.")
    return _hmac_key(text.encode())


def ejabberd_key(text: str) -> bytes:
    """`k` of the option `jwk`, which must have kty oct."""
    if _URL_ALPHABET.fullmatch(text) is None:
        raise WrongKey("each key must be the k of a jwk: base64url, with or without padding.")
    try:
        octets = urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (Base64Error, ValueError):
        raise WrongKey("each key must be the k of a jwk: base64url.") from None
    return _hmac_key(octets)


def _hmac_key(octets: bytes) -> bytes:
    if len(octets) < SHORTEST:
        raise WrongKey(f"each key must have {SHORTEST} bytes at least, or it could be guessed.")
    try:
        return HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(octets)
    except InvalidKeyError:
        raise WrongKey("a PEM or SSH key is no secret for HS256.") from None


#: How each setting's entries are read.
READERS: dict[str, Callable[[str], bytes]] = {
    "LEGACY_UP_SECRETS": up_secret,
    "LEGACY_PROSODY_PASETO_KEYS": prosody_paseto_key,
    "LEGACY_PROSODY_JWT_SECRETS": prosody_jwt_secret,
    "LEGACY_EJABBERD_KEYS": ejabberd_key,
}


@lru_cache(maxsize=32)
def read(name: str, entries: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return a setting's keys. Raises WrongKey."""
    if len(entries) > MOST:
        raise WrongKey(f"{MOST} entries at most.")
    return tuple(READERS[name](entry) for entry in entries)
