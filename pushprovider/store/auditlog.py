"""The audit log, which is Django's: what operators did to users and endpoints, and to whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import StrIndex, Substr

from pushprovider.models import Account, Registration
from pushprovider.naming import SHORT, app_hash

#: What stands in the log in place of a person who is no longer known.
ERASED = "an erased user"
#: Between an endpoint's application and its user.
_OF = " of "
#: Characters of a name that the log has room for.
_LONGEST = 200
#: Rows changed in one statement.
_CHUNK = 500


def write(
    operator: int | None, rows: Iterable[models.Model], message: str, flag: int = CHANGE
) -> None:
    """Write who did it; None is the account's owner, whose acts are not an operator's."""
    if operator is None:
        return
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=operator,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=ERASED if flag == DELETION else _name(row),
            action_flag=flag,
            change_message=message,
        )
        for row in rows
    )


def _name(row: models.Model) -> str:
    if isinstance(row, Registration):
        return f"{app_hash(row.application)}{_OF}{row.account.jid}"[:_LONGEST]
    return str(row)[:_LONGEST]


def about(jids: Sequence[str]) -> QuerySet[LogEntry]:
    """Return the entries about these users and their endpoints, also those long deleted.

    They are known by name: what deleted an endpoint did not look here. One look at all entries.
    """
    user, endpoint = (ContentType.objects.get_for_model(one) for one in (Account, Registration))
    entries = LogEntry.objects.alias(
        owner=Substr("object_repr", StrIndex("object_repr", Value(_OF)) + len(_OF))
    )
    # A JID that did not fit was cut. One that begins with the same characters is taken for it.
    owners = [jid[: _LONGEST - SHORT - len(_OF)] for jid in jids]
    return entries.filter(
        Q(content_type=user, object_repr__in=[jid[:_LONGEST] for jid in jids])
        | Q(content_type=endpoint, owner__in=owners)
    )


def forget(jids: Sequence[str]) -> None:
    """Take the names of these users out, and reasons that may speak of them."""
    # Read first, so that no write lock is held while all entries are looked at.
    keys = list(about(jids).values_list("pk", flat=True))
    for first in range(0, len(keys), _CHUNK):
        found = LogEntry.objects.filter(pk__in=keys[first : first + _CHUNK])
        found.update(object_repr=ERASED, change_message="")
