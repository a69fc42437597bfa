"""The register IQ: check it, register, answer. XML text comes out, whatever happens."""

from __future__ import annotations

import logging

from django.conf import settings

from pushprovider import vapid
from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.fields import now_ms
from pushprovider.store.registrations import Blocked, Granted, Request, TooMany, register
from pushprovider.xmpp import acl, stanzas

log = logging.getLogger(__name__)


class Refused(Exception):
    """The register IQ gets a stanza error: type, condition, text."""

    def __init__(self, kind: str, condition: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.condition = condition
        self.text = text


def check(asked: stanzas.Register) -> Request:
    """Return the request of a well-formed, permitted register. Raises Refused."""
    for name, value in (("application", asked.application), ("instance", asked.instance)):
        if not stanzas.is_32_bytes(value):
            raise Refused("modify", "bad-request", f"{name} must be the base64 of 32 bytes.")
    if asked.vapid is not None and not vapid.is_public_key(asked.vapid):
        raise Refused("modify", "bad-request", "vapid must be a P-256 public key, base64url.")
    account, _, resource = asked.sender.partition("/")
    if not resource or "@" not in account:
        raise Refused("modify", "bad-request", "Only a full JID can register.")
    if not acl.allows(settings.REGISTRATION_ACL, asked.sender):
        raise _forbidden()
    return Request(
        account, resource, asked.application or "", asked.instance or "", asked.vapid or ""
    )


def too_busy(asked: stanzas.Register) -> str:
    """Return the answer when too many wait already. Costs nothing."""
    own, text = settings.XMPP_COMPONENT_JID, "Too many at once. Try again later."
    return stanzas.error(asked.id, own, asked.sender, "wait", "resource-constraint", text)


async def answer(
    asked: stanzas.Register, thread: DatabaseThread, since: float | None = None
) -> tuple[str, bool]:
    """Return the answer's XML and whether the device is registered now.

    `since`: see DatabaseThread.run().
    """
    own = settings.XMPP_COMPONENT_JID
    try:
        granted = await _register(check(asked), thread, since)
    except Refused as no:
        text = stanzas.error(asked.id, own, asked.sender, no.kind, no.condition, no.text)
        return text, False
    text = stanzas.registered(asked.id, own, asked.sender, granted.endpoint, granted.expires_at)
    return text, True


async def _register(request: Request, thread: DatabaseThread, since: float | None) -> Granted:
    try:
        return await thread.run(lambda: register(request, now_ms()), since)
    except Blocked:
        raise _forbidden() from None
    except TooMany:
        raise Refused("wait", "resource-constraint", "Too many endpoints.") from None
    except StoreTrouble:
        raise Refused("wait", "internal-server-error", "Try again later.") from None


def _forbidden() -> Refused:
    return Refused("auth", "forbidden", "You may not register here.")
