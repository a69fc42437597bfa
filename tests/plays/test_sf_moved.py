"""An app moves to another device while a message to the old one is unanswered."""

from __future__ import annotations

import pytest

from tests.real.phone import random_name
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, becomes, nothing_but_a_marker, post_one

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_it_arrives_there_and_the_old_ones_end_breaks_nothing(
    steady: Provider, steady_phone: NewPhone
) -> None:
    before = steady.times_connected()
    app = random_name(), random_name()
    old, new = steady_phone(resource="old"), steady_phone(resource="new")
    old.answer = "silent"
    async with old, new:
        endpoint = (await old.register(*app)).endpoint
        await post_one(steady, endpoint, b"for you")
        assert await arrivals(old, 1) == [b"for you"]
        assert (await new.register(*app)).endpoint == endpoint
        assert await arrivals(new, 1) == [b"for you"]
        await old.logout()
        await nothing_but_a_marker(steady, new, endpoint)
    assert steady.times_connected() == before


@play
async def test_what_the_old_one_answers_late_is_not_sent_again(
    steady: Provider, steady_phone: NewPhone
) -> None:
    app = random_name(), random_name()
    old, new = steady_phone(resource="old"), steady_phone(resource="new")
    old.answer = "silent"
    async with old, new:
        endpoint = (await old.register(*app)).endpoint
        url = await post_one(steady, endpoint, b"for you")
        assert await arrivals(old, 1) == [b"for you"]
        await new.register(*app)
        old.answer_push(old.received[0])
        await becomes(steady, url, "delivered")
        await nothing_but_a_marker(steady, new, endpoint)
