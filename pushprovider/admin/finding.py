"""Searches that use an index, whatever the text is: exact or prefix, never "contains"."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from pushprovider import tokens
from pushprovider.models import Account, Message, Registration
from pushprovider.naming import HASHED, endpoint_hash

#: Longer than anything stored: nothing can begin with it.
LONGEST = 3071
#: What stands after a name that is only the beginning of one; people copy it, too.
MORE = "…"
#: Users whose endpoints or messages are searched when a text fits many.
MANY = 200
#: Endpoints of which the name that is shown is looked up.
WINDOW = 100_000

Row = TypeVar("Row", bound=Model)


def beginning(queryset: QuerySet[Row], field: str, text: str) -> QuerySet[Row]:
    """Return the rows whose field begins with a text; wildcards in it mean themselves."""
    if not text or len(text) > LONGEST:
        return queryset.none()
    if connection.vendor == "sqlite":
        # SQLite's LIKE ignores case, and then cannot use the index.
        return queryset.filter(**{f"{field}__gte": text, f"{field}__lt": text + "\U0010ffff"})
    return queryset.filter(**{f"{field}__startswith": text})


def is_key(text: str) -> bool:
    """True if a text may be the key of a row: a number that the database has room for."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def accounts_like(text: str) -> list[int]:
    """Return the user of that JID, or those whose JID begins with the text, MANY at most."""
    bare = text.partition("/")[0].lower()
    if whole := list(Account.objects.filter(jid=bare).values_list("pk", flat=True)):
        return whole
    found = beginning(Account.objects.order_by("jid"), "jid", bare)
    return list(found.values_list("pk", flat=True)[:MANY])


def endpoint_of(text: str) -> Registration | None:
    """Return the endpoint that a URL or a token belongs to, if it is one of ours."""
    token = text.rpartition("/push/")[2].strip("/")
    key = tokens.check(token) if len(token) < 100 and token.isascii() else None
    return Registration.objects.filter(key=key).first() if key else None


def endpoint_named(text: str) -> int | None:
    """Return the key of the endpoint that pages show by this name, if it is among the newest.

    The name is a hash that is stored nowhere: so many are hashed, in a quarter of a second.
    """
    if not re.fullmatch(f"[0-9a-f]{{{HASHED}}}", text):
        return None
    rows = Registration.objects.order_by("-pk").values_list("pk", "key")[:WINDOW]
    named = (pk for pk, key in rows.iterator() if endpoint_hash(bytes(key)) == text)
    return next(named, None)


def best(text: str) -> tuple[str, Any]:
    """Return what a text in the Find box means: a list or page of the admin, and its argument.

    A whole JID, message id or endpoint goes straight to its page; the rest to a list's search.
    """
    text = text.strip().removeprefix("xmpp:").removesuffix(MORE)
    if not text or len(text) > LONGEST or "\x00" in text:
        return "account_changelist", None
    if (endpoint := endpoint_of(text)) is not None:
        return "registration_change", endpoint.pk
    uid = text.rpartition("/message/")[2]
    if (message := Message.objects.filter(uid=uid).first()) is not None:
        return "message_change", message.pk
    bare = text.partition("/")[0].lower()
    if (account := Account.objects.filter(jid=bare).first()) is not None:
        return "account_change", account.pk
    if (named := endpoint_named(text)) is not None:
        return "registration_change", named
    if "@" not in text and beginning(Registration.objects.all(), "application", text).exists():
        return "registration_search", text
    if "@" not in text and beginning(Message.objects.all(), "uid", text).exists():
        return "message_search", text
    return "account_search", text
