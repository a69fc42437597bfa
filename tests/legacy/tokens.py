"""Tokens as other servers make them, and as somebody would bend them. Nothing of the product's.

Each maker takes the very bytes or text that shall stand there, so that a test can bend anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from Cryptodome.Cipher import AES, ChaCha20_Poly1305
from Cryptodome.Util import Counter

from tests.cast import hashed

FOLDER = Path(__file__).resolve().parents[1] / "compat"
PUSH = "https://push.example.org/push/"

UP_KEY = b"u" * 32
PASETO_KEY = b"p" * 32
JWT_SECRET = "a secret of Prosody's that is long enough for HS256"
EJABBERD_KEY = b"e" * 40
SETTINGS = {
    "LEGACY_UP_SECRETS": [b64encode(UP_KEY).decode()],
    "LEGACY_PROSODY_PASETO_KEYS": [f"secret-token:paseto.v3.local:{PASETO_KEY.hex()}"],
    "LEGACY_PROSODY_JWT_SECRETS": [JWT_SECRET],
    "LEGACY_EJABBERD_KEYS": [urlsafe_b64encode(EJABBERD_KEY).rstrip(b"=").decode()],
}
JID = "juliet@localhost/phone"
LATER = 3600


def vectors() -> list[dict[str, Any]]:
    """Return the test vectors."""
    found: list[dict[str, Any]] = json.loads((FOLDER / "vectors.json").read_text())
    return found


def base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def exp(seconds: float = LATER) -> int:
    """Return a moment from now, in seconds since 1970."""
    return int(time.time() + seconds)


def said(jid: object = JID, **changes: object) -> dict[str, object]:
    """Return Prosody's claims, in seconds; `up` has the same in milliseconds. None leaves out."""
    usual: dict[str, object] = {
        "sub": jid,
        "exp": exp(),
        "application": hashed("chat"),
        "instance": hashed("first"),
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def said_up(jid: object = JID, **changes: object) -> dict[str, object]:
    """Return up's claims."""
    return said(jid, **({"exp": exp() * 1000} | changes))


def said_ejabberd(jid: object = JID, **changes: object) -> dict[str, object]:
    """Return ejabberd's claims."""
    usual: dict[str, object] = {"o": jid, "e": exp(), "a": hashed("chat"), "i": hashed("first")}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def jwt(
    payload: object,
    key: bytes | str = JWT_SECRET,
    header: object = {"alg": "HS256", "typ": "JWT"},  # never changed
    digest: str = "sha256",
) -> str:
    """Return a signed token; bytes are taken as they are, anything else becomes JSON."""
    text = f"{base64url(octets_of(header))}.{base64url(octets_of(payload))}"
    return f"{text}.{base64url(hmac.digest(octets_of_key(key), text.encode(), digest))}"


def ejabberd(payload: object, key: bytes = EJABBERD_KEY) -> str:
    return jwt(payload, key)


def up(payload: object, key: bytes = UP_KEY, footer: bytes = b"") -> str:
    """PASETO Version2.md, "Encrypt", on another library than the product's."""
    message = octets_of(payload)
    nonce = hashlib.blake2b(message, digest_size=24, key=b"n" * 32).digest()
    box = ChaCha20_Poly1305.new(key=key, nonce=nonce)
    box.update(pae(b"v2.local.", nonce, footer))
    secret, tag = box.encrypt_and_digest(message)
    token = "v2.local." + base64url(nonce + secret + tag)
    return f"{token}.{base64url(footer)}" if footer else token


def paseto(
    payload: object, key: bytes = PASETO_KEY, *, standard: bool = False, footer: bytes = b""
) -> str:
    """PASETO Version3.md, "Encrypt"; unless `standard`, with Prosody's lengths."""
    message = octets_of(payload)
    nonce = hashlib.sha256(message).digest()
    derived = hkdf(key, b"paseto-encryption-key" + nonce)
    counter = Counter.new(128, initial_value=int.from_bytes(derived[32:], "big"))
    secret = AES.new(derived[:32], AES.MODE_CTR, counter=counter).encrypt(message)
    pieces = (b"v3.local.", nonce, secret, footer, b"")
    authenticated = pae(*pieces, mask=-1 if standard else 0x7F)
    tag = hmac.digest(hkdf(key, b"paseto-auth-key-for-aead" + nonce), authenticated, "sha384")
    token = "v3.local." + base64url(nonce + secret + tag)
    return f"{token}.{base64url(footer)}" if footer else token


def pae(*pieces: bytes, mask: int = -1) -> bytes:
    """PASETO Common.md, with the lengths masked as Prosody does it."""
    parts = [(len(piece) & mask).to_bytes(8, "little") + piece for piece in pieces]
    return len(pieces).to_bytes(8, "little") + b"".join(parts)


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-384 and no salt: one block of 48 bytes."""
    extracted = hmac.digest(b"\0" * 48, key, "sha384")
    return hmac.digest(extracted, info + b"\x01", "sha384")


def octets_of(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def octets_of_key(key: bytes | str) -> bytes:
    return key if isinstance(key, bytes) else key.encode()
