"""How templates show moments, states, sizes and names."""

from __future__ import annotations

import segno
from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from pushprovider.admin import display
from pushprovider.admin.messages import delay_of
from pushprovider.models import MessageState
from pushprovider.naming import app_hash, endpoint_hash

register = template.Library()

register.filter("when", display.when)
register.filter("exact", display.exact)
register.filter("duration", display.duration)
register.filter("size", display.size)
register.filter("number", display.number)
register.filter("pill", display.pill)
register.filter("other", display.isolated)
register.filter("app_hash", app_hash)
register.filter("endpoint_hash", endpoint_hash)
register.filter("delay_of", delay_of)


@register.filter
def state_of(number: int) -> str:
    """Return a message state's word."""
    return MessageState(number).label


@register.filter
def qr(text: str) -> SafeString:
    """Return a QR code of a text, drawn as SVG."""
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True)
    # segno made it of numbers only: nothing of the text is in it as text.
    return mark_safe(drawn)  # noqa: S308


@register.simple_tag
def kept() -> dict[str, str]:
    """Return how long what is kept, as people say it."""
    return {
        "message": _period(settings.DEFAULT_TTL),
        "message_most": _period(settings.MAX_TTL),
        "log": _period(settings.MESSAGE_LOG_HOURS * 3600),
        "endpoint": _period(settings.REGISTRATION_TTL),
        "stats": _period(settings.STATS_DAYS * 86_400),
    }


def _period(seconds: int) -> str:
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            number = seconds // size
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "no time"
