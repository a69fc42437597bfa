"""What a user may do by ad-hoc command. Plain functions that run in the database thread."""

from __future__ import annotations

from django.utils.text import Truncator

from pushprovider.store import operators, owners
from pushprovider.store.owners import Endpoint, NotYours, TooMuch
from pushprovider.xmpp import forms
from pushprovider.xmpp.forms import Field
from pushprovider.xmpp.pages import Fields, Page, Wrong, day

ENDED = "You have no such endpoint (any more)."


def _check(jid: str) -> None:
    if owners.is_blocked(jid):
        raise Wrong("forbidden", "You may not do this.")


def my_endpoints(jid: str, now: int) -> Page:
    """List the account's endpoints."""
    _check(jid)
    rows = owners.endpoints(jid, now)
    if not rows:
        return Page(note="You have no endpoints.")
    columns = {
        "application": "Application",
        "device": "Device",
        "sender": "Pushed to by",
        "registered": "Registered",
        "expires": "Expires",
    }
    cells = [
        (e.application, _short(e.device), e.sender, day(e.registered_at), day(e.expires_at))
        for e in rows
    ]
    more = f"Only the newest {owners.MOST} are shown." if len(rows) == owners.MOST else ""
    return Page(forms.table("Your endpoints", columns, cells), more)


def choose(jid: str, now: int, *, title: str, instructions: str) -> Page:
    """Let one of the account's endpoints be chosen."""
    _check(jid)
    rows = owners.endpoints(jid, now)
    if not rows:
        return Page(note="You have no endpoints.")
    options = tuple((str(row.id), _label(row)) for row in rows)
    field = Field("endpoint", "Endpoint", "list-single", options[0][0], options, required=True)
    return Page(forms.form(title, instructions, [field]), is_form=True)


def _label(row: Endpoint) -> str:
    sender = f", pushed to by {Truncator(row.sender).chars(40)}" if row.sender else ""
    return f"{row.application} on {_short(row.device)}, since {day(row.registered_at)}{sender}"


def _short(device: str) -> str:
    """A list of the longest ones would be longer than a stanza may be."""
    return Truncator(device).chars(100)


def revoke(jid: str, fields: Fields, now: int) -> Page:
    """End one endpoint."""
    _check(jid)
    try:
        application = owners.revoke(jid, fields.get("endpoint", ""), now)
    except NotYours:
        raise Wrong("item-not-found", ENDED) from None
    return Page(note=f"Revoked: {application}. Its senders are told that it is gone.")


def send_test_push(jid: str, fields: Fields, now: int) -> Page:
    """Send a test push."""
    _check(jid)
    try:
        uid = owners.send_test_push(jid, fields.get("endpoint", ""), now)
    except (NotYours, operators.NotLive):
        raise Wrong("item-not-found", ENDED) from None
    except TooMuch:
        raise Wrong("resource-constraint", "Too many messages wait for it already.") from None
    return Page(note=f"On its way: {uid}. It is not encrypted, so the app may ignore it.")


def ask_to_erase(jid: str, _now: int) -> Page:
    """Ask before everything is deleted."""
    _check(jid)
    field = Field("confirm", "Yes, erase everything", "boolean", "0", required=True)
    what = (
        "This ends all your endpoints and deletes what is stored about you: devices, applications, "
        "messages. Apps that register again get new endpoints."
    )
    return Page(forms.form("Erase my data", what, [field]), is_form=True)


def erase(jid: str, fields: Fields, now: int) -> Page:
    """Delete everything about the account, if it was confirmed."""
    _check(jid)
    if fields.get("confirm") not in ("1", "true"):
        return Page(note="Nothing was erased: you did not confirm it.")
    if not owners.erase(jid, now):
        return Page(note="Nothing is stored about you.")
    return Page(note="Everything about you has been erased.")
