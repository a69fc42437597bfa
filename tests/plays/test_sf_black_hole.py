"""A phone vanishes: no FIN, no RST, no TCP answer. Its server still believes in it."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import (
    NewPhone,
    arrivals,
    becomes,
    nothing_but_a_marker,
    post_all,
    received_twice,
)

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


NUMBERS = [b"%d" % number for number in range(20)]


@play
async def test_it_resumes_over_another_network_and_gets_each_once(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.vanish()
        await post_all(steady, endpoint, NUMBERS)
        await phone.resume()
        assert await arrivals(phone, len(NUMBERS)) == NUMBERS
        await nothing_but_a_marker(steady, phone, endpoint)
        assert received_twice(phone) == []


@play
async def test_it_begins_anew_and_gets_each_once(steady: Provider, steady_phone: NewPhone) -> None:
    await asyncio.gather(
        begin_anew(steady, steady_phone("-resumable", resumable=True)),
        begin_anew(steady, steady_phone("-plain", resumable=False)),
    )


async def begin_anew(provider: Provider, phone: Phone) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.vanish()
        await post_all(provider, endpoint, NUMBERS)
        await phone.connect()
        # What was sent in the last second may have gone into the new session, so it waits a little.
        assert sorted(await arrivals(phone, len(NUMBERS))) == sorted(NUMBERS)
        await nothing_but_a_marker(provider, phone, endpoint)
        assert received_twice(phone) == []


@play
async def test_its_server_notices_at_last_and_nothing_is_lost(
    hasty: Provider, hasty_phone: NewPhone
) -> None:
    phone = hasty_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.vanish()
        urls = await post_all(hasty, endpoint, NUMBERS)
        await becomes(hasty, urls[0], "sent")
        await becomes(hasty, urls[0], "queued", 20)
        await phone.connect()
        assert await arrivals(phone, len(NUMBERS)) == NUMBERS
        await nothing_but_a_marker(hasty, phone, endpoint)
        assert received_twice(phone) == []
