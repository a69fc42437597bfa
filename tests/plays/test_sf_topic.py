"""A message replaces the undelivered one of the same topic (RFC 8030 section 5.4)."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import (
    NewPhone,
    arrivals,
    nothing_but_a_marker,
    post_one,
    received_twice,
    state_of,
)

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_only_the_newest_is_kept_while_the_phone_is_away(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    for score in (b"0:0", b"1:0", b"1:1"):
        await post_one(steady, endpoint, score, Topic="score")
    await post_one(steady, endpoint, b"of another topic", Topic="weather")
    async with phone:
        assert await arrivals(phone, 2) == [b"1:1", b"of another topic"]
    for _reconnect in "12":
        async with phone:
            await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_one_in_flight_is_not_sent_again_once_it_is_replaced(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(answer="silent")
    async with phone:
        endpoint = (await phone.register()).endpoint
        old = await post_one(steady, endpoint, b"1:0", Topic="score")
        assert await arrivals(phone, 1) == [b"1:0"]
        await post_one(steady, endpoint, b"1:1", Topic="score")
        assert await arrivals(phone, 1) == [b"1:1"]
        phone.answer_push(phone.received[0])  # too late: it is replaced already
    phone.answer = "result"
    async with phone:
        assert await arrivals(phone, 1) == [b"1:1"]
        await nothing_but_a_marker(steady, phone, endpoint)
    assert state_of(steady, old) == "replaced"


@play
async def test_a_sleeping_phone_gets_each_at_most_once(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.cut()
        await post_one(steady, endpoint, b"1:0", Topic="score")
        await post_one(steady, endpoint, b"1:1", Topic="score")
        await phone.resume()
        await nothing_but_a_marker_after(steady, phone, endpoint, b"1:1")
        assert received_twice(phone) == []


@play
async def test_a_topic_can_be_used_again_after_its_message_expired(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    await post_one(steady, endpoint, b"0:0", Topic="score", TTL="1")
    await asyncio.sleep(1.1)
    await post_one(steady, endpoint, b"1:0", Topic="score")
    async with phone:
        assert await arrivals(phone, 1) == [b"1:0"]
        await nothing_but_a_marker(steady, phone, endpoint)


async def nothing_but_a_marker_after(
    provider: Provider, phone: Phone, endpoint: str, last: bytes
) -> None:
    """Let pushes come until `last` has, then nothing but a marker may."""
    while await arrivals(phone, 1) != [last]:
        pass
    await nothing_but_a_marker(provider, phone, endpoint)
