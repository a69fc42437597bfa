"""What each ad-hoc command does. Plain functions that run in the database thread.

The first page of a command is shown at once; if it is a form, `end` gets what was filled in. The
account is the sender's bare JID.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from django.contrib.auth import get_user_model
from django.utils.text import Truncator

from pushprovider import stats
from pushprovider.models import Account
from pushprovider.stats import Count
from pushprovider.store import operators, owners, status, totals
from pushprovider.store.owners import Endpoint, NotYours, TooMuch
from pushprovider.xmpp import acl, forms
from pushprovider.xmpp.forms import Field

Fields = dict[str, str]

ENDED = "You have no such endpoint (any more)."


class Wrong(Exception):
    """What was asked for cannot be done; nothing was. A stanza error's condition and text."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a command: a form, or (at the end) a result, a note, or both."""

    xml: str = ""
    note: str = ""
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A node and what it does."""

    name: str
    begin: Callable[[str, int], Page]
    end: Callable[[str, Fields, int], Page]
    for_operators: bool = False


def _no_second_page(_jid: str, _fields: Fields, _now: int) -> Page:
    raise Wrong("bad-request", "This command has one page.")


# --- for users ----------------------------------------------------------------------------------


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
        (e.application, e.device, e.sender, _day(e.registered_at), _day(e.expires_at)) for e in rows
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
    return f"{row.application} on {row.device}, since {_day(row.registered_at)}{sender}"


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


# --- for operators ------------------------------------------------------------------------------


def statistics(_jid: str, now: int) -> Page:
    """Show the last 24 hours, and what is there now."""
    day = totals.totals(now - now % stats.HOUR_MS - 23 * stats.HOUR_MS)
    queue, registrations = totals.queue(), totals.registrations(now)
    settled = day.get(Count.SETTLED, {})
    failed = sum(settled.values()) - settled.get("delivered", 0)
    figures = {
        "xmpp": ("XMPP stream", "up" if status.is_up(now) else "down"),
        "accepted": ("Accepted in 24 hours", sum(day.get(Count.ACCEPTED, {}).values())),
        "delivered": ("Delivered in 24 hours", settled.get("delivered", 0)),
        "failed": ("Ended otherwise in 24 hours", failed),
        "rejected": ("Refused in 24 hours", sum(day.get(Count.REJECTED, {}).values())),
        "waiting": ("Waiting", queue.messages),
        "oldest": ("Oldest waiting since", _day(queue.oldest) if queue.oldest else "-"),
        "active": ("Active endpoints", registrations["active"]),
    }
    fields = [Field(var, label, value=str(value)) for var, (label, value) in figures.items()]
    return Page(forms.result("Statistics", fields))


def ask_whom(_jid: str, _now: int, *, title: str, instructions: str) -> Page:
    """Ask for an account and a reason."""
    fields = [
        Field("jid", "JID", "jid-single", required=True),
        Field("reason", "Reason, for the audit log"),
    ]
    return Page(forms.form(title, instructions, fields), is_form=True)


def block(operator: str, fields: Fields, now: int) -> Page:
    """Refuse everything for an account."""
    account = _account(fields)
    number = operators.block([account.pk], fields.get("reason", ""), _who(operator), now)
    return Page(note=f"{account.jid} is blocked." if number else f"{account.jid} was blocked.")


def unblock(operator: str, fields: Fields, _now: int) -> Page:
    """Let an account in again."""
    account = _account(fields)
    number = operators.unblock([account.pk], fields.get("reason", ""), _who(operator))
    return Page(note=f"{account.jid} is let in again." if number else "It was not blocked.")


def _account(fields: Fields) -> Account:
    jid = acl.bare(fields.get("jid", ""))
    if not jid:
        raise Wrong("bad-request", "A JID is needed.")
    account = Account.objects.filter(jid__in=[jid, jid.lower()]).first()
    if account is None:
        raise Wrong("item-not-found", "There is no such user.")
    return account


def _who(operator: str) -> int:
    """Return the user that stands for an XMPP admin in the audit log; nobody can log in as it."""
    users = get_user_model()._default_manager
    user, _ = users.get_or_create(
        username=f"xmpp:{operator}"[:150], defaults={"is_active": False, "password": "!"}
    )
    return int(user.pk)


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%d %H:%M} UTC"


#: Every command by its node.
COMMANDS: dict[str, Command] = {
    "my-endpoints": Command("My endpoints", my_endpoints, _no_second_page),
    "revoke": Command(
        "Revoke an endpoint",
        partial(choose, title="Revoke", instructions="Which one shall end?"),
        revoke,
    ),
    "test-push": Command(
        "Send me a test push",
        partial(choose, title="Test push", instructions="Where shall it go?"),
        send_test_push,
    ),
    "erase": Command("Erase my data", ask_to_erase, erase),
    "statistics": Command("Statistics", statistics, _no_second_page, for_operators=True),
    "block": Command(
        "Block a user",
        partial(ask_whom, title="Block", instructions="Nothing is accepted for a blocked user."),
        block,
        for_operators=True,
    ),
    "unblock": Command(
        "Unblock a user",
        partial(ask_whom, title="Unblock", instructions="Endpoints that live still work again."),
        unblock,
        for_operators=True,
    ),
}
