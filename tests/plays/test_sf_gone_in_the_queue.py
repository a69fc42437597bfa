"""In the middle of a queue the phone says that it does not know an application any more."""

from __future__ import annotations

import pytest

from tests.real.phone import random_name
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import (
    NewPhone,
    arrivals,
    becomes,
    nothing_but_a_marker,
    post_one,
    received_twice,
)

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@pytest.mark.parametrize("condition", ["item-not-found", "feature-not-implemented"])
@play
async def test_its_queue_is_dropped_and_the_others_arrive_in_order(
    steady: Provider, steady_phone: NewPhone, condition: str
) -> None:
    phone = steady_phone()
    phone.answer = lambda push: condition if push.payload.startswith(b"removed") else "result"
    async with phone:
        kept, removed, other = [(await phone.register()).endpoint for _ in "123"]
    for number in range(10):
        await post_one(steady, kept, b"kept %d" % number)
        last = await post_one(steady, removed, b"removed %d" % number)
        await post_one(steady, other, b"other %d" % number)
    async with phone:
        await becomes(steady, last, "gone")
        expected = [b"%s %d" % (who, number) for number in range(10) for who in (b"kept", b"other")]
        seen: list[bytes] = []
        while len(seen) < len(expected):
            seen += [each for each in await arrivals(phone, 1) if not each.startswith(b"removed")]
        assert seen == expected
    answer = await steady.post(removed, b"still there?")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (410, "max-age=86400")
    async with phone:
        await nothing_but_a_marker(steady, phone, kept)
        await nothing_but_a_marker(steady, phone, other)
        assert received_twice(phone) == []


@play
async def test_the_application_comes_back_with_a_new_endpoint(
    steady: Provider, steady_phone: NewPhone
) -> None:
    names = random_name(), random_name()
    async with steady_phone(answer="item-not-found") as phone:
        old = (await phone.register(*names)).endpoint
        await becomes(steady, await post_one(steady, old, b"who?"), "gone")
        await phone.next_push()
        phone.answer = "result"
        new = (await phone.register(*names)).endpoint
        await nothing_but_a_marker(steady, phone, new)
    assert new != old
    assert (await steady.post(old, b"still there?")).status_code == 410
