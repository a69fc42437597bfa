"""How templates show moments, states, sizes and names."""

from __future__ import annotations

from django import template

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
