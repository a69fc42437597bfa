"""The ends of endpoints that no row names: by identity or by account, never by token.

A token that names no row is honoured by what it says. So that it can be revoked, and what was
erased stays gone, its identity is remembered, as a MAC under SECRET_KEY.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from django.db import connection

from pushprovider.derived import derived
from pushprovider.fields import to_datetime
from pushprovider.models import Registration, Tombstone
from pushprovider.store.marks import marks

_FIND = "SELECT 1 FROM pushprovider_tombstone WHERE key IN ({}) LIMIT 1"

_secrets = derived("tombstone", bytes)


def bury(registrations: Iterable[int], now: int) -> None:
    """End the old endpoints of these registrations' identities, in the caller's transaction."""
    rows = Registration.objects.filter(pk__in=registrations)
    names = rows.values_list("account__jid", "application", "instance")
    _write([_mac(_secrets()[0], *name) for name in names], now)


def bury_account(jid: str, now: int) -> None:
    """End all old endpoints of an account, in the caller's transaction."""
    _write([_mac(_secrets()[0], jid)], now)


def is_buried(jid: str, application: str, instance: str) -> bool:
    """True if old endpoints of this identity have ended."""
    keys = [
        _mac(secret, *name)
        for secret in _secrets()
        for name in ((jid, application, instance), (jid,))
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FIND.format(marks(keys)), keys)
        return cursor.fetchone() is not None


def _write(keys: list[bytes], now: int) -> None:
    moment = to_datetime(now)
    Tombstone.objects.bulk_create(
        [Tombstone(key=key, created_at=moment) for key in keys], ignore_conflicts=True
    )


def _mac(secret: bytes, *parts: str) -> bytes:
    # No JID and no base64 holds a zero, so no two lists of parts are one text.
    return hmac.digest(secret, "\0".join(parts).encode(), "sha256")[:16]
