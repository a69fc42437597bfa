"""What an endpoint of another server leads to: found for a push, and made at the first one.

A token that names no row says who may be pushed to. Its messages go to the registration of the
same identity (account, application, instance), so they reach the device that registered last. As
long as none has registered with us, the registration is made from what the token says.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from pushprovider.legacy.imported import imported
from pushprovider.legacy.kinds import Claims, Kind, Old, Stored
from pushprovider.models import ImportedEndpoint
from pushprovider.store import making, tombstones
from pushprovider.store.making import Origin
from pushprovider.xmpp import acl

#: registration, account, expires_at, revoked_at, vapid, blocked_at: what a push must know.
Found = tuple[int, int, int, int | None, str, int | None]

_IDENTITY = """
    SELECT r.id, a.id, r.expires_at, r.legacy, a.blocked_at
    FROM pushprovider_registration r JOIN pushprovider_account a ON a.id = r.account_id
    WHERE a.jid = %s AND r.application = %s AND r.instance = %s AND r.revoked_at IS NULL
"""
_IMPORTED = """
    SELECT r.id, a.id, i.expires_at, r.revoked_at, r.vapid, a.blocked_at, i.is_kept, a.jid,
           r.resource, i.address
    FROM pushprovider_importedendpoint i
    JOIN pushprovider_registration r ON r.id = i.registration_id
    JOIN pushprovider_account a ON a.id = r.account_id
    WHERE i.key = %s
"""


class TooMany(Exception):
    """The account has MAX_ENDPOINTS_PER_ACCOUNT registrations already."""


def kind_of(old: Old) -> Kind:
    """Return who issued the endpoint."""
    return Kind.PROSODY_STORAGE if isinstance(old, Stored) else old.kind


def find(old: Old, now: int) -> Found | None:
    """Return the registration behind it, made if need be, in the caller's transaction.

    None: as if nobody had issued it. Raises TooMany.
    """
    if isinstance(old, Stored):
        return _imported(old, now)
    if not acl.allows(settings.REGISTRATION_ACL, old.device):
        return None
    if tombstones.is_buried(old.account, old.application, old.instance):
        return (0, 0, old.expires_at, now, "", None)
    return _of_identity(old, now)


def _imported(old: Stored, now: int) -> Found | None:
    with connection.cursor() as cursor:
        cursor.execute(_IMPORTED, [old.key])
        row = cursor.fetchone()
    if row is None:
        imported.tell(empty=not ImportedEndpoint.objects.exists())
        return None
    *found, is_kept, jid, resource, address = row
    if old.address not in ("", address):
        return None
    registration, account, expires_at, revoked_at, vapid, blocked_at = found
    if now >= expires_at or not acl.allows(settings.REGISTRATION_ACL, f"{jid}/{resource}"):
        return None
    # The device can restrict the URL that it was given by us, not one that others know longer.
    return (registration, account, expires_at, revoked_at, vapid if is_kept else "", blocked_at)


def _of_identity(old: Claims, now: int) -> Found:
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITY, [old.account, old.application, old.instance])
        row = cursor.fetchone()
    if row is None:
        return _make(old, now)
    registration, account, expires_at, legacy, blocked_at = row
    if now >= expires_at:
        making.begin_again(registration, _origin(old), now)
    elif legacy not in ("", Kind.PROSODY_STORAGE) and old.expires_at > expires_at:
        making.extend(registration, _origin(old))
    return (registration, account, old.expires_at, None, "", blocked_at)


def _make(old: Claims, now: int) -> Found:
    account, is_blocked = making.account(old.account, now)
    if is_blocked:
        return (0, account, old.expires_at, None, "", now)
    if making.live(account, now) >= settings.MAX_ENDPOINTS_PER_ACCOUNT:
        raise TooMany
    registration = making.registration(account, _origin(old), now)
    return (registration, account, old.expires_at, None, "", None)


def _origin(old: Claims) -> Origin:
    return Origin(old.kind, old.resource, old.application, old.instance, old.expires_at)
