"""What operators do. Each act ends in the audit log, in the transaction of what it did."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.contrib.admin.models import DELETION
from django.db import connection, models, transaction

from pushprovider import stats
from pushprovider.fields import to_datetime
from pushprovider.models import (
    Account,
    Message,
    MessageState,
    Registration,
    RevocationReason,
    Urgency,
)
from pushprovider.stats import Count, Counts
from pushprovider.store import auditlog, registrations, tombstones
from pushprovider.store.post import new_uid
from pushprovider.store.writing import arriving, ending, relying

TEST_BODY = b"This is a test push, sent by an operator of the push server."
#: Rows deleted in one statement: bounds how long the write lock is held.
CHUNK = 5000


class NotLive(Exception):
    """The endpoint has ended, or its user is blocked: nothing can be sent to it."""


def block(accounts: Sequence[int], reason: str, operator: int, now: int) -> int:
    """Refuse everything for these accounts and drop what waits; return how many are newly so.

    One after the other: no sender waits for all of them.
    """
    return sum(_block(account, reason, operator, now) for account in accounts)


def _block(account: int, reason: str, operator: int, now: int) -> int:
    moment = to_datetime(now)
    with transaction.atomic():
        ending()
        rows = list(Account.objects.filter(pk=account, blocked_at=None))
        Account.objects.filter(pk__in=[row.pk for row in rows]).update(
            blocked_at=moment, blocked_reason=reason[: _longest(Account, "blocked_reason")]
        )
        waiting = Message.objects.filter(account__in=rows, state__lte=1)
        gone = waiting.update(state=MessageState.GONE, payload=b"", settled_at=moment)
        stats.add(Counts({(Count.SETTLED, MessageState.GONE.label): gone}), now)
        auditlog.write(operator, rows, f"Blocked. {_because(reason)}")
    return len(rows)


def unblock(accounts: Sequence[int], reason: str, operator: int) -> int:
    """Let these accounts in again; return how many were blocked."""
    with transaction.atomic():
        rows = list(Account.objects.filter(pk__in=accounts, blocked_at__isnull=False))
        Account.objects.filter(pk__in=[row.pk for row in rows]).update(
            blocked_at=None, blocked_reason=""
        )
        auditlog.write(operator, rows, f"Unblocked. {_because(reason)}")
    return len(rows)


def revoke(endpoints: Sequence[int], reason: str, operator: int, now: int) -> int:
    """End these registrations; return how many were live."""
    with transaction.atomic():
        rows = list(
            Registration.objects.filter(pk__in=endpoints, revoked_at=None).select_related("account")
        )
        number = registrations.revoke([row.pk for row in rows], RevocationReason.OPERATOR, now)
        auditlog.write(operator, rows, f"Revoked. {_because(reason)}")
    return number


def revoke_of(accounts: Sequence[int], reason: str, operator: int, now: int) -> int:
    """End every live registration of these accounts; return how many there were.

    One account after the other: no sender waits for all of them.
    """
    number = 0
    for account in accounts:
        live = Registration.objects.filter(account_id=account, revoked_at=None)
        number += revoke(list(live.values_list("pk", flat=True)), reason, operator, now)
    return number


def send_test_push(
    endpoint: int, operator: int | None, now: int, *, body: bytes = TEST_BODY
) -> str:
    """Put a message into the endpoint's queue; return its id. Raises NotLive.

    It is not encrypted, so an app may ignore it; that it arrives shows in its fate all the same.
    """
    moment = to_datetime(now)
    ttl = min(settings.DEFAULT_TTL, settings.MAX_TTL) or 60
    with transaction.atomic():
        relying()
        row = Registration.objects.select_related("account").get(pk=endpoint)
        if row.state_at(moment) != "active" or row.account.is_blocked:
            raise NotLive
        arriving()
        message = Message.objects.create(
            uid=new_uid(),
            registration=row,
            account=row.account,
            urgency=Urgency.HIGH,
            ttl=ttl,
            size=len(body),
            payload=body,
            accepted_at=moment,
            expires_at=to_datetime(now + ttl * 1000),
        )
        stats.add(Counts({(Count.ACCEPTED, Urgency.HIGH.label): 1}), now)
        auditlog.write(operator, [row], f"Test push {message.uid}.")
    return message.uid


def erase(
    account: int,
    operator: int | None,
    now: int,
    *,
    reason: RevocationReason = RevocationReason.OPERATOR,
) -> None:
    """Delete an account and everything about it; the log keeps that it happened, not who it was."""
    endpoints = list(Registration.objects.filter(account_id=account).values_list("pk", flat=True))
    registrations.revoke(endpoints, reason, now)
    for endpoint in endpoints:
        # In pieces, and by the index on the endpoint: there is none on the account alone.
        while _delete_some(Message.objects.filter(registration_id=endpoint)):
            pass
    with transaction.atomic():
        ending()
        # What came in since is in here, too: nothing may stay behind.
        Registration.objects.filter(account_id=account).delete()
        rows = list(Account.objects.filter(pk=account))
        auditlog.forget([row.jid for row in rows])
        for row in rows:
            tombstones.bury_account(row.jid, now)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM pushprovider_account WHERE id = %s", [account])
        auditlog.write(operator, rows, "Erased, with everything about it.", DELETION)


def _delete_some(rows: models.QuerySet[Message]) -> bool:
    """Delete up to CHUNK rows in a transaction of its own; True if there may be more."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    Message.objects.filter(pk__in=ids).delete()
    return len(ids) == CHUNK


def _because(reason: str) -> str:
    return f"Reason: {reason}" if reason else "No reason given."


def _longest(model: type[models.Model], name: str) -> int | None:
    length: int | None = model._meta.get_field(name).max_length  # type: ignore[union-attr]
    return length
