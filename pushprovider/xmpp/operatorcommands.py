"""What XMPP_ADMINS may do by ad-hoc command. Plain functions that run in the database thread."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from pushprovider import stats
from pushprovider.models import Account
from pushprovider.stats import Count
from pushprovider.store import operators, status, totals
from pushprovider.xmpp import acl, forms
from pushprovider.xmpp.forms import Field
from pushprovider.xmpp.pages import Fields, Page, Wrong, day


def statistics(_jid: str, now: int) -> Page:
    """Show the last 24 hours, and what is there now."""
    last = totals.totals(now - now % stats.HOUR_MS - 23 * stats.HOUR_MS)
    queue, registrations = totals.queue(), totals.registrations(now)
    settled = last.get(Count.SETTLED, {})
    failed = sum(settled.values()) - settled.get("delivered", 0)
    figures = {
        "xmpp": ("XMPP stream", "up" if status.is_up(now) else "down"),
        "accepted": ("Accepted in 24 hours", sum(last.get(Count.ACCEPTED, {}).values())),
        "delivered": ("Delivered in 24 hours", settled.get("delivered", 0)),
        "failed": ("Ended otherwise in 24 hours", failed),
        "rejected": ("Refused in 24 hours", sum(last.get(Count.REJECTED, {}).values())),
        "waiting": ("Waiting", queue.messages),
        "oldest": ("Oldest waiting since", day(queue.oldest) if queue.oldest else "-"),
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
