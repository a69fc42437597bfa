"""Registrations and revocations, through the ORM."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from pushprovider import stats, tokens
from pushprovider.fields import to_datetime
from pushprovider.legacy.kinds import Kind
from pushprovider.models import (
    Account,
    Message,
    MessageState,
    Registration,
    RevocationReason,
)
from pushprovider.stats import Count, Counts
from pushprovider.store import imports, tombstones
from pushprovider.store.writing import ending, writing

#: Registrations of an account that have ended and are still answered with 410 or 404.
MOST_ENDED = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """A device asks for an endpoint: its JID in two halves, and what it is for."""

    account: str
    resource: str
    application: str
    instance: str
    vapid: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """An endpoint's URL and its expiration in milliseconds since 1970."""

    endpoint: str
    expires_at: int


class Blocked(Exception):
    """The account is blocked by an operator."""


class TooMany(Exception):
    """The account has MAX_ENDPOINTS_PER_ACCOUNT registrations already."""


def register(request: Request, now: int) -> Granted:
    """Make or extend the registration and return its endpoint; the URL stays the same.

    The same account, application and instance are the same registration: a new resource only
    moves it to another device. A URL that was imported stays, too; another old one (docs/legacy.md)
    has no row that could be extended, so the device is given one of ours. After it expired it gets
    a new URL, because senders that were told 404 have forgotten the old one.
    Raises Blocked, TooMany.
    """
    moment = to_datetime(now)
    expires = to_datetime(now + settings.REGISTRATION_TTL * 1000)
    with writing():
        # On PostgreSQL nobody blocks or revokes meanwhile; SQLite has one writer anyway.
        account, _ = Account.objects.select_for_update().get_or_create(
            jid=request.account, defaults={"created_at": moment}
        )
        if account.is_blocked:
            raise Blocked
        Account.objects.filter(pk=account.pk).update(last_seen_at=moment)
        identity = {"application": request.application, "instance": request.instance}
        mine = account.registrations.select_for_update()
        live = mine.filter(revoked_at=None, **identity).first()
        counted = Count.RENEWED if live and live.expires_at > moment else Count.REGISTERED
        if counted is Count.REGISTERED:
            _check_number(account, now)
        key = bytes(live.key) if live and counted is Count.RENEWED else tokens.new_key()
        kept = imports.extend(live, expires) if live and counted is Count.RENEWED else None
        fields = {
            "key": key,
            "legacy": Kind.PROSODY_STORAGE.value if kept else "",
            "resource": request.resource,
            "vapid": request.vapid,
            "renewed_at": moment,
            "expires_at": expires,
        }
        if live:
            Registration.objects.filter(pk=live.pk).update(**fields)
        else:
            account.registrations.create(created_at=moment, **identity, **fields)
        stats.add(Counts({(counted, ""): 1}), now)
    return Granted(kept or tokens.endpoint(key), now + settings.REGISTRATION_TTL * 1000)


def _check_number(account: Account, now: int) -> None:
    active = account.registrations.filter(revoked_at=None, expires_at__gt=to_datetime(now))
    if active.count() >= settings.MAX_ENDPOINTS_PER_ACCOUNT:
        raise TooMany
    if account.registrations.count() >= settings.MAX_ENDPOINTS_PER_ACCOUNT + MOST_ENDED:
        raise TooMany  # who registers and revokes all day must not fill the store


def revoke(registrations: list[int], reason: RevocationReason, now: int) -> int:
    """End registrations by primary key and drop their queues; return how many were live."""
    moment = to_datetime(now)
    with transaction.atomic():
        ending()
        revoked = Registration.objects.filter(pk__in=registrations, revoked_at=None).update(
            revoked_at=moment, revoked_reason=reason
        )
        tombstones.bury(registrations, now)
        # The account is named so that the index of waiting messages is used.
        accounts = Registration.objects.filter(pk__in=registrations).values("account_id")
        gone = Message.objects.filter(
            account_id__in=accounts, registration_id__in=registrations, state__lte=1
        ).update(state=MessageState.GONE, payload=b"", settled_at=moment)
        stats.add(
            Counts(
                {
                    (Count.REVOKED, reason.value): revoked,
                    (Count.SETTLED, MessageState.GONE.label): gone,
                }
            ),
            now,
        )
    return revoked


def cancel(uid: str, now: int) -> bool:
    """DELETE of a message resource (RFC 8030 section 6.2): True if it was still waiting."""
    moment = to_datetime(now)
    with writing():
        waiting = Message.objects.filter(uid=uid, state__lte=1, expires_at__gt=moment)
        cancelled = waiting.update(state=MessageState.CANCELLED, payload=b"", settled_at=moment)
        stats.add(Counts({(Count.SETTLED, MessageState.CANCELLED.label): cancelled}), now)
    return bool(cancelled)
