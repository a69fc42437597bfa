"""What an endpoint of another server leads to: found for a push, and made at the first one.

A token that names no row says who may be pushed to. Its messages go to the registration of the
same identity (account, application, instance), so they reach the device that registered last. As
long as none has registered with us, the registration is made from what the token says.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from pushprovider import tokens
from pushprovider.fields import to_datetime
from pushprovider.legacy.kinds import Claims, Kind, Old, Stored
from pushprovider.models import Account, Registration
from pushprovider.store import tombstones
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
           r.resource
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
        return None
    *found, is_kept, jid, resource = row
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
        # Its own URL has ended and must not come back to life: the row begins anew.
        moment = to_datetime(now)
        fresh = {"key": tokens.new_key(), "created_at": moment, "renewed_at": moment}
        _update(registration, old, vapid="", **fresh)
    elif legacy not in ("", Kind.PROSODY_STORAGE) and old.expires_at > expires_at:
        _update(registration, old)  # a later token: the device registered there once more
    return (registration, account, old.expires_at, None, "", blocked_at)


def _update(registration: int, old: Claims, **more: object) -> None:
    Registration.objects.filter(pk=registration).update(
        legacy=old.kind.value,
        resource=old.resource,
        expires_at=to_datetime(old.expires_at),
        **more,
    )


def _make(old: Claims, now: int) -> Found:
    moment = to_datetime(now)
    account, _ = Account.objects.get_or_create(jid=old.account, defaults={"created_at": moment})
    if account.is_blocked:
        return (0, account.pk, old.expires_at, None, "", now)
    live = account.registrations.filter(revoked_at=None, expires_at__gt=moment)
    if live.count() >= settings.MAX_ENDPOINTS_PER_ACCOUNT:
        raise TooMany
    made, _ = account.registrations.get_or_create(
        application=old.application,
        instance=old.instance,
        revoked_at=None,
        defaults={
            "key": tokens.new_key(),
            "resource": old.resource,
            "legacy": old.kind.value,
            "created_at": moment,
            "renewed_at": moment,
            "expires_at": to_datetime(old.expires_at),
        },
    )
    return (made.pk, account.pk, old.expires_at, None, "", None)
