"""What the formats share: one spelling of a token, plain JSON, claims of the right type.

The peers' own libraries are more lenient than what the peers ever issued; we take what was issued.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pushprovider.legacy.kinds import Claims, Kind
from pushprovider.xmpp.stanzas import is_32_bytes, is_writable

#: A token with the longest JID there is (3071 bytes) has some 4400 characters.
LONGEST = 6144
#: The end of year 9999, in seconds: the last moment that a datetime can say.
LATEST = 253_402_300_799

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
#: RFC 7622 section 3.3.1, and white space.
_LOCAL = re.compile(r"""[^\s"&'/:<>@\x00-\x1f\x7f-\x9f]+""")
_LABEL = re.compile(r"[^\s\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\xa0]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_PART = 1023


class Wrong(Exception):
    """The peer never issued this token, or not for us."""


class Expired(Wrong):
    """It was issued, and its time is over."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a format calls its four claims, and how many milliseconds its unit of time has."""

    jid: str
    application: str
    instance: str
    expiry: str
    unit: int


#: `up` and Prosody name them alike; the unit is what differs.
SECONDS = Names("sub", "application", "instance", "exp", 1000)
MILLISECONDS = Names("sub", "application", "instance", "exp", 1)


def octets(text: str) -> bytes:
    """Return what unpadded base64url (RFC 4648 section 5) says, in its one spelling."""
    if _BASE64URL.fullmatch(text) is None:
        raise Wrong
    try:
        found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        raise Wrong from None
    # Python's decoder leaves stray bits at the end out.
    if urlsafe_b64encode(found).rstrip(b"=").decode() != text:
        raise Wrong
    return found


def json_object(payload: bytes) -> dict[str, Any]:
    """Return a JSON object (RFC 8259): no name twice, no NaN."""
    try:
        found = _PLAIN.decode(payload.decode("utf-8"))
    except (ValueError, RecursionError):  # also numbers of too many digits, and broken UTF-8
        raise Wrong from None
    if type(found) is not dict:
        raise Wrong
    return found


def claims(kind: Kind, payload: bytes, names: Names, now: int) -> Claims:
    """Return what a token's JSON says. `now` in milliseconds since 1970. Raises Wrong."""
    return check(kind, json_object(payload), names, now)


def check(kind: Kind, said: Mapping[str, object], names: Names, now: int) -> Claims:
    """Return the claims if they are exactly those of this kind. Raises Wrong, Expired."""
    if said.keys() != {names.jid, names.application, names.instance, names.expiry}:
        raise Wrong
    expires_at = _moment(said[names.expiry], names.unit)
    application, instance = _32_bytes(said[names.application]), _32_bytes(said[names.instance])
    account, resource = full_jid(said[names.jid])
    if now >= expires_at:
        raise Expired
    return Claims(kind, account, resource, application, instance, expires_at)


def full_jid(text: object) -> tuple[str, str]:
    """Return account and resource of a user's full JID, to the letter as it stands there.

    The peers got it from their server, so it is neither normalised nor unescaped again
    (RFC 7622; XEP-0106): that could only make another user of it.
    """
    if type(text) is not str or not is_writable(text):
        raise Wrong
    account, _, resource = text.partition("/")
    local, _, domain = account.partition("@")
    for part in (local, domain, resource):
        if not part or len(part.encode()) > _LONGEST_PART or _CONTROL.search(part):
            raise Wrong
    if _LOCAL.fullmatch(local) is None:
        raise Wrong
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise Wrong
    return account, resource


def _32_bytes(value: object) -> str:
    if type(value) is not str or not is_32_bytes(value):
        raise Wrong
    return value


def _moment(value: object, unit: int) -> int:
    """Return milliseconds since 1970. Comparing first: no huge number and no NaN gets any further.

    `bool` is an int in Python, but not here.
    """
    latest = LATEST * 1000 // unit
    if type(value) not in (int, float) or not 0 <= value <= latest:  # type: ignore[operator]
        raise Wrong
    return int(value * unit)  # type: ignore[operator]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_constant(_name: str) -> None:
    raise ValueError


_PLAIN = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
