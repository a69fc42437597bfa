"""Endpoints taken over from another server's store: written in chunks, and their URL kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from pushprovider.fields import to_datetime
from pushprovider.legacy import prosody_storage
from pushprovider.legacy.imported import imported
from pushprovider.legacy.kinds import Kind
from pushprovider.models import ImportedEndpoint, Registration
from pushprovider.store import making, tombstones
from pushprovider.store.writing import relying, writing


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
        relying()
        rows = ImportedEndpoint.objects.filter(key__in=keys).values_list("key", flat=True)
        chunk = _Chunk({bytes(key) for key in rows}, address, now)
        fates = Counter(chunk.take(key, entry) for key, entry in zip(keys, entries, strict=True))
        ImportedEndpoint.objects.bulk_create(chunk.rows)
        transaction.set_rollback(dry_run)
    imported.tell(empty=False)
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


class _Chunk:
    """The rows that one chunk of entries comes to."""

    def __init__(self, known: set[bytes], address: str, now: int) -> None:
        self._known = known
        self._address = address
        self._now = now
        self.rows: list[ImportedEndpoint] = []

    def take(self, key: bytes, entry: Entry) -> Fate:
        if key in self._known:
            return Fate.KNOWN
        if tombstones.is_buried(entry.account, entry.application, entry.instance):
            return Fate.REVOKED
        registration, is_kept = self._registration(entry)
        self._known.add(key)
        self.rows.append(
            ImportedEndpoint(
                key=key,
                registration_id=registration,
                sealed=prosody_storage.seal(entry.token),
                address=self._address,
                host=entry.host,
                is_kept=is_kept,
                imported_at=to_datetime(self._now),
                expires_at=to_datetime(entry.expires_at),
            )
        )
        return Fate.TAKEN

    def _registration(self, entry: Entry) -> tuple[int, bool]:
        """Return the identity's registration, and whether the entry's URL is the device's own.

        It is, unless the device has registered with us since, or has a newer one there.
        """
        account, _ = making.account(entry.account, self._now)
        origin = making.Origin(
            Kind.PROSODY_STORAGE,
            entry.resource,
            entry.application,
            entry.instance,
            entry.expires_at,
        )
        row = making.find(account, origin)
        if row is None:
            return making.registration(account, origin, self._now), True
        if row.expires_at <= self._now:
            making.begin_again(row.id, origin, self._now)
        # Without a kind, or renewed: what the device holds is not what a foreign store says.
        elif not row.legacy or row.was_renewed or entry.expires_at <= row.expires_at:
            return row.id, False
        else:
            making.extend(row.id, origin)
        self._keep_no_other(row.id)
        return row.id, True

    def _keep_no_other(self, registration: int) -> None:
        ImportedEndpoint.objects.filter(registration_id=registration).update(is_kept=False)
        for row in self.rows:
            if row.registration_id == registration:
                row.is_kept = False
