"""Accounts and registrations made of what another server knew: at a first push, at an import.

SQL by hand: after a switch the first pushes to all endpoints come in at about the same time, and
the ORM took twenty times as long. Two processes may make the same row at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from pushprovider import tokens
from pushprovider.legacy.kinds import Kind

_NEW_ACCOUNT = """
    INSERT INTO pushprovider_account (jid, created_at, blocked_reason) VALUES (%s, %s, '')
    ON CONFLICT DO NOTHING
"""
_ACCOUNT = "SELECT id, blocked_at FROM pushprovider_account WHERE jid = %s"
_NEW_REGISTRATION = """
    INSERT INTO pushprovider_registration
        (key, account_id, resource, application, instance, vapid, legacy, created_at, renewed_at,
         expires_at, revoked_reason)
    VALUES (%s, %s, %s, %s, %s, '', %s, %s, %s, %s, '')
    ON CONFLICT DO NOTHING
"""
_REGISTRATION = """
    SELECT id, expires_at, legacy, renewed_at > created_at FROM pushprovider_registration
    WHERE account_id = %s AND application = %s AND instance = %s AND revoked_at IS NULL
"""
_LIVE = """
    SELECT COUNT(*) FROM pushprovider_registration
    WHERE account_id = %s AND revoked_at IS NULL AND expires_at > %s
"""
# A row whose URL has ended: it must not come back to life with the row.
_AGAIN = """
    UPDATE pushprovider_registration
    SET key = %s, resource = %s, vapid = '', legacy = %s, created_at = %s, renewed_at = %s,
        expires_at = %s
    WHERE id = %s
"""
_EXTEND = """
    UPDATE pushprovider_registration SET resource = %s, legacy = %s, expires_at = %s WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the other server said of an endpoint. `expires_at` in milliseconds since 1970."""

    kind: Kind
    resource: str
    application: str
    instance: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Row:
    """A registration that has not been revoked. `expires_at` in milliseconds since 1970."""

    id: int
    expires_at: int
    legacy: str
    was_renewed: bool


def account(jid: str, now: int) -> tuple[int, bool]:
    """Return the account's key, made if need be, and whether it is blocked."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNT, [jid])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_NEW_ACCOUNT, [jid, now])
            cursor.execute(_ACCOUNT, [jid])
            row = cursor.fetchone()
    return row[0], row[1] is not None


def live(account_id: int, now: int) -> int:
    """Return how many live registrations the account has."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [account_id, now])
        return int(cursor.fetchone()[0])


def find(account_id: int, origin: Origin) -> Row | None:
    """Return the identity's registration."""
    with connection.cursor() as cursor:
        cursor.execute(_REGISTRATION, [account_id, origin.application, origin.instance])
        row = cursor.fetchone()
    return Row(row[0], row[1], row[2], bool(row[3])) if row else None


def registration(account_id: int, origin: Origin, now: int) -> int:
    """Return the key of the identity's registration, made now unless another process did."""
    names = origin.application, origin.instance
    row = (origin.resource, *names, origin.kind.value, now, now, origin.expires_at)
    with connection.cursor() as cursor:
        cursor.execute(_NEW_REGISTRATION, [tokens.new_key(), account_id, *row])
        cursor.execute(_REGISTRATION, [account_id, *names])
        return int(cursor.fetchone()[0])


def begin_again(registration_id: int, origin: Origin, now: int) -> None:
    """Turn an expired registration into one of the other server's."""
    said = [origin.resource, origin.kind.value, now, now, origin.expires_at]
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, [tokens.new_key(), *said, registration_id])


def extend(registration_id: int, origin: Origin) -> None:
    """A later endpoint of the other server's: the device registered there once more."""
    said = [origin.resource, origin.kind.value, origin.expires_at]
    with connection.cursor() as cursor:
        cursor.execute(_EXTEND, [*said, registration_id])
