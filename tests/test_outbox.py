"""What waits for a device, as the store gives it out: in order, and however long the queue is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from pushprovider.fields import now_ms
from pushprovider.models import Message
from pushprovider.store.attempts import Want
from pushprovider.store.outbox import queued, waiting_devices
from pushprovider.store.post import Limits, Post
from pushprovider.store.save import save
from tests.cast import Phone

EVER = 10**9
NORMAL, HIGH = 2, 3


def post(phone: Phone, app: str, *bodies: bytes, urgency: int = NORMAL) -> None:
    """An application server posts to an app of this phone."""
    key = bytes(phone.registration(app).key)
    save([Post(key, body, 3600, urgency=urgency) for body in bodies], now_ms(), Limits())


def look(phone: Phone, number: int, *but: int, upto: int = EVER) -> list[bytes]:
    """Return the payloads of what the loop would send next."""
    return [m.payload for m in queued(Want(phone.jid, number, but), upto, now_ms())]


@pytest.fixture
def two_apps(phone: Phone) -> Phone:
    """A phone with two apps, of which four messages came in turns."""
    for app in ("chat", "mail"):
        phone.register(app)
    for number in b"12":
        post(phone, "chat", b"chat %c" % number)
        post(phone, "mail", b"mail %c" % number)
    return phone


def test_the_oldest_of_all_endpoints_goes_first(two_apps: Phone) -> None:
    assert look(two_apps, 3) == [b"chat 1", b"mail 1", b"chat 2"]
    assert look(two_apps, 9) == [b"chat 1", b"mail 1", b"chat 2", b"mail 2"]


def test_the_urgent_goes_before_the_old(two_apps: Phone) -> None:
    post(two_apps, "mail", b"fire", urgency=HIGH)
    assert look(two_apps, 2) == [b"fire", b"chat 1"]


def test_what_is_in_flight_or_too_new_is_left_out(two_apps: Phone) -> None:
    ids = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    assert look(two_apps, 9, ids[0], ids[1]) == [b"chat 2", b"mail 2"]
    assert look(two_apps, 9, upto=ids[1]) == [b"chat 1", b"mail 1"]


def test_other_devices_of_the_account_have_queues_of_their_own(two_apps: Phone) -> None:
    tablet = Phone(f"{two_apps.account}/tablet")
    tablet.register("news")
    post(tablet, "news", b"news")
    assert look(tablet, 9) == [b"news"]
    assert b"news" not in look(two_apps, 9)


def test_it_names_every_device_that_something_waits_for(two_apps: Phone) -> None:
    tablet = Phone(f"{two_apps.account}/tablet")
    tablet.register("news")
    assert waiting_devices(0) == {two_apps.jid: False}
    newest = Message.objects.latest("pk").pk
    post(tablet, "news", b"news")
    assert waiting_devices(newest) == {two_apps.jid: True, tablet.jid: False}


def test_it_remembers_what_was_sent_to_one_of_its_endpoints(two_apps: Phone) -> None:
    Message.objects.filter(registration=two_apps.registration("chat")).update(state=1)
    assert waiting_devices(0) == {two_apps.jid: True}


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the steps of SQLite's virtual machine, by the hundred."""
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    connection.connection.set_progress_handler(step, 100)
    yield steps
    connection.connection.set_progress_handler(None, 0)


@pytest.mark.sqlite
def test_a_long_queue_costs_no_more_than_a_short_one(phone: Phone) -> None:
    phone.register("chat")
    costs = []
    for number in (20, 180):
        post(phone, "chat", *(b"%d" % n for n in range(number)))
        with counted() as steps:
            assert len(look(phone, 16)) == 16
        costs.append(steps[0])
    assert costs[1] <= costs[0] + 1
