"""How moments, durations, sizes and states read on a page."""

from __future__ import annotations

import datetime as dt

from django.utils.html import format_html
from django.utils.safestring import SafeString

#: What each word of state looks like: good, waiting, bad, or nothing in particular.
TONES = {
    "active": "good",
    "delivered": "good",
    "up": "good",
    "ok": "good",
    "queued": "wait",
    "sent": "wait",
    "warning": "wait",
    "expired": "wait",
    "revoked": "bad",
    "blocked": "bad",
    "evicted": "bad",
    "gone": "bad",
    "bad": "bad",
}

NONE = "–"  # noqa: RUF001  # an en dash is what people expect to see for "nothing"


def when(moment: dt.datetime | None) -> SafeString | str:
    """Return a moment as people write it, in UTC."""
    if moment is None:
        return NONE
    text = f"{moment:%d %b %Y %H:%M}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', moment.isoformat(), exact(moment), text
    )


def exact(moment: dt.datetime) -> str:
    """Return a moment to the millisecond."""
    return f"{moment:%d %b %Y %H:%M:%S}.{moment.microsecond // 1000:03d}"


def duration(milliseconds: float | None) -> str:
    """Return a duration in the unit that suits it."""
    if milliseconds is None:
        return NONE
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (48 * 3600, "h", 3600)):
        if seconds < limit:
            return (
                f"{seconds / size:.1f} {unit}" if seconds < 10 else f"{seconds / size:.0f} {unit}"
            )
    return f"{seconds / 86_400:.0f} d"


def ago(milliseconds: float) -> str:
    """Return how long ago something was, in words: 5 hours ago."""
    for size, unit in ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")):
        if milliseconds >= size:
            count = int(milliseconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def size(octets: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    number = float(octets)
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1024 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1024
    raise AssertionError


def number(count: int) -> str:
    """Return a whole number with thousands apart."""
    return f"{count:,}"


def pill(state: str) -> SafeString:
    """Return a state as a coloured word."""
    return format_html('<span class="pill {}">{}</span>', TONES.get(state, "plain"), state)


def isolated(text: str) -> SafeString:
    """Return text that others chose: its direction must not turn round what stands beside it."""
    return format_html('<bdi class="other">{}</bdi>', text)


def with_origin(text: str, origin: str) -> SafeString | str:
    """Return a name, marked if the endpoint is one of another server's."""
    if not origin:
        return text
    return format_html('{} <span class="pill plain" title="legacy">{}</span>', text, origin)
