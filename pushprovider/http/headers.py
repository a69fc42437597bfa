"""The request headers of a push: TTL, Topic, Urgency (RFC 8030 section 5). Pure functions.

Those three raise Refused with the one answer that the contract names.
"""

from __future__ import annotations

import re

from django.conf import settings

from pushprovider.http import answers
from pushprovider.models import Urgency

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
# Sygnal really sends 32 characters that end in "==".
_TOPIC = re.compile(r"(?=.{1,32}\Z)[A-Za-z0-9_-]+=*", re.ASCII)
_PLAIN = re.compile(r"[^\x20-\x7e]", re.ASCII)
_URGENCY = {urgency.label: int(urgency) for urgency in Urgency}
_LARGEST_TTL = 2**31
# "aesgcm" (and "aesgcm128" before it) keeps salt and key in headers, which never reach the phone.
_ENCODINGS = {"": "none", "aes128gcm": "aes128gcm", "aesgcm": "aesgcm", "aesgcm128": "aesgcm"}
#: What encoding() returns.
ENCODINGS = ("aes128gcm", "aesgcm", "none", "other")


def ttl(value: str | None) -> int:
    """Return the seconds that are granted, at most MAX_TTL (RFC 8030 section 5.2)."""
    if value is None:
        if settings.REQUIRE_TTL:
            raise answers.ttl_missing()
        return min(settings.DEFAULT_TTL, settings.MAX_TTL)
    digits = value.strip(" \t")
    if not _DIGITS.fullmatch(digits):
        raise answers.ttl_wrong()
    # Any number of digits is a number; Python refuses to convert very long ones.
    asked = int(digits) if len(digits) <= 10 else int(digits.lstrip("0")[:11] or "0")
    return min(asked, _LARGEST_TTL, settings.MAX_TTL)


def topic(value: str | None) -> str:
    """Return the topic, or "" without one (RFC 8030 section 5.4)."""
    if value is None:
        return ""
    if not _TOPIC.fullmatch(value):
        raise answers.topic_wrong()
    return value


def urgency(value: str | None) -> int:
    """Return the urgency as stored; `normal` without the header (RFC 8030 section 5.3)."""
    if value is None:
        return int(Urgency.NORMAL)
    found = _URGENCY.get(value.strip(" \t").lower())
    if found is None:
        raise answers.urgency_wrong()
    return found


def user_agent(value: str | None) -> str:
    """Return the sender's name for the operator, printable and short. Never refuses."""
    return _PLAIN.sub("", value or "")[:120]


def encoding(value: str | None) -> str:
    """Return the label under which a Content-Encoding is counted. Never refuses."""
    return _ENCODINGS.get((value or "").strip(" \t").lower(), "other")
