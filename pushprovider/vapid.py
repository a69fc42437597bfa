"""Voluntary application server identification (RFC 8292): who may push to a restricted endpoint."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from django.conf import settings

#: Tolerated difference of clocks, in seconds. Some senders sign `exp` exactly 24 h ahead.
CLOCK_SKEW = 300
MAX_AGE = 86_400
_LONGEST = 4096
_SCHEMES = ("vapid ", "webpush ", "bearer ")
# A match begins where a word begins, and gives nothing back (`++`): one pass tells that there is
# none, however the header is made. Strangers write it.
_JWT = re.compile(
    r"(?<![A-Za-z0-9_+/=.-])[A-Za-z0-9_+/=-]++\.([A-Za-z0-9_+/=-]++)\.[A-Za-z0-9_+/=-]*+", re.ASCII
)
_PARAMETER = re.compile(
    r'(?<![A-Za-z0-9])([A-Za-z0-9]++)\s*+=\s*+"?([A-Za-z0-9._~+/=-]++)"?', re.ASCII
)


def is_public_key(text: str) -> bool:
    """True for the base64url of a 65-byte uncompressed point on P-256, without padding."""
    octets = _decode(text)
    if octets is None or len(text) != 87 or len(octets) != 65 or octets[0] != 4:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets)
    except ValueError:
        return False
    return True


def verify(authorization: str, key: str, now: int, crypto_key: str | None = None) -> bool:
    """True if the request's credentials are signed by `key`, in time and meant for us.

    `key` is the endpoint's (base64url), `now` in seconds since 1970. `crypto_key` is the header
    Crypto-Key, where the drafts before RFC 8292 have the sender's key. Never raises.
    """
    token, sent_key = _credentials(authorization, crypto_key or "")
    octets = _decode(sent_key)
    if octets is None or octets != _decode(key):
        return False
    claims = _verified_claims(token, octets)
    return claims is not None and _in_time(claims.get("exp"), now) and _for_us(claims.get("aud"))


def _credentials(authorization: str, crypto_key: str) -> tuple[str, str]:
    """Return the token and the sender's key, or empty strings where there are none.

    RFC 8292 section 3: `vapid t=TOKEN, k=KEY`. Its drafts up to -01, which senders of the aesgcm
    encoding still follow: `WebPush TOKEN` or `Bearer TOKEN`, and `Crypto-Key: p256ecdsa=KEY`.
    """
    if len(authorization) > _LONGEST or len(crypto_key) > _LONGEST:
        return "", ""
    scheme, _, rest = authorization.strip().partition(" ")
    match scheme.lower():
        case "vapid":
            said = _parameters(rest)
            return said.get("t", ""), said.get("k", "")
        case "webpush" | "bearer":
            return rest.strip(), _parameters(crypto_key).get("p256ecdsa", "")
        case _:
            return "", ""


def _parameters(text: str) -> dict[str, str]:
    """Return parameters by name; RFC 9110 section 11.2: a name's case does not matter."""
    return {name.lower(): value for name, value in _PARAMETER.findall(text)}


@lru_cache(maxsize=1024)
def claimed_subject(authorization: str | None) -> str:
    """Return the `sub` that a sender claims, unverified: it tells operators whom to write to.

    Senders reuse a token for hours, so most of this is answered from memory. Never raises.
    """
    if authorization is None or not authorization[:8].lower().startswith(_SCHEMES):
        return ""
    token = _JWT.search(authorization[:_LONGEST])
    claims = _decode(token[1]) if token else None
    try:
        subject = json.loads(claims or b"{}").get("sub", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return re.sub(r"[^\x20-\x7e]", "", subject)[:120] if isinstance(subject, str) else ""


def _verified_claims(token: str, point: bytes) -> dict[str, Any] | None:
    """Return the claims of an ES256 JWT signed by `point`, else None (RFC 8292 section 2)."""
    try:
        signed, _, tail = token.rpartition(".")
        header, _, body = signed.partition(".")
        head, claims, signature = (_decode(part) for part in (header, body, tail))
        if head is None or claims is None or signature is None or len(signature) != 64:
            return None
        if json.loads(head).get("alg") != "ES256":
            return None
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        public.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
        found = json.loads(claims)
    except (ValueError, InvalidSignature, AttributeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _in_time(exp: object, now: int) -> bool:
    if isinstance(exp, bool) or not isinstance(exp, int | float):
        return False
    return now - CLOCK_SKEW <= exp <= now + MAX_AGE + CLOCK_SKEW


def _for_us(aud: object) -> bool:
    audiences = aud if isinstance(aud, list) else [aud]
    return any(
        isinstance(one, str) and origin(one) == origin(settings.PUBLIC_URL) for one in audiences
    )


def origin(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; a default port is the same as none (RFC 6454 section 4)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def _decode(text: str) -> bytes | None:
    """Decode base64url or base64, padded or not: senders use all four."""
    plain = text.rstrip("=").translate(str.maketrans("+/", "-_"))
    if not re.fullmatch(r"[A-Za-z0-9_-]+", plain, re.ASCII) or len(plain) % 4 == 1:
        return None
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
