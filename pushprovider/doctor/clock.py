"""The clock: TTLs, expiry and signatures hang on it."""

from __future__ import annotations

import ctypes
import datetime as dt
from email.utils import parsedate_to_datetime

from pushprovider.admin import display
from pushprovider.admin.checks import Check
from pushprovider.doctor.findings import bad, doubtful, good
from pushprovider.fields import now_ms, to_ms
from pushprovider.models import Message

NAME = "Clock"
#: Milliseconds by which a clock may be wrong: half of what a signature may (RFC 8292).
TOLERANCE = 150_000
#: A message from the future by so much, in milliseconds, means that the clock went back.
BACKWARDS = 60_000
_UNSYNCHRONISED = 5  # adjtimex(2): TIME_ERROR


def look(date: str) -> list[Check]:
    """Compare with the store and with the Date header of an answer ("" if there was none)."""
    now = now_ms()
    newest = Message.objects.order_by("-id").values_list("accepted_at", flat=True).first()
    if newest is not None and to_ms(newest) - now > BACKWARDS:
        ahead = display.duration(to_ms(newest) - now)
        return [bad(NAME, "clock.backwards", f"the newest message is from {ahead} in the future")]
    if (off := difference(date, now)) and abs(off) > TOLERANCE:
        words = f"PUBLIC_URL's clock differs from this one by {display.duration(abs(off))}"
        return [bad(NAME, "clock.differs", words)]
    if not is_synchronised():
        return [doubtful(NAME, "clock.unsynchronised", "no time service keeps it")]
    return [good(NAME, "clock.fine", "right, as far as can be seen")]


def difference(date: str, now: int) -> int:
    """Return by how many milliseconds an HTTP date is ahead of `now`; 0 if it says nothing."""
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return 0
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - now


def is_synchronised() -> bool:
    """Return what the kernel says; true where it does not say."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        buffer = ctypes.create_string_buffer(512)  # struct timex; modes 0: only read
        return int(libc.adjtimex(buffer)) != _UNSYNCHRONISED
    except (OSError, AttributeError):
        return True
