"""The doctor's test device: registered for one push, then gone with all that belongs to it."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from pushprovider.fields import to_datetime, to_ms
from pushprovider.models import Account, Message, MessageState, Registration
from pushprovider.naming import DOCTOR
from pushprovider.store import registrations
from pushprovider.store.writing import writing

#: Milliseconds after which what an interrupted doctor left behind is removed.
LEFTOVER = 600_000


@dataclass(frozen=True, slots=True)
class TestDevice:
    """A device at the component's own domain: the XMPP server routes its pushes back to us."""

    account: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What has become of a message; `delay` is the time from POST to answer in milliseconds."""

    state: MessageState
    size: int
    delay: int | None
    attempts: int
    condition: str


def begin(now: int) -> TestDevice:
    """Register a new test device. `now`: milliseconds since 1970."""
    account = f"{DOCTOR}{secrets.token_hex(6)}@{settings.XMPP_COMPONENT_JID}"
    names = [b64encode(secrets.token_bytes(32)).decode() for _ in range(2)]
    granted = registrations.register(registrations.Request(account, "loop", *names), now)
    return TestDevice(account, granted.endpoint)


def fate(uid: str) -> Fate | None:
    """Return what has become of a message so far."""
    row = Message.objects.filter(uid=uid).first()
    if row is None:
        return None
    delay = to_ms(row.settled_at) - to_ms(row.accepted_at) if row.settled_at else None
    return Fate(MessageState(row.state), row.size, delay, row.attempts, row.condition)


def remove(device: TestDevice, now: int) -> None:
    """Delete the device and everything about it, and what earlier ones left behind."""
    old = Account.objects.filter(
        jid__gte=DOCTOR, jid__lt=DOCTOR[:-1] + ".", created_at__lt=to_datetime(now - LEFTOVER)
    ).filter(domain=settings.XMPP_COMPONENT_JID)
    mine = Account.objects.filter(jid=device.account)
    for account in [*mine.values_list("pk", flat=True), *old.values_list("pk", flat=True)]:
        _delete(account)


def _delete(account: int) -> None:
    # See operators.erase(): all of an account's messages are those of its registrations, and
    # SQLite would read the whole table to see that none is left.
    with connection.constraint_checks_disabled(), writing():
        Registration.objects.filter(account_id=account).delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM pushprovider_account WHERE id = %s", [account])
