"""What an account's owner may see and do: always by the JID that the server vouches for.

An endpoint is named by its primary key, which proves nothing: each function looks whose it is.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.conf import settings

from pushprovider.fields import to_datetime, to_ms
from pushprovider.models import Account, Message, Registration, RevocationReason, Sender
from pushprovider.naming import app_hash
from pushprovider.store import operators, registrations

log = logging.getLogger(__name__)

#: Endpoints shown: an answer must fit into one stanza.
MOST = 100
TEST_BODY = b"This is a test push that you sent to yourself."


class NotYours(Exception):
    """The account has no such live endpoint."""


class TooMuch(Exception):
    """As many messages wait for the endpoint as may."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A live endpoint as its owner sees it. Times in milliseconds since 1970."""

    id: int
    application: str
    device: str
    sender: str
    registered_at: int
    expires_at: int


def is_blocked(jid: str) -> bool:
    """True if an operator has blocked the account."""
    return Account.objects.filter(jid=jid, blocked_at__isnull=False).exists()


def endpoints(jid: str, now: int) -> list[Endpoint]:
    """Return the account's newest live endpoints, MOST of them."""
    live = Registration.objects.filter(
        account__jid=jid, revoked_at=None, expires_at__gt=to_datetime(now)
    )
    rows = list(live.order_by("-renewed_at", "-pk")[:MOST])
    senders: dict[int, Sender] = {}
    for sender in Sender.objects.filter(registration__in=rows).order_by("last_at"):
        senders[sender.registration_id] = sender
    return [
        Endpoint(
            row.pk,
            app_hash(row.application),
            row.resource,
            str(senders.get(row.pk, "")),
            to_ms(row.created_at),
            to_ms(row.expires_at),
        )
        for row in rows
    ]


def revoke(jid: str, endpoint: str, now: int) -> str:
    """End one endpoint; return its application's short hash. Raises NotYours."""
    row = _own(jid, endpoint, now)
    registrations.revoke([row.pk], RevocationReason.OWNER, now)
    return app_hash(row.application)


def send_test_push(jid: str, endpoint: str, now: int) -> str:
    """Put a message into one endpoint's queue; return its id. Raises NotYours, TooMuch."""
    row = _own(jid, endpoint, now)
    waiting = Message.objects.filter(account_id=row.account_id, registration=row, state__lte=1)
    if waiting.count() >= settings.MAX_STORED_PER_ENDPOINT:
        raise TooMuch
    return operators.send_test_push(row.pk, None, now, body=TEST_BODY)


def erase(jid: str, now: int) -> bool:
    """Delete the account and everything about it; False if nothing is known of it."""
    account = Account.objects.filter(jid=jid).first()
    if account is None:
        return False
    operators.erase(account.pk, None, now, reason=RevocationReason.OWNER)
    log.info("an account was erased by its owner")
    return True


def _own(jid: str, endpoint: str, now: int) -> Registration:
    if not (endpoint.isascii() and endpoint.isdigit() and len(endpoint) < 19):
        raise NotYours
    row = Registration.objects.filter(
        pk=int(endpoint), account__jid=jid, revoked_at=None, expires_at__gt=to_datetime(now)
    ).first()
    if row is None:
        raise NotYours
    return row
