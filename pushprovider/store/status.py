"""What the processes let each other know, through the store."""

from __future__ import annotations

from pushprovider.fields import to_datetime
from pushprovider.models import Status

#: The XMPP stream: "up" or "down". Written every BEAT by the active component.
XMPP = "xmpp"
#: Seconds between two writes of the component.
BEAT = 5.0
#: Seconds after which a status is too old to be believed.
STALE = 12.0


def tell(name: str, value: str, now: int) -> None:
    """Write one status. `now` in milliseconds since 1970."""
    Status.objects.update_or_create(name=name, defaults={"value": value, "at": to_datetime(now)})


def is_up(now: int) -> bool:
    """True if the active component said within STALE seconds that its stream is up."""
    since = to_datetime(now - int(STALE * 1000))
    return Status.objects.filter(name=XMPP, value="up", at__gte=since).exists()
