"""What the processes let each other know, through the store."""

from __future__ import annotations

from dataclasses import dataclass

from pushprovider.fields import to_datetime, to_ms
from pushprovider.models import Status

#: The XMPP stream: "up" or "down". Written every BEAT by the active component.
XMPP = "xmpp"
#: The same, with the moment since when it is so.
XMPP_SINCE = "xmpp_since"
#: Why there is no stream: one of Component's words and a sentence; empty while there is one.
XMPP_WHY = "xmpp_why"
#: What our own XMPP server says of us (xmpp/survey.py).
SURVEY = "survey"
#: PUBLIC_URL's certificate (certificate.py).
CERTIFICATE = "certificate"
#: The last backup; the value says how it was made.
BACKUP = "backup"
#: The doctor's last run, and one row for each of its findings.
DOCTOR = "doctor"
#: The last time that the web process found the store writable.
STORE = "store"
#: Seconds between two writes of the component.
BEAT = 5.0
#: Seconds after which a status is too old to be believed.
STALE = 12.0


@dataclass(frozen=True, slots=True)
class Stream:
    """Whether the XMPP stream is up, and since when (milliseconds since 1970; None: never)."""

    is_up: bool
    since: int | None


def tell(name: str, value: str, now: int) -> None:
    """Write one status. `now` in milliseconds since 1970."""
    Status.objects.update_or_create(name=name, defaults={"value": value, "at": to_datetime(now)})


def is_up(now: int) -> bool:
    """True if the active component said within STALE seconds that its stream is up."""
    return stream(now).is_up


def stream(now: int) -> Stream:
    """Return what is known of it. A component that fell silent is down since its last word."""
    rows = {row.name: row for row in Status.objects.filter(name__in=(XMPP, XMPP_SINCE))}
    last, changed = rows.get(XMPP), rows.get(XMPP_SINCE)
    if last is None:
        return Stream(False, None)
    said = to_ms(last.at)
    since = to_ms(changed.at) if changed and changed.value == last.value else said
    is_up = last.value == "up"
    if is_up and said < now - int(STALE * 1000):
        return Stream(False, said)
    return Stream(is_up, since)
