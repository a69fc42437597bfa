"""Endpoints taken over from another server's store: written in chunks, and their URL kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from pushprovider.fields import to_datetime, to_ms
from pushprovider.legacy import prosody_storage
from pushprovider.legacy.kinds import Kind
from pushprovider.models import ImportedEndpoint, Registration
from pushprovider.store import making, tombstones
from pushprovider.store.writing import writing


@dataclass(frozen=True, slots=True)
class Entry:
    """One live endpoint of a foreign store. `expires_at` in milliseconds since 1970."""

    token: str
    host: str
    account: str
    resource: str
    application: str
    instance: str
    expires_at: int


class Fate(StrEnum):
    """What became of an entry."""

    TAKEN = "taken over"
    KNOWN = "here already"
    REVOKED = "revoked here"


def take(entries: Sequence[Entry], address: str, now: int, *, dry_run: bool) -> Counter[Fate]:
    """Take over entries, all or (if the store fails) none; return how many had which fate.

    `address` is what stands before the token in their URLs. What is here already stays as it is,
    so doing it again changes nothing.
    """
    keys = [prosody_storage.key(entry.token) for entry in entries]
    with writing():
        rows = ImportedEndpoint.objects.filter(key__in=keys).values_list("key", flat=True)
        known = {bytes(key) for key in rows}
        fates: Counter[Fate] = Counter()
        for key, entry in zip(keys, entries, strict=True):
            fates[Fate.KNOWN if key in known else _take(key, entry, address, now)] += 1
            known.add(key)
        transaction.set_rollback(dry_run)
    return fates


def extend(registration: Registration, expires_at: dt.datetime) -> str | None:
    """Return the URL that the device keeps, its life extended; None if it has one of ours."""
    if registration.legacy != Kind.PROSODY_STORAGE:
        return None
    kept = registration.imported.filter(is_kept=True).first()
    token = kept and prosody_storage.unseal(bytes(kept.sealed))
    if not kept or not token:
        return None
    # Sealed anew, so that a rotated SECRET_KEY is needed no longer.
    ImportedEndpoint.objects.filter(pk=kept.pk).update(
        expires_at=expires_at, sealed=prosody_storage.seal(token)
    )
    return f"{kept.address}{token}"


def _take(key: bytes, entry: Entry, address: str, now: int) -> Fate:
    if tombstones.is_buried(entry.account, entry.application, entry.instance):
        return Fate.REVOKED
    registration, is_kept = _registration(entry, now)
    ImportedEndpoint.objects.create(
        key=key,
        registration_id=registration,
        sealed=prosody_storage.seal(entry.token),
        address=address,
        host=entry.host,
        is_kept=is_kept,
        imported_at=to_datetime(now),
        expires_at=to_datetime(entry.expires_at),
    )
    return Fate.TAKEN


def _registration(entry: Entry, now: int) -> tuple[int, bool]:
    """Return the registration of the entry's identity, and whether its URL is the device's own.

    It is, unless the device has registered with us since, or has a newer one there.
    """
    account, _ = making.account(entry.account, now)
    origin = making.Origin(
        Kind.PROSODY_STORAGE, entry.resource, entry.application, entry.instance, entry.expires_at
    )
    live = Registration.objects.filter(
        account_id=account,
        application=entry.application,
        instance=entry.instance,
        revoked_at=None,
    ).first()
    if live is None:
        return making.registration(account, origin, now), True
    if to_ms(live.expires_at) <= now:
        making.begin_again(live.pk, origin, now)
    elif _has_registered(live) or entry.expires_at <= to_ms(live.expires_at):
        return live.pk, False
    else:
        making.extend(live.pk, origin)
    live.imported.update(is_kept=False)
    return live.pk, True


def _has_registered(live: Registration) -> bool:
    """True if the device knows a URL from us: what it holds is not what a foreign store says."""
    return not live.legacy or live.renewed_at > live.created_at
