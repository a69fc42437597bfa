"""The whole way: a test device, a push through PUBLIC_URL, the XMPP server, and back.

The device's address is at the component's own domain, so the XMPP server routes the push back to
the component, and that answers it as a phone would.
"""

from __future__ import annotations

import os
import time
from urllib.parse import urlsplit

from django.conf import settings

from pushprovider.admin.checks import Check
from pushprovider.doctor.findings import bad, doubtful, good
from pushprovider.doctor.wire import Answer, NoAnswer, Way
from pushprovider.fields import now_ms
from pushprovider.http.handler import MAX_BODY
from pushprovider.models import MessageState
from pushprovider.store import testdevice
from pushprovider.store.testdevice import Fate

NAME = "Full loop"
#: Seconds for the delivery, and how long it may take until it is worth a word (milliseconds).
PATIENCE, SLOW = 20.0, 3000


def untried() -> list[Check]:
    """Return that the loop cannot be closed now."""
    return [doubtful(NAME, "loop.untried", "not tried")]


def look(way: Way) -> list[Check]:
    """Push to a device of our own, wait for its answer, remove it."""
    device = testdevice.begin(now_ms())
    try:
        path = device.endpoint.removeprefix(settings.PUBLIC_URL)
        began = time.monotonic()
        answer = way.ask("POST", path, {"TTL": "60", "Urgency": "high"}, os.urandom(MAX_BODY))
        took = (time.monotonic() - began) * 1000
        if answer.status != 201:
            return [bad(NAME, "loop.refused", f"the push is answered {answer.status}")]
        return [arrived(wait(answer), took)]
    except NoAnswer as error:
        return [bad(NAME, "loop.refused", f"the push is not answered: {error}")]
    finally:
        testdevice.remove(device, now_ms())


def wait(answer: Answer) -> Fate | None:
    """Return what became of the message, at the end of it or of our patience."""
    uid = urlsplit(answer.header("location")).path.rpartition("/")[2]
    until = time.monotonic() + PATIENCE
    while True:
        found = testdevice.fate(uid)
        if found is None or found.state.is_terminal or time.monotonic() > until:
            return found
        time.sleep(0.02)


def arrived(fate: Fate | None, took: float) -> Check:
    """Return how it went; `took`: milliseconds for the POST."""
    if fate is None:
        return bad(NAME, "loop.refused", "the push was accepted, but is not in this database")
    if fate.state is not MessageState.DELIVERED or fate.delay is None:
        words = f"{fate.state.label}, failed attempts: {fate.attempts} {fate.condition}".rstrip()
        return bad(NAME, "loop.lost", f"not delivered within {PATIENCE:.0f} s: {words}")
    words = f"POST answered in {took:.0f} ms, delivered in {fate.delay} ms"
    if fate.delay > SLOW:
        return doubtful(NAME, "loop.slow", words)
    return good(NAME, "loop.delivered", words)
