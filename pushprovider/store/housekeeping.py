"""What must be tidied as time passes. The component does it; nothing needs cron.

Each call does a bounded piece and says whether there may be more, so that no lock is held long.
"""

from __future__ import annotations

from django.conf import settings

from pushprovider import stats
from pushprovider.fields import to_datetime
from pushprovider.legacy import reading
from pushprovider.models import (
    Account,
    HourlyCount,
    ImportedEndpoint,
    Message,
    MessageState,
    Registration,
    Tombstone,
)
from pushprovider.stats import Count, Counts
from pushprovider.store import auditlog
from pushprovider.store.writing import writing

CHUNK = 500
#: How long a registration stays visible after its end, in milliseconds.
KEEP_ENDED = 30 * 86_400_000


def tidy(now: int) -> bool:
    """Expire, purge and trim one chunk of each; return True if there may be more."""
    return any([expire(now), purge(now), forget(now), forget_old(now), trim(now)])


def expire(now: int) -> bool:
    """End waiting messages whose TTL is over (RFC 8030 section 5.2)."""
    moment = to_datetime(now)
    with writing():
        over = Message.objects.filter(state__lte=1, expires_at__lte=moment)
        ids = list(over.order_by("expires_at").values_list("pk", flat=True)[:CHUNK])
        expired = Message.objects.filter(pk__in=ids, state__lte=1).update(
            state=MessageState.EXPIRED, payload=b"", settled_at=moment
        )
        stats.add(Counts({(Count.SETTLED, MessageState.EXPIRED.label): expired}), now)
    return len(ids) == CHUNK


def purge(now: int) -> bool:
    """Delete terminal messages that are older than MESSAGE_LOG_HOURS."""
    before = to_datetime(now - settings.MESSAGE_LOG_HOURS * stats.HOUR_MS)
    old = Message.objects.filter(state__gt=1, settled_at__lt=before).order_by("settled_at")
    ids = list(old.values_list("pk", flat=True)[:CHUNK])
    Message.objects.filter(pk__in=ids).delete()
    return len(ids) == CHUNK


def forget(now: int) -> bool:
    """Delete registrations that ended long ago, revoked or not."""
    old = Registration.objects.filter(expires_at__lt=to_datetime(now - KEEP_ENDED))
    ids = list(old.order_by("expires_at").values_list("pk", flat=True)[:CHUNK])
    accounts = list(Registration.objects.filter(pk__in=ids).values_list("account_id", flat=True))
    Registration.objects.filter(pk__in=ids).delete()
    # Whoever has nothing here any more is forgotten, too; a block must last.
    idle = Account.objects.filter(pk__in=accounts, registrations=None, blocked_at=None)
    if jids := list(idle.values_list("jid", flat=True)):
        # While it is known whose names they are.
        auditlog.forget(jids)
        idle.delete()
    return len(ids) == CHUNK


def forget_old(now: int) -> bool:
    """Delete imported URLs that ended long ago; tombstones, when no old token can be honoured."""
    before = to_datetime(now - KEEP_ENDED)
    old = ImportedEndpoint.objects.filter(expires_at__lt=before).order_by("expires_at")
    ids = list(old.values_list("pk", flat=True)[:CHUNK])
    ImportedEndpoint.objects.filter(pk__in=ids).delete()
    if reading.is_on(now):  # how long a token that was never seen lives, nobody knows
        return len(ids) == CHUNK
    past = Tombstone.objects.filter(created_at__lt=before).order_by("created_at")
    buried = list(past.values_list("pk", flat=True)[:CHUNK])
    Tombstone.objects.filter(pk__in=buried).delete()
    return CHUNK in (len(ids), len(buried))


def trim(now: int) -> bool:
    """Fold counters that are older than STATS_DAYS into one row each: the totals stay."""
    before = to_datetime(now - settings.STATS_DAYS * 24 * stats.HOUR_MS)
    carried = to_datetime(stats.CARRIED)
    old = HourlyCount.objects.filter(hour__gt=carried, hour__lt=before).order_by("hour")
    if not old.exists():
        return False
    with writing():
        ids = list(old.values_list("pk", flat=True)[:CHUNK])
        stats.carry(ids)
        HourlyCount.objects.filter(pk__in=ids).delete()
    return len(ids) == CHUNK
